//! What scripts can do: one folder a binding. They reach the world through the host's ports and know no steps.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod base64;
pub mod dns;
mod exec;
mod flux;
mod fs;
mod hash;
mod http;
pub mod k8s;
mod kubeconfig;
mod kustomize;
pub mod net;
mod random;
pub mod redis;
mod secret;
mod show;
mod ssh;
mod talos;
pub mod template;
mod time;
mod tls;
mod yaml;

use crate::script::binding::Binding;

/// Every binding, in the order of their names.
pub fn all() -> Vec<Binding> {
    vec![
        base64::BINDING,
        dns::BINDING,
        exec::BINDING,
        flux::BINDING,
        fs::BINDING,
        hash::BINDING,
        http::BINDING,
        k8s::BINDING,
        kubeconfig::BINDING,
        kustomize::BINDING,
        net::BINDING,
        random::BINDING,
        redis::BINDING,
        secret::BINDING,
        show::BINDING,
        ssh::BINDING,
        talos::BINDING,
        template::BINDING,
        time::BINDING,
        tls::BINDING,
        yaml::JSON,
        yaml::YAML,
    ]
}
