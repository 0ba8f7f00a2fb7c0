//! What scripts can do: one folder a binding. They reach the world through the host's ports and know no steps.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod exec;
mod fs;
mod http;
pub mod k8s;
mod secret;
mod show;
mod time;
mod yaml;

use crate::script::binding::Binding;

/// Every binding, in the order of their names.
pub fn all() -> Vec<Binding> {
    vec![
        exec::BINDING,
        fs::BINDING,
        http::BINDING,
        k8s::BINDING,
        secret::BINDING,
        show::BINDING,
        time::BINDING,
        yaml::JSON,
        yaml::YAML,
    ]
}
