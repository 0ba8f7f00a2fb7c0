//! What may be wrong with a job, or with the template of one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::policies;
use crate::kubernetes::{
    answer::Cause,
    rules::{
        field::{Field, label_selector, not_negative, one_of, unchanged},
        pod_spec, structures,
    },
};

/// So many pods at once are the most that a job with numbered pods may have.
const MOST: i64 = 100_000;
/// So many, if it counts failures by number and has more than [`MOST`] to do.
const MOST_OF_MANY: i64 = 10_000;

/// The labels by which a job finds its pods were given by the server, or are what it would have given.
pub fn generated_selector(job: &Field<'_>) -> Vec<Cause> {
    let (spec, metadata) = (job.at("spec"), job.at("metadata"));
    if spec.at("manualSelector").is_true() || !spec.at("selector").is_set() {
        return Vec::new();
    }
    let (uid, name) = (metadata.at("uid"), metadata.at("name"));
    let expected = [
        ("controller-uid", &uid),
        ("job-name", &name),
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
    ];
    let labels = spec.at("template").at("metadata").at("labels");
    let mut wrong = Vec::new();
    for (key, value) in &expected {
        let label = labels.key(key);
        let why = format!("must be '{}'", value.text());
        if !label.is_set() {
            wrong.push(label.required(&why));
        } else if label.text() != value.text() {
            wrong.push(label.with(&structures::sorted(labels.value)).invalid(&why));
        }
    }
    let expected: serde_json::Map<String, Value> =
        expected.iter().map(|(key, value)| ((*key).to_owned(), value.text().into())).collect();
    let pod = serde_json::json!({"metadata": {"labels": expected}});
    let selector = spec.at("selector");
    if label_selector(&selector).is_empty() && !pod_spec::selects(selector.value, &pod) {
        wrong.push(selector.invalid("`selector` not auto-generated"));
    }
    wrong
}

/// What a job itself has beyond its template.
pub fn selector(spec: &Field<'_>) -> Vec<Cause> {
    let (selector, template) = (spec.at("selector"), spec.at("template"));
    let mut wrong = label_selector(&selector);
    let readable = wrong.is_empty();
    if !selector.is_set() {
        wrong.push(selector.required(""));
    }
    if readable && !(selector.is_set() && pod_spec::selects(selector.value, template.value)) {
        let labels = template.at("metadata").at("labels");
        wrong.push(labels.invalid("`selector` does not match template `labels`"));
    }
    wrong
}

pub fn spec(spec: &Field<'_>) -> Vec<Cause> {
    let counts = [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ];
    let mut wrong: Vec<Cause> = counts.iter().filter_map(|name| not_negative(&spec.at(name))).collect();
    let (each, failed) = (spec.at("backoffLimitPerIndex"), spec.at("maxFailedIndexes"));
    if failed.is_set() && !each.is_set() {
        wrong.push(each.required("when maxFailedIndexes is specified"));
    }
    wrong.extend(manager(&spec.at("managedBy")));
    wrong.extend(mode(spec));
    if spec.at("podFailurePolicy").is_set() {
        wrong.extend(policies::failure(spec));
    }
    let success = spec.at("successPolicy");
    if success.is_set() && !is_indexed(spec) {
        let shown = structures::shown(success.value, "SuccessPolicy");
        wrong.push(success.with(&shown).invalid("requires indexed completion mode"));
    } else if success.is_set() {
        wrong.extend(policies::success(spec));
    }
    let replacement = spec.at("podReplacementPolicy");
    let allowed: &[&str] =
        if spec.at("podFailurePolicy").is_set() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
    wrong.extend(one_of(&replacement, allowed));
    wrong.extend(pod_spec::check_template(&spec.at("template")));
    wrong.extend(restart(spec));
    wrong
}

pub fn is_indexed(spec: &Field<'_>) -> bool {
    spec.at("completionMode").text() == "Indexed"
}

fn manager(manager: &Field<'_>) -> Vec<Cause> {
    let mut wrong = Vec::new();
    if !manager.is_set() {
        return wrong;
    }
    if manager.is_empty() {
        wrong.push(manager.required(""));
    } else if !manager.text().contains('/') {
        wrong.push(manager.invalid("must be a domain-prefixed path (such as \"acme.io/foo\")"));
    }
    if manager.text().len() > 63 {
        wrong.push(Cause::too_long(&manager.path, 63));
    }
    wrong
}

fn mode(spec: &Field<'_>) -> Vec<Cause> {
    let [mode, completions, parallelism, each, failed] =
        ["completionMode", "completions", "parallelism", "backoffLimitPerIndex", "maxFailedIndexes"]
            .map(|name| spec.at(name));
    let mut wrong: Vec<Cause> = one_of(&mode, &["NonIndexed", "Indexed"]).into_iter().collect();
    let more = |field: &Field<'_>, than: i64| field.number().is_some_and(|number| number > than);
    if !is_indexed(spec) {
        if mode.text() == "NonIndexed" {
            let named = [&each, &failed].into_iter().filter(|field| field.is_set());
            wrong.extend(named.map(|field| field.invalid("requires indexed completion mode")));
        }
        return wrong;
    }
    if !completions.is_set() {
        wrong.push(completions.required("when completion mode is Indexed"));
    }
    if more(&parallelism, MOST) {
        let why = format!("must be less than or equal to {MOST} when completion mode is Indexed");
        wrong.push(parallelism.invalid(&why));
    }
    if completions.number().is_some_and(|completions| more(&failed, completions)) {
        wrong.push(failed.invalid("must be less than or equal to completions"));
    }
    if more(&failed, MOST) {
        wrong.push(failed.invalid(&format!("must be less than or equal to {MOST}")));
    }
    if more(&completions, MOST) && each.is_set() {
        if !failed.is_set() {
            wrong.push(failed.required(&format!("must be specified when completions is above {MOST}")));
        }
        for field in [&parallelism, &failed].into_iter().filter(|field| more(field, MOST_OF_MANY)) {
            wrong.push(field.invalid(&format!(
                "must be less than or equal to {MOST_OF_MANY} when completions are above {MOST} and used with backoff \
                 limit per index"
            )));
        }
    }
    wrong
}

/// Pods of jobs come to an end.
fn restart(spec: &Field<'_>) -> Option<Cause> {
    let restart = spec.at("template").at("spec").at("restartPolicy");
    match restart.text() {
        "Always" | "" => Some(restart.required("valid values: \"OnFailure\", \"Never\"")),
        "OnFailure" if spec.at("podFailurePolicy").is_set() => {
            Some(restart.invalid("only \"Never\" is supported when podFailurePolicy is specified"))
        }
        "OnFailure" | "Never" => None,
        _ => Some(restart.unsupported(&["OnFailure", "Never"])),
    }
}

/// Numbered pods are also called so.
pub fn names(job: &Field<'_>) -> Option<Cause> {
    let spec = job.at("spec");
    let (name, completions) = (job.at("metadata").at("name"), spec.at("completions").number().unwrap_or_default());
    if !is_indexed(&spec) || completions <= 0 {
        return None;
    }
    let longest = format!("{}-{}", name.text(), completions - 1);
    let wrong = !crate::kubernetes::rules::form::label(&longest).is_empty();
    wrong.then(|| name.invalid(&format!("will not able to create pod with invalid DNS label: {longest}")))
}

/// What never changes about a job.
pub fn change(spec: &Field<'_>, there: &Field<'_>) -> Vec<Cause> {
    let fixed = |name: &str| unchanged(&spec.at(name), &there.at(name));
    let mut wrong: Vec<Cause> = completions(spec, there).into_iter().collect();
    wrong.extend(fixed("selector"));
    wrong.extend(super::template::change(spec, there));
    wrong.extend(fixed("completionMode"));
    wrong.extend(policy("podFailurePolicy", "PodFailurePolicy", spec, there));
    wrong.extend(["backoffLimitPerIndex", "managedBy"].iter().filter_map(|name| fixed(name)));
    wrong.extend(policy("successPolicy", "SuccessPolicy", spec, there));
    wrong
}

/// A policy stays as it was.
fn policy(name: &str, structure: &str, spec: &Field<'_>, there: &Field<'_>) -> Option<Cause> {
    let (now, before) = (spec.at(name), there.at(name));
    let shown = if now.is_set() { structures::shown(now.value, structure) } else { Value::Null };
    (now.value != before.value).then(|| now.with(&shown).invalid("field is immutable"))
}

fn completions(spec: &Field<'_>, there: &Field<'_>) -> Option<Cause> {
    let (now, before) = (spec.at("completions"), there.at("completions"));
    if !is_indexed(spec) {
        return unchanged(&now, &before);
    }
    let alone = now.value != before.value && now.is_set() && now.value != spec.at("parallelism").value;
    alone.then(|| now.invalid("can only be modified in tandem with spec.parallelism"))
}

/// What is wrong with how a job says it fares.
pub fn status(job: &Field<'_>, there: &Field<'_>) -> Vec<Cause> {
    let (status, before) = (job.at("status"), there.at("status"));
    let number = |name: &str| status.at(name).number().unwrap_or_default();
    let counts = ["active", "succeeded", "failed", "ready", "terminating"];
    let mut wrong: Vec<Cause> = counts.iter().filter_map(|name| not_negative(&status.at(name))).collect();
    let mut uids = BTreeSet::new();
    for list in ["succeeded", "failed"].map(|list| status.at("uncountedTerminatedPods").at(list)) {
        wrong.extend(list.items().filter(|uid| !uids.insert(uid.text())).map(|uid| uid.duplicate()));
    }
    let is = |status: &Field<'_>, name: &str| {
        let mut conditions = status.at("conditions").items();
        conditions.any(|condition| condition.at("type").text() == name && condition.at("status").text() == "True")
    };
    let (complete, failed) = (is(&status, "Complete"), is(&status, "Failed"));
    let contradicts = |why: &str| Cause::invalid_as_it_is(status.at("conditions").path, why);
    let completion = status.at("completionTime");
    if complete && failed {
        wrong.push(contradicts("cannot set Complete=True and Failed=true conditions"));
    }
    if complete && is(&status, "FailureTarget") {
        wrong.push(contradicts("cannot set Complete=True and FailureTarget=true conditions"));
    }
    if completion.is_set() && !complete {
        wrong.push(completion.invalid("cannot set completionTime when there is no Complete=True condition"));
    }
    if complete && !completion.is_set() {
        wrong.push(completion.required("completionTime is required for Complete jobs"));
    }
    if failed && !is(&status, "FailureTarget") {
        wrong.push(contradicts("cannot set Failed=True condition without the FailureTarget=true condition"));
    }
    if complete && !is(&status, "SuccessCriteriaMet") {
        wrong.push(contradicts("cannot set Complete=True condition without the SuccessCriteriaMet=true condition"));
    }
    if (complete || failed) && number("active") > 0 {
        wrong.push(status.at("active").invalid("active>0 is invalid for finished job"));
    }
    if (complete || failed) && !status.at("startTime").is_set() {
        wrong.push(status.at("startTime").required("startTime is required for finished job"));
    }
    if (complete || failed) && number("terminating") > 0 {
        wrong.push(status.at("terminating").invalid("terminating>0 is invalid for finished job"));
    }
    if status.at("ready").is_set() && number("ready") > number("active") {
        wrong.push(status.at("ready").invalid("cannot set more ready pods than active"));
    }
    let met = is(&status, "SuccessCriteriaMet");
    for name in ["Failed", "FailureTarget"].iter().filter(|name| met && is(&status, name)) {
        wrong.push(contradicts(&format!("cannot set SuccessCriteriaMet=True and {name}=true conditions")));
    }
    for name in ["Failed", "Complete", "FailureTarget"].iter().filter(|name| is(&before, name) && !is(&status, name)) {
        wrong.push(contradicts(&format!("cannot disable the terminal {name}=True condition")));
    }
    for name in ["failed", "succeeded"] {
        if number(name) < before.at(name).number().unwrap_or_default() {
            let shown = Value::from(number(name));
            wrong.push(status.at(name).with(&shown).invalid(&format!("cannot decrease the {name} counter")));
        }
    }
    if is(&before, "SuccessCriteriaMet") && !met {
        wrong.push(contradicts("cannot disable the SuccessCriteriaMet=True condition"));
    }
    wrong
}
