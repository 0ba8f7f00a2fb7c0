//! Rollouts: the revisions of a workload's template, and going back to one of them.

use serde_json::{Value, json};

use super::{
    client::{Cluster, Selection},
    discovery::Resource,
    explain::selector,
    object::{self, at, entries, flag, integer, items, kind, text},
};
use crate::script::{
    fault::{Fault, Kind},
    values::fields::Fields,
    values::tree::Tree,
};

/// When a workload's pods were last told to start anew. It is kubectl's annotation, so that both see each other's restarts.
pub const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// The number of a Deployment's template, on the Deployment and on its ReplicaSets.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// The numbers that a template had before it was gone back to.
const EARLIER: &str = "deployment.kubernetes.io/revision-history";

/// What belongs to the Deployment itself and not to one of its revisions.
const NOT_OF_A_REVISION: &[&str] = &[
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    EARLIER,
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

/// One template that a workload had, or has.
#[derive(Debug, Clone)]
pub struct Revision {
    pub number: i64,
    /// True if the workload's pods are to be of it now.
    pub current: bool,
    /// Why it was made, if somebody has written that down.
    pub cause: Option<String>,
    pub created: String,
    /// The object that keeps it.
    pub kept_by: String,
    /// How many of its pods run, where that is known.
    pub replicas: Option<i64>,
    /// The numbers it had before it was gone back to.
    pub earlier: Vec<i64>,
    template: Tree,
    annotations: Tree,
}

impl Revision {
    pub fn images(&self) -> Vec<&str> {
        let containers = items(&self.template, &["spec", "containers"]).iter();
        containers.filter_map(|container| text(container, &["image"])).collect()
    }

    /// `revision 3 (web:2, proxy:1)`
    pub fn shown(&self) -> String {
        format!("revision {} ({})", self.number, self.images().join(", "))
    }
}

/// Refuses kinds that are not rolled out.
///
/// # Errors
/// `unsupported`.
pub fn supported(resource: &Resource) -> Result<(), Fault> {
    let kinds = ["deployments", "statefulsets", "daemonsets"];
    if resource.group == "apps" && kinds.contains(&resource.plural.as_str()) {
        return Ok(());
    }
    Err(Fault::new(Kind::Unsupported, format!("a {} has no rollouts", resource.shown()))
        .hint("deployments, statefulsets and daemonsets have"))
}

/// The number of a Deployment's current template.
pub fn number(workload: &Tree) -> Option<i64> {
    annotation(workload, REVISION)?.parse().ok()
}

/// Whether it is a Deployment that holds its changes back.
pub fn is_paused(workload: &Tree) -> bool {
    flag(workload, &["spec", "paused"])
}

/// Whether its pods stay of an old template until somebody deletes them.
pub fn is_by_hand(workload: &Tree) -> bool {
    text(workload, &["spec", "updateStrategy", "type"]) == Some("OnDelete")
}

/// When the pods were last told to start anew.
pub fn restarted_at(workload: &Tree) -> Option<&str> {
    text(workload, &["spec", "template", "metadata", "annotations", RESTARTED])
}

/// The revisions that a cluster still has of a workload, oldest first.
///
/// # Errors
/// The fault of listing what keeps them.
pub async fn revisions(cluster: &Cluster, workload: &Tree) -> Result<Vec<Revision>, Fault> {
    let is_deployment = kind(workload) == "Deployment";
    let keeper = if is_deployment { "apps/v1/ReplicaSet" } else { "apps/v1/ControllerRevision" };
    let selection = Selection {
        namespace: object::namespace(workload).map(str::to_owned),
        labels: selector(workload),
        ..Selection::default()
    };
    let keepers = cluster.list(&cluster.resolve(keeper).await?, &selection).await?.objects;
    let own = keepers.iter().filter(|keeper| is_of(keeper, workload));
    let mut revisions: Vec<Revision> = match is_deployment {
        true => own.filter_map(|keeper| of_replica_set(keeper, workload)).collect(),
        false => own.filter_map(of_controller_revision).collect(),
    };
    revisions.sort_by_key(|revision| revision.number);
    if !is_deployment {
        let wanted = text(workload, &["status", "updateRevision"]).map(str::to_owned);
        let known = |revision: &Revision| wanted.as_deref().is_none_or(|wanted| wanted == revision.kept_by);
        if let Some(current) = revisions.iter().rposition(known) {
            revisions[current].current = true;
        }
    }
    Ok(revisions)
}

fn is_of(keeper: &Tree, workload: &Tree) -> bool {
    items(keeper, &["metadata", "ownerReferences"])
        .iter()
        .any(|owner| flag(owner, &["controller"]) && text(owner, &["uid"]) == object::uid(workload))
}

fn of_replica_set(set: &Tree, deployment: &Tree) -> Option<Revision> {
    let number = annotation(set, REVISION)?.parse().ok()?;
    let mut template = at(set, &["spec", "template"])?.clone();
    change(&mut template, &["metadata", "labels"], |labels| {
        labels.remove("pod-template-hash");
    });
    let earlier = annotation(set, EARLIER).unwrap_or_default();
    Some(Revision {
        number,
        current: annotation(deployment, REVISION) == annotation(set, REVISION),
        replicas: Some(integer(set, &["status", "replicas"]).unwrap_or(0)),
        earlier: earlier.split(',').filter_map(|number| number.parse().ok()).collect(),
        template,
        ..kept_by(set)
    })
}

fn of_controller_revision(kept: &Tree) -> Option<Revision> {
    let mut template = at(kept, &["data", "spec", "template"])?.clone();
    change(&mut template, &[], |template| {
        template.remove("$patch");
    });
    Some(Revision { number: integer(kept, &["revision"])?, template, ..kept_by(kept) })
}

fn kept_by(keeper: &Tree) -> Revision {
    Revision {
        number: 0,
        current: false,
        cause: annotation(keeper, "kubernetes.io/change-cause").map(str::to_owned),
        created: text(keeper, &["metadata", "creationTimestamp"]).unwrap_or_default().to_owned(),
        kept_by: object::name(keeper).to_owned(),
        replicas: None,
        earlier: Vec::new(),
        template: Tree::Null,
        annotations: at(keeper, &["metadata", "annotations"]).cloned().unwrap_or_default(),
    }
}

fn annotation<'t>(object: &'t Tree, name: &str) -> Option<&'t str> {
    text(object, &["metadata", "annotations", name])
}

/// Changes the map below these names, if it is there.
fn change(tree: &mut Tree, names: &[&str], with: impl FnOnce(&mut Fields)) {
    let Tree::Map(fields) = tree else { return };
    let fields = std::sync::Arc::make_mut(fields);
    match names.split_first() {
        None => with(fields),
        Some((name, rest)) => {
            if let Some(inner) = fields.get_mut(name) {
                change(inner, rest, with);
            }
        }
    }
}

/// The revision to go back to: the one of that number, or the one before the current one.
///
/// # Errors
/// `not_found`, with the numbers there are.
pub fn target<'r>(revisions: &'r [Revision], number: Option<i64>, shown: &str) -> Result<&'r Revision, Fault> {
    let found = match number {
        Some(number) => revisions.iter().find(|revision| revision.number == number),
        None => revisions.iter().rfind(|revision| !revision.current),
    };
    found.ok_or_else(|| {
        let missing = match number {
            Some(number) => format!("{shown} has no revision {number}"),
            None => format!("{shown} has no revision before the current one"),
        };
        let numbers: Vec<String> = revisions.iter().map(|revision| revision.number.to_string()).collect();
        let fault = Fault::new(Kind::NotFound, missing);
        match numbers.is_empty() {
            true => fault.hint("none is kept: is its controller running?"),
            false => fault.hint(format!("it has {}", numbers.join(", "))),
        }
    })
}

/// The operations that give a workload the template of a revision; none if it has it already.
pub fn going_back(workload: &Tree, revision: &Revision) -> Option<Value> {
    if at(workload, &["spec", "template"]).is_some_and(|template| template.equals(&revision.template)) {
        return None;
    }
    let template = json!({ "op": "replace", "path": "/spec/template", "value": revision.template.wire_json() });
    if kind(workload) != "Deployment" {
        return Some(json!([template]));
    }
    // The change cause and the like go back with the template.
    let own =
        entries(workload, &["metadata", "annotations"]).filter(|(name, _)| NOT_OF_A_REVISION.contains(&name.as_str()));
    let back = entries(&revision.annotations, &[]).filter(|(name, _)| !NOT_OF_A_REVISION.contains(&name.as_str()));
    let annotations: Tree = own.chain(back).map(|(name, value)| (name.clone(), value.clone())).collect();
    Some(json!([template, { "op": "replace", "path": "/metadata/annotations", "value": annotations.wire_json() }]))
}
