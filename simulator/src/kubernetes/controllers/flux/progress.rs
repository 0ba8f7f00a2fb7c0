//! An object of Flux while its controller works on it: what its status says, and the events that are told of it.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{
    super::{
        Name, Tools,
        events::Event,
        fields::{self, Fields},
        owners,
    },
    FINALIZER, Kind,
};
use crate::{
    duration,
    kubernetes::{answer::Refusal, store::Change},
};

/// The annotation by which somebody asks for a look at it.
const REQUESTED: &str = "reconcile.fluxcd.io/requestedAt";
/// The conditions that come before all others.
const FIRST: [&str; 3] = ["Stalled", "Reconciling", "Ready"];

pub struct Work<'w> {
    pub tools: &'w Tools,
    pub kind: &'static Kind,
    /// The object, with its status as it is to be.
    pub object: Value,
    /// The status as the server has it.
    known: Value,
    pub begun: Instant,
}

impl<'w> Work<'w> {
    /// What is there under this name; its finalizer is put on it, unless it is on its way out.
    pub async fn begin(tools: &'w Tools, kind: &'static Kind, name: &Name) -> Result<Option<Self>, Refusal> {
        let Some(there) = tools.there(kind.stored, name) else { return Ok(None) };
        let mut object = (*there).clone();
        if !object.is_going() && !has_finalizer(&object) {
            let finalizers: Vec<Value> =
                object.list("/metadata/finalizers").iter().cloned().chain([json!(FINALIZER)]).collect();
            let patch = json!({"metadata": {"finalizers": finalizers}});
            let patched = tools.client.patch(kind.place(&name.namespace), (&name.name, ""), "merge", &patch).await;
            match owners::gone_is_fine(patched)? {
                Some(patched) => object = patched,
                None => return Ok(None),
            }
        }
        if !object["status"].is_object() {
            object["status"] = json!({});
        }
        let known = object["status"].clone();
        Ok(Some(Self { tools, kind, object, known, begun: Instant::now() }))
    }

    pub fn status(&mut self) -> &mut Map<String, Value> {
        fields::map(&mut self.object, "status")
    }

    pub fn is_suspended(&self) -> bool {
        self.object.flag("/spec/suspend")
    }

    pub fn place(&self) -> (String, String) {
        (self.object.namespace().to_owned(), self.object.name().to_owned())
    }

    /// A duration of its spec, or of what it is if left out.
    pub fn length(&self, path: &str, otherwise: Duration) -> Duration {
        duration::parse(self.object.text(path)).unwrap_or(otherwise)
    }

    pub fn interval(&self) -> Duration {
        self.length("/spec/interval", Duration::from_secs(3600))
    }

    /// Sets a condition; the time of its transition is that of its latest change of whatever kind.
    pub fn mark(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        let generation = self.object.at("/metadata/generation").clone();
        let now = self.tools.client.cluster().now();
        let message = message.trim_end_matches(' ');
        let conditions = fields::list(&mut self.object["status"], "conditions");
        let same = |known: &&Value| {
            known["type"] == kind
                && known["status"] == status
                && known["reason"] == reason
                && known["message"] == message
        };
        let since = conditions.iter().find(same).map_or(json!(now), |known| known["lastTransitionTime"].clone());
        conditions.retain(|known| known["type"] != kind);
        conditions.push(json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastTransitionTime": since, "observedGeneration": generation,
        }));
        let rank = |kind: &str| FIRST.iter().position(|first| *first == kind).unwrap_or(FIRST.len());
        conditions.sort_by_key(|known| (rank(known.text("/type")), known.text("/type").to_owned()));
    }

    pub fn unmark(&mut self, kinds: &[&str]) {
        if let Some(conditions) = self.object["status"]["conditions"].as_array_mut() {
            conditions.retain(|known| !kinds.contains(&known.text("/type")));
        }
    }

    /// What a condition says: its reason and message.
    pub fn said(&self, kind: &str) -> (String, String) {
        let found = self.object.condition(kind).unwrap_or(&Value::Null);
        (found.text("/reason").to_owned(), found.text("/message").to_owned())
    }

    /// It is at work on this.
    pub fn doing(&mut self, message: &str) {
        self.unmark(&["Stalled"]);
        self.mark("Reconciling", "True", "Progressing", message);
    }

    /// It failed, and will come again.
    pub fn failed(&mut self, reason: &str, message: &str) {
        self.mark("Ready", "False", reason, message);
        let (_, doing) = self.said("Reconciling");
        if !doing.is_empty() {
            self.mark("Reconciling", "True", "ProgressingWithRetry", &doing);
        }
    }

    /// It failed, and nothing but a change helps.
    pub fn stalled(&mut self, reason: &str, message: &str) {
        self.unmark(&["Reconciling"]);
        self.mark("Stalled", "True", reason, message);
    }

    /// It asks for something that there is no model of, which it stalls on.
    pub fn not_modelled(&mut self, what: &str) {
        let message = format!("a rehearsal has no model of {what}");
        self.stalled("NotModelled", &message);
        self.mark("Ready", "False", "NotModelled", &message);
        self.observe();
    }

    /// This generation has been seen to its end.
    pub fn observe(&mut self) {
        let generation = self.object.at("/metadata/generation").clone();
        self.status().insert("observedGeneration".to_owned(), generation);
    }

    /// What was asked for by an annotation is done.
    pub fn handled(&mut self) {
        if let Some(asked) = self.object.annotation(REQUESTED).map(str::to_owned) {
            self.status().insert("lastHandledReconcileAt".to_owned(), json!(asked));
        }
    }

    /// Whether somebody asks for it by this annotation, in one breath with the request for a look; taken note of in `field`.
    pub fn takes(&mut self, annotation: &str, field: &str) -> bool {
        let asked = self.object.annotation(annotation).map(str::to_owned);
        let Some(token) = asked.filter(|token| self.object.annotation(REQUESTED) == Some(token)) else { return false };
        let new = self.object["status"][field] != token.as_str()
            && self.object["status"]["lastHandledReconcileAt"] != token.as_str();
        self.status().insert(field.to_owned(), json!(token));
        new
    }

    /// Writes the status as it is now.
    pub async fn save(&mut self) -> Result<(), Refusal> {
        let (old, new) = (&self.known, &self.object["status"]);
        let mut changes = Map::new();
        for (key, value) in new.as_object().into_iter().flatten() {
            if old.get(key) != Some(value) {
                changes.insert(key.clone(), value.clone());
            }
        }
        for (key, _) in old.as_object().into_iter().flatten() {
            if new.get(key).is_none() {
                changes.insert(key.clone(), Value::Null);
            }
        }
        if changes.is_empty() {
            return Ok(());
        }
        let (namespace, name) = self.place();
        let patch = json!({ "status": changes });
        let place = self.kind.place(&namespace);
        owners::gone_is_fine(self.tools.client.patch(place, (&name, "status"), "merge", &patch).await)?;
        self.known = self.object["status"].clone();
        Ok(())
    }

    /// Lets it go.
    pub async fn let_go(&self) -> Result<(), Refusal> {
        let rest: Vec<&Value> =
            self.object.list("/metadata/finalizers").iter().filter(|known| *known != FINALIZER).collect();
        let (namespace, name) = self.place();
        let patch = json!({"metadata": {"finalizers": rest}});
        let place = self.kind.place(&namespace);
        owners::gone_is_fine(self.tools.client.patch(place, (&name, ""), "merge", &patch).await).map(drop)
    }

    pub async fn tell(&self, weight: &'static str, reason: &str, message: &str, marks: &Value) {
        let event = Event { weight, reason, message, part: "", host: "", marks };
        self.tools.teller.tell(&self.tools.client, &self.object, event).await;
    }
}

/// True for a change of one of these objects that its controller looks at: of what it is to be, not of what it says of itself.
pub fn is_news(change: &Change) -> bool {
    let Some(after) = change.after.as_deref() else { return true };
    let Some(before) = change.before.as_deref() else { return true };
    ["/metadata/generation", "/metadata/deletionTimestamp"].iter().any(|path| before.at(path) != after.at(path))
        || before.annotation(REQUESTED) != after.annotation(REQUESTED)
}

/// True for a change of a source by which it has another artifact, or one again.
pub fn is_fetched(change: &Change) -> bool {
    let revision = |object: &Option<std::sync::Arc<Value>>| {
        object
            .as_deref()
            .filter(|object| object.is("Ready"))
            .map(|object| object.text("/status/artifact/revision").to_owned())
    };
    let after = revision(&change.after);
    after.is_some() && after != revision(&change.before)
}

/// A length as Go writes it: `1h0m0s`, `1m30s`, `4.5s`, `250ms`.
pub fn shown(length: Duration) -> String {
    let (seconds, nanoseconds) = (length.as_secs(), length.subsec_nanos());
    if seconds == 0 {
        return match nanoseconds {
            0 => "0s".to_owned(),
            1..1_000_000 => format!("{}µs", trimmed(nanoseconds / 1_000, nanoseconds % 1_000, 3)),
            _ => format!("{}ms", trimmed(nanoseconds / 1_000_000, nanoseconds % 1_000_000, 6)),
        };
    }
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let seconds = trimmed(u32::try_from(seconds).unwrap_or_default(), nanoseconds, 9);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

fn trimmed(whole: u32, part: u32, digits: usize) -> String {
    let part = format!("{part:0digits$}");
    let part = part.trim_end_matches('0');
    if part.is_empty() { whole.to_string() } else { format!("{whole}.{part}") }
}

fn has_finalizer(object: &Value) -> bool {
    object.list("/metadata/finalizers").iter().any(|known| known == FINALIZER)
}
