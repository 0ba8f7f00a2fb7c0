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
    list::{PATIENCE, options::Options},
    read::Selection,
    representation::{Events, Representation, Shown},
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
    events: Events,
    latest: Follower,
    /// What is to come before the changes.
    begins: Beginning,
    /// Up to where it has told.
    revision: u64,
    bookmarks: bool,
    ends: Instant,
    pending: VecDeque<Bytes>,
    over: bool,
}

/// What a watch begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beginning {
    Changes,
    /// Everything that is there already, not older than a revision.
    Everything {
        not_older: u64,
        /// Where that ends is marked.
        marked: bool,
    },
}

/// The lines of a watch.
///
/// # Errors
/// If what is asked for makes no sense, or can't be had in the form that is asked for.
pub fn watch(
    cluster: &Arc<Cluster>,
    kind: &Arc<Kind>,
    (selection, options): (Selection, Options),
    request: &Request,
) -> Result<impl Stream<Item = Bytes> + Send + use<>, Refusal> {
    let representation = Representation::of_watch(request, kind)?;
    let from = options.revision().map_err(Refusal::failed)?;
    let shown = Shown { cluster, kind, part: "", request };
    let marked = options.bookmarks && options.initial_events == Some(true);
    let begins = match (options.initial_events, from) {
        (Some(false), _) | (None, Some(_)) => Beginning::Changes,
        (_, from) => Beginning::Everything { not_older: from.unwrap_or_default(), marked },
    };
    let watching = Watching {
        events: representation.of_events(shown)?,
        latest: cluster.store.follow(),
        begins,
        revision: from.unwrap_or_else(|| cluster.store.revision()),
        bookmarks: options.bookmarks,
        ends: Instant::now() + options.lasts.unwrap_or(LASTS),
        pending: VecDeque::new(),
        over: false,
        cluster: cluster.clone(),
        kind: kind.clone(),
        selection,
    };
    Ok(stream::unfold(watching, |mut watching| async move { Some((watching.next().await?, watching)) }))
}

impl Watching {
    async fn next(&mut self) -> Option<Bytes> {
        if let Beginning::Everything { not_older, marked } = self.begins {
            self.begins = Beginning::Changes;
            self.tell_all(not_older, marked).await;
        }
        loop {
            if let Some(line) = self.pending.pop_front() {
                return Some(line);
            }
            if self.over {
                return None;
            }
            // What changes from here on wakes it, also what changes while it looks.
            self.latest.catch_up();
            match self.cluster.store.since(&self.kind.stored, self.revision) {
                Ok((revision, changes)) => {
                    changes.iter().for_each(|change| self.tell_change(change));
                    self.revision = self.revision.max(revision);
                }
                Err(Forgotten) => {
                    let message =
                        format!("too old resource version: {} ({})", self.revision, self.cluster.store.revision());
                    self.fail(&Refusal::expired(message));
                }
            }
            if self.pending.is_empty() {
                self.wait().await;
            }
        }
    }

    /// Everything that is there already, as if it had just been added.
    async fn tell_all(&mut self, not_older: u64, marked: bool) {
        let latest = self.cluster.store.reach(not_older, PATIENCE.min(self.left())).await;
        if latest < not_older {
            return self.fail(&Refusal::ahead(not_older, latest));
        }
        let (revision, there) = self.cluster.store.list(&self.kind.stored, self.selection.namespace.as_deref());
        for (key, object) in &there {
            if self.selection.selects(key, object) {
                self.tell("ADDED", object);
            }
        }
        self.revision = revision;
        if marked {
            self.tell_bookmark(&[("k8s.io/initial-events-end", "true")]);
        }
    }

    fn tell(&mut self, sort: &str, object: &Value) {
        let object = self.kind.seen(object).into_owned();
        self.tell_seen(sort, object);
    }

    fn tell_seen(&mut self, sort: &str, object: Value) {
        match self.events.object(object, &self.cluster, &self.kind) {
            Some(object) => self.push(sort, &object),
            None => self.over = true,
        }
    }

    fn push(&mut self, sort: &str, object: &Value) {
        let mut line = json!({"type": sort, "object": object}).to_string();
        line.push('\n');
        self.pending.push_back(line.into());
    }

    fn fail(&mut self, why: &Refusal) {
        self.push("ERROR", &why.status());
        self.over = true;
    }

    fn tell_bookmark(&mut self, annotations: &[(&str, &str)]) {
        let mut mark = json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version()});
        if self.kind.built_in()
            && let Value::Object(blank) = self.kind.schema().root().blank()
        {
            mark.as_object_mut().into_iter().for_each(|mark| mark.extend(blank.clone()));
        }
        mark["metadata"] = json!({"resourceVersion": self.revision.to_string()});
        if let Some(rules) = self.kind.rules() {
            rules.fill_blank(&mut mark);
        }
        for (key, value) in annotations {
            mark["metadata"]["annotations"][*key] = json!(value);
        }
        self.tell_seen("BOOKMARK", mark);
    }

    fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    async fn wait(&mut self) {
        let left = self.left();
        let quiet = if self.bookmarks { left.min(BOOKMARKS) } else { left };
        tokio::select! {
            biased;
            () = self.latest.changed() => {}
            () = sleep(quiet) => {
                if Instant::now() >= self.ends {
                    self.over = true;
                } else {
                    self.tell_bookmark(&[]);
                }
            }
        }
    }

    fn tell_change(&mut self, Change { revision, key, before, after }: &Change) {
        let selected =
            |object: &Option<Arc<Value>>| object.clone().filter(|object| self.selection.selects(key, object));
        match (selected(before), selected(after)) {
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
