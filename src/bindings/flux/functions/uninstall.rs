//! Taking Flux off a cluster, so that what it brought stays.

use std::collections::BTreeSet;

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::{Value, json};

use crate::{
    bindings::flux::{
        inventory::{self, Entry},
        kind::{FLUX_INSTANCE, HELM_RELEASE, KINDS, KUSTOMIZATION},
        system::{DEFINITIONS, parts},
    },
    event::What,
    host::{
        effect::{Effect, digest},
        wait::{Progress, Waiting},
    },
    kubernetes::{
        change::Deletion,
        client::{Cluster, Selection},
        discovery::Resource,
        object::{at, items},
        removal::{self, Doomed},
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

/// What Flux's manifests install besides its definitions and namespaces.
const OWN: [&str; 6] = [
    "deployments.apps",
    "services",
    "networkpolicies.networking.k8s.io",
    "serviceaccounts",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
];

#[export_module]
pub mod functions {
    /// Takes Flux off a cluster; what it brought stays.
    #[rhai_fn(pure, return_raw)]
    pub fn uninstall(context: NativeCallContext, cluster: &mut Cluster) -> Outcome<Dynamic> {
        uninstall_from(&context, cluster, Map::new())
    }

    /// Takes Flux off a cluster; what it brought stays.
    ///
    /// Its controllers go first, so that nobody is left who would prune a workload or uninstall a release. Then its objects are
    /// let go of by their finalizers, its definitions are deleted with them, and last its namespaces; but one that holds
    /// something that Flux brought besides itself stays, and it is said why.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `keep_namespace` (boolean, `false`): leave the namespaces with all else that is in them, such as credentials
    /// - `timeout` (duration, `5m`): how long all of it may take
    ///
    /// # Returns
    /// An object with `removed`, a list of what is gone, and `left`, a list of what Flux had brought and nobody looks after any
    /// more, a line each: `deployment/web in shop`.
    ///
    /// # Effect
    /// Flux is gone, with its objects. All of it is shown before. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `refused`: it is kept by an operator, which would bring it back
    /// - `timeout`: something was not gone in time
    /// - `denied`: this user may not do it
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// step "without Flux" {
    ///     for orphan in flux::uninstall(cluster, #{ keep_namespace: true }).left { print(orphan); }
    /// }
    /// ```
    #[rhai_fn(name = "uninstall", pure, return_raw)]
    pub fn uninstall_with_options(context: NativeCallContext, cluster: &mut Cluster, options: Map) -> Outcome<Dynamic> {
        uninstall_from(&context, cluster, options)
    }
}

/// What goes, in the order in which it does, and what stays.
#[derive(Default)]
struct Plan {
    own: Vec<Doomed>,
    /// Its objects, those with finalizers.
    held: Vec<Doomed>,
    objects: Vec<Doomed>,
    definitions: Vec<Doomed>,
    namespaces: Vec<Doomed>,
    left: Vec<Entry>,
    /// Why a namespace stays.
    notes: Vec<String>,
}

fn uninstall_from(context: &NativeCallContext, cluster: &Cluster, options: Map) -> Outcome<Dynamic> {
    let options = context.options("flux::uninstall", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let keep_namespace = options.flag("keep_namespace");
    let cluster = cluster.here();
    let asked = Waiting::request(format!("what there is of Flux on {cluster}"), timeout);
    let looked = cluster.clone();
    let plan = context.wait(asked, |_| async move { look(&looked, keep_namespace).await })?;
    let events = context.host().events;
    plan.notes.iter().for_each(|text| events.emit(What::Noted { text: text.clone(), minor: false }));
    let going = [&plan.own, &plan.objects, &plan.definitions, &plan.namespaces];
    let removed: Vec<String> = going.into_iter().flatten().map(ToString::to_string).collect();
    let left: Vec<String> = plan.left.iter().map(ToString::to_string).collect();
    if !removed.is_empty() {
        let object = format!("{cluster}: Flux");
        let effect = Effect {
            verb: "uninstall".to_owned(),
            digest: digest(&[object.as_bytes(), removed.join("\n").as_bytes()]),
            object,
            repeatable: true,
            destroys: Some(removed.clone()),
        };
        let perform = move |progress: Progress| async move {
            perform(&cluster, &plan, &progress).await?;
            Ok(Changed { value: (), kept: Value::Null, detail: Some("gone".to_owned()) })
        };
        context.change(Change::repeatable_telling(effect, timeout, perform))?;
    }
    Ok(Tree::from_json(json!({ "removed": removed, "left": left })).to_dynamic())
}

async fn look(cluster: &Cluster, keep_namespace: bool) -> Result<Plan, Fault> {
    let mut plan = Plan::default();
    for kind in OWN {
        plan.own
            .extend(listed(cluster, &cluster.resolve(kind).await?, &parts()).await?.into_iter().map(|(one, _)| one));
    }
    let mut brought = BTreeSet::new();
    let mut definitions = BTreeSet::new();
    for kind in KINDS {
        let resource = match kind.resolve(cluster).await {
            Err(fault) if fault.kind == Kind::Unsupported => continue,
            resource => resource?,
        };
        let objects = listed(cluster, &resource, &Selection::default()).await?;
        if *kind == FLUX_INSTANCE
            && let Some((instance, _)) = objects.first()
        {
            let fault = Fault::new(Kind::Refused, format!("`{cluster}` has {instance}, by which Flux would come back"));
            return Err(fault.hint("delete that: its operator takes Flux off the cluster then"));
        }
        if !kind.is_of_controllers() {
            continue;
        }
        definitions.insert(kind.full_name());
        for (one, object) in objects {
            // What is on another cluster is not seen from here.
            if [&HELM_RELEASE, &KUSTOMIZATION].contains(&kind) && at(&object, &["spec", "kubeConfig"]).is_none() {
                brought.extend(inventory::of(&object));
            }
            if !items(&object, &["metadata", "finalizers"]).is_empty() {
                plan.held.push(one.clone());
            }
            plan.objects.push(one);
        }
    }
    let all = listed(cluster, &cluster.resolve(DEFINITIONS).await?, &parts()).await?;
    definitions.extend(all.into_iter().map(|(one, _)| one.name));
    let resource = cluster.resolve(DEFINITIONS).await?;
    for name in definitions {
        let found = cluster.find(&resource, "", &name).await?;
        plan.definitions.extend(found.map(|object| Doomed::of(&resource, &object)));
    }
    let namespaces = listed(cluster, &cluster.resolve("namespaces").await?, &parts()).await?;
    plan.namespaces = namespaces.into_iter().map(|(one, _)| one).filter(|_| !keep_namespace).collect();
    let goes = |entry: &Entry| {
        let is = |one: &Doomed| {
            let same = one.resource.kind == entry.kind && one.resource.group == entry.group && one.name == entry.name;
            same && (!one.resource.namespaced || one.namespace == entry.namespace)
        };
        [&plan.own, &plan.objects, &plan.definitions, &plan.namespaces].into_iter().flatten().any(is)
    };
    plan.left = brought.into_iter().filter(|entry| !goes(entry)).collect();
    let holds = |one: &Doomed| plan.left.iter().find(|entry| entry.namespace == one.name);
    plan.notes =
        plan.namespaces.iter().filter_map(|one| Some(format!("{one} stays, for it holds {}", holds(one)?))).collect();
    plan.namespaces = plan.namespaces.iter().filter(|one| holds(one).is_none()).cloned().collect();
    Ok(plan)
}

async fn listed(cluster: &Cluster, resource: &Resource, selection: &Selection) -> Result<Vec<(Doomed, Tree)>, Fault> {
    let objects = cluster.list(resource, selection).await?.objects;
    Ok(objects.into_iter().map(|object| (Doomed::of(resource, &object), object)).collect())
}

async fn perform(cluster: &Cluster, plan: &Plan, progress: &Progress) -> Result<(), Fault> {
    // With their pods: a controller that still runs would take the finalizers for an order.
    remove(cluster, &plan.own, progress).await?;
    for one in &plan.held {
        let free = json!({ "metadata": { "finalizers": null } });
        match cluster.merge_patch(&one.resource, &one.namespace, &one.name, None, &free).await {
            Err(fault) if fault.kind == Kind::NotFound => {}
            freed => drop(freed?),
        }
    }
    remove(cluster, &plan.definitions, progress).await?;
    cluster.kinds().forget();
    remove(cluster, &plan.namespaces, progress).await
}

async fn remove(cluster: &Cluster, doomed: &[Doomed], progress: &Progress) -> Result<(), Fault> {
    let deletion = Deletion { propagation: Some("Foreground".to_owned()), ..Deletion::default() };
    let removed = removal::remove(cluster, doomed, &deletion).await?;
    removal::gone(cluster, &removed, progress).await
}
