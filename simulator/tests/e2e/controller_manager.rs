//! The real controller manager, with the simulated API server, scheduler and kubelets.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use simulator::{
    kubernetes::{cluster::Cluster, control_plane, controllers},
    time::Calendar,
};

use super::arms::loopback::{self, Served};

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

struct Lab {
    served: Served,
    kubectl: std::path::PathBuf,
    _manager: Program,
}

fn begin(calendar: Calendar, seed: u64) -> Arc<Cluster> {
    let cluster = control_plane::without_controllers(calendar, seed);
    controllers::start_nodes(&cluster);
    cluster
}

fn lab() -> Option<Lab> {
    let tools = testbed::programs()?;
    let served = loopback::serve(begin);
    let folder = served.folder();
    let key =
        Command::new("openssl").args(["genrsa", "-out"]).arg(folder.join("sa.key")).args(["2048"]).output().unwrap();
    assert!(key.status.success());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let log = std::fs::File::create(folder.join("manager.log")).unwrap();
    let mut manager = Command::new(tools.assets.join("kube-controller-manager"));
    manager
        .arg("--kubeconfig")
        .arg(served.kubeconfig())
        .arg("--service-account-private-key-file")
        .arg(folder.join("sa.key"));
    manager.arg("--cert-dir").arg(folder.join("certificates")).args([
        "--bind-address",
        "127.0.0.1",
        "--secure-port",
        &port.to_string(),
    ]);
    manager.args(["--leader-elect=false", "--use-service-account-credentials=false", "--authentication-skip-lookup"]);
    manager.args(["--kube-api-content-type", "application/json", "--kube-api-qps", "200", "--kube-api-burst", "400"]);
    manager.args(["--controllers", "*,-nodeipam,-cloud-node-lifecycle"]);
    let manager = Program(manager.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    Some(Lab { kubectl: tools.assets.join("kubectl"), served, _manager: manager })
}

impl Lab {
    #[track_caller]
    fn kubectl(&self, arguments: &[&str]) -> String {
        let mut kubectl = Command::new(&self.kubectl);
        let output = kubectl.arg("--kubeconfig").arg(self.served.kubeconfig()).args(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {arguments:?}: {told}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn list(&self, what: &str) -> Vec<Value> {
        let list: Value = serde_json::from_str(&self.kubectl(&["-n", "shop", "get", what, "-o", "json"])).unwrap();
        list["items"].as_array().unwrap().clone()
    }

    #[track_caller]
    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            if begun.elapsed() > Duration::from_secs(60) {
                let log = std::fs::read_to_string(self.served.folder().join("manager.log")).unwrap();
                let log = &log[log.len().saturating_sub(6000)..];
                panic!("{what} never came\n{log}\nnot modelled: {:#?}", self.served.unmodelled.lock().unwrap());
            }
            thread::sleep(Duration::from_millis(200));
        }
    }
}

#[test]
fn the_real_controller_manager_drives_a_deployment_to_its_end() {
    let Some(lab) = lab() else { return };
    lab.kubectl(&["create", "namespace", "shop"]);
    lab.until("the service account", || lab.list("serviceaccounts").len() == 1);
    lab.kubectl(&["-n", "shop", "create", "deployment", "web", "--image=web:1", "--replicas=2"]);
    lab.kubectl(&["-n", "shop", "rollout", "status", "deployment/web", "--timeout=60s"]);
    assert_eq!((lab.list("replicasets").len(), lab.list("pods").len()), (1, 2));

    lab.kubectl(&["-n", "shop", "set", "image", "deployment/web", "*=web:2"]);
    lab.kubectl(&["-n", "shop", "rollout", "status", "deployment/web", "--timeout=60s"]);
    let images = || {
        let mut images: Vec<Value> =
            lab.list("pods").iter().map(|pod| pod["spec"]["containers"][0]["image"].clone()).collect();
        images.dedup();
        images
    };
    lab.until("the new pods alone", || images() == [json!("web:2")]);
    assert_eq!(lab.list("replicasets").len(), 2);

    lab.kubectl(&["-n", "shop", "scale", "deployment/web", "--replicas=3"]);
    lab.kubectl(&["-n", "shop", "rollout", "status", "deployment/web", "--timeout=60s"]);
    assert_eq!(lab.list("pods").len(), 3);

    lab.kubectl(&["-n", "shop", "delete", "deployment", "web", "--wait=false"]);
    lab.until("the garbage collection", || lab.list("replicasets").is_empty() && lab.list("pods").is_empty());
}
