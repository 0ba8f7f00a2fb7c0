//! Telling what happens: events, counted up when the same thing happens again, and fewer when much happens to one object.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::Instant;

use super::fields::Fields;
use crate::kubernetes::client::{Client, Place};

/// After so many different messages of one reason they are told as one event.
const SIMILAR: usize = 10;
const SIMILAR_WITHIN: Duration = Duration::from_secs(600);
/// How many events an object may have at once from one teller, and how soon it may have another.
const AT_ONCE: f64 = 25.0;
const ANOTHER_AFTER: f64 = 300.0;

/// A point in an object's life.
#[derive(Debug, Clone, Copy)]
pub struct Event<'e> {
    /// `Normal` or `Warning`.
    pub weight: &'static str,
    pub reason: &'e str,
    pub message: &'e str,
    /// Which part of the object it is about: `spec.containers{web}`; or what was done, for events of the newer form: `Binding`.
    pub part: &'e str,
    /// The machine of the teller, if it is of one.
    pub host: &'e str,
    /// Annotations of it, or null.
    pub marks: &'e Value,
}

/// Tells the events of one component.
pub struct Teller {
    component: &'static str,
    /// It tells events in their newer form, with a series instead of a count.
    acts: bool,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// The name of the event that tells it, and how often it happened.
    told: BTreeMap<[String; 4], (String, u64)>,
    /// Since when there are messages of one reason, and which.
    similar: BTreeMap<[String; 3], (Option<Instant>, Vec<String>)>,
    /// How many more events an object may have, and as of when.
    allowed: BTreeMap<String, (f64, Instant)>,
}

/// What an event is to be.
enum Telling {
    New(String),
    Again(String, u64),
}

impl Teller {
    pub fn new(component: &'static str) -> Self {
        Self { component, acts: false, memory: Mutex::default() }
    }

    /// For a component that tells events in their newer form.
    pub fn acting(component: &'static str) -> Self {
        Self { acts: true, ..Self::new(component) }
    }

    /// Tells an event of an object. Events are told once: one that the server refuses is lost, as everywhere.
    pub async fn tell(&self, client: &Client, object: &Value, event: Event<'_>) {
        let namespace = if object.namespace().is_empty() { "default" } else { object.namespace() };
        let place = Place { api_version: "v1", resource: "events", namespace };
        let cluster = client.cluster();
        let Some((telling, message)) = self.telling(client, object, event) else { return };
        let lost = match telling {
            Telling::Again(name, count) => {
                let patch = match self.acts {
                    true => json!({"series": {"count": count, "lastObservedTime": precise(client)}}),
                    false => json!({"count": count, "lastTimestamp": cluster.now(), "message": message}),
                };
                client.patch(place, (&name, ""), "strategic-merge", &patch).await.is_err()
            }
            Telling::New(name) => {
                let mut told = json!({
                    "apiVersion": "v1",
                    "kind": "Event",
                    "metadata": {"name": name, "namespace": namespace},
                    "involvedObject": self.involved(object, if self.acts { "" } else { event.part }),
                    "reason": event.reason,
                    "message": message,
                    "type": event.weight,
                });
                if !event.marks.is_null() {
                    told["metadata"]["annotations"] = event.marks.clone();
                }
                client.create(place, &self.dated(client, told, event)).await.is_err()
            }
        };
        if lost {
            self.memory().told.retain(|_, (name, _)| client.cluster().store.get(&key(namespace, name)).is_some());
        }
    }

    fn telling(&self, client: &Client, object: &Value, event: Event<'_>) -> Option<(Telling, String)> {
        let mut memory = self.memory();
        let now = Instant::now();
        let about = format!("{}/{}", object["kind"], object.uid());
        let (allowed, since) = memory.allowed.get(&about).copied().unwrap_or((AT_ONCE, now));
        let allowed = (allowed + now.duration_since(since).as_secs_f64() / ANOTHER_AFTER).min(AT_ONCE);
        if allowed < 1.0 {
            return None;
        }
        memory.allowed.insert(about.clone(), (allowed - 1.0, now));

        let group = [about.clone(), event.reason.to_owned(), event.part.to_owned()];
        let (since, messages) = memory.similar.entry(group).or_default();
        if since.is_none_or(|since| now.duration_since(since) > SIMILAR_WITHIN) {
            messages.clear();
        }
        *since = Some(now);
        if !messages.iter().any(|known| known == event.message) {
            messages.push(event.message.to_owned());
        }
        let many = messages.len() > SIMILAR;
        let message = match many {
            true => format!("(combined from similar events): {}", event.message),
            false => event.message.to_owned(),
        };

        let same = if many { String::new() } else { message.clone() };
        let fresh = format!("{}.{:016x}", object.name(), client.cluster().moment());
        let (name, count) = memory
            .told
            .entry([about, event.reason.to_owned(), event.part.to_owned(), same])
            .and_modify(|(_, count)| *count += 1)
            .or_insert((fresh, 1));
        let telling = if *count == 1 { Telling::New(name.clone()) } else { Telling::Again(name.clone(), *count) };
        Some((telling, message))
    }

    fn involved(&self, object: &Value, part: &str) -> Value {
        let mut involved = json!({"kind": object["kind"], "name": object.name()});
        if !object.namespace().is_empty() {
            involved["namespace"] = json!(object.namespace());
        }
        involved["uid"] = json!(object.uid());
        involved["apiVersion"] = object["apiVersion"].clone();
        if object.has("/metadata/resourceVersion") {
            involved["resourceVersion"] = object.at("/metadata/resourceVersion").clone();
        }
        if !part.is_empty() {
            involved["fieldPath"] = json!(part);
        }
        involved
    }

    fn dated(&self, client: &Client, mut told: Value, event: Event<'_>) -> Value {
        let now = client.cluster().now();
        told["reportingComponent"] = json!(self.component);
        told["reportingInstance"] = json!(event.host);
        if self.acts {
            told["source"] = json!({});
            told["action"] = json!(event.part);
            told["eventTime"] = json!(precise(client));
            return told;
        }
        told["source"] = json!({"component": self.component});
        if !event.host.is_empty() {
            told["source"]["host"] = json!(event.host);
        }
        told["firstTimestamp"] = json!(now);
        told["lastTimestamp"] = json!(now);
        told["count"] = json!(1);
        told
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn precise(client: &Client) -> String {
    client.cluster().calendar.now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

fn key(namespace: &str, name: &str) -> crate::kubernetes::store::Key {
    crate::kubernetes::store::Key { resource: "events".into(), namespace: namespace.to_owned(), name: name.to_owned() }
}
