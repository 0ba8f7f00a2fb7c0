//! Watching: every change of what is selected, as lines of JSON, from a revision on.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{Stream, stream};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    answer::Refusal,
    cluster::Cluster,
    kinds::Kind,
    latest::Follower,
    read::Selection,
    request::Request,
    store::{Change, Forgotten},
};

/// How often a watch without changes says how far it is.
const BOOKMARKS: Duration = Duration::from_secs(60);

/// How long a watch lasts if nobody says.
const LASTS: Duration = Duration::from_secs(40 * 60);

/// A watch that is going on.
struct Watching {
    cluster: Arc<Cluster>,
    kind: Arc<Kind>,
    selection: Selection,
    latest: Follower,
    /// Up to where it has told.
    revision: u64,
    bookmarks: bool,
    ends: Instant,
    pending: VecDeque<Bytes>,
    over: bool,
}

/// The lines of a watch.
///
/// # Errors
/// If the revision to begin from is no number.
pub fn watch(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    selection: Selection,
    request: &Request,
) -> Result<impl Stream<Item = Bytes> + Send + use<>, Refusal> {
    let given = request.parameter("resourceVersion").unwrap_or("0");
    let from: u64 = given
        .parse()
        .map_err(|_| Refusal::bad_request(format!("strconv.ParseUint: parsing \"{given}\": invalid syntax")))?;
    let lasts = request.parameter("timeoutSeconds").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    let mut watching = Watching {
        latest: cluster.store.follow(),
        revision: from,
        bookmarks: request.flag("allowWatchBookmarks"),
        ends: Instant::now() + lasts.unwrap_or(LASTS),
        pending: VecDeque::new(),
        over: false,
        cluster: cluster.clone(),
        kind: kind.clone(),
        selection,
    };
    let wants_all = request.flag("sendInitialEvents");
    if from == 0 || wants_all {
        watching.tell_all(wants_all);
    }
    Ok(stream::unfold(watching, |mut watching| async move { Some((watching.next().await?, watching)) }))
}

impl Watching {
    /// Everything that is there already, as if it had just been added.
    fn tell_all(&mut self, mark_the_end: bool) {
        let (revision, there) = self.cluster.store.list(&self.kind.stored, self.selection.namespace.as_deref());
        for (key, object) in &there {
            if self.selection.selects(key, object) {
                self.tell("ADDED", object);
            }
        }
        self.revision = revision;
        if mark_the_end {
            self.tell_bookmark(json!({"k8s.io/initial-events-end": "true"}));
        }
    }

    fn tell(&mut self, sort: &str, object: &Value) {
        let mut line = json!({"type": sort, "object": &*self.kind.seen(object)}).to_string();
        line.push('\n');
        self.pending.push_back(line.into());
    }

    fn tell_bookmark(&mut self, annotations: Value) {
        let mut metadata = json!({"resourceVersion": self.revision.to_string()});
        if !annotations.is_null() {
            metadata["annotations"] = annotations;
        }
        let mark = json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": metadata});
        self.tell("BOOKMARK", &mark);
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.pending.pop_front() {
                return Some(line);
            }
            if self.over {
                return None;
            }
            // What changes from here on wakes it, also what changes while it looks.
            self.latest.catch_up();
            match self.cluster.store.since(self.revision) {
                Ok(changes) => changes.into_iter().for_each(|change| self.tell_change(change)),
                Err(Forgotten) => {
                    let message =
                        format!("too old resource version: {} ({})", self.revision, self.cluster.store.revision());
                    self.tell("ERROR", &Refusal::expired(message).status());
                    self.over = true;
                }
            }
            if self.pending.is_empty() {
                self.wait().await;
            }
        }
    }

    async fn wait(&mut self) {
        let left = self.ends.saturating_duration_since(Instant::now());
        let quiet = if self.bookmarks { left.min(BOOKMARKS) } else { left };
        tokio::select! {
            biased;
            () = self.latest.changed() => {}
            () = sleep(quiet) => {
                if Instant::now() >= self.ends {
                    self.over = true;
                } else {
                    self.tell_bookmark(Value::Null);
                }
            }
        }
    }

    fn tell_change(&mut self, change: Change) {
        let Change { revision, key, before, after } = change;
        self.revision = revision;
        if key.resource != self.kind.stored {
            return;
        }
        let selected =
            |object: &Option<Arc<Value>>| object.clone().filter(|object| self.selection.selects(&key, object));
        match (selected(&before), selected(&after)) {
            (None, Some(now)) => self.tell("ADDED", &now),
            (Some(_), Some(now)) => self.tell("MODIFIED", &now),
            (Some(last), None) => {
                let mut last = (*last).clone();
                last["metadata"]["resourceVersion"] = json!(revision.to_string());
                self.tell("DELETED", &last);
            }
            (None, None) => {}
        }
    }
}
