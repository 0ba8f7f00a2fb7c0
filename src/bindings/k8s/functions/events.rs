//! Reading what happened.

use rhai::{Array, Map, NativeCallContext, plugin::*};

use super::given;
use crate::{
    host::wait::Waiting,
    kubernetes::{
        client::Cluster,
        events::{self, Wanted},
    },
    script::{conductor::Outcome, context::Call, fault::Fault, values::tree::Tree},
};

#[export_module]
pub mod functions {
    /// Lists the events of the context's namespace, oldest first.
    #[rhai_fn(global, pure, return_raw)]
    pub fn events(context: NativeCallContext, cluster: &mut Cluster) -> Outcome<Array> {
        read(&context, cluster, None, Map::new())
    }

    /// Lists the events that the options select, oldest first.
    #[rhai_fn(global, name = "events", pure, return_raw)]
    pub fn events_selected(context: NativeCallContext, cluster: &mut Cluster, options: Map) -> Outcome<Array> {
        read(&context, cluster, None, options)
    }

    /// Lists the events about one object, oldest first.
    #[rhai_fn(global, name = "events", pure, return_raw)]
    pub fn events_about(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<Array> {
        read(&context, cluster, Some((kind, name)), Map::new())
    }

    /// Lists what happened in a namespace, in all of them, or to one object, oldest first.
    ///
    /// A cluster forgets events, by default after an hour. What happens again and again is one event that counts.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): of the object that they are about; left out for all
    /// - `name` (text): the object's name; it may be gone by now
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where to look
    /// - `all_namespaces` (boolean, `false`): in all namespaces
    /// - `warnings` (boolean, `false`): only warnings
    /// - `reason` (text): only with this reason, such as `FailedScheduling`
    /// - `since` (duration): only what was seen since then
    /// - `timeout` (duration, `30s`): how long to ask
    ///
    /// # Returns
    /// A list of objects: `time` and `first` (when it was seen last and first), `count`, `type` (`Normal` or `Warning`),
    /// `reason`, `message`, `about` (`pod/web-0`), `kind`, `name` and `namespace` of the object it is about, and `source`,
    /// whoever says so.
    ///
    /// # Faults
    /// - `unsupported`: the cluster has no such kind
    /// - `denied`: this user may not list events there
    /// - `usage`: both a namespace and all of them are asked for
    /// - `timeout`: no answer in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// for event in cluster.events(#{ all_namespaces: true, warnings: true, since: "10m" }) {
    ///     print(`${event.time} ${event.about}: ${event.reason}: ${event.message} (${event.count} times)`);
    /// }
    /// let of_one = cluster.events("deployment", "web", #{ namespace: "default" });
    /// ```
    #[rhai_fn(global, name = "events", pure, return_raw)]
    pub fn events_about_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<Array> {
        read(&context, cluster, Some((kind, name)), options)
    }
}

fn read(context: &NativeCallContext, cluster: &Cluster, about: Option<(&str, &str)>, options: Map) -> Outcome<Array> {
    let options = context.options("k8s::events", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let everywhere = options.flag("all_namespaces");
    given::only_one_scope(&options).map_err(raise)?;
    let mut wanted = Wanted {
        namespace: (!everywhere).then(|| given::namespace(&options, cluster)),
        about: None,
        warnings: options.flag("warnings"),
        reason: options.text("reason"),
        since: options.duration("since").map_err(raise)?,
    };
    let (cluster, about) = (cluster.here(), about.map(|(kind, name)| (kind.to_owned(), name.to_owned())));
    let asked = Waiting::request(format!("the events of {cluster}"), timeout);
    let happened = context.wait(asked, |_| async move {
        if let Some((kind, name)) = about {
            let resource = cluster.resolve(&kind).await?;
            // Events about what belongs to no namespace are kept in `default`.
            if !resource.namespaced && wanted.namespace.is_some() {
                wanted.namespace = Some("default".to_owned());
            }
            wanted.about = Some((resource.kind, name));
        }
        events::happened(&cluster, &wanted).await
    })?;
    Ok(happened.iter().map(Tree::to_dynamic).collect())
}
