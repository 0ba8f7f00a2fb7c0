//! How the world's clusters are found: a kubeconfig.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::World;

/// A cluster, as a kubeconfig has it.
pub struct Entry<'e> {
    pub cluster: &'e str,
    pub context: &'e str,
    /// Host and port.
    pub server: String,
    pub authority: &'e str,
    pub token: &'e str,
}

impl World {
    /// A kubeconfig with a context for each cluster; `at` says where to connect to for a host and a port.
    pub fn kubeconfig(&self, at: impl Fn(&str, u16) -> String) -> String {
        let entries = self.clusters.iter().map(|placed| Entry {
            cluster: &placed.name,
            context: &placed.context,
            server: at(&placed.host, placed.port),
            authority: &placed.authority,
            token: &placed.token,
        });
        of(&entries.collect::<Vec<_>>(), &self.current)
    }
}

/// A kubeconfig with a context for each of these; the current one is that of a cluster.
pub fn of(entries: &[Entry<'_>], current: &str) -> String {
    let each = |entry: &dyn Fn(&Entry<'_>) -> Value| entries.iter().map(entry).collect::<Vec<_>>();
    let current = entries.iter().find(|entry| entry.cluster == current);
    let whole = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": each(&|entry| json!({"name": entry.cluster, "cluster": {
            "server": format!("https://{}", entry.server),
            "certificate-authority-data": STANDARD.encode(entry.authority),
        }})),
        "users": each(&|entry| json!({"name": entry.cluster, "user": {"token": entry.token}})),
        "contexts": each(&|entry| json!({"name": entry.context, "context": {
            "cluster": entry.cluster, "user": entry.cluster, "namespace": "default",
        }})),
        "current-context": current.map(|entry| entry.context),
    });
    serde_saphyr::to_string(&whole).expect("a kubeconfig is made of what YAML can say")
}
