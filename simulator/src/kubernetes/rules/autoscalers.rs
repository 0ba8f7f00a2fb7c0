//! Autoscalers of pods: stored in one version, shown in two.

use serde_json::{Value, json};

use super::{
    Look, Rules,
    field::{Check, Field, formed, one_of, required},
    fill::{default, fill, remove},
    form, pod_spec,
};
use crate::kubernetes::{answer::Cause, cluster::Cluster, quantity::Quantity};

pub struct Autoscalers;

const NEWER: &str = "autoscaling/v2";
const OLDER: &str = "autoscaling/v1";
/// Metrics that the older version has no fields for.
const OTHERS: &str = "autoscaling.alpha.kubernetes.io/metrics";

/// Each sort of metric with the field that it has.
const METRICS: [(&str, &str); 5] = [
    ("ContainerResource", "containerResource"),
    ("External", "external"),
    ("Object", "object"),
    ("Pods", "pods"),
    ("Resource", "resource"),
];

impl Rules for Autoscalers {
    fn fill_in(&self, scaler: &mut Value) {
        let older = scaler["apiVersion"] == OLDER;
        let spec = &mut scaler["spec"];
        default(spec, "minReplicas", 1);
        if older {
            return;
        }
        default(spec, "metrics", json!([processor(80)]));
        if let Some(behavior) = spec.get_mut("behavior") {
            let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
            let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
            let up = json!({"selectPolicy": "Max", "stabilizationWindowSeconds": 0, "policies": [pods, percent]});
            fill(behavior, json!({"scaleUp": up, "scaleDown": {"selectPolicy": "Max", "policies": [percent]}}));
        }
    }

    fn stored_version(&self) -> Option<&str> {
        Some(NEWER)
    }

    fn convert(&self, scaler: &mut Value, api_version: &str) {
        scaler["apiVersion"] = json!(api_version);
        match api_version {
            NEWER => to_newer(scaler),
            _ => to_older(scaler),
        }
    }

    fn prepare_new(&self, scaler: &mut Value, _cluster: &Cluster) {
        scaler["status"] = json!({"desiredReplicas": 0, "currentMetrics": null});
    }

    fn looks_at_metadata(&self, _part: &str) -> Look {
        Look::AtChanges
    }

    fn check(&self, scaler: &Value) -> Vec<Cause> {
        let spec = Field::of(scaler, "spec");
        let (least, most) = (spec.at("minReplicas"), spec.at("maxReplicas"));
        let mut wrong = Vec::new();
        if least.number().is_some_and(|least| least < 1) {
            wrong.push(least.invalid("must be greater than or equal to 1"));
        }
        let number = most.number().unwrap_or_default();
        if number == 0 {
            wrong.push(most.required("must be set and greater than 0"));
        } else if number < 0 {
            wrong.push(most.invalid("must be greater than or equal to 1"));
        }
        if least.number().is_some_and(|least| number < least) {
            wrong.push(Cause::invalid(&most.path, &json!(number), "must be greater than or equal to `minReplicas`"));
        }
        let target = spec.at("scaleTargetRef");
        wrong.extend(check_reference(&target));
        wrong.extend(check_group(&target));
        let metrics = spec.at("metrics");
        for metric in metrics.items() {
            wrong.extend(check_metric(&metric));
        }
        let wakes = |metric: Field<'_>| matches!(metric.at("type").text(), "Object" | "External");
        if least.number() == Some(0) && !metrics.items().any(wakes) {
            let why = "must specify at least one Object or External metric to support scaling to zero replicas";
            wrong.push(metrics.forbidden(why));
        }
        for direction in ["scaleUp", "scaleDown"] {
            wrong.extend(check_scaling(&spec.at("behavior").at(direction)));
        }
        wrong
    }
}

/// The share of the processor's time that is wanted.
fn processor(percent: i64) -> Value {
    let target = json!({"type": "Utilization", "averageUtilization": percent});
    json!({"type": "Resource", "resource": {"name": "cpu", "target": target}})
}

fn is_processor(metric: &Value) -> bool {
    metric.pointer("/resource/name").is_some_and(|name| name == "cpu")
        && metric.pointer("/resource/target/averageUtilization").is_some()
}

fn to_newer(scaler: &mut Value) {
    let spec = &mut scaler["spec"];
    let percent = remove(spec, "targetCPUUtilizationPercentage").and_then(|percent| percent.as_i64());
    let mut metrics = Vec::from_iter(percent.map(processor));
    let annotations = scaler.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
    let kept = annotations.and_then(|known| known.shift_remove(OTHERS));
    if let Some(Value::Array(others)) = kept.and_then(|text| serde_json::from_str(text.as_str()?).ok()) {
        metrics.splice(0..0, others);
    }
    if metrics.is_empty() {
        metrics.push(processor(80));
    }
    scaler["spec"]["metrics"] = json!(metrics);
    let status = &mut scaler["status"];
    if let Some(percent) = remove(status, "currentCPUUtilizationPercentage") {
        let current = json!({"averageUtilization": percent});
        status["currentMetrics"] = json!([{"type": "Resource", "resource": {"name": "cpu", "current": current}}]);
    }
    if status["currentReplicas"] == 0 {
        remove(status, "currentReplicas");
    }
    fill(status, json!({"desiredReplicas": 0}));
    if status.get("currentMetrics").is_none() {
        status["currentMetrics"] = Value::Null;
    }
}

fn to_older(scaler: &mut Value) {
    let metrics = remove(&mut scaler["spec"], "metrics").unwrap_or_default();
    let (processors, others): (Vec<&Value>, Vec<&Value>) =
        metrics.as_array().into_iter().flatten().partition(|metric| is_processor(metric));
    if let Some(metric) = processors.last() {
        scaler["spec"]["targetCPUUtilizationPercentage"] = metric["resource"]["target"]["averageUtilization"].clone();
    }
    if !others.is_empty() {
        scaler["metadata"]["annotations"][OTHERS] = json!(json!(others).to_string());
    }
    let status = &mut scaler["status"];
    let current = remove(status, "currentMetrics");
    let percent = current.as_ref().and_then(|current| current.pointer("/0/resource/current/averageUtilization"));
    if let Some(percent) = percent {
        status["currentCPUUtilizationPercentage"] = percent.clone();
    }
    remove(status, "conditions");
    fill(status, json!({"currentReplicas": 0, "desiredReplicas": 0}));
}

fn check_scaling(rules: &Field<'_>) -> Vec<Cause> {
    const LONGEST_WINDOW: i64 = 3600;
    const LONGEST_PERIOD: i64 = 1800;
    let mut wrong = Vec::new();
    if !rules.is_set() {
        return wrong;
    }
    let [window, policies] = ["stabilizationWindowSeconds", "policies"].map(|name| rules.at(name));
    let seconds = window.number().unwrap_or_default();
    if seconds < 0 {
        wrong.push(window.invalid("must be greater than or equal to zero"));
    }
    if seconds > LONGEST_WINDOW {
        wrong.push(window.invalid(&format!("must be less than or equal to {LONGEST_WINDOW}")));
    }
    wrong.extend(one_of(&rules.at("selectPolicy"), &["Disabled", "Max", "Min"]));
    if policies.items().next().is_none() {
        wrong.push(policies.required("must specify at least one Policy"));
    }
    for policy in policies.items() {
        let [kind, value, period] = ["type", "value", "periodSeconds"].map(|name| policy.at(name));
        if !["Percent", "Pods"].contains(&kind.text()) {
            wrong.push(Cause::unsupported(&kind.path, &json!(kind.text()), &["Percent", "Pods"]));
        }
        for amount in [&value, &period] {
            let number = amount.number().unwrap_or_default();
            if number <= 0 {
                wrong.push(Cause::invalid(&amount.path, &json!(number), "must be greater than zero"));
            }
        }
        if period.number().unwrap_or_default() > LONGEST_PERIOD {
            wrong.push(period.invalid(&format!("must be less than or equal to {LONGEST_PERIOD}")));
        }
    }
    wrong
}

/// What an autoscaler refers to by its kind and its name.
fn check_reference(target: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    for part in ["kind", "name"].map(|part| target.at(part)) {
        match required(&part, "") {
            Some(cause) => wrong.push(cause),
            None => wrong.extend(formed(&part, form::path_segment)),
        }
    }
    wrong
}

/// What is scaled is of a group, but for one kind.
fn check_group(target: &Field<'_>) -> Option<Cause> {
    let (version, kind) = (target.at("apiVersion"), target.at("kind"));
    let groupless = !version.text().contains('/') && kind.text() != "ReplicationController";
    groupless.then(|| Cause::invalid(&version.path, &json!(version.text()), "apiVersion must specify API group"))
}

fn check_metric(metric: &Field<'_>) -> Vec<Cause> {
    let kind = metric.at("type");
    let known = METRICS.iter().find(|(known, _)| *known == kind.text());
    let unknown = || {
        let text = json!(kind.text());
        known.is_none().then(|| kind.with(&text).unsupported(&METRICS.map(|(known, _)| known)))
    };
    let mut wrong = Vec::from_iter(required(&kind, "must specify a metric source type"));
    wrong.extend(unknown());
    let mut present = SOURCES.iter().filter(|(name, _)| metric.at(name).is_set());
    if let Some((name, check)) = present.next() {
        wrong.extend(check(&metric.at(name)));
    }
    // Of an unknown type the real server tells twice.
    wrong.extend(unknown());
    let wanted = known.map(|(_, name)| *name);
    if let Some(name) = wanted.filter(|name| !metric.at(name).is_set()) {
        wrong.push(metric.at(name).required("must populate information for the given metric source"));
    }
    if METRICS.iter().filter(|(_, name)| metric.at(name).is_set()).count() > 1 {
        let others = METRICS.iter().map(|(_, name)| *name).filter(|name| Some(*name) != wanted);
        let others = others.filter(|name| metric.at(name).is_set());
        wrong.extend(others.map(|name| metric.at(name).forbidden("must populate the given metric source only")));
    }
    wrong
}

/// What each sort of metric says of its source, in the order in which the real server looks for one.
const SOURCES: [(&str, Check); 5] = [
    ("object", check_object),
    ("external", check_external),
    ("pods", check_pods),
    ("resource", check_resource),
    ("containerResource", check_container_resource),
];

fn check_object(source: &Field<'_>) -> Vec<Cause> {
    let target = source.at("target");
    let mut wrong = check_reference(&source.at("describedObject"));
    wrong.extend(check_identifier(&source.at("metric")));
    wrong.extend(check_amount(&target));
    if !target.at("value").is_set() && !target.at("averageValue").is_set() {
        wrong.push(target.at("averageValue").required("must set either a target value or averageValue"));
    }
    wrong
}

fn check_external(source: &Field<'_>) -> Vec<Cause> {
    let target = source.at("target");
    let (value, average) = (target.at("value"), target.at("averageValue"));
    let mut wrong = check_identifier(&source.at("metric"));
    wrong.extend(check_amount(&target));
    match (value.is_set(), average.is_set()) {
        (false, false) => {
            wrong.push(average.required("must set either a target value for metric or a per-pod target"));
        }
        (true, true) => wrong.push(value.forbidden("may not set both a target value for metric and a per-pod target")),
        _ => {}
    }
    wrong
}

fn check_pods(source: &Field<'_>) -> Vec<Cause> {
    let target = source.at("target");
    let mut wrong = check_identifier(&source.at("metric"));
    wrong.extend(check_amount(&target));
    if !target.at("averageValue").is_set() {
        wrong.push(target.at("averageValue").required("must specify a positive target averageValue"));
    }
    wrong
}

fn check_resource(source: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::from_iter(required(&source.at("name"), "must specify a resource name"));
    wrong.extend(check_share(&source.at("target")));
    wrong
}

fn check_container_resource(source: &Field<'_>) -> Vec<Cause> {
    let (name, container) = (source.at("name"), source.at("container"));
    let mut wrong = match required(&name, "must specify a resource name") {
        Some(cause) => vec![cause],
        None => pod_spec::resources::name_for_containers(&name),
    };
    match required(&container, "must specify a container") {
        Some(cause) => wrong.push(cause),
        None => wrong.extend(formed(&container, form::label)),
    }
    wrong.extend(check_share(&source.at("target")));
    wrong
}

/// A target of a resource: an amount or a share of it.
fn check_share(target: &Field<'_>) -> Vec<Cause> {
    let (share, amount) = (target.at("averageUtilization"), target.at("averageValue"));
    let mut wrong = check_amount(target);
    match (share.is_set(), amount.is_set()) {
        (false, false) => wrong.push(share.required("must set either a target raw value or a target utilization")),
        (true, true) => wrong.push(amount.forbidden("may not set both a target raw value and a target utilization")),
        _ => {}
    }
    wrong
}

fn check_amount(target: &Field<'_>) -> Vec<Cause> {
    let (kind, share) = (target.at("type"), target.at("averageUtilization"));
    let mut wrong = Vec::from_iter(required(&kind, "must specify a metric target type"));
    if !["Utilization", "Value", "AverageValue"].contains(&kind.text()) {
        let text = json!(kind.text());
        wrong.push(kind.with(&text).invalid("must be either Utilization, Value, or AverageValue"));
    }
    for amount in ["value", "averageValue"].map(|name| target.at(name)) {
        let positive = Quantity::read(amount.value).is_ok_and(Quantity::is_positive);
        if amount.is_set() && !positive {
            wrong.push(amount.invalid("must be positive"));
        }
    }
    if share.number().is_some_and(|share| share < 1) {
        wrong.push(share.invalid("must be greater than 0"));
    }
    wrong
}

fn check_identifier(metric: &Field<'_>) -> Vec<Cause> {
    let name = metric.at("name");
    match required(&name, "must specify a metric name") {
        Some(cause) => vec![cause],
        None => formed(&name, form::path_segment),
    }
}
