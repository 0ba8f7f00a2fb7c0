//! StatefulSets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::selection;
use crate::kubernetes::{
    answer::Cause,
    cluster::Cluster,
    rules::{
        Look, NameForm, Rules, Scale,
        field::{Field, formed, label_selector, not_negative, one_of},
        fill::{fill, items},
        form, pod_spec, structures,
    },
};

pub struct StatefulSets;

impl Rules for StatefulSets {
    fn fill_blank(&self, blank: &mut Value) {
        fill(&mut blank["spec"], json!({"replicas": 0}));
        blank["spec"]["selector"] = Value::Null;
    }

    fn looks_at_metadata(&self, _part: &str) -> Look {
        Look::AtChanges
    }

    fn warnings(&self, object: &Value) -> Vec<String> {
        [pod_spec::warnings::of(&Field::of(object, "spec.template")), of_revisions(object)].concat()
    }

    fn warnings_of_change(&self, object: &Value, there: &Value) -> Vec<String> {
        [pod_spec::warnings::of_changed(object, there, "spec.template"), of_revisions(object)].concat()
    }

    fn fill_in(&self, set: &mut Value) {
        let spec = &mut set["spec"];
        if spec["updateStrategy"]["type"].is_null() {
            fill(spec, json!({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {}}}));
        }
        if spec["updateStrategy"]["type"] == "RollingUpdate"
            && let Some(rolling) = spec["updateStrategy"].get_mut("rollingUpdate")
        {
            fill(rolling, json!({"partition": 0}));
        }
        fill(
            spec,
            json!({
                "podManagementPolicy": "OrderedReady",
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
                "replicas": 1,
                "revisionHistoryLimit": 10,
            }),
        );
        pod_spec::fill_in_template(&mut spec["template"]);
        for claim in items(spec, "volumeClaimTemplates") {
            fill(claim, json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}}));
            pod_spec::fill_in_claim(&mut claim["spec"]);
        }
    }

    fn prepare_new(&self, set: &mut Value, _cluster: &Cluster) {
        set["status"] = json!({"replicas": 0, "availableReplicas": 0});
    }

    fn check(&self, set: &Value) -> Vec<Cause> {
        check(set, true)
    }

    fn check_over(&self, set: &Value, there: &Value) -> Vec<Cause> {
        [check(set, false), self.check_change(set, there)].concat()
    }

    fn check_change(&self, set: &Value, there: &Value) -> Vec<Cause> {
        const CHANGEABLE: [&str; 7] = [
            "replicas",
            "ordinals",
            "template",
            "updateStrategy",
            "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy",
            "minReadySeconds",
        ];
        let rest = |set: &Value| {
            let fields = set["spec"].as_object().into_iter().flatten();
            let rest = fields.filter(|(name, _)| !CHANGEABLE.contains(&name.as_str()));
            rest.map(|(name, value)| (name.clone(), value.clone())).collect::<BTreeMap<_, _>>()
        };
        if rest(set) == rest(there) {
            return Vec::new();
        }
        let why = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', \
                   'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
        vec![Field::of(set, "spec").forbidden(why)]
    }

    fn check_part(&self, _part: &str, set: &Value, there: &Value) -> Vec<Cause> {
        let status = Field::of(set, "status");
        let within = ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"];
        let all = [&["replicas"][..], &within, &["observedGeneration", "collisionCount"]].concat();
        let mut wrong = selection::counts(&status, &all, &within);
        let (available, ready) = (status.at("availableReplicas"), status.at("readyReplicas"));
        if available.number().unwrap_or_default() > ready.number().unwrap_or_default() {
            wrong.push(available.invalid("cannot be greater than status.readyReplicas"));
        }
        wrong.extend(selection::never_less("collisionCount", &status, &Field::of(there, "status")));
        wrong
    }

    fn name_form(&self) -> NameForm {
        NameForm::Label
    }

    fn counts_generations(&self) -> bool {
        true
    }

    fn scale(&self) -> Option<Scale<'_>> {
        Some(Scale::USUAL)
    }
}

fn check_strategy(strategy: &Field<'_>) -> Vec<Cause> {
    let rolling = strategy.at("rollingUpdate");
    match strategy.at("type").text() {
        "OnDelete" if rolling.is_set() => {
            let shown = structures::shown(rolling.value, "RollingUpdateStatefulSetStrategy");
            vec![rolling.with(&shown).invalid("only allowed for updateStrategy 'RollingUpdate'")]
        }
        "OnDelete" => Vec::new(),
        "RollingUpdate" => {
            let missing = rolling.at("maxUnavailable");
            let mut wrong: Vec<Cause> = not_negative(&rolling.at("partition")).into_iter().collect();
            if missing.is_set() {
                wrong.extend(selection::number_or_percent(&missing));
                if selection::is_none(&missing) {
                    wrong.push(missing.invalid("cannot be 0"));
                }
                wrong.extend(selection::at_most_all(&missing));
            }
            wrong
        }
        _ => {
            let shown = structures::shown(strategy.value, "StatefulSetUpdateStrategy");
            vec![strategy.with(&shown).invalid("must be 'RollingUpdate' or 'OnDelete'")]
        }
    }
}

/// What is wrong with a set. Of one that is there already, claims and the name of its service can be what they were.
fn check(set: &Value, new: bool) -> Vec<Cause> {
    let spec = Field::of(set, "spec");
    let [management, strategy, retention] =
        ["podManagementPolicy", "updateStrategy", "persistentVolumeClaimRetentionPolicy"].map(|name| spec.at(name));
    let mut wrong = Vec::new();
    if !matches!(management.text(), "OrderedReady" | "Parallel") {
        wrong.push(management.invalid("must be 'OrderedReady' or 'Parallel'"));
    }
    wrong.extend(check_strategy(&strategy));
    for when in ["whenDeleted", "whenScaled"] {
        wrong.extend(one_of(&retention.at(when), &["Retain", "Delete"]));
    }
    let claims = spec.at("volumeClaimTemplates").items().filter(|_| new);
    wrong.extend(claims.flat_map(|claim| pod_spec::volumes::claim(&claim.at("spec"))));
    for number in [spec.at("replicas"), spec.at("minReadySeconds"), spec.at("ordinals").at("start")] {
        wrong.extend(not_negative(&number));
    }
    let service = spec.at("serviceName");
    if new && !service.is_empty() {
        wrong.extend(formed(&service, form::label));
    }
    wrong.extend(selection::selector(&spec.at("selector"), "statefulset"));
    wrong.extend(check_pods(&spec));
    wrong.extend(selection::for_good(&spec.at("template"), "StatefulSet"));
    wrong
}

/// The pods have their claims as volumes, and names of their own.
fn check_pods(spec: &Field<'_>) -> Vec<Cause> {
    let selector = spec.at("selector");
    if !label_selector(&selector).is_empty() {
        return vec![selector.invalid("")];
    }
    let mut wrong: Vec<Cause> = selection::unselected(spec).into_iter().collect();
    let mut template = spec.at("template").value.clone();
    let claims: Vec<Value> =
        spec.at("volumeClaimTemplates").items().map(|claim| claim.value["metadata"]["name"].clone()).collect();
    if let Some(pod) = template.get_mut("spec").and_then(Value::as_object_mut) {
        for name in ["subdomain", "hostname"] {
            pod.remove(name);
        }
        let volumes = pod.get("volumes").and_then(Value::as_array).into_iter().flatten();
        let others = volumes.filter(|volume| !claims.contains(&volume["name"])).cloned();
        let claimed = claims.iter().map(|name| json!({"name": name, "persistentVolumeClaim": {"claimName": name}}));
        let all: Vec<Value> = claimed.chain(others).collect();
        pod.insert("volumes".to_owned(), Value::Array(all));
    }
    wrong.extend(pod_spec::check_template(&spec.at("template").with(&template)));
    wrong
}

/// Whoever forgets no revision is warned.
fn of_revisions(set: &Value) -> Vec<String> {
    let limit = set["spec"]["revisionHistoryLimit"].as_i64();
    let told =
        "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended";
    limit.filter(|limit| *limit < 0).map(|_| told.to_owned()).into_iter().collect()
}
