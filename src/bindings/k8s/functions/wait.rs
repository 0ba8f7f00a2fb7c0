//! Waiting, as scripts see it.

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

use super::{
    given,
    waiting::{Judge, Order, wait_on},
};
use crate::{
    kubernetes::{
        client::Cluster,
        waited::{Group, Which},
    },
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
    },
};

#[export_module]
pub mod functions {
    /// Waits until an object is ready.
    #[rhai_fn(global, pure, return_raw)]
    pub fn wait(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<Dynamic> {
        wait_named(&context, cluster, kind, &name.into(), None, Map::new())
    }

    /// Waits until objects are ready.
    #[rhai_fn(global, name = "wait", pure, return_raw)]
    pub fn wait_for_names(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: Array,
    ) -> Outcome<Dynamic> {
        wait_named(&context, cluster, kind, &name.into(), None, Map::new())
    }

    /// Waits until the objects that the options select are ready, or as the options say.
    #[rhai_fn(global, name = "wait", pure, return_raw)]
    pub fn wait_for_selected(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        wait_selected(&context, cluster, kind, options)
    }

    /// Waits until objects are ready, or as the options say.
    #[rhai_fn(global, name = "wait", pure, return_raw)]
    pub fn wait_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: Dynamic,
        options: Map,
    ) -> Outcome<Dynamic> {
        wait_named(&context, cluster, kind, &name, None, options)
    }

    /// Waits until objects are as they should be.
    #[rhai_fn(global, name = "wait", pure, return_raw)]
    pub fn wait_until(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: Dynamic,
        until: Dynamic,
    ) -> Outcome<Dynamic> {
        wait_named(&context, cluster, kind, &name, Some(until), Map::new())
    }

    /// Waits until an object, or several, are as they should be.
    ///
    /// It watches, so it sees a change at once. The object, its namespace and even its kind may still be to come; a server
    /// that is away is waited for. A condition counts only if it speaks of the object's latest generation. While it waits
    /// it says why it isn't so yet.
    ///
    /// *How to say what is waited for:* `ready`; `condition=Available`, or `condition=Ready=False` for another status than
    /// `True`; `status.phase=Running` for a field with that value, `status.loadBalancer.ingress` for a field with any, both
    /// also as `kubectl` writes them (`{.status.phase}=Running`, `{.status.conditions[?(@.type=="Ready")].status}=True`);
    /// `exists`; `deleted`, of the very object that was there; or a closure that is given the object.
    ///
    /// *Ready* is, after the latest change: a Deployment, StatefulSet, DaemonSet or ReplicaSet whose replicas are all of the
    /// new version and available (a partition, and updates by hand, are respected); a Pod that is Ready or has succeeded; a
    /// Job that is complete; a claim that is bound; a Service of type LoadBalancer that has an address; a definition that is
    /// established; a namespace that is Active; a Node or an APIService whose condition says so. Anything else, such as a
    /// HelmRelease, is ready when it isn't `Reconciling` and its condition `Ready`, or else `Available`, is true, or when its
    /// `status.ready` is; what has no status at all is ready as soon as it is there.
    ///
    /// *It fails early* when an object can no longer become so by itself: a failed Job or Pod, a Deployment past its progress
    /// deadline, `Stalled`, a lost claim, a definition whose names are taken, or pods that for longer than `grace` have had no
    /// image, no configuration, or one crash after another.
    ///
    /// *Several objects* are waited for by a list of names, or by the options `labels`, `fields` and `all_namespaces` in place
    /// of a name. All of them must be so, and of what is selected at least one must be there; `count` and `any` ask for less.
    /// For objects of several kinds there is `wait_for`.
    ///
    /// If it gives up, the notes have what was seen last, the conditions, the warnings, and the end of the worst pod's log.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): plural, singular, short name or kind; `Kind.group` or `group/version/Kind` where that is not clear
    /// - `name` (text or list): the object's name, or several; left out where the options select
    /// - `until` (text or function): what it should be, `ready` if nothing is said
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `until` (text or function): the same as the parameter, where that is not given
    /// - `condition` (text): the condition that must be true, where `until` is not given
    /// - `namespace` (text, the context's own): where it is
    /// - `labels` (text or map): in place of a name, whatever has these labels: `app=web,tier!=db`, or a map
    /// - `fields` (text or map): in place of a name, whatever has these fields, such as `spec.nodeName=worker-1`
    /// - `all_namespaces` (boolean, `false`): in place of a name, in all namespaces
    /// - `count` (integer): so many of them are enough
    /// - `any` (boolean, `false`): one of them is enough
    /// - `timeout` (duration, `5m`): how long to wait
    /// - `grace` (duration, `30s`): how long pods may be stuck, or crash, before the wait fails
    /// - `fail_fast` (boolean, `true`): fail as soon as it can no longer become so
    ///
    /// # Returns
    /// The object as it was then, `()` if its deletion was waited for; a list of those that are so if there may be several.
    ///
    /// # Faults
    /// - `timeout`: it did not become so in time; the notes say why
    /// - `failed`: it can no longer become so; the notes say why
    /// - `denied`: this user may not watch it
    /// - `unsupported`: the kind whose object should go is not there, so that nobody can tell
    /// - `usage`: `until` can't be understood, or the closure says neither `true` nor `false`
    /// - `invalid`: a selector can't be understood
    /// - `tls`: the server can't be trusted
    ///
    /// # Example
    /// ```rhai cluster
    /// cluster.wait("namespace", "default", |space| space.status.phase == "Active", #{ timeout: "10s" });
    /// cluster.wait("namespace", ["default", "kube-system"], "status.phase=Active", #{ timeout: "10s" });
    /// cluster.wait("namespaces", #{ fields: "metadata.name=default", until: "exists", timeout: "10s" });
    /// ```
    #[rhai_fn(global, name = "wait", pure, return_raw)]
    pub fn wait_until_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: Dynamic,
        until: Dynamic,
        options: Map,
    ) -> Outcome<Dynamic> {
        wait_named(&context, cluster, kind, &name, Some(until), options)
    }

    /// Waits until objects of several kinds are ready.
    #[rhai_fn(global, pure, return_raw)]
    pub fn wait_for(context: NativeCallContext, cluster: &mut Cluster, objects: Array) -> Outcome<Dynamic> {
        wait_mixed(&context, cluster, &objects, None, Map::new())
    }

    /// Waits until objects of several kinds are ready, or as the options say.
    #[rhai_fn(global, name = "wait_for", pure, return_raw)]
    pub fn wait_for_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        objects: Array,
        options: Map,
    ) -> Outcome<Dynamic> {
        wait_mixed(&context, cluster, &objects, None, options)
    }

    /// Waits until objects of several kinds are as they should be.
    #[rhai_fn(global, name = "wait_for", pure, return_raw)]
    pub fn wait_for_until(
        context: NativeCallContext,
        cluster: &mut Cluster,
        objects: Array,
        until: Dynamic,
    ) -> Outcome<Dynamic> {
        wait_mixed(&context, cluster, &objects, Some(until), Map::new())
    }

    /// Waits until objects of several kinds are as they should be.
    ///
    /// All that `wait` says of one kind holds here too; each object is ready by the rules of its own kind.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `objects` (list): texts such as `deployment/web`, or objects
    /// - `until` (text or function): what they should be, `ready` if nothing is said
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `until` (text or function): the same as the parameter, where that is not given
    /// - `condition` (text): the condition that must be true, where `until` is not given
    /// - `namespace` (text, the context's own): where those are that don't say so themselves
    /// - `count` (integer): so many of them are enough
    /// - `any` (boolean, `false`): one of them is enough
    /// - `timeout` (duration, `5m`): how long to wait
    /// - `grace` (duration, `30s`): how long pods may be stuck, or crash, before the wait fails
    /// - `fail_fast` (boolean, `true`): fail as soon as it can no longer become so
    ///
    /// # Returns
    /// A list of the objects that are so.
    ///
    /// # Faults
    /// - `timeout`: they did not become so in time; the notes say why
    /// - `failed`: they can no longer become so; the notes say why
    /// - `denied`: this user may not watch them
    /// - `unsupported`: the kind whose object should go is not there, so that nobody can tell
    /// - `usage`: something in the list is no object, or `until` can't be understood
    /// - `tls`: the server can't be trusted
    ///
    /// # Example
    /// ```rhai cluster
    /// cluster.wait_for(["namespace/default", "service/kubernetes"], #{ namespace: "default", timeout: "10s" });
    /// ```
    #[rhai_fn(global, name = "wait_for", pure, return_raw)]
    pub fn wait_for_until_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        objects: Array,
        until: Dynamic,
        options: Map,
    ) -> Outcome<Dynamic> {
        wait_mixed(&context, cluster, &objects, Some(until), options)
    }
}

fn wait_named(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    name: &Dynamic,
    until: Option<Dynamic>,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options("k8s::wait", options)?;
    let read = || -> Result<Order, Fault> {
        for selector in ["labels", "fields", "all_namespaces"] {
            if options.value(selector).is_some() {
                let message = format!("both a name and `{selector}` are given");
                return Err(Fault::new(Kind::Usage, message).hint("keep one of them"));
            }
        }
        let names = given::object_names(name)?.into_iter().collect();
        let judge = Judge::read("k8s::wait", until.as_ref(), &options)?;
        let groups = Group::of_names(kind, &given::namespace(&options, cluster), names);
        Order::read(groups, judge, name.is_array(), &options)
    };
    let order = read().map_err(|fault| context.raise(fault))?;
    wait_on(context, cluster, order)
}

fn wait_selected(context: &NativeCallContext, cluster: &Cluster, kind: &str, options: Map) -> Outcome<Dynamic> {
    let options = context.options("k8s::wait", options)?;
    let read = || -> Result<Order, Fault> {
        let group = Group { kind: kind.to_owned(), which: Which::Selected(given::selected(&options, cluster)?) };
        let judge = Judge::read("k8s::wait", None, &options)?;
        Order::read(vec![group], judge, true, &options)
    };
    let order = read().map_err(|fault| context.raise(fault))?;
    wait_on(context, cluster, order)
}

fn wait_mixed(
    context: &NativeCallContext,
    cluster: &Cluster,
    objects: &Array,
    until: Option<Dynamic>,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options("k8s::wait_for", options)?;
    let read = || -> Result<Order, Fault> {
        let named = given::objects(objects, &given::namespace(&options, cluster))?;
        let judge = Judge::read("k8s::wait_for", until.as_ref(), &options)?;
        let groups = named.into_iter().flat_map(|((kind, namespace), names)| Group::of_names(&kind, &namespace, names));
        Order::read(groups.collect(), judge, true, &options)
    };
    let order = read().map_err(|fault| context.raise(fault))?;
    wait_on(context, cluster, order)
}
