//! Roles and who is bound to them.

use std::sync::Arc;

use serde_json::Value;

use super::Attributes;
use crate::kubernetes::{cluster::Cluster, store::Key, user::User};

/// What the roles say to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed, and by what; members of `system:masters` need no role.
    Allowed(String),
    /// No role allows it; which roles that somebody is bound to are not there.
    Denied(String),
}

impl Verdict {
    pub fn allows(&self) -> bool {
        matches!(self, Verdict::Allowed(_))
    }
}

/// Whether somebody may do this.
pub fn allowed(cluster: &Cluster, user: &User, wanted: &Attributes) -> Verdict {
    if user.is_in("system:masters") {
        return Verdict::Allowed(String::new());
    }
    let mut missing = Vec::new();
    for binding in bindings(cluster, &wanted.namespace) {
        let Some(subject) = binding.subject(user) else { continue };
        match binding.role(cluster) {
            None => missing.push(format!("{} \"{}\" not found", binding.role_resource(), binding.role_name())),
            Some(role) if rules(&role).any(|rule| permits(rule, wanted)) => {
                return Verdict::Allowed(format!("RBAC: allowed by {} to {subject}", binding.shown()));
            }
            Some(_) => {}
        }
    }
    match missing.as_slice() {
        [] => Verdict::Denied(String::new()),
        [one] => Verdict::Denied(format!("RBAC: {one}")),
        many => Verdict::Denied(format!("RBAC: [{}]", many.join(", "))),
    }
}

/// The rules that hold for somebody, in a namespace or for the cluster as a whole.
pub fn rules_for(cluster: &Cluster, user: &User, namespace: &str) -> Vec<Value> {
    let bound = bindings(cluster, namespace).into_iter().filter(|binding| binding.subject(user).is_some());
    let roles = bound.filter_map(|binding| binding.role(cluster));
    roles.flat_map(|role| rules(&role).cloned().collect::<Vec<_>>()).collect()
}

/// The rules of a role.
pub fn rules(role: &Value) -> impl Iterator<Item = &Value> {
    role.get("rules").and_then(Value::as_array).into_iter().flatten()
}

/// The role that a binding refers to, in the binding's namespace if it is one of a namespace.
pub fn referred(cluster: &Cluster, reference: &Value, namespace: &str) -> Option<Arc<Value>> {
    let name = reference.get("name").and_then(Value::as_str)?;
    let (resource, namespace) = match reference.get("kind").and_then(Value::as_str)? {
        "ClusterRole" => ("clusterroles.rbac.authorization.k8s.io", ""),
        _ => ("roles.rbac.authorization.k8s.io", namespace),
    };
    cluster.store.get(&Key { resource: resource.into(), namespace: namespace.to_owned(), name: name.to_owned() })
}

struct Binding(Arc<Value>);

/// The bindings of the cluster, and then those of the namespace.
fn bindings(cluster: &Cluster, namespace: &str) -> Vec<Binding> {
    let of = |resource: &str, namespace: Option<&str>| cluster.store.list(&resource.into(), namespace).1;
    let mut bindings = of("clusterrolebindings.rbac.authorization.k8s.io", None);
    if !namespace.is_empty() {
        bindings.extend(of("rolebindings.rbac.authorization.k8s.io", Some(namespace)));
    }
    bindings.into_iter().map(|(_, binding)| Binding(binding)).collect()
}

impl Binding {
    fn text(&self, path: &str) -> &str {
        self.0.pointer(path).and_then(Value::as_str).unwrap_or_default()
    }

    /// The first subject that is this user, as messages name it.
    fn subject(&self, user: &User) -> Option<String> {
        let subjects = self.0.get("subjects").and_then(Value::as_array).into_iter().flatten();
        subjects.into_iter().find_map(|subject| {
            let of = |field: &str| subject.get(field).and_then(Value::as_str).unwrap_or_default();
            let (kind, name) = (of("kind"), of("name"));
            let namespace = if of("namespace").is_empty() { self.text("/metadata/namespace") } else { of("namespace") };
            let (meant, shown) = match kind {
                "User" => (user.name == name, name.to_owned()),
                "Group" => (user.is_in(name), name.to_owned()),
                "ServiceAccount" => {
                    let account = format!("system:serviceaccount:{namespace}:{name}");
                    (user.name == account, format!("{name}/{namespace}"))
                }
                _ => (false, String::new()),
            };
            meant.then(|| format!("{kind} \"{shown}\""))
        })
    }

    fn role(&self, cluster: &Cluster) -> Option<Arc<Value>> {
        referred(cluster, self.0.get("roleRef")?, self.text("/metadata/namespace"))
    }

    fn role_name(&self) -> &str {
        self.text("/roleRef/name")
    }

    fn role_resource(&self) -> &'static str {
        match self.text("/roleRef/kind") {
            "ClusterRole" => "clusterrole.rbac.authorization.k8s.io",
            _ => "role.rbac.authorization.k8s.io",
        }
    }

    /// `RoleBinding "name/namespace" of Role "name"`.
    fn shown(&self) -> String {
        let (name, namespace) = (self.text("/metadata/name"), self.text("/metadata/namespace"));
        let binding = match namespace {
            "" => format!("ClusterRoleBinding \"{name}\""),
            namespace => format!("RoleBinding \"{name}/{namespace}\""),
        };
        format!("{binding} of {} \"{}\"", self.text("/roleRef/kind"), self.role_name())
    }
}

/// Whether one rule permits this.
fn permits(rule: &Value, wanted: &Attributes) -> bool {
    let has = |field: &str, value: &str| texts(rule, field).any(|known| known == "*" || known == value);
    if !has("verbs", &wanted.verb) {
        return false;
    }
    if let Some(path) = &wanted.path {
        return texts(rule, "nonResourceURLs").any(|known| match known.strip_suffix('*') {
            Some(stem) => path.starts_with(stem),
            None => known == path,
        });
    }
    let resource = wanted.whole_resource();
    let any_with_part = format!("*/{}", wanted.part);
    let resources = texts(rule, "resources")
        .any(|known| known == "*" || known == resource || (!wanted.part.is_empty() && known == any_with_part));
    let names =
        texts(rule, "resourceNames").next().is_none() || texts(rule, "resourceNames").any(|known| known == wanted.name);
    has("apiGroups", &wanted.group) && resources && names
}

/// The texts in a list of a rule.
pub fn texts<'r>(rule: &'r Value, field: &str) -> impl Iterator<Item = &'r str> + use<'r> {
    rule.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
