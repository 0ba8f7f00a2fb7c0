//! Definitions as projects publish them: each is taken, and serves a least object and refuses a wrong one.
//!
//! They are not part of this repository: without the folder `shared/crds` beside it there is nothing to do.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::{arms::Arm, definitions::DEFINITIONS, definitions::holds};

macro_rules! of_projects {
    ($($name:ident $folder:literal)*) => {
        bodies! { $($name)* }
        $(fn $name(arm: &Arm) { published(arm, $folder); })*
    };
}

of_projects! {
    cert_manager "cert-manager"
    cluster_api "cluster-api"
    cluster_api_1_10 "cluster-api-v1.10"
    cozystack_0_38 "cozystack-v0.38"
    cozystack_1 "cozystack-v1"
    crossplane_provider_helm "crossplane-provider-helm"
    crossplane_provider_helm_1 "crossplane-provider-helm-v1"
    flux "flux"
    flux_operator "flux-operator"
    kamaji "kamaji"
    metallb "metallb"
    packet_capi "packet-capi"
    piraeus "piraeus"
    talos_capi "talos-capi"
    talos_capi_0_7 "talos-capi-v0.7"
    vcluster_capi "vcluster-capi"
    vcluster_capi_0_3 "vcluster-capi-v0.3"
}

/// Where the definitions are, if they are.
pub fn all() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/crds")
}

fn published(arm: &Arm, folder: &str) {
    let mut files: Vec<PathBuf> = fs::read_dir(all().join(folder)).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files {
        for text in fs::read_to_string(&file).unwrap().split("\n---") {
            if text.contains("kind: CustomResourceDefinition") {
                let definition: Value = serde_saphyr::from_str(text).unwrap();
                plays(arm, definition);
            }
        }
    }
}

/// Defines a kind in a group of the body's own, and tries two objects of each version that is stored.
fn plays(arm: &Arm, mut definition: Value) {
    let group = format!("SPACE.{}", definition["spec"]["group"].as_str().unwrap());
    let plural = definition["spec"]["names"]["plural"].as_str().unwrap().to_owned();
    definition["spec"]["group"] = json!(group);
    definition["metadata"] = json!({"name": format!("{plural}.{group}")});
    definition["spec"]["conversion"] = json!({"strategy": "None"});
    let name = arm.placed(definition["metadata"]["name"].as_str().unwrap());
    let created = arm.exchange("POST", DEFINITIONS, "application/json", &arm.placed_in(&definition));
    assert_eq!(created.code, 201, "{name}: {:#}", created.body);
    arm.look_until(&format!("{DEFINITIONS}/{name}"), |there| holds(&there.body, "Established"));
    for version in definition["spec"]["versions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|version| version["served"] == true && version["deprecated"] != true)
    {
        let api = format!("{group}/{}", version["name"].as_str().unwrap());
        let place = match definition["spec"]["scope"].as_str() {
            Some("Namespaced") => format!("/apis/{api}/namespaces/SPACE/{plural}"),
            _ => format!("/apis/{api}/{plural}"),
        };
        arm.look_until(&place, |list| list.code == 200);
        let schema = &version["schema"]["openAPIV3Schema"];
        let object = |name: &str| {
            let mut object = least(schema);
            object["apiVersion"] = json!(api);
            object["kind"] = definition["spec"]["names"]["kind"].clone();
            object["metadata"] = json!({"name": name});
            object
        };
        let right = format!("right-{}", version["name"].as_str().unwrap());
        arm.create(&place, object(&right));
        if schema["properties"].get("spec").is_some() {
            let mut wrong = object("wrong");
            wrong["spec"] = json!("wrong");
            arm.create(&place, wrong);
        }
        arm.get(&format!("{place}/{right}"));
        arm.delete(&format!("{place}/{right}"));
    }
    arm.exchange("DELETE", &format!("{DEFINITIONS}/{name}"), "", &Value::Null);
}

/// A value that has what a schema requires, and nothing else.
fn least(schema: &Value) -> Value {
    if let Some(value) = schema.get("default") {
        return value.clone();
    }
    if let Some(value) = schema["enum"].as_array().and_then(|values| values.first()) {
        return value.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            required.map(|name| (name.to_owned(), least(&schema["properties"][name]))).collect()
        }
        Some("array") => {
            let items = schema["minItems"].as_u64().unwrap_or_default();
            (0..items).map(|_| least(&schema["items"])).collect()
        }
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(false),
        _ if schema["format"] == "date-time" => json!("2026-01-01T00:00:00Z"),
        _ => json!(text(schema)),
    }
}

/// A text that follows the usual patterns.
fn text(schema: &Value) -> String {
    let pattern = schema["pattern"].as_str().unwrap_or_default();
    let known = ["1m", "https://example.com/a", "oci://example.com/a", "a", "aa", "1", "10.0.0.1", "v1.2.3", "a/b"];
    let fits = |text: &&&str| regex::Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text));
    let found = known.iter().find(|text| pattern.is_empty() && **text == "a" || !pattern.is_empty() && fits(text));
    let found = found.map_or("a", |text| text);
    let least = usize::try_from(schema["minLength"].as_u64().unwrap_or_default()).unwrap();
    format!("{found}{}", "a".repeat(least.saturating_sub(found.len())))
}
