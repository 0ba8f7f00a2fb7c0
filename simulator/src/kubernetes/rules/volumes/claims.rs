//! Claims of volumes.

use serde_json::{Map, Value, json};

use crate::kubernetes::{
    answer::Cause,
    cluster::Cluster,
    quantity::Quantity,
    rules::{
        Rules,
        difference::difference,
        field::{Field, formed, label_selector, one_of, required, unchanged},
        fill::{default, keep, remove},
        form, resources,
    },
};

use super::ACCESS;

pub struct Claims;

/// What keeps a claim from vanishing while something uses it.
const PROTECTION: &str = "kubernetes.io/pvc-protection";
const IMMUTABLE: &str =
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

impl Rules for Claims {
    fn warnings(&self, claim: &Value) -> Vec<String> {
        let resources = &claim["spec"]["resources"];
        let parts = ["requests", "limits"].into_iter().filter_map(|part| {
            let size = Quantity::read(&resources[part]["storage"]).ok().filter(|size| !size.is_whole())?;
            Some(format!(
                "spec.resources.{part}[storage]: fractional byte value \"{size}\" is invalid, must be an integer"
            ))
        });
        parts.collect()
    }

    fn fill_in(&self, claim: &mut Value) {
        let spec = &mut claim["spec"];
        default(spec, "volumeMode", "Filesystem");
        if !claim["status"].is_object() {
            claim["status"] = json!({});
        }
        default(&mut claim["status"], "phase", "Pending");
        for amounts in
            ["spec/resources/requests", "spec/resources/limits", "status/capacity", "status/allocatedResources"]
        {
            claim.pointer_mut(&format!("/{amounts}")).into_iter().for_each(resources::round);
        }
    }

    fn prepare_new(&self, claim: &mut Value, _cluster: &Cluster) {
        claim["status"] = json!({"phase": "Pending"});
        let finalizers = &mut claim["metadata"]["finalizers"];
        match finalizers.as_array_mut() {
            Some(finalizers) if finalizers.iter().any(|known| known == PROTECTION) => {}
            Some(finalizers) => finalizers.push(json!(PROTECTION)),
            None => *finalizers = json!([PROTECTION]),
        }
        agree_on_source(&mut claim["spec"]);
    }

    fn prepare_change(&self, claim: &mut Value, _there: &Value, _cluster: &Cluster) {
        agree_on_source(&mut claim["spec"]);
    }

    fn stores_filled_in_late(&self) -> bool {
        true
    }

    fn shows_deleted(&self) -> bool {
        true
    }

    fn check(&self, claim: &Value) -> Vec<Cause> {
        check_spec(&Field::of(claim, "spec"))
    }

    fn check_change(&self, claim: &Value, there: &Value) -> Vec<Cause> {
        let bound = claim["status"]["phase"] == "Bound";
        let (mut spec, mut before) = (claim["spec"].clone(), there["spec"].clone());
        if before.get("volumeName").is_none() {
            keep(&mut before, "volumeName", &spec);
        }
        // Who named no class may still do it.
        if before.get("storageClassName").is_none() {
            remove(&mut spec, "storageClassName");
        }
        if bound {
            spec["resources"]["requests"]["storage"] = before["resources"]["requests"]["storage"].clone();
            keep(&mut spec, "volumeAttributesClassName", &before);
        }
        let mut wrong = Vec::new();
        if spec != before {
            let changes = difference(&internal(&before), &internal(&spec));
            wrong.push(Cause::forbidden("spec", &format!("{IMMUTABLE}\n{changes}")));
        }
        let size = |object: &Value, path: &str| object.pointer(path).and_then(|size| Quantity::read(size).ok());
        let [now, was] = [claim, there].map(|claim| size(claim, "/spec/resources/requests/storage"));
        let had = size(there, "/status/capacity/storage").unwrap_or(Quantity::ZERO);
        if now < was && now <= Some(had) {
            let why = "field can not be less than status.capacity";
            wrong.push(Cause::forbidden("spec.resources.requests.storage", why));
        }
        let mode = |claim| Field { path: "volumeMode".to_owned(), ..Field::of(claim, "spec.volumeMode") };
        wrong.extend(unchanged(&mode(claim), &mode(there)));
        wrong
    }
}

/// What is wrong with what a claim asks for.
pub fn check_spec(spec: &Field<'_>) -> Vec<Cause> {
    let modes = spec.at("accessModes");
    let mut wrong = Vec::from_iter(required(&modes, "at least 1 access mode is required"));
    if spec.at("selector").is_set() {
        wrong.extend(label_selector(&spec.at("selector")));
    }
    for mode in modes.items() {
        wrong.extend(one_of(&Field { path: modes.path.clone(), ..mode }, &ACCESS));
    }
    let alone = |mode: &Field<'_>| mode.text() == "ReadWriteOncePod";
    if modes.items().any(|mode| alone(&mode))
        && modes.items().any(|mode| !alone(&mode) && ACCESS.contains(&mode.text()))
    {
        wrong.push(modes.forbidden("may not use ReadWriteOncePod with other access modes"));
    }
    let storage = spec.at("resources").at("requests").at("storage");
    let storage = Field { path: format!("{}.resources[storage]", spec.path), ..storage };
    match required(&storage, "").or_else(|| resources::check_positive(&storage)) {
        Some(cause) => wrong.push(cause),
        None => wrong.extend(resources::check_value("storage", &storage)),
    }
    let named = |field: Field<'_>| if field.is_empty() { Vec::new() } else { formed(&field, form::subdomain) };
    wrong.extend(named(spec.at("storageClassName")));
    wrong.extend(one_of(&spec.at("volumeMode"), &["Block", "Filesystem"]));
    for source in [spec.at("dataSource"), spec.at("dataSourceRef")].iter().filter(|source| source.is_set()) {
        wrong.extend(required(&source.at("name"), ""));
        wrong.extend(required(&source.at("kind"), ""));
        let (group, kind) = (source.at("apiGroup"), source.at("kind"));
        if group.is_empty() && kind.text() != "PersistentVolumeClaim" {
            let why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
            wrong.push(Cause::invalid(&source.path, kind.value, why));
        }
        wrong.extend(named(group));
    }
    wrong.extend(named(spec.at("volumeAttributesClassName")));
    wrong
}

/// The older and the newer name of the source follow each other; sources that can't be are dropped.
fn agree_on_source(spec: &mut Value) {
    if spec.get("dataSourceRef").is_some_and(|source| source.get("namespace").is_some()) {
        return;
    }
    let core = |source: &Value| source["apiGroup"].as_str().is_none_or(str::is_empty);
    let possible =
        |source: &&Value| !core(source) || matches!(source["kind"].as_str(), Some("PersistentVolumeClaim") | None);
    if spec.get("dataSource").filter(possible).is_none() {
        remove(spec, "dataSource");
    }
    match (spec.get("dataSource").cloned(), spec.get("dataSourceRef").cloned()) {
        (Some(source), None) => spec["dataSourceRef"] = source,
        (None, Some(source)) if possible(&&source) => spec["dataSource"] = source,
        _ => {}
    }
    for name in ["dataSource", "dataSourceRef"] {
        if let Some(source) = spec.get_mut(name) {
            default(source, "apiGroup", Value::Null);
        }
    }
}

/// A spec as the real server holds it inside, which is how it tells differences.
fn internal(spec: &Value) -> Value {
    let field = |value: &Value, name: &str| value.get(name).cloned().unwrap_or(Value::Null);
    let text = |name: &str| spec.get(name).cloned().unwrap_or_else(|| json!(""));
    let resources = &spec["resources"];
    let mut told = Map::new();
    told.insert("AccessModes".to_owned(), field(spec, "accessModes"));
    told.insert("Selector".to_owned(), field(spec, "selector"));
    told.insert(
        "Resources".to_owned(),
        json!({"Limits": field(resources, "limits"), "Requests": field(resources, "requests")}),
    );
    told.insert("VolumeName".to_owned(), text("volumeName"));
    for name in ["StorageClassName", "VolumeMode", "DataSource", "DataSourceRef", "VolumeAttributesClassName"] {
        let field_name = format!("{}{}", name[..1].to_lowercase(), &name[1..]);
        told.insert(name.to_owned(), field(spec, &field_name));
    }
    Value::Object(told)
}
