//! Credential plugins: programs that a user of a kubeconfig gets its credentials from.

use std::fmt;

use super::read::{Entry, Source, plain};
use crate::script::{
    fault::{Fault, Kind},
    values::{
        at::{at, flag, items, text},
        tree::Tree,
    },
};

/// How to ask a credential plugin.
#[derive(Clone, PartialEq)]
pub struct Plugin {
    /// The user it is for.
    pub user: String,
    pub command: String,
    pub arguments: Vec<String>,
    /// What is added to the environment of this process.
    pub environment: Vec<(String, String)>,
    pub protocol: Protocol,
    /// Tells the plugin which cluster it is asked for.
    pub tells_cluster: bool,
    /// What the cluster's entry holds for plugins.
    pub cluster_config: Option<Tree>,
    pub install_hint: Option<String>,
}

/// The version of the protocol that it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    V1,
    V1Beta1,
}

impl Protocol {
    pub fn api_version(self) -> &'static str {
        match self {
            Protocol::V1 => "client.authentication.k8s.io/v1",
            Protocol::V1Beta1 => "client.authentication.k8s.io/v1beta1",
        }
    }
}

impl fmt::Debug for Plugin {
    /// Without arguments and environment: some hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin `{}` of `{}`", self.command, self.user)
    }
}

/// The plugin of a user, if it has one.
///
/// # Errors
/// `parse` if it is described wrongly, `unsupported` if it needs a terminal or came with a text instead of a file.
pub(super) fn plugin(name: &str, user: &Entry, cluster: &Entry) -> Result<Option<Plugin>, Fault> {
    let Some(exec) = user.inner("exec")? else { return Ok(None) };
    let place = &exec.place;
    let Some(command) = exec.text("command")? else {
        return Err(exec.wrong(format!("`{place}` has no `command`")).hint("set it to the plugin's name or path"));
    };
    if let Source::Text(_) = &exec.source {
        let message = format!("user `{name}` in `{}` logs in with the program `{command}`", exec.source);
        return Err(Fault::new(Kind::Unsupported, format!("{message}, and only a file may name programs to run"))
            .hint("save the kubeconfig as a file that you have looked at, and name it with `kubeconfig`"));
    }
    let protocol = match exec.text("apiVersion")?.as_deref() {
        Some("client.authentication.k8s.io/v1") => Protocol::V1,
        Some("client.authentication.k8s.io/v1beta1") => Protocol::V1Beta1,
        other => {
            let found = other.map_or("not there".to_owned(), |version| format!("`{version}`"));
            return Err(exec
                .wrong(format!("`{place}.apiVersion` is {found}"))
                .hint("set it to `client.authentication.k8s.io/v1`, and update the plugin if it is older"));
        }
    };
    if exec.text("interactiveMode")?.as_deref() == Some("Always") {
        let message = format!("the plugin `{command}` of user `{name}` in `{}` wants to ask somebody", exec.source);
        return Err(Fault::new(Kind::Unsupported, format!("{message}: its `interactiveMode` is `Always`"))
            .hint("log in with it once by hand, and set `interactiveMode` to `IfAvailable` if it keeps what it got"));
    }
    // A bare name is looked for in the `PATH`.
    let command = match command.contains('/') {
        true => exec.path(&command)?.display().to_string(),
        false => command,
    };
    let of_pair = |pair: &Tree| Some((text(pair, &["name"])?.to_owned(), text(pair, &["value"])?.to_owned()));
    let extension = items(&cluster.fields, &["extensions"])
        .iter()
        .find(|extension| text(extension, &["name"]) == Some("client.authentication.k8s.io/exec"));
    Ok(Some(Plugin {
        user: name.to_owned(),
        command,
        arguments: items(&exec.fields, &["args"]).iter().map(plain).collect(),
        environment: items(&exec.fields, &["env"]).iter().filter_map(of_pair).collect(),
        protocol,
        tells_cluster: flag(&exec.fields, &["provideClusterInfo"]),
        cluster_config: extension.and_then(|extension| at(extension, &["extension"])).cloned(),
        install_hint: exec.text("installHint")?,
    }))
}
