mod connect;
mod dns;
mod download;
mod drain;
mod examples;
mod exec;
mod files;
mod flux;
mod http;
mod http_again;
mod http_ways;
mod k8s;
mod k8s_streams;
mod kubeconfig;
mod kubeconfig_changes;
mod kustomize;
mod net;
mod readiness;
mod secret;
mod show;
mod ssh;
mod talos;
mod talos_config;
mod texts;
mod time;
mod tls;
mod top;

use crate::support::Script;

/// A script with every binding, in a folder with these files.
fn script(files: &[(&str, &str)]) -> (Script, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    (Script::new(&cozyscript::bindings::all(), folder.path()), folder)
}

/// Runs a text whose value doesn't matter.
#[track_caller]
pub fn run(script: &Script, text: &str) {
    if let Err(error) = script.run(text) {
        panic!("{text}: {error}");
    }
}
