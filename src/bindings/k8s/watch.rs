//! Observing one object, or a few, until whoever asks has seen enough: through broken connections, expired versions, and
//! kinds that are not there yet.

use std::time::Duration;

use super::{
    client::{Cluster, Lines, Selection},
    discovery::Resource,
    object::{self, text},
};
use crate::script::{
    fault::{Fault, Kind},
    values::json,
    values::tree::Tree,
};

/// How soon something is looked for again that was not there, or that broke.
const AGAIN: Duration = Duration::from_secs(1);

/// How soon a watch that the server ended is opened again.
const SOON: Duration = Duration::from_millis(50);

/// What was seen of an object.
#[derive(Debug, Clone)]
pub enum Seen {
    Object(Tree),
    /// It is not there, or no longer.
    Absent,
    /// It can't be looked at for now, and why.
    NotYet(String),
}

/// Looks at what is selected: first as it is, then at every change.
pub struct Observer {
    cluster: Cluster,
    kind: String,
    selection: Selection,
    state: State,
    /// Listed and not yet handed out, last first.
    listed: Vec<Tree>,
}

enum State {
    Unlisted { pause: Option<Duration> },
    Watching(Resource, Lines),
    From(Resource, String),
}

impl Observer {
    pub fn new(cluster: Cluster, kind: String, selection: Selection) -> Self {
        Self { cluster, kind, selection, state: State::Unlisted { pause: None }, listed: Vec::new() }
    }

    /// The next thing that is seen; it waits for it.
    ///
    /// # Errors
    /// What no waiting helps with: `denied`, `tls` and the like.
    pub async fn next(&mut self) -> Result<Seen, Fault> {
        loop {
            if let Some(object) = self.listed.pop() {
                return Ok(Seen::Object(object));
            }
            match &mut self.state {
                State::Unlisted { pause } => {
                    if let Some(pause) = pause.take() {
                        self.cluster.host().clock.sleep(pause).await;
                    }
                    match self.list().await {
                        Ok(false) => return Ok(Seen::Absent),
                        Ok(true) => {}
                        Err(fault) => return self.later(fault),
                    }
                }
                State::From(resource, version) => {
                    let opened = self.cluster.watch(resource, &self.selection, version).await;
                    match opened {
                        Ok(lines) => self.state = State::Watching(resource.clone(), lines),
                        Err(fault) if fault.status == Some(410) => self.state = State::Unlisted { pause: None },
                        Err(fault) => return self.later(fault),
                    }
                }
                State::Watching(_, lines) => match lines.next().await {
                    Ok(Some(line)) => {
                        if let Some(seen) = self.event(&line) {
                            return Ok(seen);
                        }
                    }
                    Ok(None) => self.state = State::Unlisted { pause: Some(SOON) },
                    Err(fault) => return self.later(fault),
                },
            }
        }
    }

    /// Lists what is there; false if there is nothing.
    async fn list(&mut self) -> Result<bool, Fault> {
        let resource = match self.cluster.resolve(&self.kind).await {
            Err(fault) if fault.kind == Kind::Unsupported => {
                self.cluster.kinds().forget();
                return Err(fault);
            }
            resource => resource?,
        };
        let listed = self.cluster.list(&resource, &self.selection).await?;
        self.listed = listed.objects;
        self.listed.reverse();
        self.state = State::From(resource, listed.resource_version);
        Ok(!self.listed.is_empty())
    }

    fn event(&mut self, line: &[u8]) -> Option<Seen> {
        // A line that was cut off by the end of the connection.
        let Ok(event) = json::read(&String::from_utf8_lossy(line), "the watch") else {
            self.state = State::Unlisted { pause: Some(SOON) };
            return None;
        };
        let mut object = object::at(&event, &["object"]).cloned().unwrap_or_default();
        match text(&event, &["type"]) {
            Some("ADDED" | "MODIFIED") => {
                object::strip_managed_fields(&mut object);
                if let State::Watching(resource, _) = &self.state {
                    self.cluster.remember(resource, std::slice::from_ref(&object));
                }
                Some(Seen::Object(object))
            }
            Some("DELETED") => Some(Seen::Absent),
            Some("BOOKMARK") => None,
            // 410: the version is too old to go on from. Whatever else it is, a new list shows how things stand.
            _ => {
                let gone = object::integer(&object, &["code"]) == Some(410);
                self.state = State::Unlisted { pause: (!gone).then_some(AGAIN) };
                None
            }
        }
    }

    /// Takes a fault for something that passes, if it does.
    fn later(&mut self, fault: Fault) -> Result<Seen, Fault> {
        let passes = fault.kind.passes() || matches!(fault.kind, Kind::Unsupported | Kind::Timeout | Kind::NotFound);
        if !passes {
            return Err(fault);
        }
        self.state = State::Unlisted { pause: Some(AGAIN) };
        Ok(Seen::NotYet(fault.message))
    }
}
