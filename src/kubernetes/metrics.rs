//! What nodes and pods use, as the metrics API has it: measured by metrics-server or the like, and only where there is one.

use serde_json::{Map, Value, json};

use super::{
    client::{Cluster, Selection},
    discovery::Resource,
    object::{self, items, text},
    quantity,
};
use crate::script::{
    fault::{Fault, Kind},
    values::tree::Tree,
};

const GROUP: &str = "metrics.k8s.io";

/// What each node uses, with the share of what it has to give; by name.
///
/// # Errors
/// `unsupported`, if the cluster measures nothing.
pub async fn of_nodes(cluster: &Cluster, selection: &Selection) -> Result<Vec<Tree>, Fault> {
    let measured = measured(cluster, "NodeMetrics", selection).await?;
    let everywhere = Selection { labels: selection.labels.clone(), ..Selection::default() };
    let nodes = cluster.list(&cluster.resolve("nodes").await?, &everywhere).await?.objects;
    let used = measured.iter().map(|metrics| {
        let node = nodes.iter().find(|node| object::name(node) == object::name(metrics));
        let mut shown = usage(metrics)?;
        shown.insert("name".to_owned(), object::name(metrics).into());
        for (resource, share) in [("cpu", "cpu_percent"), ("memory", "memory_percent")] {
            let has = node.and_then(|node| text(node, &["status", "allocatable", resource]));
            let percent = match has.map(quantity::read).transpose()? {
                Some(has) if has > 0.0 => (read(metrics, resource)? / has * 100.0).round() as i64,
                _ => continue,
            };
            shown.insert(share.to_owned(), percent.into());
        }
        Ok(Tree::from_json(Value::Object(shown)))
    });
    used.collect()
}

/// What each pod uses, with its containers; by namespace and name.
///
/// # Errors
/// `unsupported`, if the cluster measures nothing.
pub async fn of_pods(cluster: &Cluster, selection: &Selection) -> Result<Vec<Tree>, Fault> {
    let used = measured(cluster, "PodMetrics", selection).await?;
    let pod = |metrics: &Tree| -> Result<Tree, Fault> {
        let (mut containers, mut cpu, mut memory) = (Vec::new(), 0, 0);
        for container in items(metrics, &["containers"]) {
            let mut shown = usage(container)?;
            cpu += shown["cpu"].as_i64().unwrap_or(0);
            memory += shown["memory"].as_i64().unwrap_or(0);
            shown.insert("name".to_owned(), text(container, &["name"]).unwrap_or_default().into());
            containers.push(Value::Object(shown));
        }
        Ok(Tree::from_json(json!({
            "namespace": object::namespace(metrics), "name": object::name(metrics),
            "cpu": cpu, "memory": memory, "containers": containers,
        })))
    };
    used.iter().map(pod).collect()
}

async fn measured(cluster: &Cluster, kind: &str, selection: &Selection) -> Result<Vec<Tree>, Fault> {
    let resource: Resource = match cluster.resolve(&format!("{GROUP}/v1beta1/{kind}")).await {
        Err(fault) if fault.kind == Kind::Unsupported => return Err(nothing_measured(cluster)),
        resource => resource?,
    };
    match cluster.list(&resource, selection).await {
        Err(fault) if fault.kind == Kind::Unsupported => Err(nothing_measured(cluster)),
        listed => Ok(listed?.objects),
    }
}

fn nothing_measured(cluster: &Cluster) -> Fault {
    let message = format!("nobody measures what nodes and pods of `{cluster}` use: it has no `{GROUP}`");
    Fault::new(Kind::Unsupported, message).hint(
        "install metrics-server; if it is installed, `kubectl get apiservice v1beta1.metrics.k8s.io` says what it lacks",
    )
}

fn read(metrics: &Tree, resource: &str) -> Result<f64, Fault> {
    text(metrics, &["usage", resource]).map_or(Ok(0.0), quantity::read)
}

/// Processors in thousandths, memory in bytes: whole numbers that add up.
fn usage(metrics: &Tree) -> Result<Map<String, Value>, Fault> {
    let mut usage = Map::new();
    usage.insert("cpu".to_owned(), ((read(metrics, "cpu")? * 1000.0).ceil() as i64).into());
    usage.insert("memory".to_owned(), (read(metrics, "memory")?.ceil() as i64).into());
    Ok(usage)
}
