//! Kubernetes beside `kubectl`, against a control plane of its own.

use std::{
    cell::Cell,
    ffi::OsStr,
    fmt::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{
    contest::{Contestant, contest},
    cozyscript,
    table::{Row, millis, ratio},
    write,
};

const OBJECTS: usize = 1000;
const GETS: usize = 100;
const ROUNDS: usize = 5;

pub fn rows(folder: &Path) -> Vec<Row> {
    let apply = "1,000 ConfigMaps by server-side apply";
    let gets = "100 gets in one run";
    let testbed = match Testbed::start(folder.join("cluster")) {
        Ok(testbed) => testbed,
        Err(why) => {
            let row = |subject| Row::new(subject, String::new(), String::new()).without("kubectl", &why);
            return vec![row(apply), row(gets)];
        }
    };
    vec![
        beside(apply, "kubectl apply --server-side", &|| applies(&testbed, folder), &|| {
            kubectl_applies(&testbed, folder)
        })
        .target("≤0.25× kubectl"),
        beside(gets, "100 times kubectl get", &|| reads(&testbed, folder), &|| kubectl_reads(&testbed)).open(),
    ]
}

/// A row whose target is a share of its peer's time.
struct Beside {
    row: Row,
    ratio: f64,
}

fn beside(subject: &str, peer: &str, ours: Contestant, theirs: Contestant) -> Beside {
    let [ours, theirs] = contest(ROUNDS, [ours, theirs]);
    let ratio = ratio(ours.median(), theirs.median());
    Beside { row: Row::timed(subject, &ours).beside(peer, millis(theirs.median()), ratio), ratio }
}

impl Beside {
    fn target(self, target: &str) -> Row {
        self.row.target(target, self.ratio <= 0.25)
    }

    fn open(self) -> Row {
        self.row
    }
}

/// A number that no round before had: objects are new in every round.
fn round() -> usize {
    thread_local! {
        static ROUND: Cell<usize> = const { Cell::new(0) };
    }
    ROUND.replace(ROUND.get() + 1)
}

fn applies(testbed: &Testbed, folder: &Path) -> Command {
    let runbook = format!(
        r#"
let cluster = k8s::connect();
step "apply" {{
    let objects = [];
    for number in 0..{OBJECTS} {{
        objects.push(#{{
            apiVersion: "v1", kind: "ConfigMap", metadata: #{{ name: `round-{}-${{number}}`, namespace: "default" }},
            data: #{{ number: `${{number}}` }},
        }});
    }}
    cluster.apply(objects);
    ()
}}
"#,
        round()
    );
    write(folder, "apply.rhai", &runbook);
    testbed.known_to(cozyscript(folder, &["apply.rhai", "--quiet"]))
}

fn kubectl_applies(testbed: &Testbed, folder: &Path) -> Command {
    let round = round();
    let mut manifest = String::new();
    for number in 0..OBJECTS {
        write!(
            manifest,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: round-{round}-{number}, namespace: default}}\n\
             data: {{number: \"{number}\"}}\n"
        )
        .expect("a text can be written to");
    }
    write(folder, "manifest.yaml", &manifest);
    let mut command = testbed.kubectl();
    command.current_dir(folder).args(["apply", "--server-side", "-f", "manifest.yaml"]);
    command
}

fn reads(testbed: &Testbed, folder: &Path) -> Command {
    let runbook = format!(
        "let cluster = k8s::connect();\nfor number in 0..{GETS} {{ cluster.get(\"namespace\", \"kube-system\"); }}\n"
    );
    write(folder, "gets.rhai", &runbook);
    testbed.known_to(cozyscript(folder, &["gets.rhai", "--quiet"]))
}

fn kubectl_reads(testbed: &Testbed) -> Command {
    let mut command = Command::new("sh");
    let each = format!("for number in $(seq {GETS}); do \"$0\" get namespace kube-system -o json || exit 1; done");
    command.args([OsStr::new("-c"), OsStr::new(&each), testbed.assets.join("kubectl").as_os_str()]);
    testbed.known_to(command)
}

/// A control plane on loopback, which is taken down when this process ends, however it does.
struct Testbed {
    folder: PathBuf,
    assets: PathBuf,
    watchdog: Child,
}

impl Testbed {
    fn start(folder: PathBuf) -> Result<Self, String> {
        let scripts = match std::env::var_os("COZYSCRIPT_TESTBED") {
            Some(folder) => PathBuf::from(folder),
            None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/testbed"),
        };
        let cluster = scripts.join("cluster");
        if !cluster.exists() {
            return Err("no testbed: set COZYSCRIPT_TESTBED".to_owned());
        }
        let assets = match std::env::var_os("KUBEBUILDER_ASSETS") {
            Some(folder) => PathBuf::from(folder),
            None => output(&mut Command::new(scripts.join("unpack"))).map(|path| PathBuf::from(path.trim()))?,
        };
        let watchdog = Command::new("sh")
            .args(["-c", "cat >/dev/null; \"$0\" down \"$1\" >/dev/null 2>&1"])
            .args([&cluster, &folder])
            .env("KUBEBUILDER_ASSETS", &assets)
            .stdin(Stdio::piped())
            // Ctrl-C ends us, not the one who tidies up after us.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("no watchdog: {error}"))?;
        let testbed = Self { folder, assets, watchdog };
        output(Command::new(&cluster).arg("up").arg(&testbed.folder).env("KUBEBUILDER_ASSETS", &testbed.assets))?;
        Ok(testbed)
    }

    fn known_to(&self, mut command: Command) -> Command {
        command.env("KUBECONFIG", self.folder.join("kubeconfig"));
        command
    }

    fn kubectl(&self) -> Command {
        self.known_to(Command::new(self.assets.join("kubectl")))
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        if let Err(error) = self.watchdog.wait() {
            eprintln!("the testbed may still be up: {error}");
        }
    }
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}
