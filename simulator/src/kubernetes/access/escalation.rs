//! Nobody gives away more than they have: what roles and bindings may say depends on who writes them.

use serde_json::Value;

use super::{
    Attributes,
    rbac::{allowed, referred, rules, rules_for, texts},
};
use crate::kubernetes::{answer::Refusal, cluster::Cluster, kinds::Kind, user::User};

/// One thing that a rule permits; a rule is many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Permission {
    Resource { verb: String, group: String, resource: String, name: Option<String> },
    Path { verb: String, path: String },
}

/// # Errors
/// If a role, or the role that a binding refers to, permits something that its writer may not do.
pub fn escalation(cluster: &Cluster, user: &User, kind: &Kind, object: &Value) -> Result<(), Refusal> {
    if kind.group != "rbac.authorization.k8s.io" {
        return Ok(());
    }
    let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default();
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let may = |verb: &str, resource: &str, name: &str| {
        let (verb, resource, name) = (verb.to_owned(), resource.to_owned(), name.to_owned());
        let (group, namespace) = (kind.group.clone(), namespace.to_owned());
        allowed(cluster, user, &Attributes { verb, group, resource, namespace, name, ..Attributes::default() }).allows()
    };
    let given: Vec<Value> = match kind.resource.as_str() {
        "roles" | "clusterroles" if may("escalate", &kind.resource, name) => return Ok(()),
        "roles" | "clusterroles" => rules(object).cloned().collect(),
        "rolebindings" | "clusterrolebindings" => {
            let reference = object.get("roleRef").unwrap_or(&Value::Null);
            let of = |field: &str| reference.get(field).and_then(Value::as_str).unwrap_or_default();
            let resource = if of("kind") == "ClusterRole" { "clusterroles" } else { "roles" };
            if may("bind", resource, of("name")) {
                return Ok(());
            }
            let Some(role) = referred(cluster, reference, namespace) else {
                return Err(Refusal::not_found(resource, &kind.group, of("name")));
            };
            rules(&role).cloned().collect()
        }
        _ => return Ok(()),
    };
    let held = rules_for(cluster, user, namespace);
    let missing: Vec<Permission> = given.iter().flat_map(permissions).filter(|one| !covered(one, &held)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let groups: Vec<String> = user.groups.iter().map(|group| format!("\"{group}\"")).collect();
    let why = format!(
        "user \"{}\" (groups=[{}]) is attempting to grant RBAC permissions not currently held:\n{}",
        user.name,
        groups.join(" "),
        shown(&missing).join("\n")
    );
    Err(Refusal::forbidden(&kind.resource, &kind.group, name, &why))
}

fn permissions(rule: &Value) -> Vec<Permission> {
    let mut permissions = Vec::new();
    for verb in texts(rule, "verbs") {
        for group in texts(rule, "apiGroups") {
            for resource in texts(rule, "resources") {
                let one = |name: Option<&str>| Permission::Resource {
                    verb: verb.to_owned(),
                    group: group.to_owned(),
                    resource: resource.to_owned(),
                    name: name.map(str::to_owned),
                };
                match texts(rule, "resourceNames").next() {
                    None => permissions.push(one(None)),
                    Some(_) => permissions.extend(texts(rule, "resourceNames").map(|name| one(Some(name)))),
                }
            }
        }
        for path in texts(rule, "nonResourceURLs") {
            permissions.push(Permission::Path { verb: verb.to_owned(), path: path.to_owned() });
        }
    }
    permissions
}

fn covered(wanted: &Permission, held: &[Value]) -> bool {
    held.iter().any(|rule| {
        let has = |field: &str, value: &str| texts(rule, field).any(|known| known == "*" || known == value);
        match wanted {
            Permission::Resource { verb, group, resource, name } => {
                let part = resource.split_once('/').map(|(_, part)| format!("*/{part}"));
                let resources = texts(rule, "resources")
                    .any(|known| known == "*" || known == resource || part.as_deref() == Some(known));
                let all_names = texts(rule, "resourceNames").next().is_none();
                let names = all_names
                    || name.as_ref().is_some_and(|name| texts(rule, "resourceNames").any(|known| known == name));
                has("verbs", verb) && has("apiGroups", group) && resources && names
            }
            Permission::Path { verb, path } => {
                let paths = texts(rule, "nonResourceURLs").any(|known| match known.strip_suffix('*') {
                    Some(stem) => path.starts_with(stem),
                    None => known == path,
                });
                has("verbs", verb) && paths
            }
        }
    })
}

/// The permissions as rules again, those that differ by their verbs in one, in order.
fn shown(permissions: &[Permission]) -> Vec<String> {
    let mut rules: Vec<(String, Vec<&str>)> = Vec::new();
    for permission in permissions {
        let (what, verb) = match permission {
            Permission::Resource { verb, group, resource, name } => {
                let names = name.as_ref().map_or(String::new(), |name| format!(", ResourceNames:[\"{name}\"]"));
                (format!("APIGroups:[\"{group}\"], Resources:[\"{resource}\"]{names}"), verb)
            }
            Permission::Path { verb, path } => (format!("NonResourceURLs:[\"{path}\"]"), verb),
        };
        match rules.iter_mut().find(|(known, _)| *known == what) {
            Some((_, verbs)) => verbs.push(verb),
            None => rules.push((what, vec![verb])),
        }
    }
    let written = |(what, verbs): &(String, Vec<&str>)| {
        let verbs: Vec<String> = verbs.iter().map(|verb| format!("\"{verb}\"")).collect();
        format!("{{{what}, Verbs:[{}]}}", verbs.join(" "))
    };
    let mut written: Vec<String> = rules.iter().map(written).collect();
    written.sort();
    written
}
