//! The real control plane in tests: found, started once for the whole process, and taken down after it.

#![allow(clippy::disallowed_methods, reason = "it starts real programs, by the system's own clock")]

use std::{
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// A control plane on loopback.
pub struct Testbed {
    pub folder: PathBuf,
    assets: PathBuf,
    cluster: PathBuf,
    /// Shared by tests that need the servers, alone for one that ends some of them.
    servers: RwLock<()>,
    ran: AtomicUsize,
    /// A test ended a part of it.
    disturbed: AtomicBool,
    /// Its standard input closes with this process; then it takes the control plane down.
    _watchdog: Child,
}

/// A test on the testbed: while it lasts the servers are up, unless it ends them itself.
pub struct Bed {
    pub testbed: &'static Testbed,
    _shared: Option<RwLockReadGuard<'static, ()>>,
    _alone: Option<RwLockWriteGuard<'static, ()>>,
}

impl Drop for Bed {
    fn drop(&mut self) {
        if self.testbed.disturbed.swap(false, Ordering::Relaxed) && !thread::panicking() {
            self.testbed.settle();
        }
        let ran = self.testbed.ran.fetch_add(1, Ordering::Relaxed) + 1;
        say(&format!("real arm: {ran} ran"));
    }
}

impl std::ops::Deref for Bed {
    type Target = Testbed;

    fn deref(&self) -> &Testbed {
        self.testbed
    }
}

/// The testbed, shared with other tests; none, and said so, if it is not there.
pub fn shared() -> Option<Bed> {
    let testbed = testbed()?;
    Some(Bed {
        testbed,
        _shared: Some(testbed.servers.read().unwrap_or_else(|poison| poison.into_inner())),
        _alone: None,
    })
}

/// A control plane of its own without controllers, scheduler and nodes: nothing happens in it but what is asked.
/// Pods need an account in it as anywhere, which whoever wants pods has to make.
pub fn without_controllers() -> Option<Bed> {
    static TESTBED: OnceLock<Result<Testbed, String>> = OnceLock::new();
    let testbed = told(TESTBED.get_or_init(|| start(&[]).and_then(asking_for_accounts)))?;
    Some(Bed {
        testbed,
        _shared: Some(testbed.servers.read().unwrap_or_else(|poison| poison.into_inner())),
        _alone: None,
    })
}

/// The testbed for a test that disturbs others.
pub fn alone() -> Option<Bed> {
    let testbed = testbed()?;
    Some(Bed {
        testbed,
        _shared: None,
        _alone: Some(testbed.servers.write().unwrap_or_else(|poison| poison.into_inner())),
    })
}

/// A control plane of its own with MetalLB's controller, and no nodes, for one test at a time: pools are everybody's.
pub fn balancing() -> Option<Bed> {
    static TESTBED: OnceLock<Result<Testbed, String>> = OnceLock::new();
    let testbed = told(TESTBED.get_or_init(|| start(&["--metallb"])))?;
    let alone = testbed.servers.write().unwrap_or_else(|poison| poison.into_inner());
    Some(Bed { testbed, _shared: None, _alone: Some(alone) })
}

/// A control plane of its own with Flux's controllers and a registry for charts and manifests.
pub fn with_flux() -> Option<Bed> {
    static TESTBED: OnceLock<Result<Testbed, String>> = OnceLock::new();
    let started = || {
        has(&tools()?.assets, "helm-controller")?;
        let testbed = start(&["--kwok"])?;
        output(&mut testbed.flux_script(&["up"]))?;
        Ok(testbed)
    };
    let testbed = told(TESTBED.get_or_init(started))?;
    Some(Bed {
        testbed,
        _shared: Some(testbed.servers.read().unwrap_or_else(|poison| poison.into_inner())),
        _alone: None,
    })
}

fn testbed() -> Option<&'static Testbed> {
    static TESTBED: OnceLock<Result<Testbed, String>> = OnceLock::new();
    told(TESTBED.get_or_init(|| start(&["--kwok"])))
}

/// The testbed, or what is said when it is not there.
fn told(testbed: &'static Result<Testbed, String>) -> Option<&'static Testbed> {
    match testbed {
        Ok(testbed) => Some(testbed),
        Err(why) => {
            say(&format!("real arm: skipped, because {why}"));
            None
        }
    }
}

/// Past the test harness, which keeps what passing tests print to itself.
pub fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).expect("standard error is open");
}

/// Programs of the testbed that need no control plane of it; none, and said so, if they are not there.
pub fn programs() -> Option<Tools> {
    tools().map_err(|why| say(&format!("real arm: skipped, because {why}"))).ok()
}

/// What the testbed consists of.
pub struct Tools {
    cluster: PathBuf,
    /// The script that runs Kubernetes' own tests.
    pub conformance: PathBuf,
    /// The folder of the unmodified programs.
    pub assets: PathBuf,
}

fn tools() -> Result<Tools, String> {
    let scripts = match std::env::var_os("COZYSCRIPT_TESTBED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/testbed"),
    };
    let cluster = scripts.join("cluster");
    if !cluster.exists() {
        return Err(format!("`{}` is not there; set COZYSCRIPT_TESTBED", cluster.display()));
    }
    let assets = match std::env::var_os("KUBEBUILDER_ASSETS") {
        Some(folder) => PathBuf::from(folder),
        None => output(&mut Command::new(scripts.join("unpack"))).map(|path| PathBuf::from(path.trim()))?,
    };
    has(&assets, "kube-apiserver")?;
    Ok(Tools { cluster, conformance: scripts.join("conformance"), assets })
}

fn has(assets: &Path, program: &str) -> Result<(), String> {
    match assets.join(program).exists() {
        true => Ok(()),
        false => Err(format!("`{program}` is not in `{}`, which KUBEBUILDER_ASSETS names", assets.display())),
    }
}

fn start(parts: &[&str]) -> Result<Testbed, String> {
    let Tools { cluster, assets, .. } = tools()?;
    if parts.contains(&"--metallb") {
        has(&assets, "metallb-controller")?;
    }
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?.keep();
    let watchdog = Command::new("sh")
        .args(["-c", "cat >/dev/null; \"$0\" down \"$1\" >/dev/null 2>&1; rm -rf \"$1\""])
        .args([&cluster, &folder])
        .env("KUBEBUILDER_ASSETS", &assets)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C ends us, not the one who tidies up after us.
        .process_group(0)
        .spawn()
        .map_err(|error| format!("no watchdog: {error}"))?;
    output(Command::new(&cluster).arg("up").arg(&folder).args(parts).env("KUBEBUILDER_ASSETS", &assets))?;
    if parts.contains(&"--kwok") {
        be_a_kubelet(&cluster, &folder, &assets)?;
    }
    Ok(Testbed {
        folder,
        assets,
        cluster,
        servers: RwLock::new(()),
        ran: AtomicUsize::new(0),
        disturbed: AtomicBool::new(false),
        _watchdog: watchdog,
    })
}

/// Starts the API server anew with the admission of service accounts, which it is started without where nobody makes them.
fn asking_for_accounts(testbed: Testbed) -> Result<Testbed, String> {
    let part = "kube-apiserver";
    let command = testbed.folder.join(format!("{part}.command"));
    let text = std::fs::read_to_string(&command).map_err(|error| error.to_string())?;
    let text = text.replace(" --disable-admission-plugins=ServiceAccount", "");
    std::fs::write(&command, text).map_err(|error| error.to_string())?;
    for verb in ["stop", "start"] {
        let mut change = Command::new(&testbed.cluster);
        output(change.arg(verb).arg(&testbed.folder).arg(part).env("KUBEBUILDER_ASSETS", &testbed.assets))?;
    }
    let begun = Instant::now();
    loop {
        let mut kubectl = Command::new(testbed.assets.join("kubectl"));
        match output(kubectl.env("KUBECONFIG", testbed.kubeconfig()).args(["get", "--raw", "/readyz"])) {
            Ok(_) => return Ok(testbed),
            Err(why) if begun.elapsed() > Duration::from_secs(60) => return Err(why),
            Err(_) => thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// Lets kwok do more of a kubelet's work than the control plane starts it with.
///
/// Without leases its nodes are late with their heartbeats about once in a minute, and their pods stop being ready for good.
/// What is run in a pod is run here, in the folder `pods`; the log of each container is the file `pod.log` there,
/// and of those of a pod `talker` the file `talker.log`; each
/// connection to a port of a pod leads to the program of that name there: `port-80`.
fn be_a_kubelet(cluster: &Path, folder: &Path, assets: &Path) -> Result<(), String> {
    let command = folder.join("kwok.command");
    let text = std::fs::read_to_string(&command).map_err(|error| error.to_string())?;
    let port = text.split("--server-address 127.0.0.1:").nth(1).and_then(|rest| rest.split_whitespace().next());
    let port = port.ok_or_else(|| format!("kwok has no port in `{text}`"))?.to_owned();
    let pods = folder.join("pods");
    let pods = pods.to_str().ok_or("the folder's name is no text")?;
    let write = |path: &Path, text: &str| std::fs::write(path, text).map_err(|error| error.to_string());
    std::fs::create_dir_all(pods).map_err(|error| error.to_string())?;
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).map_err(|error| error.to_string())?;
    write(&folder.join("kubelet.crt"), &key.cert.pem())?;
    write(&folder.join("kubelet.key"), &key.signing_key.serialize_pem())?;
    write(&folder.join("pods/pod.log"), "")?;
    write(&folder.join("pods/talker.log"), "")?;
    let kubelet = format!(
        "apiVersion: kwok.x-k8s.io/v1alpha1\nkind: ClusterExec\nmetadata: {{name: here}}\n\
         spec: {{execs: [{{local: {{workDir: \"{pods}\"}}}}]}}\n---\n\
         apiVersion: kwok.x-k8s.io/v1alpha1\nkind: ClusterLogs\nmetadata: {{name: a-talker}}\n\
         spec: {{selector: {{matchNames: [talker]}}, logs: [{{logsFile: \"{pods}/talker.log\", follow: true}}]}}\n---\n\
         apiVersion: kwok.x-k8s.io/v1alpha1\nkind: ClusterLogs\nmetadata: {{name: here}}\n\
         spec: {{logs: [{{logsFile: \"{pods}/pod.log\", previousLogsFile: \"{pods}/previous.log\", follow: true}}]}}\n---\n\
         apiVersion: kwok.x-k8s.io/v1alpha1\nkind: ClusterPortForward\nmetadata: {{name: here}}\n\
         spec: {{forwards: [{{ports: [7], command: [cat]}}, {{ports: [80], command: [\"{pods}/port-80\"]}}, \
         {{ports: [6379], command: [\"{pods}/port-6379\"]}}]}}\n"
    );
    write(&folder.join("kwok.yaml"), &kubelet)?;
    let folder_shown = folder.display();
    let more = format!(
        "--node-lease-duration-seconds 40 --config {folder_shown}/kwok.yaml --tls-cert-file {folder_shown}/kubelet.crt \
         --tls-private-key-file {folder_shown}/kubelet.key"
    );
    write(&command, &format!("{} {more}\n", text.trim_end()))?;
    for node in ["node-1", "node-2"] {
        let status = format!(r#"{{"status": {{"daemonEndpoints": {{"kubeletEndpoint": {{"Port": {port}}}}}}}}}"#);
        let arguments = ["patch", "node", node, "--subresource=status", "--type=merge", "-p", &status];
        output(Command::new(assets.join("kubectl")).env("KUBECONFIG", folder.join("kubeconfig")).args(arguments))?;
    }
    for verb in ["stop", "start"] {
        output(Command::new(cluster).arg(verb).arg(folder).arg("kwok").env("KUBEBUILDER_ASSETS", assets))?;
    }
    Ok(())
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(format!("{command:?}: {}", text(&output.stderr))),
    }
}

impl Testbed {
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// The folder of the unmodified programs.
    pub fn programs(&self) -> &Path {
        &self.assets
    }

    /// What the reference says.
    #[track_caller]
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What the reference says, or with what it fails.
    ///
    /// # Errors
    /// What it writes on its standard error.
    pub fn try_kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(self.assets.join("kubectl"));
        output(command.env("KUBECONFIG", self.kubeconfig()).args(arguments))
    }

    /// What the reference says to a manifest on its standard input.
    #[track_caller]
    pub fn kubectl_with(&self, arguments: &[&str], manifest: &str) -> String {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(manifest.as_bytes()).unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        self.kubectl(&[arguments, &["-f", &path]].concat())
    }

    fn flux_script(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.cluster.with_file_name("flux"));
        let (verb, rest) = arguments.split_first().expect("the script is given something to do");
        command.arg(verb).arg(&self.folder).args(rest).env("KUBEBUILDER_ASSETS", &self.assets);
        command
    }

    /// Has the script beside the control plane's do something for Flux: `push-chart`, `push-tree`.
    #[track_caller]
    pub fn flux(&self, arguments: &[&str]) {
        output(&mut self.flux_script(arguments)).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Where Flux's registry listens.
    pub fn registry(&self) -> String {
        std::fs::read_to_string(self.folder.join("registry.address")).expect("Flux is up").trim().to_owned()
    }

    /// Ends or starts one part of the control plane.
    #[track_caller]
    pub fn part(&self, verb: &str, part: &str) {
        self.disturbed.store(true, Ordering::Relaxed);
        let mut command = Command::new(&self.cluster);
        command.args([verb, self.folder.to_str().unwrap(), part]).env("KUBEBUILDER_ASSETS", &self.assets);
        output(&mut command).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Starts the controllers anew, which after some failures look for the API server only now and then, and waits until they
    /// do their work.
    fn settle(&self) {
        for part in ["kube-controller-manager", "kube-scheduler"] {
            self.part("stop", part);
            self.part("start", part);
        }
        self.disturbed.store(false, Ordering::Relaxed);
        let space = self.space(&format!("settled-{}", self.ran.load(Ordering::Relaxed)));
        let begun = Instant::now();
        while !self.kubectl(&["-n", &space, "get", "serviceaccounts", "-o", "name"]).contains("default") {
            assert!(begun.elapsed() < Duration::from_secs(60), "the controllers do not come back");
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// A namespace of its own for a test.
    #[track_caller]
    pub fn space(&self, name: &str) -> String {
        self.kubectl(&["create", "namespace", name]);
        name.to_owned()
    }
}
