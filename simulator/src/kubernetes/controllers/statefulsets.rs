//! StatefulSets: pods with names and volumes of their own, one after the other.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Controller, Name, Tools,
    fields::{Fields, map},
    owners, owners_of_kind, pods, replicasets,
    revisions::{self, Style},
};
use crate::kubernetes::{answer::Refusal, client::Place, store::Change};

const STYLE: Style = Style { label: "controller.kubernetes.io/hash", annotated: false };
/// The label that says of which revision a pod is.
const REVISION: &str = "controller-revision-hash";

pub struct StatefulSets;

impl Controller for StatefulSets {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        match &*change.key.resource {
            "statefulsets.apps" => vec![Name::changed(change)],
            "pods" => owners_of_kind(change, "StatefulSet"),
            _ => Vec::new(),
        }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(set) = tools.there("statefulsets.apps", name) else { return Ok(None) };
            let pods = owners::claim(tools, pods::place(&name.namespace), &set).await?;
            let (known, update) = revisions::of(tools, &set, STYLE).await?;
            let current = known.iter().find(|revision| revision.name() == set.text("/status/currentRevision"));
            let current = current.unwrap_or(&update).clone();
            let mut work = Work { tools, set: &set, current, update, pods: BTreeMap::new() };
            work.pods = pods.into_iter().filter_map(|pod| Some((work.ordinal(&pod)?, pod))).collect();
            if !set.is_going() {
                work.step().await?;
            }
            let status = work.status();
            if status != set["status"] {
                let mut updated = (*set).clone();
                updated["status"] = status;
                let place = Place { api_version: "apps/v1", resource: "statefulsets", namespace: &name.namespace };
                owners::gone_is_fine(tools.client.update(place, "status", &updated).await)?;
            }
            let names = [set.text("/status/currentRevision"), work.current.name(), work.update.name()];
            let is_used = |revision: &Value| {
                let mut pods = work.pods.values();
                names.contains(&revision.name()) || pods.any(|pod| pod.label(REVISION) == Some(revision.name()))
            };
            revisions::forget(tools, &set, &known, is_used).await?;
            let seconds = set.number("/spec/minReadySeconds");
            let pods: Vec<Arc<Value>> = work.pods.values().cloned().collect();
            let waits = pods.iter().any(|pod| pods::is_ready(pod) && !work.is_available(pod));
            Ok(waits.then(|| replicasets::until_available(tools, &pods, seconds)))
        })
    }
}

/// One set at work.
struct Work<'w> {
    tools: &'w Tools,
    set: &'w Value,
    current: Arc<Value>,
    update: Arc<Value>,
    /// By ordinal.
    pods: BTreeMap<i64, Arc<Value>>,
}

impl Work<'_> {
    fn ordinal(&self, pod: &Value) -> Option<i64> {
        pod.name().strip_prefix(self.set.name())?.strip_prefix('-')?.parse().ok()
    }

    fn start(&self) -> i64 {
        self.set.number("/spec/ordinals/start")
    }

    fn is_healthy(&self, pod: &Value) -> bool {
        pod.text("/status/phase") == "Running" && pods::is_ready(pod) && !pod.is_going()
    }

    fn is_available(&self, pod: &Value) -> bool {
        pods::is_available(pod, self.set.number("/spec/minReadySeconds"), self.tools.now())
    }

    /// Does what can be done now; what follows waits for pods to come or go.
    async fn step(&mut self) -> Result<(), Refusal> {
        let in_order = self.set.text("/spec/podManagementPolicy") != "Parallel";
        let wanted = self.start()..self.start() + self.set.number("/spec/replicas");
        for ordinal in wanted.clone() {
            match self.pods.get(&ordinal).cloned() {
                Some(pod) if pods::has_ended(&pod) && !pod.is_going() => {
                    self.delete(&pod).await?;
                    return Ok(());
                }
                None => {
                    let created = self.create(ordinal).await?;
                    self.pods.insert(ordinal, Arc::new(created));
                    if in_order {
                        return Ok(());
                    }
                }
                Some(pod) if in_order && !(self.is_healthy(&pod) && self.is_available(&pod)) => return Ok(()),
                Some(_) => {}
            }
        }
        let condemned: Vec<Arc<Value>> =
            self.pods.iter().rev().filter(|(at, _)| !wanted.contains(at)).map(|(_, pod)| pod.clone()).collect();
        for pod in condemned {
            if !pod.is_going() {
                self.delete(&pod).await?;
            }
            if in_order {
                return Ok(());
            }
        }
        if self.set.text("/spec/updateStrategy/type") == "OnDelete" {
            return Ok(());
        }
        let from = self.start() + self.set.number("/spec/updateStrategy/rollingUpdate/partition");
        let outdated: Vec<Arc<Value>> = self.pods.range(from..).rev().map(|(_, pod)| pod.clone()).collect();
        for pod in outdated {
            if pod.label(REVISION) != Some(self.update.name()) && !pod.is_going() {
                return self.delete(&pod).await;
            }
            if !(self.is_healthy(&pod) && self.is_available(&pod)) {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn create(&self, ordinal: i64) -> Result<Value, Refusal> {
        let partition = self.set.number("/spec/updateStrategy/rollingUpdate/partition");
        let revision = if ordinal < self.start() + partition { &self.current } else { &self.update };
        let name = format!("{}-{ordinal}", self.set.name());
        let mut pod = pods::from_template(revision.at("/data/spec/template"), self.set);
        pod["metadata"]["name"] = json!(name);
        let labels = map(&mut pod["metadata"], "labels");
        labels.insert("statefulset.kubernetes.io/pod-name".to_owned(), json!(name));
        labels.insert("apps.kubernetes.io/pod-index".to_owned(), json!(ordinal.to_string()));
        labels.insert(REVISION.to_owned(), json!(revision.name()));
        pod["spec"]["hostname"] = json!(name);
        pod["spec"]["subdomain"] = self.set["spec"]["serviceName"].clone();
        for template in self.set.list("/spec/volumeClaimTemplates") {
            let claim = format!("{}-{name}", template.name());
            let volumes = super::fields::list(&mut pod["spec"], "volumes");
            volumes.retain(|volume| volume["name"] != template.name());
            volumes.push(json!({"name": template.name(), "persistentVolumeClaim": {"claimName": claim}}));
            self.claim(template, &claim, &name).await?;
        }
        match self.tools.client.create(pods::place(self.set.namespace()), &pod).await {
            Ok(created) => {
                self.tell(
                    "SuccessfulCreate",
                    &format!("Create Pod {name} in StatefulSet {} successful", self.set.name()),
                )
                .await;
                Ok(created)
            }
            Err(refusal) => {
                let set = self.set.name();
                let message = format!("Create Pod {name} in StatefulSet {set} failed error: {}", refusal.message);
                self.tools.warning(self.set, "FailedCreate", &message).await;
                Err(refusal)
            }
        }
    }

    /// Makes the claim of a pod, if it is not there from an earlier one.
    async fn claim(&self, template: &Value, claim: &str, pod: &str) -> Result<(), Refusal> {
        let namespace = self.set.namespace();
        let known = Name { namespace: namespace.to_owned(), name: claim.to_owned() };
        if self.tools.there("persistentvolumeclaims", &known).is_some() {
            return Ok(());
        }
        let mut object = json!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": template["metadata"],
            "spec": template["spec"],
        });
        object["metadata"]["name"] = json!(claim);
        object["metadata"]["namespace"] = json!(namespace);
        let labels = map(&mut object["metadata"], "labels");
        for (key, value) in self.set.at("/spec/selector/matchLabels").as_object().into_iter().flatten() {
            labels.insert(key.clone(), value.clone());
        }
        if self.set.text("/spec/persistentVolumeClaimRetentionPolicy/whenDeleted") == "Delete" {
            object["metadata"]["ownerReferences"] = json!([owners::reference(self.set)]);
        }
        let place = Place { api_version: "v1", resource: "persistentvolumeclaims", namespace };
        self.tools.client.create(place, &object).await?;
        let message = format!("Create Claim {claim} Pod {pod} in StatefulSet {} success", self.set.name());
        self.tell("SuccessfulCreate", &message).await;
        Ok(())
    }

    async fn delete(&mut self, pod: &Value) -> Result<(), Refusal> {
        let place = pods::place(pod.namespace());
        owners::gone_is_fine(self.tools.client.delete(place, pod.name(), &Value::Null).await)?;
        if let Some(ordinal) = self.ordinal(pod) {
            match self.tools.there("pods", &Name::of(pod)) {
                Some(going) => drop(self.pods.insert(ordinal, going)),
                None => drop(self.pods.remove(&ordinal)),
            }
        }
        let message = format!("Delete Pod {} in StatefulSet {} successful", pod.name(), self.set.name());
        self.tell("SuccessfulDelete", &message).await;
        Ok(())
    }

    async fn tell(&self, reason: &str, message: &str) {
        self.tools.normal(self.set, reason, message).await;
    }

    fn status(&self) -> Value {
        let count = |holds: &dyn Fn(&Value) -> bool| self.pods.values().filter(|pod| holds(pod)).count();
        let of = |revision: &Value| count(&|pod| !pod.is_going() && pod.label(REVISION) == Some(revision.name()));
        let replicas = self.pods.len();
        let ready = count(&|pod| self.is_healthy(pod));
        let updated = of(&self.update);
        let rolls = self.set.text("/spec/updateStrategy/type") == "RollingUpdate";
        // Once all are of the new revision, that is the current one.
        let is_complete = rolls && updated == replicas && ready == replicas;
        let current = if is_complete { &self.update } else { &self.current };
        let mut status = json!({"observedGeneration": self.set["metadata"]["generation"], "replicas": replicas});
        for (field, count) in [("readyReplicas", ready), ("currentReplicas", of(current)), ("updatedReplicas", updated)]
        {
            if count > 0 {
                status[field] = json!(count);
            }
        }
        status["currentRevision"] = json!(current.name());
        status["updateRevision"] = json!(self.update.name());
        status["collisionCount"] = json!(self.set.number("/status/collisionCount"));
        status["availableReplicas"] = json!(count(&|pod| self.is_healthy(pod) && self.is_available(pod)));
        status
    }
}
