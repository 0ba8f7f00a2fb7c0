//! A world that takes its time and counts what was really done: ConfigMaps as a Kubernetes API server keeps them, and
//! counters that each post moves.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::server::{Reply, Seen, Server};

/// The namespace of all objects.
pub const NAMESPACE: &str = "crash";

pub struct World {
    state: Arc<State>,
    server: Server,
}

#[derive(Default)]
struct State {
    random: Mutex<fastrand::Rng>,
    /// Requests that came in, and those that are not served yet.
    arrived: AtomicUsize,
    in_hand: AtomicUsize,
    objects: Mutex<BTreeMap<String, Value>>,
    counters: Mutex<BTreeMap<String, u64>>,
}

impl World {
    pub fn begin(seed: u64) -> Self {
        let state = Arc::new(State::default());
        state.random.lock().unwrap().seed(seed);
        let answering = state.clone();
        let server = Server::start(move |seen| {
            answering.arrived.fetch_add(1, Ordering::SeqCst);
            answering.in_hand.fetch_add(1, Ordering::SeqCst);
            let before = answering.pause();
            tokio::task::block_in_place(|| thread::sleep(before));
            let reply = answering.serve(seen).after(answering.pause());
            answering.in_hand.fetch_sub(1, Ordering::SeqCst);
            reply
        });
        Self { state, server }
    }

    pub fn url(&self) -> String {
        self.server.url("")
    }

    pub fn kubeconfig(&self) -> String {
        let cluster = json!({ "name": "world", "cluster": { "server": self.url() } });
        let context = json!({ "name": "world", "context": { "cluster": "world" } });
        json!({ "clusters": [cluster], "contexts": [context], "current-context": "world" }).to_string()
    }

    /// How many requests came in so far.
    pub fn arrived(&self) -> usize {
        self.state.arrived.load(Ordering::SeqCst)
    }

    /// Waits until nothing is under way any more: who looks sooner may see what is not done yet.
    pub fn settle(&self) {
        let mut quiet = 0;
        while quiet < 5 {
            thread::sleep(Duration::from_millis(10));
            quiet = if self.state.in_hand.load(Ordering::SeqCst) == 0 { quiet + 1 } else { 0 };
        }
    }

    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.state.counters.lock().unwrap().clone()
    }

    pub fn objects(&self) -> Vec<Value> {
        self.state.objects.lock().unwrap().values().cloned().collect()
    }
}

impl State {
    /// Mostly as short as on a network, sometimes long enough for the next process to come first.
    fn pause(&self) -> Duration {
        let mut random = self.random.lock().unwrap();
        let micros = if random.u8(0..100) < 3 { random.u64(20_000..250_000) } else { random.u64(0..3_000) };
        Duration::from_micros(micros)
    }

    fn serve(&self, seen: &Seen) -> Reply {
        let path = seen.path.split('?').next().unwrap_or_default();
        if let Some(counter) = path.strip_prefix("/counter/") {
            let mut counters = self.counters.lock().unwrap();
            let count = counters.entry(counter.to_owned()).or_default();
            *count += 1;
            return Reply::new(200, json!({ "count": *count }).to_string());
        }
        let Some(name) = path.strip_prefix(&format!("/api/v1/namespaces/{NAMESPACE}/configmaps")) else {
            return refusal(404, "NotFound", "");
        };
        let name = name.trim_start_matches('/').to_owned();
        let sent = || serde_json::from_str::<Value>(&seen.body).expect("an object is JSON");
        let mut objects = self.objects.lock().unwrap();
        match (seen.method.as_str(), objects.get(&name)) {
            ("GET", Some(object)) => Reply::new(200, object.to_string()),
            ("GET", None) => refusal(404, "NotFound", &name),
            ("PATCH", found) => {
                let status = if found.is_some() { 200 } else { 201 };
                let object = kept(sent(), &name);
                objects.insert(name, object.clone());
                Reply::new(status, object.to_string())
            }
            ("POST", _) => {
                let sent = sent();
                let name = match (sent["metadata"]["name"].as_str(), sent["metadata"]["generateName"].as_str()) {
                    (Some(name), _) => name.to_owned(),
                    (None, begin) => format!("{}{:05}", begin.unwrap_or_default(), objects.len()),
                };
                if objects.contains_key(&name) {
                    return refusal(409, "AlreadyExists", &name);
                }
                let object = kept(sent, &name);
                objects.insert(name, object.clone());
                Reply::new(201, object.to_string())
            }
            _ => refusal(405, "MethodNotAllowed", &name),
        }
    }
}

/// An object as the server keeps it.
fn kept(mut object: Value, name: &str) -> Value {
    object["metadata"]["name"] = name.into();
    object["metadata"]["namespace"] = NAMESPACE.into();
    object["metadata"]["managedFields"] = json!([{ "manager": "cozyscript", "operation": "Apply" }]);
    object
}

fn refusal(code: u16, reason: &str, name: &str) -> Reply {
    let details = json!({ "kind": "configmaps", "name": name });
    let status = json!({ "kind": "Status", "status": "Failure", "code": code, "reason": reason, "details": details });
    Reply::new(code, status.to_string())
}
