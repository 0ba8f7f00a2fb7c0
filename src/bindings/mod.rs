//! What scripts can do: one folder a binding. They reach the world through the host's ports and know no steps.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod dns;
mod exec;
mod fs;
mod http;
pub mod k8s;
mod kubeconfig;
pub mod redis;
mod secret;
mod show;
mod time;
mod yaml;

use crate::script::binding::Binding;

/// Every binding, in the order of their names.
pub fn all() -> Vec<Binding> {
    vec![
        dns::BINDING,
        exec::BINDING,
        fs::BINDING,
        http::BINDING,
        k8s::BINDING,
        kubeconfig::BINDING,
        redis::BINDING,
        secret::BINDING,
        show::BINDING,
        time::BINDING,
        yaml::JSON,
        yaml::YAML,
    ]
}
