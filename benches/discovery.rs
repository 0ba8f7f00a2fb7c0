//! Finding one kind among thousands, beside `kubectl` without its cache: how long it takes, and how many requests.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    contest::contest,
    cozyscript,
    kubernetes::Testbed,
    table::{Row, millis, ratio},
    write,
};

const KINDS: usize = 2000;
const ROUNDS: usize = 5;
const LAST: &str = "things-1999.bench.example.org";

pub fn rows(folder: &Path) -> Vec<Row> {
    let (found, asked) = ("one kind of 2,000 definitions found, and listed", "… requests for it, the list apart");
    let testbed = match Testbed::start(folder.join("cluster")) {
        Ok(testbed) => testbed,
        Err(why) => return vec![Row::new(found, String::new(), String::new()).without("kubectl", &why)],
    };
    define(&testbed, folder);
    let gate = Gate::open(&testbed);
    write(folder, "kubeconfig", &gate.kubeconfig());
    write(folder, "find.rhai", &format!("k8s::connect(#{{ kubeconfig: \"kubeconfig\" }}).list(\"{LAST}\");\n"));
    let ours = || cozyscript(folder, &["find.rhai", "--quiet"]);
    let theirs = || {
        let cache = folder.join("cache");
        // What the round before has learnt is forgotten.
        if cache.exists() {
            std::fs::remove_dir_all(&cache).expect("kubectl has ended");
        }
        let mut command = Command::new(testbed.program("kubectl"));
        command.env("KUBECONFIG", folder.join("kubeconfig")).arg("--cache-dir").arg(cache).args(["get", LAST]);
        command
    };
    let [our_count, their_count] = [gate.count(ours()), gate.count(theirs())].map(|count| count - 1);
    let [ours, theirs] = contest(ROUNDS, [&ours, &theirs]);
    let peer = "kubectl get, no cache";
    vec![
        Row::timed(found, &ours).beside(peer, millis(theirs.median()), ratio(ours.median(), theirs.median())),
        Row::new(asked, our_count.to_string(), String::new()).target("≤2", our_count <= 2).beside(
            peer,
            their_count.to_string(),
            our_count as f64 / their_count as f64,
        ),
    ]
}

/// Installs the definitions, and waits until the API server serves the last one.
fn define(testbed: &Testbed, folder: &Path) {
    let mut manifest = String::new();
    for number in 0..KINDS {
        write!(
            manifest,
            "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
             metadata: {{name: things-{number}.bench.example.org}}\n\
             spec:\n  group: bench.example.org\n  scope: Namespaced\n  \
             names: {{plural: things-{number}, singular: thing-{number}, kind: Thing{number}}}\n  \
             versions:\n  - {{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{type: object}}}}}}\n"
        )
        .expect("a text can be written to");
    }
    write(folder, "definitions.yaml", &manifest);
    let mut apply = testbed.kubectl();
    apply.current_dir(folder).args(["create", "--validate=false", "-f", "definitions.yaml"]).stdout(Stdio::null());
    assert!(apply.status().expect("kubectl starts").success(), "the definitions are not accepted");
    let begun = Instant::now();
    loop {
        let mut get = testbed.kubectl();
        get.args(["get", "--raw", "/apis/bench.example.org/v1/namespaces/default/things-1999"]);
        let is_served = get.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("kubectl starts").success();
        if is_served {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(300), "the last definition is not served");
        thread::sleep(Duration::from_millis(500));
    }
}

/// A way to the API server in clear, on which requests are counted.
struct Gate {
    address: String,
    requests: Arc<AtomicUsize>,
    proxy: Child,
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.proxy.kill().expect("the proxy is ours");
        self.proxy.wait().expect("the proxy is ours");
    }
}

impl Gate {
    fn open(testbed: &Testbed) -> Self {
        let mut command = testbed.kubectl();
        let mut proxy = command.args(["proxy", "--port=0"]).stdout(Stdio::piped()).spawn().expect("kubectl starts");
        let mut said = String::new();
        let output = proxy.stdout.take().expect("it was asked for as a pipe");
        BufReader::new(output).read_line(&mut said).expect("kubectl says where it listens");
        let server = said.trim().rsplit(' ').next().expect("a split has a part").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (server, counted) = (server.clone(), counted.clone());
                thread::spawn(move || lead(client, &server, &counted));
            }
        });
        Self { address, requests, proxy }
    }

    fn kubeconfig(&self) -> String {
        format!(
            "current-context: gate\nclusters: [{{name: gate, cluster: {{server: \"http://{}\"}}}}]\n\
             contexts: [{{name: gate, context: {{cluster: gate}}}}]\n",
            self.address
        )
    }

    /// How many requests a command sends.
    fn count(&self, mut command: Command) -> usize {
        let before = self.requests.load(Ordering::Relaxed);
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it starts");
        assert!(status.success(), "{command:?} ended with {status}");
        self.requests.load(Ordering::Relaxed) - before
    }
}

/// Passes on what comes, and counts the requests in it: these have no bodies, so each begins a line with its verb.
fn lead(client: TcpStream, server: &str, counted: &AtomicUsize) {
    let Ok(server) = TcpStream::connect(server) else { return };
    let (Ok(mut answers), Ok(mut to_client)) = (server.try_clone(), client.try_clone()) else { return };
    thread::spawn(move || std::io::copy(&mut answers, &mut to_client));
    let (mut client, mut server) = (client, server);
    let mut bytes = [0; 16 << 10];
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        let begun = String::from_utf8_lossy(&bytes[..count]).lines().filter(|line| line.starts_with("GET /")).count();
        counted.fetch_add(begun, Ordering::Relaxed);
        if server.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
}
