//! Observing what is selected until whoever asks has seen enough: through broken connections, expired versions, servers
//! that are away, and kinds that are not there yet. Nothing is lost on the way, and nothing is shown twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::pin,
    time::Duration,
};

use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::sync::mpsc;

use super::{
    client::{Cluster, Selection},
    discovery::Resource,
    object::{self, text},
};
use crate::{
    duration,
    script::{
        fault::{Fault, Kind},
        values::json,
        values::tree::Tree,
    },
};

/// How soon something is looked for again that was not there, or that broke.
const AGAIN: Duration = Duration::from_secs(1);

/// How soon a watch that the server ended is opened again.
const SOON: Duration = Duration::from_millis(50);

/// A server sends a bookmark each minute: a watch that is silent for longer has lost its server without noticing.
const SILENCE: Duration = Duration::from_secs(90);

/// How long an answer may take that doesn't come in pieces.
const ANSWER: Duration = Duration::from_secs(120);

/// A server that starts refuses everybody until it has read its rules; whoever was allowed before is for so long.
const STARTING: Duration = Duration::from_secs(30);

/// What was seen.
#[derive(Debug, Clone)]
pub enum Seen {
    /// It is there: new, or changed.
    Object(Tree),
    /// It was there and is not any longer; this is how it was last.
    Gone(Tree),
    /// All that is there has been shown: this is how things stand.
    Current,
    /// As `Current`, and there is nothing.
    Absent,
    /// The server has no such kind for now.
    NoKind(String),
    /// It can't be looked at for now, and why.
    NotYet(String),
}

/// Looks at what is selected: first as it is, then at every change.
pub struct Observer {
    seen: BoxStream<'static, Result<Seen, Fault>>,
}

impl Observer {
    pub fn new(cluster: Cluster, kind: String, selection: Selection) -> Self {
        Self::of_names(cluster, kind, selection, None)
    }

    /// Of all that is selected, only what has one of these names.
    pub fn of_names(cluster: Cluster, kind: String, selection: Selection, names: Option<BTreeSet<String>>) -> Self {
        // One at a time: who is slow to look keeps the server waiting, and not a pile of changes in memory.
        let (tell, mut told) = mpsc::channel(1);
        let answered = cluster.host().clock.elapsed();
        let watcher = Watcher {
            cluster,
            kind,
            selection,
            names,
            tell,
            known: BTreeMap::new(),
            from: None,
            answered,
            refused: None,
        };
        let told = stream::poll_fn(move |context| told.poll_recv(context));
        let ended = stream::once(watcher.watch_on());
        Self { seen: stream::select(told.map(Ok), ended.map(Err)).boxed() }
    }

    /// The next thing that is seen; it waits for it. It may be dropped and asked again.
    ///
    /// # Errors
    /// What no waiting helps with: `denied`, `tls` and the like.
    ///
    /// # Panics
    /// If it is asked again after an error.
    pub async fn next(&mut self) -> Result<Seen, Fault> {
        self.seen.next().await.expect("only a fault ends it")
    }

    /// The same as a stream.
    pub fn into_stream(self) -> BoxStream<'static, Result<Seen, Fault>> {
        self.seen
    }
}

/// Namespace and name.
type Key = (String, String);

fn key(object: &Tree) -> Key {
    (object::namespace(object).unwrap_or_default().to_owned(), object::name(object).to_owned())
}

/// The work behind an observer.
struct Watcher {
    cluster: Cluster,
    kind: String,
    selection: Selection,
    names: Option<BTreeSet<String>>,
    tell: mpsc::Sender<Seen>,
    /// What was shown and is there.
    known: BTreeMap<Key, Tree>,
    /// The moment up to which everything was shown; a list has to find one if there is none.
    from: Option<(Resource, String)>,
    /// When the server last answered as it should.
    answered: Duration,
    /// Since when it has refused what it allowed before.
    refused: Option<Duration>,
}

impl Watcher {
    /// Watches until something happens that no waiting helps with.
    async fn watch_on(mut self) -> Fault {
        loop {
            let went = match self.from.clone() {
                None => self.list().await,
                Some((resource, version)) => self.follow(&resource, &version).await,
            };
            match went {
                Ok(()) => {}
                Err(fault) if self.passes(&fault) => {
                    // What a server says is about the moment; a connection that broke says nothing.
                    if fault.status.is_some() {
                        self.from = None;
                    }
                    self.away(&fault).await;
                    self.cluster.host().clock.sleep(AGAIN).await;
                }
                Err(fault) => return fault,
            }
        }
    }

    /// Shows how things stand, as far as that was not shown before.
    async fn list(&mut self) -> Result<(), Fault> {
        let (cluster, kind, selection) = (self.cluster.clone(), self.kind.clone(), self.selection.clone());
        let asked = async move {
            let resource = cluster.resolve(&kind).await?;
            let listed = cluster.list(&resource, &selection).await?;
            Ok((resource, listed))
        };
        let (resource, listed) = self.answer(asked).await?;
        let mut before = std::mem::take(&mut self.known);
        for object in listed.objects {
            if !self.is_wanted(&object) {
                continue;
            }
            let earlier = before.remove(&key(&object));
            self.known.insert(key(&object), object.clone());
            match earlier {
                Some(same) if is_same(&same, &object) => {}
                Some(changed) if object::uid(&changed) == object::uid(&object) => self.tell(Seen::Object(object)).await,
                Some(other) => {
                    self.tell(Seen::Gone(other)).await;
                    self.tell(Seen::Object(object)).await;
                }
                None => self.tell(Seen::Object(object)).await,
            }
        }
        for (_, gone) in before {
            self.tell(Seen::Gone(gone)).await;
        }
        self.from = Some((resource, listed.resource_version));
        self.tell_how_it_stands().await;
        Ok(())
    }

    /// Shows every change from a moment on, until the server ends that.
    async fn follow(&mut self, resource: &Resource, version: &str) -> Result<(), Fault> {
        let (cluster, asked, selection) = (self.cluster.clone(), resource.clone(), self.selection.clone());
        let version = version.to_owned();
        let was_away = self.refused.is_some() || self.silent_for() > AGAIN;
        let opened = self.answer(async move { cluster.watch(&asked, &selection, &version).await }).await;
        let mut lines = match opened {
            Err(fault) if is_expired(&fault) => {
                self.from = None;
                return Ok(());
            }
            lines => lines?,
        };
        if was_away {
            self.tell_how_it_stands().await;
        }
        loop {
            let line = tokio::select! {
                biased;
                line = lines.next() => line,
                () = self.cluster.host().clock.sleep(SILENCE) => return Ok(()),
            };
            self.answered = self.cluster.host().clock.elapsed();
            let going_on = match line? {
                Some(line) => self.event(resource, &line).await?,
                None => false,
            };
            if !going_on {
                self.cluster.host().clock.sleep(SOON).await;
                return Ok(());
            }
        }
    }

    /// Shows what a line of a watch says; false if the watch has to be opened again.
    async fn event(&mut self, resource: &Resource, line: &[u8]) -> Result<bool, Fault> {
        // A line that was cut off by the end of the connection.
        let Ok(event) = json::read(&String::from_utf8_lossy(line), "the watch") else { return Ok(false) };
        let mut object = object::at(&event, &["object"]).cloned().unwrap_or_default();
        let kind = text(&event, &["type"]).unwrap_or_default();
        if !matches!(kind, "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK") {
            self.from = None;
            // 410: the version is too old to go on from, and a new list shows how things stand.
            return match object::integer(&object, &["code"]) {
                Some(410) => Ok(false),
                _ => {
                    let why = text(&object, &["message"]).unwrap_or("no reason given");
                    Err(Fault::new(Kind::Unavailable, format!("`{}` ended the watch: {why}", self.cluster)))
                }
            };
        }
        if let (Some(version), Some((_, from))) = (object::resource_version(&object), &mut self.from) {
            *from = version.to_owned();
        }
        if kind == "BOOKMARK" || !self.is_wanted(&object) {
            return Ok(true);
        }
        if !self.selection.keep_managed_fields {
            object::strip_managed_fields(&mut object);
        }
        self.cluster.remember(resource, std::slice::from_ref(&object));
        let earlier = self.known.remove(&key(&object));
        if kind == "DELETED" {
            if earlier.is_some() {
                self.tell(Seen::Gone(object)).await;
            }
            if self.known.is_empty() {
                self.tell(Seen::Absent).await;
            }
            return Ok(true);
        }
        self.known.insert(key(&object), object.clone());
        match earlier {
            Some(same) if is_same(&same, &object) => return Ok(true),
            Some(other) if object::uid(&other) != object::uid(&object) => self.tell(Seen::Gone(other)).await,
            Some(_) | None => {}
        }
        self.tell(Seen::Object(object)).await;
        Ok(true)
    }

    fn is_wanted(&self, object: &Tree) -> bool {
        self.names.as_ref().is_none_or(|names| names.contains(object::name(object)))
    }

    async fn tell(&self, seen: Seen) {
        self.tell.send(seen).await.expect("whoever is told drives the telling");
    }

    async fn tell_how_it_stands(&self) {
        self.tell(if self.known.is_empty() { Seen::Absent } else { Seen::Current }).await;
    }

    /// The answer to a question; that it is slow to come is told.
    async fn answer<T>(&mut self, question: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let clock = self.cluster.host().clock.clone();
        let too_late = clock.sleep(ANSWER);
        let mut question = pin!(question);
        let mut too_late = pin!(too_late);
        let server = format!("`{}` at `{}`", self.cluster, self.cluster.server());
        loop {
            let answer = tokio::select! {
                biased;
                answer = &mut question => answer,
                () = &mut too_late => Err(Fault::new(Kind::Timeout, format!("{server} does not answer"))),
                () = clock.sleep(AGAIN) => {
                    if let Some(since) = self.shown_silence() {
                        self.tell(Seen::NotYet(format!("{server} has not answered yet, {since}"))).await;
                    }
                    continue;
                }
            };
            if answer.is_ok() {
                self.answered = clock.elapsed();
                self.refused = None;
            }
            return answer;
        }
    }

    /// True if trying again may help.
    fn passes(&mut self, fault: &Fault) -> bool {
        match fault.kind {
            Kind::Denied | Kind::Unauthenticated if self.from.is_some() || self.refused.is_some() => {
                let now = self.cluster.host().clock.elapsed();
                now.saturating_sub(*self.refused.get_or_insert(now)) < STARTING
            }
            kind => kind.passes() || matches!(kind, Kind::Unsupported | Kind::Timeout | Kind::NotFound),
        }
    }

    /// Says why nothing can be seen, and for how long already.
    async fn away(&mut self, fault: &Fault) {
        if fault.kind == Kind::Unsupported {
            // With their kind all objects are gone.
            for (_, gone) in std::mem::take(&mut self.known) {
                self.tell(Seen::Gone(gone)).await;
            }
            self.cluster.kinds().forget();
            return self.tell(Seen::NoKind(fault.message.clone())).await;
        }
        let since = self.shown_silence().map(|since| format!(", {since}")).unwrap_or_default();
        self.tell(Seen::NotYet(format!("{}{since}", fault.message))).await;
    }

    fn silent_for(&self) -> Duration {
        self.cluster.host().clock.elapsed().saturating_sub(self.answered)
    }

    /// `for 10s`: in steps that grow, so that it doesn't say something new all the time.
    fn shown_silence(&self) -> Option<String> {
        let seconds = self.silent_for().as_secs();
        let step = match seconds {
            0..5 => return None,
            5..30 => 5,
            30..300 => 30,
            _ => 60,
        };
        Some(format!("for {}", duration::show(Duration::from_secs(seconds / step * step))))
    }
}

fn is_same(one: &Tree, other: &Tree) -> bool {
    let version = object::resource_version(one);
    version.is_some() && version == object::resource_version(other) && object::uid(one) == object::uid(other)
}

/// True if the moment to go on from is too old for the server, or one that it has not come to.
fn is_expired(fault: &Fault) -> bool {
    fault.status == Some(410) || fault.message.contains("Too large resource version")
}
