//! FluxInstance: the object by which an operator keeps Flux, and where Flux takes its own repository from.

use serde_json::{Value, json};

use super::{
    kind::{FLUX_INSTANCE, KUSTOMIZATION, Reference},
    standing,
};
use crate::{
    kubernetes::{
        client::{Cluster, Selection},
        object::{at, name, namespace, text},
    },
    script::{
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

/// What is said of the repository: how scripts call it, and where it stands in `spec.sync`.
pub const SYNC: [(&str, &str); 8] = [
    ("kind", "kind"),
    ("url", "url"),
    ("ref", "ref"),
    ("path", "path"),
    ("pull_secret", "pullSecret"),
    ("interval", "interval"),
    ("provider", "provider"),
    ("name", "name"),
];

/// The one FluxInstance of a cluster.
///
/// # Errors
/// `not_found`, if there is none, and the like.
pub async fn find(cluster: &Cluster) -> Result<(Reference, Tree), Fault> {
    let resource = FLUX_INSTANCE.resolve(cluster).await?;
    let mut all = cluster.list(&resource, &Selection::default()).await?.objects;
    match all.len() {
        0 => Err(Fault::new(Kind::NotFound, format!("`{cluster}` has no FluxInstance"))),
        1 => {
            let found = all.remove(0);
            Ok((Reference::new(&FLUX_INSTANCE, namespace(&found).unwrap_or_default(), name(&found)), found))
        }
        more => Err(Fault::new(Kind::Failed, format!("`{cluster}` has {more} FluxInstances, where one is meant"))),
    }
}

/// As scripts see it.
pub fn shown(reference: &Reference, object: &Tree) -> Tree {
    let sync = SYNC.iter().filter_map(|(own, field)| Some((*own, text(object, &["spec", "sync", field])?)));
    let sync: serde_json::Map<String, Value> = sync.map(|(own, value)| (own.to_owned(), json!(value))).collect();
    let more = json!({
        "version": text(object, &["spec", "distribution", "version"]),
        "sync": sync,
        "components": at(object, &["status", "components"]).map_or(json!([]), Tree::shown_json),
        "hazards": hazards(object),
    });
    let mut told = standing::shown(reference, object).shown_json();
    if let (Value::Object(told), Value::Object(more)) = (&mut told, more) {
        told.extend(more);
    }
    Tree::from_json(told)
}

/// What may delete it, or change it behind one's back: with it goes Flux, and the namespace that Flux is in.
fn hazards(object: &Tree) -> Vec<String> {
    let mark = |marks: &str, name: &str| text(object, &["metadata", marks, name]).map(str::to_lowercase);
    let brought_by = |part: &str| mark("labels", &format!("{}/{part}", KUSTOMIZATION.group()));
    let mut hazards = Vec::new();
    if let (Some(name), Some(namespace)) = (brought_by("name"), brought_by("namespace"))
        && mark("annotations", &format!("{}/prune", KUSTOMIZATION.group())).as_deref() != Some("disabled")
    {
        hazards.push(format!(
            "{} deletes it, and Flux with it, once its folder no longer has it: annotate it there with `{}/prune: disabled`",
            Reference::new(&KUSTOMIZATION, namespace, name),
            KUSTOMIZATION.group(),
        ));
    }
    if let Some(release) = mark("annotations", "meta.helm.sh/release-name") {
        hazards.push(format!(
            "release `{release}` owns it: uninstalling that deletes it, and Flux with it, and an upgrade may take back `sync`"
        ));
    }
    hazards
}

/// What a script says of the repository, as a patch.
///
/// # Errors
/// `usage`, if it says something else.
pub fn patch(sync: &Tree) -> Result<Value, Fault> {
    let Tree::Map(given) = sync else {
        return Err(Fault::new(Kind::Usage, format!("the repository is {}, not a map", sync.kind())));
    };
    let names = || SYNC.iter().map(|(own, _)| *own).collect::<Vec<_>>().join(", ");
    let mut fields = serde_json::Map::new();
    for (own, value) in given.iter() {
        let field = SYNC.iter().find(|(known, _)| own.as_str() == *known).map(|(_, field)| *field);
        let (Some(field), Tree::Text(value)) = (field, value) else {
            let fault = Fault::new(Kind::Usage, format!("`{own}` can't be said of the repository"));
            return Err(fault.hint(format!("these can, as texts: {}", names())));
        };
        fields.insert(field.to_owned(), json!(value.as_str()));
    }
    if fields.is_empty() {
        return Err(Fault::new(Kind::Usage, "nothing is said of the repository").hint(format!("such as {}", names())));
    }
    Ok(json!({ "spec": { "sync": fields } }))
}
