//! HorizontalPodAutoscalers in a cluster without metrics: they find what they are to scale, and say that they can't.

use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    Controller, Name, Tools,
    conditions::{self, Condition},
    fields::Fields,
    kinds, owners,
};
use crate::kubernetes::{answer::Refusal, client::Place, store::Change};

const STORED: &str = "horizontalpodautoscalers.autoscaling";
/// How often each is looked at.
const AGAIN: Duration = Duration::from_secs(15);

pub struct Autoscalers;

impl Controller for Autoscalers {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        let is_new = &*change.key.resource == STORED && change.before.is_none();
        if is_new { vec![Name::changed(change)] } else { Vec::new() }
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let Some(scaler) = tools.there(STORED, name) else { return Ok(None) };
            let created = scaler.text("/metadata/creationTimestamp").parse::<jiff::Timestamp>();
            let age = created.map_or(0, |created| tools.now().as_second() - created.as_second());
            if age < AGAIN.as_secs().cast_signed() {
                return Ok(Some(AGAIN));
            }
            let mut changed = (*scaler).clone();
            let able = |status, reason, message| Condition { kind: "AbleToScale", status, reason, message };
            let now = tools.client.cluster().now();
            let status = &mut changed["status"];
            match replicas(tools, &scaler).await {
                Err(why) => {
                    tools.warning(&scaler, "FailedGetScale", &why).await;
                    let message = format!("the HPA controller was unable to get the target's current scale: {why}");
                    conditions::set(status, able("False", "FailedGetScale", &message), &now, &Value::Null);
                }
                Ok(replicas) => {
                    let message = "the HPA controller was able to get the target's current scale";
                    conditions::set(status, able("True", "SucceededGetScale", message), &now, &Value::Null);
                    let unable = unable(tools, &scaler, replicas).await;
                    if let Some((reason, message)) = &unable {
                        let active = Condition { kind: "ScalingActive", status: "False", reason, message };
                        conditions::set(status, active, &now, &Value::Null);
                    }
                    status["currentReplicas"] = json!(replicas);
                    status["currentMetrics"] = json!([{"type": ""}]);
                }
            }
            if changed != *scaler {
                let place = Place {
                    api_version: "autoscaling/v2",
                    resource: "horizontalpodautoscalers",
                    namespace: &name.namespace,
                };
                owners::gone_is_fine(tools.client.update(place, "status", &changed).await)?;
            }
            Ok(Some(AGAIN))
        })
    }
}

/// How many there are of what is to be scaled, or why that can't be known.
async fn replicas(tools: &Tools, scaler: &Value) -> Result<i64, String> {
    let target = scaler.at("/spec/scaleTargetRef");
    let (kind, name) = (target.text("/kind"), target.text("/name"));
    let known = kinds::called(tools.client.cluster(), target.text("/apiVersion"), kind);
    let known = known.ok_or_else(|| format!("no matches for kind {kind:?} in group {:?}", group(target)))?;
    let there = Name { namespace: scaler.namespace().to_owned(), name: name.to_owned() };
    let object = tools.there(&known.stored, &there).ok_or_else(|| {
        let resource = crate::kubernetes::answer::full(&known.resource, &known.group);
        format!("{resource} {name:?} not found")
    })?;
    Ok(object.number("/spec/replicas"))
}

fn group(target: &Value) -> &str {
    target.text("/apiVersion").split_once('/').map_or("", |(group, _)| group)
}

/// Why nothing is scaled.
async fn unable(tools: &Tools, scaler: &Value, replicas: i64) -> Option<(&'static str, String)> {
    if replicas == 0 {
        let message = "scaling is disabled since the replica count of the target is zero";
        return Some(("ScalingDisabled", message.to_owned()));
    }
    let metrics = scaler.list("/spec/metrics");
    let metric = metrics.iter().find(|metric| metric["type"] == "Resource")?;
    let name = metric.text("/resource/name");
    let of_requests = metric.text("/resource/target/type") == "Utilization";
    let measured = if of_requests { "utilization" } else { "usage" };
    let why = format!(
        "failed to get {name} {measured}: unable to get metrics for resource {name}: unable to fetch metrics from resource \
         metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"
    );
    tools.warning(scaler, "FailedGetResourceMetric", &why).await;
    let (invalid, all) = (1, metrics.len());
    let summary = format!(
        "invalid metrics ({invalid} invalid out of {all}), first error is: failed to get {name} resource metric value: {why}"
    );
    tools.warning(scaler, "FailedComputeMetricsReplicas", &summary).await;
    Some(("FailedGetResourceMetric", format!("the HPA was unable to compute the replica count: {why}")))
}
