//! Reading objects.

use futures::{StreamExt, stream};
use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

use super::given;
use crate::{
    host::wait::Waiting,
    kubernetes::{client::Cluster, object},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

#[export_module]
pub mod functions {
    /// Reads one object.
    #[rhai_fn(global, pure, return_raw)]
    pub fn get(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<Dynamic> {
        read_named(&context, cluster, kind, &name.into(), Map::new())
    }

    /// Reads several objects.
    #[rhai_fn(global, name = "get", pure, return_raw)]
    pub fn get_several(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: Array) -> Outcome<Dynamic> {
        read_named(&context, cluster, kind, &name.into(), Map::new())
    }

    /// Reads one object, or several.
    ///
    /// The bookkeeping of who owns which field is left out. What a Secret holds is never shown afterwards.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): plural, singular, short name or kind; `Kind.group` or `group/version/Kind` where that is not clear
    /// - `name` (text or list): the object's name, or several
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `missing_ok` (boolean, `false`): what is not there is `()`, and left out of a list
    /// - `keep_managed_fields` (boolean, `false`): with `metadata.managedFields`
    /// - `timeout` (duration, `30s`): how long to ask
    ///
    /// # Returns
    /// An `Object`; for several names a list of them, in the order of the names.
    ///
    /// # Faults
    /// - `not_found`: it is not there; of several, the message has the first, and a note each of the others
    /// - `unsupported`: the cluster has no such kind
    /// - `denied`: it may not be read by this user
    /// - `unauthenticated`: the user's token or certificate is not accepted
    /// - `unreachable`: no connection
    /// - `tls`: the server can't be trusted
    /// - `unavailable`: the server is overloaded or starting
    /// - `timeout`: no answer in time
    ///
    /// # Example
    /// ```rhai cluster
    /// let space = cluster.get("namespace", "kube-system");
    /// print(space.status.phase);
    /// if cluster.get("configmap", "marker", #{ missing_ok: true }) == () { print("there is no marker"); }
    /// ```
    #[rhai_fn(global, name = "get", pure, return_raw)]
    pub fn get_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: Dynamic,
        options: Map,
    ) -> Outcome<Dynamic> {
        read_named(&context, cluster, kind, &name, options)
    }

    /// Lists the objects of a kind.
    #[rhai_fn(global, pure, return_raw)]
    pub fn list(context: NativeCallContext, cluster: &mut Cluster, kind: &str) -> Outcome<Array> {
        read_all(&context, cluster, kind, Map::new())
    }

    /// Lists the objects of a kind.
    ///
    /// They are read 500 at a time. The bookkeeping of who owns which field is left out. What Secrets hold is never shown
    /// afterwards.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): plural, singular, short name or kind; `Kind.group` or `group/version/Kind` where that is not clear
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where they are
    /// - `all_namespaces` (boolean, `false`): in all namespaces
    /// - `labels` (text or map): only with these labels: `app=web,tier!=db`, or a map of those that must be equal
    /// - `fields` (text or map): only with these fields, such as `status.phase=Running`
    /// - `keep_managed_fields` (boolean, `false`): with `metadata.managedFields`
    /// - `timeout` (duration, `1m`): how long to ask
    ///
    /// # Returns
    /// A list of `Object`; it is empty if there are none.
    ///
    /// # Faults
    /// - `unsupported`: the cluster has no such kind
    /// - `denied`: they may not be listed by this user
    /// - `invalid`: a selector can't be understood
    /// - `unreachable`: no connection
    /// - `timeout`: no answer in time
    ///
    /// # Example
    /// ```rhai cluster
    /// for pod in cluster.list("pods", #{ all_namespaces: true, labels: #{ app: "web" } }) {
    ///     print(`${pod.metadata.name} is ${pod.status.phase}`);
    /// }
    /// ```
    #[rhai_fn(global, name = "list", pure, return_raw)]
    pub fn list_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        options: Map,
    ) -> Outcome<Array> {
        read_all(&context, cluster, kind, options)
    }
}

/// How many objects are read at once.
const AT_ONCE: usize = 8;

fn read_named(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    name: &Dynamic,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options("k8s::get", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let names = given::object_names(name).map_err(|fault| context.raise(fault))?;
    let namespace = given::namespace(&options, cluster);
    let (keep, missing_ok) = (options.flag("keep_managed_fields"), options.flag("missing_ok"));
    let (cluster, kind) = (cluster.here(), kind.to_owned());
    let what = match names.as_slice() {
        [name] => format!("{kind}/{name} of {cluster}"),
        names => format!("{} {} of {cluster}", names.len(), cluster.words_for(&kind).many),
    };
    let found = context.wait(Waiting::request(what, timeout), |_| async move {
        let resource = cluster.resolve(&kind).await?;
        let reads: Vec<_> = names.iter().map(|name| cluster.read(&resource, &namespace, name)).collect();
        let found: Vec<Result<Tree, Fault>> = stream::iter(reads).buffered(AT_ONCE).collect().await;
        all_of(found, missing_ok)
    })?;
    let objects = found.into_iter().map(|mut tree| {
        if !keep {
            object::strip_managed_fields(&mut tree);
        }
        Ok(Dynamic::from(object::whole(tree)?))
    });
    let mut objects = objects.collect::<Result<Array, Fault>>().map_err(|fault| context.raise(fault))?;
    Ok(if name.is_array() { objects.into() } else { objects.pop().unwrap_or(Dynamic::UNIT) })
}

/// What was found, if that is all, or all that need be.
fn all_of(found: Vec<Result<Tree, Fault>>, missing_ok: bool) -> Result<Vec<Tree>, Fault> {
    let mut trees = Vec::with_capacity(found.len());
    let mut missing: Option<Fault> = None;
    for result in found {
        match (result, missing.take()) {
            (Ok(tree), first) => {
                trees.push(tree);
                missing = first;
            }
            (Err(fault), first) if fault.kind == Kind::NotFound => {
                missing = Some(match first {
                    Some(first) => first.note(fault.message),
                    None => fault,
                });
            }
            (Err(fault), _) => return Err(fault),
        }
    }
    match missing {
        Some(fault) if !missing_ok => Err(fault),
        _ => Ok(trees),
    }
}

fn read_all(context: &NativeCallContext, cluster: &Cluster, kind: &str, options: Map) -> Outcome<Array> {
    let options = context.options("k8s::list", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let selection = given::selection(&options, cluster).map_err(|fault| context.raise(fault))?;
    let (cluster, kind) = (cluster.here(), kind.to_owned());
    let listed =
        context.wait(Waiting::request(format!("the list of {kind} of {cluster}"), timeout), |_| async move {
            let resource = cluster.resolve(&kind).await?;
            cluster.list(&resource, &selection).await
        })?;
    Ok(listed.objects.iter().map(Tree::to_dynamic).collect())
}
