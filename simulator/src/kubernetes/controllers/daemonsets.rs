//! DaemonSets: a pod on every node that fits.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Controller, Name, Tools,
    deployments::share,
    fields::{Fields, list, map},
    owners, owners_of_kind, pods, replicasets,
    revisions::{self, Style},
    scheduler::{is_selected, is_tolerated},
};
use crate::kubernetes::{answer::Refusal, client::Place, store::Change};

/// The label that says of which revision a pod is.
const REVISION: &str = "controller-revision-hash";
const GENERATION: &str = "deprecated.daemonset.template.generation";
const STYLE: Style = Style { label: REVISION, annotated: true };
/// What its pods put up with, whatever their template says.
const TOLERATED: [(&str, &str); 6] = [
    ("not-ready", "NoExecute"),
    ("unreachable", "NoExecute"),
    ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"),
    ("pid-pressure", "NoSchedule"),
    ("unschedulable", "NoSchedule"),
];

pub struct DaemonSets;

impl Controller for DaemonSets {
    fn concerned(&self, tools: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            "daemonsets.apps" => vec![Name::changed(change)],
            "pods" => owners_of_kind(change, "DaemonSet"),
            "nodes" => {
                let side = |node: &Option<Arc<Value>>| {
                    node.as_deref().map(|node| {
                        ["/metadata/labels", "/spec/taints", "/spec/unschedulable"].map(|path| node.at(path).clone())
                    })
                };
                if side(&change.before) == side(&change.after) {
                    return Vec::new();
                }
                let sets = tools.client.cluster().store.list(&"daemonsets.apps".into(), None).1;
                sets.into_iter().map(|(key, _)| Name { namespace: key.namespace, name: key.name }).collect()
            }
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(set) = tools.there("daemonsets.apps", name).filter(|set| !set.is_going()) else { return Ok(None) };
            let all = owners::claim(tools, pods::place(&name.namespace), &set).await?;
            let (known, revision) = revisions::of(tools, &set, STYLE).await?;
            let mut work =
                Work { tools, set: &set, hash: revision.label(REVISION).unwrap_or_default(), places: BTreeMap::new() };
            for (key, node) in tools.client.cluster().store.list(&"nodes".into(), None).1 {
                work.places
                    .insert(key.name, Spot { fits: work.fits(&node), stays: work.stays(&node), pods: Vec::new() });
            }
            for pod in all {
                let node = node_of(&pod).to_owned();
                work.places.entry(node).or_default().pods.push(pod);
            }
            work.fill().await?;
            work.roll().await?;
            let status = work.status();
            if status != set["status"] {
                let mut updated = (*set).clone();
                updated["status"] = status;
                let place = Place { api_version: "apps/v1", resource: "daemonsets", namespace: &name.namespace };
                owners::gone_is_fine(tools.client.update(place, "status", &updated).await)?;
            }
            let pods: Vec<Arc<Value>> = work.places.values().flat_map(|place| place.pods.iter().cloned()).collect();
            let is_used = |revision: &Value| {
                let hash = revision.label(REVISION);
                hash == Some(work.hash) || pods.iter().any(|pod| pod.label(REVISION) == hash)
            };
            revisions::forget(tools, &set, &known, is_used).await?;
            let seconds = set.number("/spec/minReadySeconds");
            let waits = pods.iter().any(|pod| pods::is_ready(pod) && !work.is_available(pod));
            Ok(waits.then(|| replicasets::until_available(tools, &pods, seconds)))
        })
    }
}

/// One set at work.
struct Work<'w> {
    tools: &'w Tools,
    set: &'w Value,
    /// Of the newest revision.
    hash: &'w str,
    /// By node.
    places: BTreeMap<String, Spot>,
}

/// A node as a set sees it.
#[derive(Default)]
struct Spot {
    /// There should be a pod.
    fits: bool,
    /// A pod that is there may stay.
    stays: bool,
    pods: Vec<Arc<Value>>,
}

impl Work<'_> {
    /// A pod as it would be on a node.
    fn pod(&self, node: &str) -> Value {
        let mut pod = pods::from_template(&self.set["spec"]["template"], self.set);
        let labels = map(&mut pod["metadata"], "labels");
        labels.insert(REVISION.to_owned(), json!(self.hash));
        if let Some(generation) = self.set.annotation(GENERATION) {
            labels.insert("pod-template-generation".to_owned(), json!(generation));
        }
        let here = json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]});
        let spec = &mut pod["spec"];
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        match spec["affinity"]["nodeAffinity"][required]["nodeSelectorTerms"].as_array_mut() {
            Some(terms) => terms.iter_mut().for_each(|term| term["matchFields"] = here["matchFields"].clone()),
            None => spec["affinity"]["nodeAffinity"][required] = json!({"nodeSelectorTerms": [here]}),
        }
        let on_host = spec.flag("/hostNetwork");
        let tolerations = list(spec, "tolerations");
        let more = if on_host { Some(("network-unavailable", "NoSchedule")) } else { None };
        for (key, effect) in TOLERATED.into_iter().chain(more) {
            let toleration =
                json!({"key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": effect});
            if !tolerations.contains(&toleration) {
                tolerations.push(toleration);
            }
        }
        pod
    }

    fn fits(&self, node: &Value) -> bool {
        let pod = self.pod(node.name());
        let keeps_off = |taint: &&Value| matches!(taint.text("/effect"), "NoSchedule" | "NoExecute");
        is_selected(&pod, node)
            && node.list("/spec/taints").iter().filter(keeps_off).all(|taint| is_tolerated(&pod, taint))
    }

    fn stays(&self, node: &Value) -> bool {
        let pod = self.pod(node.name());
        let drives_off = |taint: &&Value| taint.text("/effect") == "NoExecute";
        is_selected(&pod, node)
            && node.list("/spec/taints").iter().filter(drives_off).all(|taint| is_tolerated(&pod, taint))
    }

    /// Makes pods where they are missing, and takes those away that are too many or have failed.
    async fn fill(&mut self) -> Result<(), Refusal> {
        let nodes: Vec<String> = self.places.keys().cloned().collect();
        for node in nodes {
            let place = &self.places[&node];
            let (ended, active): (Vec<_>, Vec<_>) =
                place.pods.iter().filter(|pod| !pod.is_going()).cloned().partition(|pod| pods::has_ended(pod));
            let surplus = if place.stays { 1.min(active.len()) } else { 0 };
            let missing = place.fits && place.pods.iter().all(|pod| pods::has_ended(pod) && !pod.is_going());
            for pod in ended {
                let (namespace, name) = (pod.namespace(), pod.name());
                let message = format!("Found failed daemon pod {namespace}/{name} on node {node}, will try to kill it");
                self.tools.warning(self.set, "FailedDaemonPod", &message).await;
                self.delete(&node, &pod).await?;
            }
            for pod in active.into_iter().skip(surplus) {
                self.delete(&node, &pod).await?;
            }
            if missing {
                let created = pods::create(self.tools, self.set, &self.pod(&node)).await?;
                self.places.entry(node).or_default().pods.push(Arc::new(created));
            }
        }
        Ok(())
    }

    async fn delete(&mut self, node: &str, pod: &Value) -> Result<(), Refusal> {
        pods::delete(self.tools, self.set, pod).await?;
        let there = self.tools.there("pods", &Name::of(pod));
        let pods = &mut self.places.entry(node.to_owned()).or_default().pods;
        pods.retain(|known| known.uid() != pod.uid());
        pods.extend(there.filter(|there| there.uid() == pod.uid()));
        Ok(())
    }

    /// Takes pods of older revisions away, as many at once as may be missing.
    async fn roll(&mut self) -> Result<(), Refusal> {
        if self.set.text("/spec/updateStrategy/type") != "RollingUpdate" {
            return Ok(());
        }
        let wanted = self.places.values().filter(|place| place.fits).count();
        let wanted = i64::try_from(wanted).expect("there are fewer nodes than numbers");
        let most = share(self.set.at("/spec/updateStrategy/rollingUpdate/maxUnavailable"), wanted, true).max(1);
        let mut missing = 0;
        let (mut lame, mut sound) = (Vec::new(), Vec::new());
        for (node, place) in self.places.iter().filter(|(_, place)| place.fits) {
            let active = place.pods.iter().find(|pod| !pod.is_going());
            match active {
                Some(pod) if self.is_available(pod) => {
                    if pod.label(REVISION) != Some(self.hash) {
                        sound.push((node.clone(), pod.clone()));
                    }
                }
                Some(pod) if pod.label(REVISION) != Some(self.hash) => {
                    missing += 1;
                    lame.push((node.clone(), pod.clone()));
                }
                _ => missing += 1,
            }
        }
        let spare = usize::try_from(most - missing).unwrap_or_default();
        for (node, pod) in lame.into_iter().chain(sound.into_iter().take(spare)) {
            self.delete(&node, &pod).await?;
        }
        Ok(())
    }

    fn is_available(&self, pod: &Value) -> bool {
        pods::is_available(pod, self.set.number("/spec/minReadySeconds"), self.tools.now())
    }

    fn status(&self) -> Value {
        let (mut scheduled, mut misplaced, mut wanted, mut ready, mut available, mut updated) = (0, 0, 0, 0, 0, 0);
        for place in self.places.values() {
            let active = place.pods.iter().find(|pod| !pod.is_going());
            if !place.fits {
                misplaced += i64::from(active.is_some());
                continue;
            }
            wanted += 1;
            let Some(pod) = active else { continue };
            scheduled += 1;
            ready += i64::from(pods::is_ready(pod));
            available += i64::from(self.is_available(pod));
            updated += i64::from(pod.label(REVISION) == Some(self.hash));
        }
        let mut status = json!({
            "currentNumberScheduled": scheduled,
            "numberMisscheduled": misplaced,
            "desiredNumberScheduled": wanted,
            "numberReady": ready,
            "observedGeneration": self.set["metadata"]["generation"],
        });
        for (field, count) in [
            ("updatedNumberScheduled", updated),
            ("numberAvailable", available),
            ("numberUnavailable", wanted - available),
        ] {
            if count > 0 {
                status[field] = json!(count);
            }
        }
        status
    }
}

/// The node of a pod: where it is, or where it is to be.
fn node_of(pod: &Value) -> &str {
    let node = pod.text("/spec/nodeName");
    let required = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution";
    match node.is_empty() {
        true => pod.text(&format!("{required}/nodeSelectorTerms/0/matchFields/0/values/0")),
        false => node,
    }
}
