//! Reading logs.

use futures::{StreamExt, stream};
use rhai::{Map, NativeCallContext, plugin::*};

use super::given;
use crate::{
    bindings::k8s::{
        client::{Cluster, Selection},
        explain::LogOptions,
        object,
    },
    host::wait::Waiting,
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
    },
};

#[export_module]
pub mod functions {
    /// Reads the log of a pod.
    #[rhai_fn(global, pure, return_raw)]
    pub fn logs(context: NativeCallContext, cluster: &mut Cluster, pod: &str) -> Outcome<String> {
        read(&context, cluster, Some(pod), Map::new())
    }

    /// Reads the logs of the pods that the options select.
    #[rhai_fn(global, name = "logs", pure, return_raw)]
    pub fn logs_of_selected(context: NativeCallContext, cluster: &mut Cluster, options: Map) -> Outcome<String> {
        read(&context, cluster, None, options)
    }

    /// Reads the log of a pod, of all pods of a workload (`deployment/web`), or of the pods with some labels.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `pod` (text): the pod's name, or `kind/name` of a workload; left out where the option `labels` selects
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `labels` (text or map): the pods with these labels: `app=web`, or a map
    /// - `container` (text): which container, if there are several
    /// - `tail` (integer): only that many last lines
    /// - `since` (duration): only what was written since then
    /// - `previous` (boolean, `false`): of the container that ran before and crashed
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// A text; with several pods each line begins with the pod's name.
    ///
    /// # Faults
    /// - `not_found`: there is no such pod
    /// - `invalid`: it has several containers and none is named, or none has run yet
    /// - `denied`: this user may not read it
    /// - `usage`: neither a pod nor labels are given
    /// - `unavailable`: the node does not answer
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// print(cluster.logs(#{ labels: "app=nothing-has-this", namespace: "default", tail: 20 }));
    /// ```
    #[rhai_fn(global, name = "logs", pure, return_raw)]
    pub fn logs_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        pod: &str,
        options: Map,
    ) -> Outcome<String> {
        read(&context, cluster, Some(pod), options)
    }
}

/// How many logs are read at once.
const AT_ONCE: usize = 8;

fn read(context: &NativeCallContext, cluster: &Cluster, pod: Option<&str>, options: Map) -> Outcome<String> {
    let options = context.options("k8s::logs", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let labels = given::selector(&options, "labels").map_err(raise)?;
    let wanted = log_options(&options).map_err(raise)?;
    let namespace = given::namespace(&options, cluster);
    let (cluster, pod) = (cluster.here(), pod.map(str::to_owned));
    let what = format!("the log of {} of {cluster}", pod.as_deref().or(labels.as_deref()).unwrap_or_default());
    context.wait(Waiting::request(what, timeout), |_| async move {
        let pods = match (pod, labels) {
            (Some(pod), None) if !pod.contains('/') => return cluster.log(&namespace, &pod, &wanted).await,
            (Some(workload), None) => pods_of(&cluster, &namespace, &workload).await?,
            (None, Some(labels)) => {
                let selection =
                    Selection { namespace: Some(namespace.clone()), labels: Some(labels), ..Selection::default() };
                cluster.list(&cluster.resolve("pods").await?, &selection).await?.objects
            }
            (Some(_), Some(_)) => {
                return Err(Fault::new(Kind::Usage, "both a pod and `labels` are given").hint("keep one of them"));
            }
            (None, None) => {
                return Err(Fault::new(Kind::Usage, "neither a pod nor `labels` are given").hint("give one of them"));
            }
        };
        let names: Vec<String> = pods.iter().map(|pod| object::name(pod).to_owned()).collect();
        let work: Vec<_> = names.iter().map(|name| cluster.log(&namespace, name, &wanted)).collect();
        let logs: Vec<Result<String, Fault>> = stream::iter(work).buffered(AT_ONCE).collect().await;
        let mut all = String::new();
        for (name, log) in names.iter().zip(logs) {
            for line in log?.lines() {
                all.push_str(&format!("{name}: {line}\n"));
            }
        }
        Ok(all)
    })
}

async fn pods_of(
    cluster: &Cluster,
    namespace: &str,
    workload: &str,
) -> Result<Vec<crate::script::values::tree::Tree>, Fault> {
    let (kind, name) = workload.rsplit_once('/').expect("it was looked for the slash");
    let resource = cluster.resolve(kind).await?;
    let owner = cluster.read(&resource, namespace, name).await?;
    let pods = cluster.pods_of(&owner).await?;
    match pods.is_empty() {
        true => Err(Fault::new(Kind::NotFound, format!("`{workload}` in `{namespace}` has no pods"))),
        false => Ok(pods),
    }
}

fn log_options(options: &Options) -> Result<LogOptions, Fault> {
    let tail = options.integer("tail").map(|tail| {
        u64::try_from(tail).map_err(|_| {
            Fault::new(Kind::Usage, format!("option `tail` is {tail}: there are no fewer lines than none"))
        })
    });
    Ok(LogOptions {
        container: options.text("container"),
        tail: tail.transpose()?,
        previous: options.flag("previous"),
        since: options.duration("since")?,
    })
}
