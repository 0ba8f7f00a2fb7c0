//! The simulator for programs: on loopback, in real time, with a kubeconfig.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
    thread,
};

use simulator::{kubernetes::cluster::Cluster, network::Server as _, time::Calendar};
use tokio::{net::TcpListener, sync::oneshot};

use super::simulated;

/// A cluster that programs can reach, until it is dropped.
pub struct Served {
    folder: tempfile::TempDir,
    /// What was asked that has no model.
    pub unmodelled: Arc<Mutex<Vec<String>>>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Served {
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder().join("kubeconfig")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.end.take());
        let ended = self.thread.take().map(thread::JoinHandle::join);
        assert!(matches!(ended, None | Some(Ok(()))) || thread::panicking(), "the server broke down");
    }
}

/// Serves a cluster with two nodes that begins now.
pub fn serve(begin: fn(Calendar, u64) -> Arc<Cluster>) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let unmodelled = Arc::new(Mutex::new(Vec::new()));
    let (ready, port) = mpsc::channel();
    let (end, ended) = oneshot::channel::<()>();
    let missing = unmodelled.clone();
    let thread = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let tell = Arc::new(move |what: &str| missing.lock().unwrap().push(what.to_owned()));
            let cluster = begin(Calendar::beginning(jiff::Timestamp::now()), 1);
            let server = Arc::new(simulated::server(cluster, tell));
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            ready.send(listener.local_addr().unwrap().port()).unwrap();
            let welcome = async {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(server.clone().serve(Box::new(stream)));
                }
            };
            tokio::select! {
                biased;
                _ = ended => {}
                () = welcome => {}
            }
        });
    });
    let port = port.recv().unwrap();
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: world\n\
         clusters:\n- name: world\n  cluster: {{server: \"https://127.0.0.1:{port}\", insecure-skip-tls-verify: true}}\n\
         users:\n- name: admin\n  user: {{token: \"token\"}}\n\
         contexts:\n- name: world\n  context: {{cluster: world, user: admin}}\n"
    );
    std::fs::write(folder.path().join("kubeconfig"), config).unwrap();
    Served { folder, unmodelled, end: Some(end), thread: Some(thread) }
}
