//! Watching, as scripts see it.

use std::collections::BTreeSet;

use rhai::{Dynamic, FnPtr, Map, NativeCallContext, plugin::*};

use super::given;
use crate::{
    event::WaitEnd,
    host::wait::{Interrupted, Waiting},
    kubernetes::{
        client::Cluster,
        object,
        watch::{Observer, Seen},
    },
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

#[export_module]
pub mod functions {
    /// Calls a closure for each change of the objects of a kind.
    #[rhai_fn(global, pure, return_raw)]
    pub fn watch(context: NativeCallContext, cluster: &mut Cluster, kind: &str, change: FnPtr) -> Outcome<Dynamic> {
        watch_on(&context, cluster, kind, &change, Map::new())
    }

    /// Calls a closure for each change of the objects of a kind, until it says `true` or the time is up.
    ///
    /// What is there already comes first, as `added`. The changes come one at a time, and those of one object in their order.
    /// None is lost and none comes twice, also when the connection breaks, the server is away for a while, or it no longer
    /// knows what this watch has seen: then an object comes as it is now, and one that is gone as it was. The closure may take
    /// its time, and use the cluster.
    ///
    /// To wait until something is so, `wait` is the better choice: it says why it isn't.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): plural, singular, short name or kind; `Kind.group` or `group/version/Kind` where that is not clear
    /// - `change` (function): is given `added`, `modified` or `deleted`, and the object; `true` ends the watch
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where they are
    /// - `all_namespaces` (boolean, `false`): in all namespaces
    /// - `labels` (text or map): only with these labels: `app=web,tier!=db`, or a map of those that must be equal
    /// - `fields` (text or map): only with these fields, such as `metadata.name=web`
    /// - `existing` (boolean, `true`): also what is there already
    /// - `keep_managed_fields` (boolean, `false`): with `metadata.managedFields`
    /// - `timeout` (duration, `5m`): how long to watch
    ///
    /// # Returns
    /// The object at which the closure said `true`; `()` if the time was up and the closure never said `true` or `false`.
    ///
    /// # Faults
    /// - `timeout`: the closure said `false` to the end
    /// - `denied`: this user may not watch them
    /// - `invalid`: a selector can't be understood
    /// - `usage`: the closure says something else than `true`, `false` or nothing
    /// - `tls`: the server can't be trusted
    ///
    /// # Example
    /// ```rhai cluster
    /// let found = cluster.watch("namespaces", |change, space| {
    ///     print(`${space.metadata.name} is ${change}`);
    ///     space.metadata.name == "default"
    /// }, #{ timeout: "10s" });
    /// ```
    #[rhai_fn(global, name = "watch", pure, return_raw)]
    pub fn watch_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        change: FnPtr,
        options: Map,
    ) -> Outcome<Dynamic> {
        watch_on(&context, cluster, kind, &change, options)
    }
}

fn watch_on(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    change: &FnPtr,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options("k8s::watch", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let selection = given::selection(&options, cluster).map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    let words = cluster.words_for(kind);
    let host = context.host();
    let what = format!("changes of {}{}", words.many, selection.shown(words.namespaced));
    let mut wait = host.begin(Waiting::until(what, timeout));
    let progress = wait.progress();
    let mut observer = Observer::new(cluster.clone(), kind.to_owned(), selection);
    let mut told = Told { existing: options.flag("existing"), known: BTreeSet::new() };
    let mut asked = false;
    loop {
        let next = wait.drive(async move { (observer.next().await, observer) });
        let (seen, back) = match next {
            Ok(next) => next,
            // Who only looks on has seen what was to be seen.
            Err(Interrupted::TimedOut { .. }) if !asked => {
                wait.end(WaitEnd::Met);
                return Ok(Dynamic::UNIT);
            }
            Err(interrupted) => return Err(context.interrupted(interrupted)),
        };
        observer = back;
        let Some((word, object)) =
            told.change(seen.map_err(|fault| context.raise(fault))?, |why| progress.because(why))
        else {
            continue;
        };
        let whole = object::whole(object.clone()).map_err(|fault| context.raise(fault))?;
        let said = change.call_within_context::<Dynamic>(context, (word, whole))?;
        match (said.is_unit(), said.as_bool()) {
            (true, _) => {}
            (false, Ok(false)) => {
                asked = true;
                progress.because("no change so far was the one");
            }
            (false, Ok(true)) => {
                wait.end(WaitEnd::Met);
                return Ok(object.to_dynamic());
            }
            (false, Err(kind)) => {
                let message = format!("the closure of `k8s::watch` gave a `{kind}`, not `true`, `false` or nothing");
                return Err(context.raise(Fault::new(Kind::Usage, message).hint("end it with `;` to say nothing")));
            }
        }
    }
}

/// What the closure has been told of.
struct Told {
    /// True if what is there already is told, too, or was.
    existing: bool,
    known: BTreeSet<String>,
}

impl Told {
    /// The change for the closure, if there is one; `away` is told why nothing can be seen.
    fn change(&mut self, seen: Seen, away: impl FnOnce(String)) -> Option<(&'static str, Tree)> {
        match seen {
            Seen::Object(object) => {
                let new = self.known.insert(object::uid(&object).unwrap_or_default().to_owned());
                self.existing.then_some((if new { "added" } else { "modified" }, object))
            }
            Seen::Gone(object) => {
                self.known.remove(object::uid(&object).unwrap_or_default());
                Some(("deleted", object))
            }
            Seen::Current | Seen::Absent => {
                self.existing = true;
                None
            }
            Seen::NoKind(why) | Seen::NotYet(why) => {
                away(why);
                None
            }
        }
    }
}
