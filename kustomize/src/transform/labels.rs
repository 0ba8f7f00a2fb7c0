//! Labels and annotations on everything, and labels where objects are selected by them.

use serde_json::{Map, Value};

use crate::{
    fields::FieldSpec,
    kustomization::{Labels, Pairs},
    resource::Resource,
};

/// Objects and the templates of their pods.
const TEMPLATES: [&str; 10] = [
    "metadata/labels create",
    "spec/template/metadata/labels create ReplicationController",
    "spec/template/metadata/labels create Deployment",
    "spec/template/metadata/labels create ReplicaSet",
    "spec/template/metadata/labels create DaemonSet",
    "spec/template/metadata/labels create apps/StatefulSet",
    "spec/volumeClaimTemplates[]/metadata/labels create apps/StatefulSet",
    "spec/template/metadata/labels create batch/Job",
    "spec/jobTemplate/metadata/labels create batch/CronJob",
    "spec/jobTemplate/spec/template/metadata/labels create batch/CronJob",
];

const SELECTORS: [&str; 12] = [
    "spec/selector create Service",
    "spec/selector create ReplicationController",
    "spec/selector/matchLabels create Deployment",
    "spec/selector/matchLabels create ReplicaSet",
    "spec/selector/matchLabels create DaemonSet",
    "spec/selector/matchLabels create apps/StatefulSet",
    "spec/selector/matchLabels batch/Job",
    "spec/jobTemplate/spec/selector/matchLabels batch/CronJob",
    "spec/selector/matchLabels policy/PodDisruptionBudget",
    "spec/podSelector/matchLabels networking.k8s.io/NetworkPolicy",
    "spec/ingress/from/podSelector/matchLabels networking.k8s.io/NetworkPolicy",
    "spec/egress/to/podSelector/matchLabels networking.k8s.io/NetworkPolicy",
];

/// Below the pods of a Deployment or a StatefulSet.
const NEIGHBOURS: [&str; 5] = [
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "topologySpreadConstraints/labelSelector/matchLabels",
];

const ANNOTATIONS: [&str; 9] = [
    "metadata/annotations create",
    "spec/template/metadata/annotations create ReplicationController",
    "spec/template/metadata/annotations create Deployment",
    "spec/template/metadata/annotations create ReplicaSet",
    "spec/template/metadata/annotations create DaemonSet",
    "spec/template/metadata/annotations create StatefulSet",
    "spec/template/metadata/annotations create batch/Job",
    "spec/jobTemplate/metadata/annotations create batch/CronJob",
    "spec/jobTemplate/spec/template/metadata/annotations create batch/CronJob",
];

pub fn label(labels: &Labels, resources: &mut [Resource]) -> Result<(), String> {
    let mut fields = labels.fields.clone();
    for field in fields_of(labels) {
        match fields.iter().find(|known| known.path == field.path && known.of.fits(&field.of)) {
            Some(known) if known.create != field.create => {
                return Err(format!("`{}` is made where it is absent, or it isn't: here are both", field.path));
            }
            Some(_) => {}
            None => fields.push(field),
        }
    }
    mark(&labels.pairs, &fields, resources)
}

pub fn annotate(annotations: &Pairs, resources: &mut [Resource]) -> Result<(), String> {
    mark(annotations, &ANNOTATIONS.map(FieldSpec::read), resources)
}

fn fields_of(labels: &Labels) -> Vec<FieldSpec> {
    let mut lines: Vec<String> = Vec::new();
    let mut add = |more: &[&str]| lines.extend(more.iter().map(|line| (*line).to_owned()));
    if labels.with_selectors {
        add(&SELECTORS);
    }
    match labels.with_selectors || labels.with_templates {
        true => add(&TEMPLATES),
        false => add(&TEMPLATES[..1]),
    }
    if labels.with_selectors {
        for kind in ["apps/Deployment", "apps/StatefulSet"] {
            lines.extend(NEIGHBOURS.iter().map(|path| format!("spec/template/spec/{path} {kind}")));
        }
    }
    lines.iter().map(|line| FieldSpec::read(line)).collect()
}

fn mark(pairs: &Pairs, fields: &[FieldSpec], resources: &mut [Resource]) -> Result<(), String> {
    let nothing = Value::Object(Map::new());
    for resource in resources {
        for (key, value) in pairs {
            for field in fields {
                field.change(&mut resource.object, &nothing, &mut |place| {
                    let marks = place.as_object_mut().ok_or("it is no map")?;
                    marks.insert(key.clone(), value.as_str().into());
                    Ok(())
                })?;
            }
        }
    }
    Ok(())
}
