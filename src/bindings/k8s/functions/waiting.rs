//! How a wait goes on: the script's thread judges, the futures in between watch.

use std::time::Duration;

use futures::{
    StreamExt,
    future::{self, BoxFuture},
    stream::{BoxStream, SelectAll},
};
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, NativeCallContext};

use super::warnings::{Concerned, Warnings};
use crate::{
    duration,
    event::{WaitEnd, What},
    host::wait::{Interrupted, Wait, Waiting},
    kubernetes::{
        client::Cluster,
        explain, object,
        trouble::{Trouble, worst},
        wait::{Until, Verdict},
        waited::{Enough, Group, Key, Sight, Waited, Which},
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

/// How often the pods are looked at while their owners aren't ready.
const LOOK: Duration = Duration::from_secs(2);

/// Of how many owners at once.
const LOOKED_AT: usize = 3;

/// How long finding out why may take after time was up.
const DIAGNOSIS: Duration = Duration::from_secs(5);

/// How many objects are told of, and how many are looked into, when a wait has failed.
const TOLD: usize = 10;
const DIAGNOSED: usize = 2;

/// What a script orders to wait for.
pub struct Order {
    groups: Vec<Group>,
    judge: Judge,
    enough: Enough,
    /// True if there may be several, so that a list is given back.
    several: bool,
    timeout: Duration,
    grace: Duration,
    fail_fast: bool,
}

impl Order {
    /// # Errors
    /// `usage`, if the options contradict each other.
    pub fn read(groups: Vec<Group>, judge: Judge, several: bool, options: &Options) -> Result<Self, Fault> {
        let selects = groups.iter().any(|group| matches!(group.which, Which::Selected(_)));
        let names = groups.iter().map(|group| match &group.which {
            Which::Named { names, .. } => names.len(),
            Which::Selected(_) => 0,
        });
        let names: usize = names.sum();
        let refuse = |message: String, hint: &str| Err(Fault::new(Kind::Usage, message).hint(hint));
        let enough = match (options.flag("any"), options.integer("count")) {
            (true, Some(_)) => return refuse("both `any` and `count` are given".to_owned(), "keep one of them"),
            (true, None) => Enough::AtLeast(1),
            (false, None) => Enough::All,
            (false, Some(count)) => match usize::try_from(count) {
                Ok(count @ 1..) if selects || count <= names => Enough::AtLeast(count),
                Ok(count @ 1..) => {
                    return refuse(format!("{count} of {names} can't be"), "`count` is how many of them are enough");
                }
                _ => return refuse(format!("option `count` is {count}"), "it is at least 1"),
            },
        };
        if selects && judge.waits_for_deletion() && enough != Enough::All {
            let message = "how many of those that are selected must be gone can't be said".to_owned();
            return refuse(message, "leave `count` and `any` out: all must be gone then");
        }
        let (timeout, grace) = (options.deadline("timeout")?, options.deadline("grace")?);
        Ok(Self { groups, judge, enough, several, timeout, grace, fail_fast: options.flag("fail_fast") })
    }

    /// For one object, by a rule.
    pub fn for_one(groups: Vec<Group>, until: Until, timeout: Duration, grace: Duration, fail_fast: bool) -> Self {
        Self { groups, judge: Judge::Rule(until), enough: Enough::All, several: false, timeout, grace, fail_fast }
    }
}

/// What decides.
pub enum Judge {
    Rule(Until),
    Closure { function: &'static str, closure: FnPtr },
}

impl Judge {
    /// What is given as a parameter, or in the options `until` and `condition`; `ready` if nothing is.
    ///
    /// # Errors
    /// `usage`, if it is given twice, or can't be read.
    pub fn read(function: &'static str, until: Option<&Dynamic>, options: &Options) -> Result<Self, Fault> {
        let condition = options.text("condition").map(|condition| format!("condition={condition}").into());
        let mut given = [until.cloned(), options.value("until"), condition].into_iter().flatten();
        let until = given.next();
        if given.next().is_some() {
            return Err(Fault::new(Kind::Usage, "what to wait for is given twice")
                .hint("keep one of the parameter, `until` and `condition`"));
        }
        match until {
            None => Ok(Judge::Rule(Until::Ready)),
            Some(until) => match until.clone().try_cast::<FnPtr>() {
                Some(closure) => Ok(Judge::Closure { function, closure }),
                None => Until::read(&until.to_string()).map(Judge::Rule),
            },
        }
    }

    fn shown(&self) -> String {
        match self {
            Judge::Rule(until) => until.shown(),
            Judge::Closure { .. } => "to be as asked".to_owned(),
        }
    }

    fn waits_for_deletion(&self) -> bool {
        matches!(self, Judge::Rule(Until::Deleted))
    }

    fn needs_progress(&self) -> bool {
        match self {
            Judge::Rule(until) => until.needs_progress(),
            Judge::Closure { .. } => true,
        }
    }

    fn judge(&self, context: &NativeCallContext, object: &Tree) -> Outcome<Verdict> {
        let (function, closure) = match self {
            Judge::Rule(until) => return Ok(until.judge(object)),
            Judge::Closure { function, closure } => (function, closure),
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
                let message = format!("the closure of `{function}` gave a `{kind}`, not `true` or `false`");
                let fault = Fault::new(Kind::Usage, message);
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

/// What goes on between two judgements.
struct Scene {
    sights: SelectAll<BoxStream<'static, Sight>>,
    /// A pause, or a look at the pods; nothing if they don't matter or may not be seen.
    look: Option<BoxFuture<'static, Piece>>,
}

/// One piece of a wait.
enum Piece {
    Seen(Sight),
    /// It is time to look at the pods.
    Time,
    Looked(Result<Looked, Fault>),
}

/// What keeps pods, by their owner, and the warnings about them.
type Looked = (Vec<(Key, Option<Trouble>)>, Vec<Tree>);

impl Scene {
    async fn next(mut self) -> (Piece, Self) {
        let Self { sights, look } = &mut self;
        let look_ends = async {
            match look {
                Some(look) => look.await,
                None => future::pending().await,
            }
        };
        let piece = tokio::select! {
            biased;
            piece = look_ends => piece,
            sight = sights.next() => Piece::Seen(sight.expect("only a fault ends what is seen")),
        };
        (piece, self)
    }
}

/// Waits until the order is met.
///
/// # Errors
/// `timeout`, `failed` and the like; or the end of the script if it was stopped.
pub fn wait_on(context: &NativeCallContext, cluster: &Cluster, order: Order) -> Outcome<Dynamic> {
    let Order { groups, judge, enough, several, timeout, grace, fail_fast } = order;
    let cluster = cluster.here();
    let mut waited = Waited::new(cluster.clone(), groups, enough, judge.waits_for_deletion());
    let what = format!("{} {}", waited.what(), judge.shown());
    let host = context.host();
    let mut wait = host.begin(Waiting::until(what.clone(), timeout));
    let progress = wait.progress();
    let pause = || host.clock.sleep(LOOK);
    let time_to_look = |pause: BoxFuture<'static, ()>| -> BoxFuture<'static, Piece> {
        Box::pin(async move {
            pause.await;
            Piece::Time
        })
    };
    let look = judge.needs_progress().then(|| time_to_look(pause()));
    let mut scene = Scene { sights: waited.observe(), look };
    let mut warnings = Warnings::new(&cluster);
    loop {
        let (piece, back) = match wait.drive(scene.next()) {
            Ok(next) => next,
            Err(interrupted) => return Err(given_up(context, &cluster, &mut wait, interrupted, &waited)),
        };
        scene = back;
        match piece {
            Piece::Seen((group, Ok(Seen::NoKind(why)))) if judge.waits_for_deletion() && waited.is_unseen(group) => {
                let fault = Fault::new(Kind::Unsupported, why);
                return Err(context.raise(fault.hint("whether an object of an unknown kind is gone can't be told")));
            }
            Piece::Seen((group, seen)) => {
                let seen = seen.map_err(|fault| context.raise(fault))?;
                waited.see(group, seen, |object| judge.judge(context, object))?;
            }
            Piece::Time => {
                let (cluster, owners) = (cluster.clone(), waited.unmet());
                let warned = warnings.are_due();
                scene.look = Some(Box::pin(async move { Piece::Looked(look_at(&cluster, owners, warned).await) }));
            }
            Piece::Looked(found) => {
                // Whoever may not see the pods waits without them.
                let denied = matches!(&found, Err(fault) if fault.kind == Kind::Denied);
                scene.look = (!denied).then(|| time_to_look(pause()));
                let (troubles, found) = found.unwrap_or_default();
                for (key, trouble) in troubles {
                    waited.look(&key, trouble, host.clock.elapsed(), grace);
                }
                for text in warnings.take_in(found) {
                    host.events.emit(What::Noted { text, minor: false });
                }
            }
        }
        match waited.verdict() {
            Verdict::Met => {
                wait.end(WaitEnd::Met);
                let mut met = waited.met().map(Tree::to_dynamic);
                return Ok(match several {
                    true => met.collect::<Array>().into(),
                    false => met.next().unwrap_or(Dynamic::UNIT),
                });
            }
            Verdict::Hopeless(why) if fail_fast => {
                wait.end(WaitEnd::Failed);
                let fault = Fault::new(Kind::Failed, format!("waiting for {what} is in vain: {why}"));
                let fault = fault.notes(notes(context, &cluster, &waited));
                return Err(
                    context.raise(fault.hint("mend it and run the step again, or wait on with `fail_fast: false`"))
                );
            }
            Verdict::Waiting(why) | Verdict::Hopeless(why) => {
                if !why.is_empty() {
                    progress.because(why);
                }
            }
        }
    }
}

/// What keeps the pods of the first of these, and what they are warned of if that is asked for.
async fn look_at(cluster: &Cluster, owners: Vec<(Key, Tree)>, warned: bool) -> Result<Looked, Fault> {
    let looks = owners.into_iter().take(LOOKED_AT).map(|(key, owner)| async move {
        let pods = cluster.pods_of(&owner).await?;
        Ok::<_, Fault>((key, owner, pods))
    });
    let mut concerned = Concerned::default();
    let mut troubles = Vec::new();
    for (key, owner, pods) in future::try_join_all(looks).await? {
        concerned.add(&owner, &pods);
        troubles.push((key, worst(&pods)));
    }
    let warnings = if warned { concerned.warnings(cluster).await } else { Vec::new() };
    Ok((troubles, warnings))
}

fn given_up(
    context: &NativeCallContext,
    cluster: &Cluster,
    wait: &mut Wait<'_>,
    interrupted: Interrupted,
    waited: &Waited,
) -> Box<EvalAltResult> {
    let Interrupted::TimedOut { what, after, because } = interrupted else { return context.interrupted(interrupted) };
    wait.end(WaitEnd::TimedOut);
    let fault = Fault::new(Kind::Timeout, format!("gave up waiting for {what} after {}", duration::show(after)));
    let fault = fault.notes(because.map(|because| format!("last seen: {because}")));
    context.raise(fault.notes(notes(context, cluster, waited)))
}

/// What may explain it, if that can be found out in a moment.
fn notes(context: &NativeCallContext, cluster: &Cluster, waited: &Waited) -> Vec<String> {
    let mut notes = Vec::new();
    if !waited.is_about_one() {
        let lines = waited.lines();
        let more = lines.len().saturating_sub(TOLD);
        notes.extend(lines.into_iter().take(TOLD));
        notes.extend((more > 0).then(|| format!("and {more} more")));
    }
    let owners: Vec<Tree> = waited.unmet().into_iter().take(DIAGNOSED).map(|(_, object)| object).collect();
    let asked = Waiting::request("the reasons why it is not so", DIAGNOSIS);
    let cluster = cluster.clone();
    let found = context.host().wait(asked, |_| async move {
        future::join_all(owners.iter().map(|owner| explain::diagnose(&cluster, owner))).await.concat()
    });
    // Whoever waits in vain is told that, with or without reasons.
    notes.extend(found.unwrap_or_default());
    notes
}
