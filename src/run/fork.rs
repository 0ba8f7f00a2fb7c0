//! Branches side by side: limits, the graph of `after`, and what one branch's end means to the others.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rhai::{Dynamic, EvalAltResult};
use tokio::sync::Notify;

use super::{
    lane::{self, Behind, Lane},
    runner::Run,
};
use crate::{
    host::{
        cancel::{Cancel, Reason},
        frame::{self, Frame},
        threads,
        wait::{Interrupted, Waiting},
    },
    script::{
        conductor::{Branch, Fork, Outcome},
        diagnostic::{reason_of, with_fault},
        fault::{Fault, Kind, Place},
    },
};

/// A branch waits for those it comes after as long as they take; a step's own timeout ends it sooner.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// How a branch ended.
enum End {
    Done(Dynamic),
    Failed(Box<EvalAltResult>),
    Stopped(Reason, Box<EvalAltResult>),
}

/// What each branch lets the others know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    Done(Behind),
    NotDone,
}

/// The state of a branch. Those who wait for its end go on in the order in which they began to.
#[derive(Default)]
struct Fate {
    state: Mutex<State>,
    told: Notify,
}

impl Fate {
    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.told.notify_waiters();
    }

    /// The state in which it ended, once it has.
    async fn told(&self) -> State {
        loop {
            // Begun before looking, so that what is told in between is heard.
            let told = self.told.notified();
            match self.state() {
                State::Open => told.await,
                ended => return ended,
            }
        }
    }
}

/// A branch as its thread takes it up.
struct Task<'a> {
    label: String,
    after: Vec<(String, usize)>,
    frame: Frame,
    lane: Lane,
    body: Box<dyn FnOnce() -> Outcome<Dynamic> + Send + 'a>,
}

impl Run {
    pub(super) fn run_branches(
        &self,
        fork: Fork,
        branches: Vec<Branch<'_>>,
        place: &Place,
    ) -> Outcome<Vec<(usize, Dynamic)>> {
        let outer = frame::current();
        let outer_lane = lane::current();
        let block = outer.cancel.child();
        let labels: Vec<String> =
            branches.iter().map(|branch| branch.step.clone().unwrap_or_else(|| branch.label.clone())).collect();
        let steps: Vec<Option<String>> = branches.iter().map(|branch| branch.step.clone()).collect();
        let mut tasks = Vec::new();
        let mut cancels = Vec::new();
        for branch in branches {
            let cancel = block.child();
            cancels.push(cancel.clone());
            let mut lane = outer_lane.clone();
            if branch.step.is_none() || fork.labelled {
                lane.labels.push(self.host.secrets.redact(&branch.label).into_owned());
            }
            let frame = outer.inner(lane.place().into(), cancel, None);
            let after = after(&branch, &steps);
            tasks.push(Mutex::new(Some(Task { label: branch.label, after, frame, lane, body: branch.body })));
        }

        let count = tasks.len();
        let fates: Vec<Arc<Fate>> = (0..count).map(|_| Arc::default()).collect();
        let ends: Vec<Mutex<Option<End>>> = (0..count).map(|_| Mutex::default()).collect();
        let behind = Mutex::new(Behind::default());
        let winner: Mutex<Option<usize>> = Mutex::default();
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(task) = tasks.get(index) else { return };
                let task = task.lock().unwrap_or_else(PoisonError::into_inner).take().expect("each task is taken once");
                let label = task.label.clone();
                let (end, left) = self.run_task(task, &fates);
                let mut behind = behind.lock().unwrap_or_else(PoisonError::into_inner);
                *behind = behind.and(left);
                drop(behind);
                let state = if matches!(end, End::Done(_)) { State::Done(left) } else { State::NotDone };
                match &end {
                    End::Done(_) if fork.race => {
                        let mut winner = winner.lock().unwrap_or_else(PoisonError::into_inner);
                        if winner.is_none() {
                            *winner = Some(index);
                            stop_others(&cancels, index, &Reason::Lost);
                        }
                    }
                    End::Failed(_) if !fork.race => {
                        let name = labels.get(index).unwrap_or(&label).clone();
                        stop_others(&cancels, index, &Reason::Sibling(name));
                    }
                    _ => {}
                }
                *ends[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
                fates[index].tell(state);
            }
        };
        let workers = fork.limit.unwrap_or(count).min(count);
        let threads: Vec<threads::Branch<'_>> = (0..workers).map(|_| Box::new(work) as threads::Branch<'_>).collect();
        self.host.threads.fork(threads);

        lane::leave_behind(behind.into_inner().unwrap_or_else(PoisonError::into_inner));
        let ends: Vec<End> = ends
            .into_iter()
            .map(|end| end.into_inner().unwrap_or_else(PoisonError::into_inner).expect("every task was run"))
            .collect();
        let winner = winner.into_inner().unwrap_or_else(PoisonError::into_inner);
        join(fork, ends, winner, &labels, place, &|error| self.fault_of(error))
    }

    fn run_task(&self, task: Task<'_>, fates: &[Arc<Fate>]) -> (End, Behind) {
        let Task { after, frame, lane, body, .. } = task;
        let cancel = frame.cancel.clone();
        let (result, left) = frame::within(frame, || {
            lane::within(lane, || {
                for (name, index) in after {
                    self.wait_for_branch(&name, fates[index].clone())?;
                }
                if let Some(reason) = cancel.reason() {
                    return Err(terminated(reason));
                }
                body()
            })
        });
        let end = match result {
            Ok(value) => End::Done(value),
            Err(error) => match reason_of(&error) {
                Some(reason) => End::Stopped(reason, error),
                None => End::Failed(error),
            },
        };
        (end, left)
    }

    fn wait_for_branch(&self, name: &str, fate: Arc<Fate>) -> Outcome<()> {
        let waited = match fate.state() {
            State::Open => {
                self.host.wait(Waiting::until(format!("step `{name}` to finish"), LONGEST), |_| async move {
                    fate.told().await
                })
            }
            ended => Ok(ended),
        };
        match waited {
            Ok(State::Done(behind)) => {
                lane::leave_behind(behind);
                Ok(())
            }
            Ok(_) => Err(terminated(Reason::Sibling(name.to_owned()))),
            Err(Interrupted::Stopped(reason)) => Err(terminated(reason)),
            Err(Interrupted::TimedOut { .. }) => Err(terminated(Reason::Timeout(name.into()))),
        }
    }
}

/// The branches that a branch waits for. What it comes after outside of the block is the step's own matter.
fn after(branch: &Branch<'_>, steps: &[Option<String>]) -> Vec<(String, usize)> {
    let position = |name: &String| steps.iter().position(|step| step.as_ref() == Some(name));
    branch.after.iter().filter_map(|name| Some((name.clone(), position(name)?))).collect()
}

fn stop_others(cancels: &[Cancel], index: usize, reason: &Reason) {
    for (other, cancel) in cancels.iter().enumerate() {
        if other != index {
            cancel.stop(reason.clone());
        }
    }
}

/// What the block as a whole comes to.
fn join(
    fork: Fork,
    ends: Vec<End>,
    winner: Option<usize>,
    labels: &[String],
    place: &Place,
    fault_of: &dyn Fn(&EvalAltResult) -> Fault,
) -> Outcome<Vec<(usize, Dynamic)>> {
    let outcomes: Vec<String> = ends
        .iter()
        .zip(labels)
        .map(|(end, label)| match end {
            End::Done(_) => format!("{label}: done"),
            End::Failed(error) => format!("{label}: failed: {}", fault_of(error).message),
            End::Stopped(reason, _) => format!("{label}: {reason}"),
        })
        .collect();
    let mut values = Vec::new();
    let mut failures = Vec::new();
    let mut stopped = None;
    for (index, end) in ends.into_iter().enumerate() {
        match end {
            End::Done(value) if !fork.race || winner == Some(index) => values.push((index, value)),
            End::Done(_) => {}
            End::Failed(error) => failures.push((index, error)),
            // A branch that was stopped because of another one says nothing by itself.
            End::Stopped(Reason::Sibling(_) | Reason::Lost, _) => {}
            End::Stopped(_, error) => stopped = stopped.or(Some(error)),
        }
    }
    if let Some(error) = stopped {
        return Err(error);
    }
    if fork.race && winner.is_none() {
        let message = format!("none of the {} branches of the race finished", labels.len());
        let mut fault = Fault::new(Kind::Failed, message).notes(outcomes);
        fault.place = Some(place.clone());
        return Err(EvalAltResult::ErrorRuntime(Dynamic::from(fault), rhai::Position::NONE).into());
    }
    match failures.into_iter().next() {
        Some((_, error)) if !fork.race => Err(match outcomes.len() {
            1 => error,
            _ => {
                let fault = fault_of(&error).note("the branches beside it:").notes(outcomes);
                with_fault(*error, fault)
            }
        }),
        _ => Ok(values),
    }
}

fn terminated(reason: Reason) -> Box<EvalAltResult> {
    EvalAltResult::ErrorTerminated(Dynamic::from(reason), rhai::Position::NONE).into()
}
