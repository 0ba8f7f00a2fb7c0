//! The simulator, in a world of its own for each body.

use std::{io, sync::Arc};

use futures::future::BoxFuture;
use serde_json::{Value, json};
use simulator::{
    certificates::CertificateAuthority,
    faults::At,
    kubernetes::{access::identities::Identities, cluster::Cluster, control_plane, server::ApiServer, user::User},
    stream::Stream,
    time::Calendar,
    tls::Tls,
};

use super::{Arm, connection::Connect};

struct InProcess(Arc<ApiServer>);

impl Connect for InProcess {
    fn connect(&self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        Box::pin(async {
            let (ours, theirs) = tokio::io::duplex(64 << 10);
            tokio::spawn(self.0.clone().serve_plain(theirs));
            Ok(Box::new(ours) as Box<dyn Stream>)
        })
    }

    fn token(&self) -> &str {
        "token"
    }
}

/// A cluster that began just now, in which time passes when nothing else happens.
pub fn arm(space: &str) -> Arm {
    arm_of(space, control_plane::begin)
}

/// The same without controllers: nothing happens in it but what is asked.
pub fn bare_arm(space: &str) -> Arm {
    arm_of(space, control_plane::without_controllers)
}

pub fn arm_of(space: &str, begin: fn(Calendar, u64) -> Arc<Cluster>) -> Arm {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let server = runtime.block_on(async {
        let start = "2026-01-01T09:00:00Z".parse().unwrap();
        Arc::new(server(begin(Calendar::beginning(start), 1), Arc::new(|_| {})))
    });
    Arm::new(runtime, Box::new(InProcess(server)), space)
}

/// The server of a cluster with two nodes.
pub fn server(cluster: Arc<Cluster>, unmodelled: Arc<dyn Fn(&str) + Send + Sync>) -> ApiServer {
    let authority = Arc::new(CertificateAuthority::new("world", 1));
    let known = cluster.authority.set(authority.clone());
    assert!(known.is_ok(), "somebody vouches for it already");
    two_nodes(&cluster);
    ApiServer {
        cluster,
        tls: Tls::new(At::default(), move |_| authority.server(&["localhost", "127.0.0.1"].map(str::to_owned), None)),
        identities: Identities::default()
            .with("token", User::administrator())
            .with("viewer-token", User { uid: "viewer".to_owned(), ..User::named("viewer", &["viewers"]) }),
        faults: At::default(),
        unmodelled,
    }
}

/// Puts two nodes into a cluster.
pub fn two_nodes(cluster: &Cluster) {
    for name in ["node-1", "node-2"] {
        cluster.begin_with("nodes", "", name, node(name));
    }
}

/// One of the two nodes that the testbed has, too.
fn node(name: &str) -> Value {
    let amounts = json!({"cpu": "32", "memory": "256Gi", "pods": "110"});
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "labels": {"kubernetes.io/hostname": name, "type": "kwok"},
            "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
        },
        "spec": {},
        "status": {
            "allocatable": amounts,
            "capacity": amounts,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    })
}
