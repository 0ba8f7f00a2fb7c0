//! The connection that a pod has to the cluster it runs in.

use std::path::Path;

use super::target::{Login, Material, Target};
use crate::{
    host::Host,
    script::fault::{Fault, Kind},
};

/// Where a pod finds the files of its service account.
pub const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The connection of the pod that this is, whose service account's files are in `folder`.
///
/// # Errors
/// `file`, if this is no pod, or one without a service account's token.
pub fn in_cluster(host: &Host, folder: &str) -> Result<Target, Fault> {
    let variable = |name: &str| host.environment.variable(name).filter(|value| !value.is_empty());
    let address = (variable("KUBERNETES_SERVICE_HOST"), variable("KUBERNETES_SERVICE_PORT"));
    let (Some(name), Some(port)) = address else {
        let message = "this is no pod: `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` are not set";
        return Err(Fault::new(Kind::File, message).hint("leave `in_cluster` out where a kubeconfig is at hand"));
    };
    let folder = Path::new(folder);
    let token = folder.join("token");
    host.files.read_personal(&token).map_err(|error| {
        let message = format!("can't read the service account's token `{}`: {error}", token.display());
        Fault::new(Kind::File, message).hint("does the pod have `automountServiceAccountToken: false`?")
    })?;
    let name = if name.contains(':') { format!("[{name}]") } else { name };
    let server = format!("https://{name}:{port}").parse().map_err(|error| {
        let message =
            format!("`{name}` and `{port}`, from `KUBERNETES_SERVICE_HOST` and `_PORT`, make no URL: {error}");
        Fault::new(Kind::Parse, message).hint("Kubernetes sets them in each pod: leave them as they are")
    })?;
    // Beside the token, where a pod's own namespace is told; without it, it is the one that everybody has.
    let namespace = host.files.read_personal(&folder.join("namespace")).unwrap_or_default();
    let namespace = namespace.trim();
    Ok(Target {
        context: "in-cluster".to_owned(),
        server,
        namespace: if namespace.is_empty() { "default" } else { namespace }.to_owned(),
        authority: Some(Material::File(folder.join("ca.crt"))),
        insecure: false,
        resolve: None,
        tls_server_name: None,
        proxy: None,
        identity: None,
        login: Login::TokenFile { path: token, fallback: None },
        impersonation: Vec::new(),
    })
}
