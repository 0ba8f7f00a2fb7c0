//! Fifty waits in one run, beside fifty `kubectl wait`: how soon they see a change, and what they cost while they wait.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    cozyscript,
    kubernetes::Testbed,
    memory::{mebibytes, most_so_far},
    table::{Row, millis, ratio},
    write,
};

const WAITS: usize = 50;

/// How long all of them take to begin, even fifty processes on two cores.
const BEGIN: Duration = Duration::from_secs(20);

/// Between two changes, so that one doesn't wait for another.
const PAUSE: Duration = Duration::from_millis(50);

pub fn rows(folder: &Path) -> Vec<Row> {
    let (time, memory) = ("50 waits in one run see a change", "… peak memory of that");
    let testbed = match Testbed::start(folder.join("cluster")) {
        Ok(testbed) => testbed,
        Err(why) => {
            let row = |subject| Row::new(subject, String::new(), String::new()).without("50 kubectl wait", &why);
            return vec![row(time), row(memory)];
        }
    };
    let door = Door::open(&testbed);
    let (own, own_memory) = ours(&testbed, folder, &door);
    let (peers, peers_memory) = theirs(&testbed, &door);
    let worst = own.last().expect("there are waits");
    let middle = |sorted: &[Duration]| sorted[sorted.len() / 2];
    vec![
        Row::new(time, millis(middle(&own)), millis(own[0]))
            .beside("50 kubectl wait", millis(middle(&peers)), ratio(middle(&own), middle(&peers)))
            .target(&format!("<50 ms (worst {})", millis(*worst)), *worst < Duration::from_millis(50)),
        Row::new(memory, mebibytes(own_memory), String::new())
            .beside("50 kubectl wait", mebibytes(peers_memory), own_memory as f64 / peers_memory as f64)
            .target("<60 MB", own_memory * 1024 < 60_000_000),
    ]
}

/// How long each wait took to see its change, in order of length, and the most memory.
fn ours(testbed: &Testbed, folder: &Path, door: &Door) -> (Vec<Duration>, u64) {
    door.make_objects("ours");
    write(
        folder,
        "waits.rhai",
        &format!(
            "let cluster = k8s::connect();\nlet numbers = [];\nfor number in 0..{WAITS} {{ numbers.push(number); }}\n\
             parallel for number in numbers {{\n\
                 cluster.wait(\"configmap\", `ours-${{number}}`, \"data.done=yes\");\n    print(`${{number}}`);\n}}\n"
        ),
    );
    let mut command = testbed.known_to(cozyscript(folder, &["waits.rhai", "--quiet"]));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the program starts");
    let (tell, told) = mpsc::channel();
    let output = BufReader::new(child.stdout.take().expect("it is piped"));
    let reader = thread::spawn(move || {
        for line in output.lines() {
            let number: usize = line.expect("it is text").trim().parse().expect("it is a number");
            tell.send((number, Instant::now())).expect("somebody listens");
        }
    });
    thread::sleep(BEGIN / 4);
    let memory = most_so_far(child.id()).expect("it waits");
    let changed = door.change("ours");
    let seen: Vec<(usize, Instant)> = (0..WAITS).map(|_| told.recv().expect("every wait ends")).collect();
    let status = child.wait().expect("it is our child");
    assert!(status.success(), "the run ended with {status}");
    reader.join().expect("it reads to the end");
    let mut took: Vec<_> = seen.into_iter().map(|(number, at)| at.saturating_duration_since(changed[number])).collect();
    took.sort();
    (took, memory)
}

fn theirs(testbed: &Testbed, door: &Door) -> (Vec<Duration>, u64) {
    door.make_objects("theirs");
    let start = |number: usize| {
        let mut command = testbed.kubectl();
        command.args([
            "wait",
            "--for=jsonpath={.data.done}=yes",
            "--timeout=5m",
            &format!("configmap/theirs-{number}"),
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("kubectl starts")
    };
    let children: Vec<Child> = (0..WAITS).map(start).collect();
    thread::sleep(BEGIN);
    let memory = children.iter().map(|child| most_so_far(child.id()).expect("it waits")).sum();
    let watchers: Vec<_> = children
        .into_iter()
        .map(|mut child| {
            thread::spawn(move || {
                let status = child.wait().expect("it is our child");
                assert!(status.success(), "kubectl ended with {status}");
                Instant::now()
            })
        })
        .collect();
    let changed = door.change("theirs");
    let ended = watchers.into_iter().map(|watcher| watcher.join().expect("every wait ends"));
    let mut took: Vec<_> = ended.zip(changed).map(|(at, changed)| at.saturating_duration_since(changed)).collect();
    took.sort();
    (took, memory)
}

/// A way to change objects at a moment that is known: `kubectl proxy`, and requests by hand.
struct Door {
    proxy: Child,
    address: String,
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Err(error) = self.proxy.kill().and_then(|()| self.proxy.wait().map(drop)) {
            eprintln!("kubectl proxy may still run: {error}");
        }
    }
}

impl Door {
    fn open(testbed: &Testbed) -> Self {
        let mut command: Command = testbed.kubectl();
        let mut proxy = command.args(["proxy", "--port=0"]).stdout(Stdio::piped()).spawn().expect("kubectl starts");
        let mut line = String::new();
        let output = proxy.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("it says where it serves");
        let address = line.trim().rsplit(' ').next().expect("a line has a word").to_owned();
        Self { proxy, address }
    }

    fn make_objects(&self, name: &str) {
        for number in 0..WAITS {
            let body = format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}-{number}"}}}}"#);
            self.request("POST", "", "application/json", &body);
        }
    }

    /// Changes one object after the other; gives when the server had answered.
    fn change(&self, name: &str) -> Vec<Instant> {
        let change = |number| {
            thread::sleep(PAUSE);
            let body = r#"{"data":{"done":"yes"}}"#;
            self.request("PATCH", &format!("/{name}-{number}"), "application/merge-patch+json", body);
            Instant::now()
        };
        (0..WAITS).map(change).collect()
    }

    fn request(&self, method: &str, path: &str, kind: &str, body: &str) {
        let mut stream = TcpStream::connect(&self.address).expect("the proxy serves");
        write!(
            stream,
            "{method} /api/v1/namespaces/default/configmaps{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("the proxy reads");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("the proxy answers");
        assert!(answer.starts_with(b"HTTP/1.1 20"), "{}", String::from_utf8_lossy(&answer));
    }
}
