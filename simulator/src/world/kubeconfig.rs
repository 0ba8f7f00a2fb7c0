//! How the world's clusters are found: a kubeconfig.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{World, cluster::Placed};

impl World {
    /// A kubeconfig with a context for each cluster; `at` says where to connect to for a host and a port.
    pub fn kubeconfig(&self, at: impl Fn(&str, u16) -> String) -> String {
        let each = |entry: &dyn Fn(&Placed) -> Value| self.clusters.iter().map(entry).collect::<Vec<_>>();
        let current = self.clusters.iter().find(|cluster| cluster.name == self.current);
        let whole = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": each(&|placed| json!({"name": placed.name, "cluster": {
                "server": format!("https://{}", at(&placed.host, placed.port)),
                "certificate-authority-data": STANDARD.encode(&placed.authority),
            }})),
            "users": each(&|placed| json!({"name": placed.name, "user": {"token": placed.token}})),
            "contexts": each(&|placed| json!({"name": placed.context, "context": {
                "cluster": placed.name, "user": placed.name, "namespace": "default",
            }})),
            "current-context": current.map(|placed| placed.context.as_str()),
        });
        serde_saphyr::to_string(&whole).expect("a kubeconfig is made of what YAML can say")
    }
}
