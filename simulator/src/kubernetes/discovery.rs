//! What the server says it serves: versions, groups and resources, in the older form and as one list.

use serde_json::{Map, Value, json};

use super::{access::tokens::ISSUER, answer::Refusal, cluster::Cluster, request::Request};

/// The form in which all groups come at once.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// An answer of discovery with its media type; nothing, if the path is none of its own.
pub fn answer(cluster: &Cluster, request: &Request) -> Option<Result<(Value, &'static str), Refusal>> {
    let path = request.path.trim_end_matches('/');
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let groups = || cluster.groups().into_iter();
    let find = |name: &str| groups().find(|group| name_of(group) == name).ok_or_else(Refusal::no_such_path);
    let plain = |value: Value| Some(Ok((value, "application/json")));
    match segments.as_slice() {
        ["api"] | ["apis"] if wants_aggregated(request) => {
            let core = segments == ["api"];
            let groups: Vec<Value> = groups().filter(|group| name_of(group).is_empty() == core).collect();
            let list = json!({
                "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": groups,
            });
            Some(Ok((list, AGGREGATED)))
        }
        ["api"] => plain(json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []})),
        ["apis"] => {
            let groups = groups().filter(|group| !name_of(group).is_empty()).map(|group| group_of(&group));
            plain(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups.collect::<Vec<_>>()}))
        }
        ["apis", group] => Some(find(group).map(|group| {
            let mut answer = json!({"kind": "APIGroup", "apiVersion": "v1"});
            answer.as_object_mut().into_iter().for_each(|answer| answer.extend(fields(group_of(&group))));
            (answer, "application/json")
        })),
        ["api", version] => Some(find("").and_then(|group| resources(cluster, &group, version))),
        ["apis", group, version] => Some(find(group).and_then(|group| resources(cluster, &group, version))),
        ["version"] => plain(cluster.all_of_version()),
        [".well-known", "openid-configuration"] => plain(issuer()),
        ["openid", "v1", "jwks"] => plain(cluster.signer.key_set()),
        _ => None,
    }
}

/// Who issues the tokens of service accounts, as OpenID Connect has it.
fn issuer() -> Value {
    json!({
        "issuer": ISSUER, "jwks_uri": format!("{ISSUER}/openid/v1/jwks"), "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["EdDSA"],
    })
}

fn wants_aggregated(request: &Request) -> bool {
    let accept = request.headers.get(http::header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|form| form.replace(' ', "") == AGGREGATED)
}

fn name_of(group: &Value) -> &str {
    group.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn versions(group: &Value) -> impl Iterator<Item = &Value> {
    group.get("versions").and_then(Value::as_array).into_iter().flatten()
}

fn group_of(group: &Value) -> Value {
    let name = name_of(group);
    let versions: Vec<Value> = versions(group)
        .filter_map(|version| version.get("version")?.as_str())
        .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    json!({"name": name, "versions": versions, "preferredVersion": versions.first()})
}

fn resources(cluster: &Cluster, group: &Value, version: &str) -> Result<(Value, &'static str), Refusal> {
    let found = versions(group).find(|known| known.get("version").and_then(Value::as_str) == Some(version));
    let group = name_of(group);
    let found = found.ok_or_else(|| Refusal::no_such_path_in(group))?;
    let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut resources = Vec::new();
    for resource in list(found, "resources") {
        let namespaced = resource["scope"] == "Namespaced";
        let mut entry = json!({
            "name": resource["resource"], "singularName": resource["singularResource"], "namespaced": namespaced,
            "kind": resource["responseKind"]["kind"], "verbs": resource["verbs"],
        });
        for name in ["shortNames", "categories"] {
            if let Some(words) = resource.get(name) {
                entry[name] = words.clone();
            }
        }
        let plural = resource["resource"].as_str().unwrap_or_default();
        if let Some(defined) = cluster.kind(group, version, plural).as_ref().and_then(|kind| kind.defined.as_ref()) {
            entry["storageVersionHash"] = json!(defined.storage_hash);
        }
        for part in list(&resource, "subresources") {
            let name = [&resource["resource"], &part["subresource"]].map(|word| word.as_str().unwrap_or_default());
            let mut entry = json!({
                "name": name.join("/"), "singularName": "", "namespaced": namespaced,
                "kind": part["responseKind"]["kind"], "verbs": part["verbs"],
            });
            // What is of another group than its resource says so.
            let of = &part["responseKind"];
            if of["group"] != group || of["version"] != version {
                for field in ["group", "version"] {
                    if of[field].as_str().is_some_and(|word| !word.is_empty()) {
                        entry[field] = of[field].clone();
                    }
                }
            }
            resources.push(entry);
        }
        resources.push(entry);
    }
    resources.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let mut list = json!({"kind": "APIResourceList"});
    // The oldest list is from before lists said this.
    if !group.is_empty() {
        list["apiVersion"] = json!("v1");
    }
    list["groupVersion"] = json!(group_version);
    list["resources"] = json!(resources);
    Ok((list, "application/json"))
}
