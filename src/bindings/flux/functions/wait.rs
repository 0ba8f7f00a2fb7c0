//! Waiting for objects of Flux, each on a line of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::StreamExt;
use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};

use super::target::{self, given_up};
use crate::{
    bindings::flux::{
        kind::{FluxKind, Reference},
        standing,
    },
    event::WaitEnd,
    host::{
        Host,
        wait::{Interrupted, Wait, Waiting},
    },
    kubernetes::{
        client::Cluster,
        object,
        wait::Verdict,
        waited::{Enough, Group, Waited, Which},
        watch::Seen,
    },
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
        values::tree::Tree,
    },
};

/// How many objects have a line of their own at once, and how many are told of in a fault.
const LINES: usize = 20;
const TOLD: usize = 10;

/// How long it may take to find out which kinds the cluster has.
const LOOK: Duration = Duration::from_secs(30);

#[export_module]
pub mod functions {
    /// Waits until an object of Flux is ready.
    #[rhai_fn(pure, return_raw)]
    pub fn wait(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: Dynamic) -> Outcome<Dynamic> {
        wait_named(&context, cluster, kind, &name, Map::new())
    }

    /// Waits until all that the options select are ready.
    #[rhai_fn(name = "wait", pure, return_raw)]
    pub fn wait_selected(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        wait_for_selected(&context, cluster, kind, options)
    }

    /// Waits until an object of Flux is ready, several are, or all that the options select.
    ///
    /// Ready is what is Ready at its latest generation. Each object that isn't has a line of its own, with its reason, until it
    /// is. The objects may still be to come, and their kind, too; what is added while it waits is waited for as well.
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
    /// - `at_least` (integer, `1`): so many have to be there, where the options select
    /// - `steady` (duration): so long all have to be ready, and no others come
    /// - `fail_fast` (boolean, `true`): fail as soon as one is stalled or suspended
    /// - `timeout` (duration, `5m`): how long to wait
    ///
    /// # Returns
    /// How it stands then, as `flux::get` gives it; a list if there may be several.
    ///
    /// # Faults
    /// - `timeout`: they did not become ready in time; the notes say how each stands
    /// - `failed`: one of them is stalled or suspended; the notes say how each stands
    /// - `usage`: Flux has no such kind, or options contradict each other
    /// - `denied`: this user may not watch them
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// let all = #{ all_namespaces: true, labels: "cozystack.io/system-app=true", at_least: 20, timeout: "15m" };
    /// flux::wait(cluster, "helmrelease", all);
    /// ```
    #[rhai_fn(name = "wait", pure, return_raw)]
    pub fn wait_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: Dynamic,
        options: Map,
    ) -> Outcome<Dynamic> {
        wait_named(&context, cluster, kind, &name, options)
    }
}

fn wait_named(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    name: &Dynamic,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options("flux::wait", options)?;
    let read = || -> Result<_, Fault> {
        let selectors = options.flag("all_namespaces") || options.value("labels").is_some();
        if selectors {
            let fault = Fault::new(Kind::Usage, "both a name and what selects are given");
            return Err(fault.hint("keep one of them"));
        }
        let names: BTreeSet<String> =
            target::several(cluster, kind, name, &options)?.into_iter().map(|one| one.name).collect();
        Order::read(FluxKind::named(kind)?, &options, |kind| {
            Group::of_names(&kind.full_name(), &target::namespace(&options, cluster), names)
        })
    };
    let order = read().map_err(|fault| context.raise(fault))?;
    let mut all = wait_on(context, cluster, order)?;
    Ok(if name.is_array() { all.into() } else { all.pop().unwrap_or_default() })
}

fn wait_for_selected(context: &NativeCallContext, cluster: &Cluster, kind: &str, options: Map) -> Outcome<Dynamic> {
    let options = context.options("flux::wait", options)?;
    let read = || -> Result<_, Fault> {
        let which = Which::Selected(target::selected(cluster, &options)?);
        Order::read(FluxKind::named(kind)?, &options, |kind| vec![Group { kind: kind.full_name(), which }])
    };
    let order = read().map_err(|fault| context.raise(fault))?;
    wait_on(context, cluster, order).map(Dynamic::from)
}

/// What a script orders to wait for.
struct Order {
    kind: &'static FluxKind,
    groups: Vec<Group>,
    at_least: usize,
    steady: Option<Duration>,
    fail_fast: bool,
    timeout: Duration,
}

impl Order {
    fn read(
        kind: &'static FluxKind,
        options: &Options,
        groups: impl FnOnce(&FluxKind) -> Vec<Group>,
    ) -> Result<Self, Fault> {
        let at_least = options.integer("at_least").unwrap_or(1);
        let at_least = usize::try_from(at_least).map_err(|_| {
            Fault::new(Kind::Usage, format!("option `at_least` is {at_least}")).hint("it is 0, or more")
        })?;
        Ok(Self {
            kind,
            groups: groups(kind),
            at_least,
            steady: options.duration("steady")?,
            fail_fast: options.flag("fail_fast"),
            timeout: options.deadline("timeout")?,
        })
    }
}

/// A line for each object that isn't ready.
struct Lines<'h> {
    host: &'h Host,
    timeout: Duration,
    open: BTreeMap<Reference, Wait<'h>>,
}

impl Lines<'_> {
    fn tell(&mut self, reference: Reference, verdict: &Verdict) {
        let (Verdict::Waiting(because) | Verdict::Hopeless(because)) = verdict else {
            if let Some(mut line) = self.open.remove(&reference) {
                line.end(WaitEnd::Met);
            }
            return;
        };
        if self.open.len() < LINES || self.open.contains_key(&reference) {
            let what = Waiting::until(reference.to_string(), self.timeout);
            let line = self.open.entry(reference).or_insert_with(|| self.host.begin(what));
            line.progress().because(because.as_str());
        }
    }
}

fn wait_on(context: &NativeCallContext, cluster: &Cluster, order: Order) -> Outcome<Array> {
    let Order { kind, groups, at_least, steady, fail_fast, timeout } = order;
    let cluster = cluster.here();
    let host = context.host();
    // Only to call the kind by its name: it may still be to come.
    let known = cluster.clone();
    let asked = Waiting::request(format!("whether {cluster} has Flux"), LOOK);
    let _ = host
        .wait(asked, |_| async move { kind.resolve(&known).await })
        .map_err(|stopped| context.interrupted(stopped))?;

    let mut waited = Waited::new(cluster, groups, Enough::All, false);
    let several = !waited.is_about_one();
    let what = format!("{} to be ready", waited.what());
    let mut sights = waited.observe();
    let mut wait = host.begin(Waiting::until(what.clone(), timeout));
    let progress = wait.progress();
    let mut lines = Lines { host: &host, timeout, open: BTreeMap::new() };
    let mut is_ready = false;
    loop {
        let rest = steady.filter(|_| is_ready).map(|steady| host.clock.sleep(steady));
        let next = wait.drive(async move {
            let rested = async {
                match rest {
                    Some(rest) => rest.await,
                    None => std::future::pending().await,
                }
            };
            let sight = tokio::select! {
                biased;
                sight = sights.next() => sight,
                () = rested => None,
            };
            (sight, sights)
        });
        let (sight, back) = match next {
            Ok(next) => next,
            Err(interrupted) => {
                if matches!(interrupted, Interrupted::TimedOut { .. }) {
                    wait.end(WaitEnd::TimedOut);
                }
                return Err(given_up(context, interrupted, notes(&waited)));
            }
        };
        sights = back;
        let rested = sight.is_none();
        if let Some((group, seen)) = sight {
            let seen = seen.map_err(|fault| context.raise(fault))?;
            if several && let Seen::Object(found) | Seen::Gone(found) = &seen {
                let named = Reference::new(kind, object::namespace(found).unwrap_or_default(), object::name(found));
                let verdict = if matches!(seen, Seen::Gone(_)) { Verdict::Met } else { standing::judge(found) };
                lines.tell(named, &verdict);
            }
            let judged: Result<(), Fault> = waited.see(group, seen, |object| Ok(standing::judge(object)));
            judged.map_err(|fault| context.raise(fault))?;
        }
        let met = waited.met().count();
        is_ready = waited.verdict() == Verdict::Met && met >= at_least;
        match waited.verdict() {
            _ if is_ready && (rested || steady.is_none()) => {
                wait.end(WaitEnd::Met);
                return Ok(waited.met().map(|found| shown(kind, found)).collect());
            }
            Verdict::Met if !is_ready => progress.because(format!("{met} are ready, of at least {at_least}")),
            Verdict::Met => progress.because(format!("all {met} are ready; others may still come")),
            Verdict::Hopeless(why) if fail_fast => {
                let fault = Fault::new(Kind::Failed, format!("waiting for {what} is in vain: {why}"));
                let fault = if several { fault.notes(notes(&waited)) } else { fault };
                return Err(context.raise(fault.hint("`flux::explain` says what is behind it")));
            }
            Verdict::Waiting(why) | Verdict::Hopeless(why) => {
                if !why.is_empty() {
                    progress.because(why);
                }
            }
        }
    }
}

fn shown(kind: &'static FluxKind, found: &Tree) -> Dynamic {
    let namespace = object::namespace(found).unwrap_or_default();
    standing::shown(&Reference::new(kind, namespace, object::name(found)), found).to_dynamic()
}

/// How those stand that aren't ready.
fn notes(waited: &Waited) -> Vec<String> {
    let mut lines = waited.lines();
    let more = lines.len().saturating_sub(TOLD);
    lines.truncate(TOLD);
    lines.extend((more > 0).then(|| format!("and {more} more")));
    lines
}
