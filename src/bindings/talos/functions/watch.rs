//! Watching resources of a node, as scripts see it.

use rhai::{Dynamic, FnPtr, Map, NativeCallContext, plugin::*};

use crate::{
    bindings::talos::{
        machines::Talos,
        resources::{resolve, tree},
        watch::Watch,
    },
    event::WaitEnd,
    host::wait::{Interrupted, Waiting},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
    },
};

#[export_module]
pub mod functions {
    /// Calls a closure for each change of the resources of a type.
    #[rhai_fn(global, name = "watch", pure, return_raw)]
    pub fn watch(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        of: &str,
        change: FnPtr,
    ) -> Outcome<Dynamic> {
        watch_on(&context, talos, node, of, &change, Map::new())
    }

    /// Calls a closure for each change of the resources of a type, until it says `true` or the time is up.
    ///
    /// What is there already comes first, as `added`. The watch is begun again where it breaks, be it that the node boots:
    /// nothing comes twice, and what went meanwhile comes as it was.
    ///
    /// # Parameters
    /// - `talos` (talos): the connection
    /// - `node` (text): the node
    /// - `of` (text): their type, by any name that `talosctl get` takes
    /// - `change` (function): is given `added`, `modified` or `deleted`, and the resource; `true` ends the watch
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the type's own): where they are
    /// - `id` (text): only this one
    /// - `timeout` (duration, `5m`): how long to watch
    ///
    /// # Returns
    /// The resource at which the closure said `true`; `()` if the time was up and the closure never said `true` or `false`.
    ///
    /// # Faults
    /// - `timeout`: the closure said `false` to the end
    /// - `unsupported`: the node has no such type
    /// - `denied`: the certificate may not see them
    /// - `usage`: the closure says something else than `true`, `false` or nothing
    /// - `unreachable`: no endpoint gets through to the node
    ///
    /// # Example
    /// ```rhai cluster
    /// let lab = talos::connect("talosconfig");
    /// lab.watch("10.17.13.86", "machinestatus", |change, status| {
    ///     print(status.spec.stage);
    ///     status.spec.stage == "running"
    /// }, #{ timeout: "10m" });
    /// ```
    #[rhai_fn(global, name = "watch", pure, return_raw)]
    pub fn watch_with_options(
        context: NativeCallContext,
        talos: &mut Talos,
        node: &str,
        of: &str,
        change: FnPtr,
        options: Map,
    ) -> Outcome<Dynamic> {
        watch_on(&context, talos, node, of, &change, options)
    }
}

fn watch_on(
    context: &NativeCallContext,
    talos: &Talos,
    name: &str,
    of: &str,
    change: &FnPtr,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options("talos::watch", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let node = talos.node(name).map_err(raise)?;
    let host = context.host();
    let mut wait = host.begin(Waiting::until(format!("changes of {of} of node {node}"), timeout));
    let progress = wait.progress();
    let (asked, wanted) = (node.clone(), of.to_owned());
    let of = context.drive(&mut wait, async move { resolve(&asked, &wanted).await })?;
    let namespace = options.text("namespace").unwrap_or_else(|| of.namespace.to_string());
    let mut watch = Watch::new(node.clone(), of.clone(), namespace, options.text("id"));
    let mut asked = false;
    loop {
        let telling = progress.clone();
        let next = wait.drive(async move { (watch.next(&telling).await, watch) });
        let (came, back) = match next {
            Ok(next) => next,
            // Who only looks on has seen what was to be seen.
            Err(Interrupted::TimedOut { .. }) if !asked => {
                wait.end(WaitEnd::Met);
                return Ok(Dynamic::UNIT);
            }
            Err(interrupted) => return Err(context.interrupted(interrupted)),
        };
        watch = back;
        let (word, resource) = came.map_err(raise)?;
        let shown = tree(&host, &node, &of, &resource).map_err(raise)?.to_dynamic();
        let said = change.call_within_context::<Dynamic>(context, (word, shown.clone()))?;
        match (said.is_unit(), said.as_bool()) {
            (true, _) => {}
            (false, Ok(false)) => {
                asked = true;
                progress.because("no change so far was the one");
            }
            (false, Ok(true)) => {
                wait.end(WaitEnd::Met);
                return Ok(shown);
            }
            (false, Err(kind)) => {
                let message = format!("the closure of `talos::watch` gave a `{kind}`, not `true`, `false` or nothing");
                return Err(raise(Fault::new(Kind::Usage, message).hint("end it with `;` to say nothing")));
            }
        }
    }
}
