//! Following the resources of a type: a watch that goes on where it broke, and tells nothing twice.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use talos::api::cosi::resource::{Event, EventType, Resource, WatchOptions, WatchRequest, WatchResponse};
use tonic::Streaming;

use super::{
    reach::{Node, state},
    resources::Definition,
};
use crate::{
    host::wait::Progress,
    script::fault::{Fault, Kind},
};

/// How long to pause before a watch that broke is begun again.
const PAUSE: Duration = Duration::from_secs(1);

/// What became of a resource.
pub type Change = (&'static str, Resource);

/// A watch on one node.
pub struct Watch {
    node: Node,
    of: Definition,
    namespace: String,
    id: Option<String>,
    /// As it was told last, with its version.
    known: BTreeMap<String, Resource>,
    /// What has come of what is there already, until all of it has.
    arriving: Option<BTreeSet<String>>,
    stream: Option<Streaming<WatchResponse>>,
    untold: VecDeque<Change>,
}

impl Watch {
    pub fn new(node: Node, of: Definition, namespace: String, id: Option<String>) -> Self {
        let (known, untold) = (BTreeMap::new(), VecDeque::new());
        Self { node, of, namespace, id, known, arriving: None, stream: None, untold }
    }

    /// The next change, whatever breaks meanwhile.
    ///
    /// # Errors
    /// What no waiting helps with.
    pub async fn next(&mut self, progress: &Progress) -> Result<Change, Fault> {
        loop {
            if let Some(change) = self.untold.pop_front() {
                return Ok(change);
            }
            match self.read().await {
                Ok(()) => {}
                Err(fault)
                    if !matches!(fault.kind, Kind::Unreachable | Kind::Unavailable | Kind::Timeout | Kind::Tls) =>
                {
                    return Err(fault);
                }
                Err(fault) => {
                    progress.because(fault.message);
                    self.stream = None;
                    self.node.host().clock.sleep(PAUSE).await;
                }
            }
        }
    }

    async fn read(&mut self) -> Result<(), Fault> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => {
                self.arriving = Some(BTreeSet::new());
                self.stream.insert(
                    self.node
                        .ask(|channel| {
                            let request = self.request();
                            async move { state(channel).watch(request).await }
                        })
                        .await?,
                )
            }
        };
        let came = stream.message().await.map_err(|status| self.node.broke(&status))?;
        let Some(came) = came else {
            return Err(Fault::new(Kind::Unreachable, format!("node `{}` ended the watch", self.node)));
        };
        came.event.into_iter().try_for_each(|event| self.take(event))
    }

    fn request(&self) -> WatchRequest {
        WatchRequest {
            namespace: self.namespace.clone(),
            r#type: self.of.name.to_string(),
            id: self.id.clone(),
            options: Some(WatchOptions { bootstrap_contents: self.id.is_none(), ..WatchOptions::default() }),
            api_version: 1,
        }
    }

    fn take(&mut self, event: Event) -> Result<(), Fault> {
        let kind = event.event_type();
        if kind == EventType::Errored {
            let said = event.error.unwrap_or_default();
            return Err(Fault::new(Kind::Unavailable, format!("node `{}` ended the watch: {said}", self.node)));
        }
        if kind == EventType::Bootstrapped {
            let there = self.arriving.take().unwrap_or_default();
            let gone: Vec<String> = self.known.keys().filter(|id| !there.contains(*id)).cloned().collect();
            for id in gone {
                self.untold.extend(self.known.remove(&id).map(|resource| ("deleted", resource)));
            }
            return Ok(());
        }
        let Some(resource) = event.resource else { return Ok(()) };
        let metadata = resource.metadata.clone().unwrap_or_default();
        match kind {
            EventType::Created | EventType::Updated => {
                if let Some(arriving) = &mut self.arriving {
                    arriving.insert(metadata.id.clone());
                }
                let before = self.known.insert(metadata.id, resource.clone()).and_then(|before| before.metadata);
                match before {
                    None => self.untold.push_back(("added", resource)),
                    Some(before) if before.version != metadata.version => self.untold.push_back(("modified", resource)),
                    Some(_) => {}
                }
            }
            EventType::Destroyed => {
                // One that was never there comes as one that is gone.
                if self.known.remove(&metadata.id).is_some() {
                    self.untold.push_back(("deleted", resource));
                }
            }
            EventType::Bootstrapped | EventType::Errored | EventType::Noop => {}
        }
        Ok(())
    }
}
