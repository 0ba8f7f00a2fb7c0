//! Kubernetes beside `kubectl`, against a control plane of its own.

use std::{
    ffi::OsStr,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{
    applying,
    contest::contest,
    cozyscript, peers,
    table::{Row, millis, ratio},
    write,
};

const GETS: usize = 100;
const ROUNDS: usize = 5;

pub fn rows(folder: &Path) -> Vec<Row> {
    let gets = "100 gets in one run";
    let testbed = match Testbed::start(folder.join("cluster")) {
        Ok(testbed) => testbed,
        Err(why) => {
            let row = |subject| Row::new(subject, String::new(), String::new()).without("kubectl", &why);
            return vec![row(applying::NEW), row(applying::AGAIN), row(gets)];
        }
    };
    let [ours, theirs] = contest(ROUNDS, [&|| reads(&testbed, folder), &|| kubectl_reads(&testbed)]);
    let ratio = ratio(ours.median(), theirs.median());
    let gets = Row::timed(gets, &ours).beside("100 times kubectl get", millis(theirs.median()), ratio);
    let mut rows = applying::rows(&testbed, folder);
    rows.push(gets.target("≤0.05×", ratio <= 0.05));
    rows
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
pub struct Testbed {
    folder: PathBuf,
    assets: PathBuf,
    watchdog: Child,
}

impl Testbed {
    pub fn start(folder: PathBuf) -> Result<Self, String> {
        let cluster = peers::testbed()?.join("cluster");
        let assets = peers::programs()?;
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
        peers::output(
            Command::new(&cluster).arg("up").arg(&testbed.folder).env("KUBEBUILDER_ASSETS", &testbed.assets),
        )?;
        Ok(testbed)
    }

    pub fn known_to(&self, mut command: Command) -> Command {
        command.env("KUBECONFIG", self.folder.join("kubeconfig"));
        command
    }

    pub fn program(&self, name: &str) -> PathBuf {
        self.assets.join(name)
    }

    pub fn kubectl(&self) -> Command {
        self.known_to(Command::new(self.program("kubectl")))
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
