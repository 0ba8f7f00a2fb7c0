//! Following the logs of whatever pods are selected: those that are there, and those that are made later.

use std::{collections::BTreeSet, future, time::Duration};

use futures::{
    StreamExt,
    stream::{self, BoxStream, SelectAll},
};

use super::{
    logs::Follower,
    object::{name, uid},
    watch::{Observer, Seen},
};
use crate::{
    host::{clock::Clock, wait::Progress},
    script::{fault::Fault, values::tree::Tree},
};

/// A line, or why there are no more of its log.
pub type Line = Result<String, Fault>;

/// The logs of pods that come and go.
pub struct Crowd<F> {
    /// None if nobody says any more who comes.
    pub pods: Option<Observer>,
    /// The logs of a pod; of one that was made later, from its beginning.
    pub logs: F,
    /// How long another pod is waited for when all logs have ended.
    pub patience: Duration,
    pub clock: std::sync::Arc<dyn Clock>,
    pub progress: Progress,
}

impl<F: Fn(&Tree, bool) -> Vec<Follower> + Send + 'static> Crowd<F> {
    /// The lines as they are written; nothing if there are no pods to begin with.
    ///
    /// # Errors
    /// The fault of looking for them.
    pub async fn lines(mut self) -> Result<Option<BoxStream<'static, Line>>, Fault> {
        let mut following = Following { lines: SelectAll::new(), known: BTreeSet::new() };
        while let Some(pods) = &mut self.pods {
            match pods.next().await? {
                Seen::Object(pod) => following.join(&pod, |pod| (self.logs)(pod, false)),
                Seen::Gone(_) => {}
                Seen::Current => break,
                Seen::Absent => return Ok(None),
                Seen::NoKind(why) | Seen::NotYet(why) => self.progress.because(why),
            }
        }
        let state = (self, following);
        let lines = stream::unfold(state, |(mut crowd, mut following)| async move {
            let line = crowd.next(&mut following).await?;
            Some((line, (crowd, following)))
        });
        Ok(Some(lines.boxed()))
    }

    async fn next(&mut self, following: &mut Following) -> Option<Line> {
        loop {
            let is_over = following.lines.is_empty();
            if is_over && (self.pods.is_none() || self.patience.is_zero()) {
                return None;
            }
            let newcomer = async {
                match &mut self.pods {
                    Some(pods) => pods.next().await,
                    None => future::pending().await,
                }
            };
            tokio::select! {
                biased;
                line = following.lines.next(), if !is_over => {
                    if line.is_some() {
                        return line;
                    }
                }
                seen = newcomer => match seen {
                    Ok(Seen::Object(pod)) => following.join(&pod, |pod| (self.logs)(pod, true)),
                    Ok(_) => {}
                    // What is followed already goes on.
                    Err(fault) => {
                        self.progress.because(format!("pods that are made from now on are not seen: {}", fault.message));
                        self.pods = None;
                    }
                },
                () = self.clock.sleep(self.patience), if is_over => return None,
            }
        }
    }
}

struct Following {
    lines: SelectAll<BoxStream<'static, Line>>,
    /// By name and identity: another pod may have the name of one that went.
    known: BTreeSet<(String, Option<String>)>,
}

impl Following {
    fn join(&mut self, pod: &Tree, logs: impl Fn(&Tree) -> Vec<Follower>) {
        if self.known.insert((name(pod).to_owned(), uid(pod).map(str::to_owned))) {
            self.lines.extend(logs(pod).into_iter().map(Follower::lines));
        }
    }
}
