//! Waiting: the script thread judges closures, the futures in between watch.

use std::time::Duration;

use rhai::{Dynamic, EvalAltResult, FnPtr, Map, NativeCallContext, plugin::*};

use super::given;
use crate::{
    bindings::k8s::{
        client::{Cluster, Selection},
        explain,
        object::{self, text},
        wait::{Trouble, Until, Verdict, worst},
        watch::{Observer, Seen},
    },
    duration,
    event::WaitEnd,
    host::wait::{Interrupted, Progress, Wait, Waiting},
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

#[export_module]
pub mod functions {
    /// Waits until an object is ready.
    #[rhai_fn(global, pure, return_raw)]
    pub fn wait(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<Dynamic> {
        wait_for(&context, cluster, kind, name, None, Map::new())
    }

    /// Waits until an object is as it should be, or as the options say.
    #[rhai_fn(global, name = "wait", pure, return_raw)]
    pub fn wait_until(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        until: Dynamic,
    ) -> Outcome<Dynamic> {
        match until.read_lock::<Map>().map(|options| options.clone()) {
            Some(options) => wait_for(&context, cluster, kind, name, None, options),
            None => wait_for(&context, cluster, kind, name, Some(until), Map::new()),
        }
    }

    /// Waits until an object is as it should be.
    ///
    /// It watches, so it sees a change at once. The object, its namespace and even its kind may still be to come. A condition
    /// counts only if it speaks of the object's latest generation. The wait fails early when the object can no longer become
    /// so by itself: a failed Job, a Deployment past its progress deadline, `Stalled=True`, or pods that have had no image or
    /// crashed one time after another for longer than `grace`. While it waits it says why it isn't so yet; if it gives up,
    /// the notes have the conditions, the warnings, and the end of the worst pod's log.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): plural, singular, short name or kind; `Kind.group` or `group/version/Kind` where that is not clear
    /// - `name` (text): the object's name
    /// - `until` (text or function): `ready`, `condition=Available`, `condition=Ready=False`, `exists`, `deleted`, or a closure
    ///   that is given the object and says `true` or `false`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `condition` (text): the condition that must be true, where `until` is not given
    /// - `namespace` (text, the context's own): where it is
    /// - `timeout` (duration, `5m`): how long to wait
    /// - `grace` (duration, `30s`): how long pods may be without an image, or crash, before the wait fails
    /// - `fail_fast` (boolean, `true`): fail as soon as it can no longer become so
    ///
    /// # Returns
    /// The object as it was then; `()` if its deletion was waited for.
    ///
    /// # Faults
    /// - `timeout`: it did not become so in time; the notes say why
    /// - `failed`: it can no longer become so; the notes say why
    /// - `denied`: this user may not watch it
    /// - `usage`: `until` can't be understood, or the closure says neither `true` nor `false`
    /// - `tls`: the server can't be trusted
    ///
    /// # Example
    /// ```rhai cluster
    /// cluster.wait("namespace", "default", |space| space.status.phase == "Active", #{ timeout: "10s" });
    /// ```
    #[rhai_fn(global, name = "wait", pure, return_raw)]
    pub fn wait_until_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        until: Dynamic,
        options: Map,
    ) -> Outcome<Dynamic> {
        wait_for(&context, cluster, kind, name, Some(until), options)
    }
}

/// How often the pods are looked at while their owner isn't ready.
const LOOK: Duration = Duration::from_secs(2);

/// How long finding out why may take after time was up.
const DIAGNOSIS: Duration = Duration::from_secs(5);

/// What decides.
enum Judge {
    Rule(Until),
    Closure(FnPtr),
}

impl Judge {
    fn read(until: Option<&Dynamic>, condition: Option<String>) -> Result<Self, Fault> {
        match (until, condition) {
            (Some(_), Some(_)) => {
                Err(Fault::new(Kind::Usage, "what to wait for is given twice: as a parameter and as `condition`")
                    .hint("leave one of them out"))
            }
            (None, None) => Ok(Judge::Rule(Until::Ready)),
            (None, Some(condition)) => Until::read(&format!("condition={condition}")).map(Judge::Rule),
            (Some(until), None) => match until.clone().try_cast::<FnPtr>() {
                Some(closure) => Ok(Judge::Closure(closure)),
                None => Until::read(&until.to_string()).map(Judge::Rule),
            },
        }
    }

    fn shown(&self) -> String {
        match self {
            Judge::Rule(until) => until.shown(),
            Judge::Closure(_) => "to be as asked".to_owned(),
        }
    }

    fn waits_for_deletion(&self) -> bool {
        matches!(self, Judge::Rule(Until::Deleted))
    }

    fn needs_progress(&self) -> bool {
        match self {
            Judge::Rule(until) => until.needs_progress(),
            Judge::Closure(_) => true,
        }
    }

    fn judge(&self, context: &NativeCallContext, object: &Tree) -> Outcome<Verdict> {
        let closure = match self {
            Judge::Rule(until) => return Ok(until.judge(object)),
            Judge::Closure(closure) => closure,
        };
        let whole = object::whole(object.clone()).map_err(|fault| context.raise(fault))?;
        let said = match closure.call_within_context::<Dynamic>(context, (whole,)) {
            Ok(said) => said,
            // What is not there yet can't be as asked.
            Err(error) => match innermost_fault(&error) {
                Some(fault) if fault.kind == Kind::Absent => return Ok(Verdict::Waiting(fault.message)),
                _ => return Err(error),
            },
        };
        match said.as_bool() {
            Ok(true) => Ok(Verdict::Met),
            Ok(false) => Ok(match Until::Ready.judge(object) {
                Verdict::Met => Verdict::Waiting("it is not yet as asked".to_owned()),
                other => other,
            }),
            Err(kind) => {
                let fault = Fault::new(
                    Kind::Usage,
                    format!("the closure of `k8s::wait` gave a `{kind}`, not `true` or `false`"),
                );
                Err(context.raise(fault.hint("such as `|o| o.status.phase == \"Running\"`")))
            }
        }
    }
}

fn innermost_fault(error: &EvalAltResult) -> Option<Fault> {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => innermost_fault(inner),
        other => Fault::of(other),
    }
}

/// One piece of a wait: what was seen, or that it is time to look at the pods.
enum Piece {
    Seen(Seen),
    Look(Option<Trouble>),
}

fn wait_for(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    name: &str,
    until: Option<Dynamic>,
    options: Map,
) -> Outcome<Dynamic> {
    let options = context.options("k8s::wait", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let grace = options.deadline("grace").map_err(raise)?;
    let judge = Judge::read(until.as_ref(), options.text("condition")).map_err(raise)?;
    let fail_fast = options.flag("fail_fast");
    let cluster = cluster.here();
    let namespace = given::namespace(&options, &cluster);
    let object = cluster.shown(kind, &namespace, name);
    let what = format!("{object} {}", judge.shown());

    let host = context.host();
    let mut wait = host.begin(Waiting::until(what.clone(), timeout));
    let progress = wait.progress();
    let selection = Selection {
        namespace: Some(namespace.clone()),
        fields: Some(format!("metadata.name={name}")),
        ..Selection::default()
    };
    let mut observer = Observer::new(cluster.clone(), kind.to_owned(), selection);
    let mut last: Option<Tree> = None;
    let mut because = String::new();
    let mut stuck_since: Option<(String, Duration)> = None;
    loop {
        // Pods are of interest only while their owner is there and not as it should be.
        let looked_at = last.clone().filter(|_| judge.needs_progress());
        let (piece, back) = match wait.drive(piece(observer, cluster.clone(), looked_at)) {
            Ok((piece, back)) => (piece.map_err(raise)?, back),
            Err(interrupted) => return Err(given_up(context, &cluster, &mut wait, interrupted, last.as_ref())),
        };
        observer = back;
        match piece {
            Piece::Seen(Seen::Absent) if judge.waits_for_deletion() => {
                wait.end(WaitEnd::Met);
                return Ok(Dynamic::UNIT);
            }
            Piece::Seen(Seen::Absent) => {
                last = None;
                because = format!("there is no {object} yet");
                progress.because(because.clone());
            }
            Piece::Seen(Seen::NotYet(why)) => progress.because(why),
            Piece::Seen(Seen::Object(object)) => {
                match judge.judge(context, &object)? {
                    Verdict::Met => {
                        wait.end(WaitEnd::Met);
                        return Ok(object.to_dynamic());
                    }
                    Verdict::Hopeless(why) if fail_fast => {
                        return Err(hopeless(context, &cluster, &mut wait, &what, &why, &object));
                    }
                    Verdict::Waiting(why) | Verdict::Hopeless(why) => because = why,
                }
                tell(
                    &progress,
                    &because,
                    worst(std::slice::from_ref(&object)).filter(|_| object::kind(&object) == "Pod"),
                );
                last = Some(object);
            }
            Piece::Look(trouble) => {
                let now = host.clock.elapsed();
                let stays = trouble.as_ref().filter(|trouble| trouble.stays).map(|trouble| trouble.pod.clone());
                stuck_since = match (stays, stuck_since) {
                    (Some(_), Some(since)) => Some(since),
                    (Some(pod), None) => Some((pod, now)),
                    (None, _) => None,
                };
                tell(&progress, &because, trouble.clone());
                if let (Some((_, since)), Some(trouble), Some(object)) = (&stuck_since, &trouble, &last)
                    && fail_fast
                    && now.saturating_sub(*since) >= grace
                {
                    let why = format!("{trouble}, for {}", duration::show(now.saturating_sub(*since)));
                    return Err(hopeless(context, &cluster, &mut wait, &what, &why, object));
                }
            }
        }
    }
}

fn tell(progress: &Progress, because: &str, trouble: Option<Trouble>) {
    match trouble {
        Some(trouble) => progress.because(format!("{because}; {trouble}")),
        None => progress.because(because.to_owned()),
    }
}

/// Waits for the next thing to be seen of the object; if that takes long, looks at its pods instead.
async fn piece(mut observer: Observer, cluster: Cluster, object: Option<Tree>) -> (Result<Piece, Fault>, Observer) {
    let pause = cluster.host().clock.sleep(LOOK);
    let look = async {
        match &object {
            None => std::future::pending().await,
            Some(object) => {
                pause.await;
                match explain::look(&cluster, object).await {
                    Ok(trouble) => trouble,
                    // Whoever may not see the pods waits without them.
                    Err(_) => std::future::pending().await,
                }
            }
        }
    };
    let piece = tokio::select! {
        biased;
        seen = observer.next() => seen.map(Piece::Seen),
        trouble = look => Ok(Piece::Look(trouble)),
    };
    (piece, observer)
}

fn hopeless(
    context: &NativeCallContext,
    cluster: &Cluster,
    wait: &mut Wait<'_>,
    what: &str,
    why: &str,
    object: &Tree,
) -> Box<EvalAltResult> {
    wait.end(WaitEnd::Failed);
    let fault = Fault::new(Kind::Failed, format!("waiting for {what} is in vain: {why}"));
    context.raise(
        fault
            .notes(notes(context, cluster, object))
            .hint("mend it and run the step again, or wait on with `fail_fast: false`"),
    )
}

fn given_up(
    context: &NativeCallContext,
    cluster: &Cluster,
    wait: &mut Wait<'_>,
    interrupted: Interrupted,
    last: Option<&Tree>,
) -> Box<EvalAltResult> {
    let Interrupted::TimedOut { what, after, because } = interrupted else { return context.interrupted(interrupted) };
    wait.end(WaitEnd::TimedOut);
    let mut fault = Fault::new(Kind::Timeout, format!("gave up waiting for {what} after {}", duration::show(after)));
    fault = fault.notes(because.map(|because| format!("last seen: {because}")));
    if let Some(object) = last {
        fault = fault.notes(notes(context, cluster, object));
    }
    context.raise(fault)
}

/// What may explain it, if that can be found out in a moment.
fn notes(context: &NativeCallContext, cluster: &Cluster, object: &Tree) -> Vec<String> {
    let asked = Waiting::request(
        format!("why {} is not so", text(object, &["metadata", "name"]).unwrap_or_default()),
        DIAGNOSIS,
    );
    let (cluster, object) = (cluster.clone(), object.clone());
    let found = context.host().wait(asked, |_| async move { explain::diagnose(&cluster, &object).await });
    found.unwrap_or_default()
}
