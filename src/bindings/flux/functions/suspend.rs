//! Suspending objects, and letting them go on.

use std::time::Duration;

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::{Value, json};

use super::target;
use crate::{
    bindings::flux::{
        kind::{FluxKind, Reference},
        request, standing,
        suspension::{self, Switched, Way},
    },
    host::{
        effect::{Effect, digest},
        wait::Waiting,
    },
    kubernetes::{
        client::{Cluster, Selection},
        object,
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        options::Options,
        values::tree::Tree,
    },
};

#[export_module]
pub mod functions {
    /// Has Flux leave an object alone.
    #[rhai_fn(pure, return_raw)]
    pub fn suspend(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: Dynamic) -> Outcome<Array> {
        switch_named(&context, cluster, Way::Suspend, kind, &name, Map::new())
    }

    /// Has Flux leave what the options select alone.
    #[rhai_fn(name = "suspend", pure, return_raw)]
    pub fn suspend_selected(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        options: Map,
    ) -> Outcome<Array> {
        switch_selected(&context, cluster, Way::Suspend, kind, options)
    }

    /// Has Flux leave an object alone, several, or what the options select.
    ///
    /// What runs goes on running: only changes are no longer taken up.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): a kind of Flux, as for `flux::get`
    /// - `name` (text or list): the object's name, or several; left out where the options select
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where they are
    /// - `all_namespaces` (boolean, `false`): in place of a name, wherever they are
    /// - `labels` (text): in place of a name, only those with these labels
    /// - `timeout` (duration, `30s`): how long each of them may take
    ///
    /// # Returns
    /// A list of those that are suspended by us, each with `kind`, `namespace` and `name`. What somebody else had suspended
    /// is not among them.
    ///
    /// # Effect
    /// The objects are suspended. Doing it twice is the same as doing it once, and gives the same list.
    ///
    /// # Faults
    /// - `not_found`: one of them is not there
    /// - `unsupported`: the cluster has no Flux
    /// - `usage`: Flux has no such kind, or options contradict each other
    /// - `denied`: this user may not change them
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// step "hands off" {
    ///     let left_alone = flux::suspend(cluster, "helmrelease", #{ namespace: "shop" });
    ///     print(`${left_alone.len()} releases are left alone`);
    /// }
    /// ```
    #[rhai_fn(name = "suspend", pure, return_raw)]
    pub fn suspend_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: Dynamic,
        options: Map,
    ) -> Outcome<Array> {
        switch_named(&context, cluster, Way::Suspend, kind, &name, options)
    }

    /// Has Flux go on with an object, and waits until it is ready.
    #[rhai_fn(pure, return_raw)]
    pub fn resume(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: Dynamic) -> Outcome<Array> {
        switch_named(&context, cluster, Way::Resume, kind, &name, Map::new())
    }

    /// Has Flux go on with those of the selected objects that we suspended.
    #[rhai_fn(name = "resume", pure, return_raw)]
    pub fn resume_selected(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        options: Map,
    ) -> Outcome<Array> {
        switch_selected(&context, cluster, Way::Resume, kind, options)
    }

    /// Has Flux go on with an object, several, or those of the selected ones that we suspended, and waits until they are ready.
    ///
    /// Named objects go on whoever suspended them; of what is selected, what somebody else suspended stays so.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): a kind of Flux, as for `flux::get`
    /// - `name` (text or list): the object's name, or several; left out where the options select
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where they are
    /// - `all_namespaces` (boolean, `false`): in place of a name, wherever they are
    /// - `labels` (text): in place of a name, only those with these labels
    /// - `wait` (boolean, `true`): wait until each is ready
    /// - `timeout` (duration, `5m`): how long each of them may take
    ///
    /// # Returns
    /// A list of those that went on, each with `kind`, `namespace` and `name`.
    ///
    /// # Effect
    /// The objects are no longer suspended. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `failed`: one of them can't become ready
    /// - `timeout`: one of them did not become ready in time
    /// - `not_found`: one of them is not there
    /// - `unsupported`: the cluster has no Flux
    /// - `usage`: Flux has no such kind, or options contradict each other
    /// - `denied`: this user may not change them
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// step "hands off" { flux::suspend(cluster, "helmrelease", #{ namespace: "shop" }); }
    /// step "hands on" { flux::resume(cluster, "helmrelease", #{ namespace: "shop" }); }
    /// ```
    #[rhai_fn(name = "resume", pure, return_raw)]
    pub fn resume_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: Dynamic,
        options: Map,
    ) -> Outcome<Array> {
        switch_named(&context, cluster, Way::Resume, kind, &name, options)
    }
}

fn switch_named(
    context: &NativeCallContext,
    cluster: &Cluster,
    way: Way,
    kind: &str,
    name: &Dynamic,
    options: Map,
) -> Outcome<Array> {
    let options = context.options(&format!("flux::{way}"), options)?;
    let cluster = cluster.here();
    let all = target::several(&cluster, kind, name, &options).map_err(|fault| context.raise(fault))?;
    switch_all(context, &cluster, way, &all, &options)
}

fn switch_selected(
    context: &NativeCallContext,
    cluster: &Cluster,
    way: Way,
    kind: &str,
    options: Map,
) -> Outcome<Array> {
    let options = context.options(&format!("flux::{way}"), options)?;
    let cluster = cluster.here();
    let wanted = |object: &Tree| match way {
        Way::Suspend => true,
        Way::Resume => standing::is_suspended(object) && suspension::is_ours(object),
    };
    let all = select(context, &cluster, kind, &options, wanted)?;
    switch_all(context, &cluster, way, &all, &options)
}

/// The objects that the options select and that are wanted.
fn select(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    options: &Options,
    wanted: impl Fn(&Tree) -> bool,
) -> Outcome<Vec<Reference>> {
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let kind = FluxKind::named(kind).map_err(|fault| context.raise(fault))?;
    let selection = target::selected(cluster, options).map_err(|fault| context.raise(fault))?;
    let selection = Selection { keep_managed_fields: true, ..selection };
    let cluster = cluster.clone();
    let asked = Waiting::request(format!("which {} there are", kind.full_name()), timeout);
    let listed =
        context.wait(asked, |_| async move { cluster.list(&kind.resolve(&cluster).await?, &selection).await })?;
    let named = |found: &Tree| Reference::new(kind, object::namespace(found).unwrap_or_default(), object::name(found));
    Ok(listed.objects.iter().filter(|object| wanted(object)).map(named).collect())
}

fn switch_all(
    context: &NativeCallContext,
    cluster: &Cluster,
    way: Way,
    all: &[Reference],
    options: &Options,
) -> Outcome<Array> {
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let mut ours = Array::new();
    for reference in all {
        let switched = switched(context, cluster, reference, way, timeout)?;
        if way == Way::Resume || switched != Switched::ByAnother {
            ours.push(shown(reference));
        }
    }
    if way == Way::Resume && options.flag("wait") {
        for reference in all {
            await_ready(context, cluster, reference, timeout)?;
        }
    }
    Ok(ours)
}

/// Suspends one, or lets it go on.
pub fn switched(
    context: &NativeCallContext,
    cluster: &Cluster,
    reference: &Reference,
    way: Way,
    timeout: Duration,
) -> Outcome<Switched> {
    let verb = way.to_string();
    let object = format!("{cluster}: {reference}");
    let effect = Effect {
        digest: digest(&[verb.as_bytes(), object.as_bytes()]),
        verb,
        object,
        repeatable: true,
        destroys: None,
    };
    let (cluster, reference) = (cluster.clone(), reference.clone());
    let perform = async move {
        let switched = suspension::switch(&cluster, &reference, way).await?;
        let detail = (switched != Switched::Now).then(|| "it was so already".to_owned());
        Ok(Changed { value: switched, kept: Value::Null, detail })
    };
    context.change(Change::repeatable(effect, timeout, perform))
}

/// Waits until one is ready at its latest generation.
pub fn await_ready(
    context: &NativeCallContext,
    cluster: &Cluster,
    reference: &Reference,
    timeout: Duration,
) -> Outcome<Tree> {
    let awaited = Waiting::until(format!("{reference} to be ready"), timeout);
    let (cluster, reference) = (cluster.clone(), reference.clone());
    context.wait(awaited, |progress| async move { request::ready(&cluster, &reference, &progress).await })
}

fn shown(reference: &Reference) -> Dynamic {
    let Reference { kind, namespace, name } = reference;
    Tree::from_json(json!({ "kind": kind.name, "namespace": namespace, "name": name })).to_dynamic()
}
