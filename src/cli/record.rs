//! `cozyscript world record`: the world's file of a real cluster, to rehearse on what is there.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use serde_json::Value;

use super::{
    outside::{self, Asking, Outside},
    report,
    run::Look,
    signals::Stopper,
    status::Status,
    wire::{self, Nothing},
};
use crate::{
    diagnostic::Diagnostic,
    host::{
        Host,
        cancel::Cancel,
        events::Events,
        files::Files,
        frame::{self, Frame},
        wait::{Interrupted, Waiting},
    },
    kubeconfig::{Target, found},
    kubernetes::client::{Cluster, Selection},
    rehearsal::recording,
    script::{
        fault::{Fault, Kind},
        sources::Sources,
        values::{
            tree::{Tree, Wire},
            yaml,
        },
    },
    ui::screen::Screen,
};

/// How long the whole cluster may take to be read.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

#[derive(Debug, Args)]
pub struct Arguments {
    /// The cluster: a context of the kubeconfig; the current one, if left out
    #[arg(long, value_name = "CONTEXT")]
    context: Option<String>,
    /// Only what is in this namespace; may be given several times
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Vec<String>,
    /// Write the world's file here, and not to standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    look: Look,
}

pub fn main(arguments: &Arguments) -> Status {
    let (screen, terminal) = arguments.look.open();
    let asking =
        Asking { screen: screen.clone(), nobody: terminal.nobody(), yes: Vec::new(), settled: Default::default() };
    let host = host(outside::real(wire::seed(None), asking), &screen);
    let recorded = record(arguments, &host).and_then(|text| give(arguments, &screen, &text));
    if let Err(diagnostic) = &recorded {
        report::show(&screen, std::slice::from_ref(diagnostic), &Sources::default());
    }
    match (recorded, screen.close()) {
        (Ok(()), Ok(())) => Status::Done,
        _ => Status::Failed,
    }
}

/// A host that reads, and changes nothing.
fn host(outside: Outside, screen: &Screen) -> Host {
    let Outside { clock, dial, ask, environment, programs, entropy, keys, threads, .. } = outside;
    let secrets = Arc::default();
    let events = Arc::new(Events::new(clock.clone(), Arc::clone(&secrets), vec![screen.reporter()]));
    Host {
        ask: ask(Stopper::new(Cancel::root(), events.clone(), || ())),
        effects: Arc::new(Nothing),
        files: Arc::new(Files::below(".")),
        allowed: Arc::default(),
        clock,
        dial,
        environment,
        programs,
        entropy,
        keys,
        threads,
        secrets,
        events,
    }
}

fn record(arguments: &Arguments, host: &Host) -> Result<String, Diagnostic> {
    let target = found(host).and_then(|kubeconfig| kubeconfig.target(arguments.context.as_deref()));
    let target = target.map_err(|fault| told(&fault))?;
    let context = target.context.clone();
    let waiting = Waiting::request(format!("what there is in {context}"), PATIENCE);
    let (own, namespaces) = (host.clone(), arguments.namespace.clone());
    let root = Frame::root(Cancel::root());
    let read = frame::within(root, || host.wait(waiting, |_| read(own, target, namespaces)));
    let (nodes, objects) = match read {
        Ok(read) => read.map_err(|fault| told(&fault))?,
        Err(Interrupted::TimedOut { what, .. }) => {
            return Err(Diagnostic::error("timeout", format!("gave up waiting for {what}")));
        }
        Err(Interrupted::Stopped(reason)) => return Err(Diagnostic::error("stopped", reason.to_string())),
    };
    let world = recording::world(&context, nodes, objects);
    Ok(format!("# Recorded from {context}, without what is in its Secrets.\n{}", yaml::write(&Tree::from_json(world))))
}

type Read = (Vec<(String, Value)>, Vec<Value>);

/// Reads a cluster, of all kinds that it and the world know.
async fn read(host: Host, target: Target, namespaces: Vec<String>) -> Result<Read, Fault> {
    let cluster = Cluster::open(&host, &target)?;
    let nodes = list(&cluster, "nodes", None).await?.iter().map(recording::node).collect();
    let mut objects = list(&cluster, "customresourcedefinitions.apiextensions.k8s.io", None).await?;
    let own: Vec<String> =
        objects.iter().filter_map(|definition| definition["metadata"]["name"].as_str().map(str::to_owned)).collect();
    for kind in recording::KINDS.iter().map(ToString::to_string).chain(own) {
        for object in list(&cluster, &kind, None).await? {
            let namespace = object["metadata"]["namespace"].as_str();
            let is_namespace = object["kind"] == "Namespace";
            let place = if is_namespace { object["metadata"]["name"].as_str() } else { namespace };
            let is_wanted = |place: &str| namespaces.iter().any(|wanted| wanted == place);
            let is_kept = place.is_none_or(|place| {
                if namespaces.is_empty() { is_namespace || !place.starts_with("kube-") } else { is_wanted(place) }
            });
            if is_kept {
                objects.push(object);
            }
        }
    }
    Ok((nodes, objects.into_iter().filter_map(recording::object).collect()))
}

/// All objects of a kind; none of one that the cluster does not have.
async fn list(cluster: &Cluster, kind: &str, namespace: Option<String>) -> Result<Vec<Value>, Fault> {
    let resource = match cluster.resolve(kind).await {
        Err(fault) if fault.kind == Kind::Unsupported => return Ok(Vec::new()),
        resource => resource?,
    };
    let listed = cluster.list(&resource, &Selection { namespace, ..Selection::default() }).await?;
    let plain = |tree: &Tree| serde_json::to_value(Wire(tree)).expect("an object that was read is JSON");
    Ok(listed.objects.iter().map(plain).collect())
}

fn give(arguments: &Arguments, screen: &Screen, text: &str) -> Result<(), Diagnostic> {
    let Some(path) = &arguments.output else {
        report::data(text.trim_end());
        return Ok(());
    };
    std::fs::write(path, text)
        .map_err(|error| Diagnostic::error("file", format!("can't write the world `{}`: {error}", path.display())))?;
    screen.say(&format!("{} is written: `cozyscript rehearse RUNBOOK --world {}`", path.display(), path.display()));
    Ok(())
}

fn told(fault: &Fault) -> Diagnostic {
    let diagnostic = Diagnostic::error(fault.kind.word(), fault.message.clone());
    match &fault.hint {
        Some(hint) => diagnostic.hint(hint.clone()),
        None => diagnostic,
    }
}
