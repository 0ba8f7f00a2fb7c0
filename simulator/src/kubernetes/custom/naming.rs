//! Which definition has which names: within a group each is given once, to whoever asked first.

use std::{collections::BTreeSet, time::Duration};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::{
    DEFINITIONS,
    conditions::{self, Said},
    definitions::spec::{Approval, is_protected},
    registry::key,
};
use crate::kubernetes::{
    answer::Refusal,
    cluster::Cluster,
    controllers::{Controller, Name, Tools},
    store::Change,
};

/// Gives names to definitions.
pub struct Naming;

impl Controller for Naming {
    fn concerned(&self, _tools: &Tools, change: &Change) -> Vec<Name> {
        super::changed(change)
    }

    fn tend<'c>(&'c self, tools: &'c Tools, name: &'c Name) -> BoxFuture<'c, Result<Option<Duration>, Refusal>> {
        Box::pin(async move {
            let cluster = tools.client.cluster();
            let group = match cluster.store.get(&key(&name.name)) {
                Some(there) => {
                    let group = there["spec"]["group"].clone();
                    name_one(cluster, &name.name);
                    group
                }
                // Its names are free again.
                None => json!(name.name.split_once('.').map_or("", |(_, group)| group)),
            };
            for (other, definition) in cluster.store.list(&DEFINITIONS.into(), None).1 {
                if definition["spec"]["group"] == group && !conditions::holds(&definition, "NamesAccepted") {
                    name_one(cluster, &other.name);
                }
            }
            Ok(None)
        })
    }
}

fn name_one(cluster: &Cluster, name: &str) {
    let Some(there) = cluster.store.get(&key(name)) else { return };
    let mut definition = (*there).clone();
    let taken = Taken::by_others(cluster, &definition);
    let wanted = definition["spec"]["names"].clone();
    let given = &mut definition["status"]["acceptedNames"];
    let mut conflict: Option<(&str, String)> = None;
    for (field, among, reason) in [
        ("plural", &taken.resources, "PluralConflict"),
        ("singular", &taken.resources, "SingularConflict"),
        ("shortNames", &taken.resources, "ShortNamesConflict"),
        ("kind", &taken.kinds, "KindConflict"),
        ("listKind", &taken.kinds, "ListKindConflict"),
    ] {
        let in_use: Vec<String> = words(&wanted[field]).filter(|word| among.contains(*word)).map(in_use).collect();
        match in_use.as_slice() {
            _ if given[field] == wanted[field] => {}
            [] => give(given, field, &wanted[field]),
            [one] => conflict = Some((reason, one.clone())),
            many => conflict = Some((reason, format!("[{}]", many.join(", ")))),
        }
    }
    give(given, "categories", &wanted["categories"]);
    let now = cluster.now();
    if let Some((holds, reason, message)) = approval(&definition) {
        let name = "KubernetesAPIApprovalPolicyConformant";
        conditions::set(&mut definition, Said { name, holds, reason, message: &message }, &now);
    }
    let named = match &conflict {
        Some((reason, message)) => Said { name: "NamesAccepted", holds: false, reason, message },
        None => Said { name: "NamesAccepted", holds: true, reason: "NoConflicts", message: "no conflicts found" },
    };
    conditions::set(&mut definition, named, &now);
    let (reason, message) = match named.holds {
        true => ("Installing", "the initial names have been accepted"),
        false => ("NotAccepted", "not all names are accepted"),
    };
    let waits = match conditions::find(&definition, "Established") {
        None => true,
        Some(there) => there["status"] != "True" && named.holds,
    };
    if waits {
        conditions::set(&mut definition, Said { name: "Established", holds: false, reason, message }, &now);
    }
    conditions::write(cluster, &there, definition);
}

/// What is to be said of a group of Kubernetes itself.
fn approval(definition: &Value) -> Option<(bool, &'static str, String)> {
    if !is_protected(definition["spec"]["group"].as_str().unwrap_or_default()) {
        return None;
    }
    match Approval::of(definition) {
        Approval::At(url) => Some((true, "ApprovedAnnotation", format!("approved in {url}"))),
        Approval::Unapproved(why) => Some((false, "UnapprovedAnnotation", format!("not approved: \"{why}\""))),
        Approval::Missing | Approval::Neither => None,
    }
}

/// The names that other definitions of the group have been given.
struct Taken {
    resources: BTreeSet<String>,
    kinds: BTreeSet<String>,
}

impl Taken {
    fn by_others(cluster: &Cluster, definition: &Value) -> Self {
        let mut taken = Self { resources: BTreeSet::new(), kinds: BTreeSet::new() };
        for (_, other) in cluster.store.list(&DEFINITIONS.into(), None).1 {
            if other["spec"]["group"] != definition["spec"]["group"]
                || other["metadata"]["name"] == definition["metadata"]["name"]
            {
                continue;
            }
            let names = &other["status"]["acceptedNames"];
            for field in ["plural", "singular", "shortNames"] {
                taken.resources.extend(words(&names[field]).map(str::to_owned));
            }
            for field in ["kind", "listKind"] {
                taken.kinds.extend(words(&names[field]).map(str::to_owned));
            }
        }
        taken
    }
}

/// A word, or several.
fn words(value: &Value) -> impl Iterator<Item = &str> {
    let several = value.as_array().into_iter().flatten();
    value.as_str().into_iter().chain(several.filter_map(Value::as_str)).filter(|word| !word.is_empty())
}

fn in_use(word: &str) -> String {
    format!("\"{word}\" is already in use")
}

fn give(given: &mut Value, field: &str, wanted: &Value) {
    match wanted {
        Value::Null => drop(given.as_object_mut().and_then(|given| given.remove(field))),
        wanted => given[field] = wanted.clone(),
    }
}
