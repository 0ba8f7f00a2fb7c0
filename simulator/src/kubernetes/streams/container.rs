//! Which container of a pod is meant, and what its pod says of it.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::Asked;
use crate::kubernetes::{
    access::{self, Attributes, Verdict},
    answer::Refusal,
    behaviour::{Behaviour, Looked},
    cluster::Cluster,
    controllers::fields::Fields as _,
    store::Key,
};

/// The containers of a pod, and what is said of them, in the order in which messages name them.
const LISTS: [(&str, &str); 3] = [
    ("/spec/initContainers", "/status/initContainerStatuses"),
    ("/spec/containers", "/status/containerStatuses"),
    ("/spec/ephemeralContainers", "/status/ephemeralContainerStatuses"),
];

/// A container of a pod.
pub struct Container {
    pub pod: Arc<Value>,
    pub name: String,
}

/// One run of a container, by the seconds in which it began and ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub started: Timestamp,
    /// Nothing, while it runs.
    pub ended: Option<Timestamp>,
}

impl Asked<'_> {
    pub fn key(&self) -> Key {
        Key { resource: "pods".into(), namespace: self.namespace.clone(), name: self.pod.clone() }
    }

    pub fn pod(&self) -> Result<Arc<Value>, Refusal> {
        self.cluster.store.get(&self.key()).ok_or_else(|| Refusal::not_found("pods", "", &self.pod))
    }

    /// The container that is meant: the one that is named, or the only one.
    pub fn container(&self) -> Result<Container, Refusal> {
        let pod = self.pod()?;
        let names = || LISTS.iter().flat_map(|(specs, _)| pod.list(specs)).map(|spec| spec.text("/name"));
        let name = match (self.request.parameter("container"), pod.list("/spec/containers")) {
            (Some(given), _) if names().any(|name| name == given) => given.to_owned(),
            (Some(given), _) => {
                return Err(Refusal::bad_request(format!("container {given} is not valid for pod {}", self.pod)));
            }
            (None, [only]) => only.text("/name").to_owned(),
            (None, _) => {
                let names: Vec<&str> = names().collect();
                let names = names.join(" ");
                return Err(Refusal::bad_request(format!(
                    "a container name must be specified for pod {}, choose one of: [{names}]",
                    self.pod
                )));
            }
        };
        Ok(Container { pod, name })
    }
}

impl Asked<'_> {
    /// The pod, if it is on a machine, and whoever reads may also write: what comes out of it depends on what goes in.
    pub fn placed_pod(&self) -> Result<Arc<Value>, Refusal> {
        let wanted = Attributes { verb: "create".to_owned(), ..Attributes::of(self.request) };
        if let Verdict::Denied(why) = access::allowed(self.cluster, &self.request.user, &wanted) {
            return Err(Refusal::forbidden("pods", "", &self.pod, &why));
        }
        let pod = self.pod()?;
        if pod.text("/spec/nodeName").is_empty() {
            return Err(Refusal::bad_request(format!("pod {} does not have a host assigned", self.pod)));
        }
        Ok(pod)
    }

    /// The same with the container that is meant.
    pub fn placed_container(&self) -> Result<Container, Refusal> {
        let placed = self.placed_pod();
        match placed {
            Err(refusal) if refusal.code != 400 => Err(refusal),
            placed => {
                let container = self.container()?;
                placed.map(|_| container)
            }
        }
    }
}

impl Container {
    pub fn spec(&self) -> &Value {
        self.find(|(specs, _)| specs).unwrap_or(&Value::Null)
    }

    fn status(&self) -> Option<&Value> {
        self.find(|(_, statuses)| statuses)
    }

    fn find(&self, list: impl Fn((&'static str, &'static str)) -> &'static str) -> Option<&Value> {
        LISTS.into_iter().flat_map(|lists| self.pod.list(list(lists))).find(|item| item["name"] == self.name.as_str())
    }

    /// What the world says of it; if it says nothing, it is silent.
    pub fn behaviour(&self, cluster: &Cluster) -> Behaviour {
        let (namespace, pod) = (self.pod.namespace(), self.pod.name());
        let looked = Looked { image: self.spec().text("/image"), namespace, pod, container: &self.name };
        cluster.machines.behaviour(looked).unwrap_or_default()
    }

    /// Its run whose log can be read, or the one before.
    ///
    /// # Errors
    /// Why there is none, in the words of a kubelet.
    pub fn run(&self, previous: bool) -> Result<Run, String> {
        let what = format!("container \"{}\" in pod \"{}\"", self.name, self.pod.name());
        let Some(status) = self.status() else { return Err(format!("{what} is not available")) };
        let [running, now, last] =
            ["/state/running", "/state/terminated", "/lastState/terminated"].map(|path| status.at(path));
        let ran = |terminated: &Value| !terminated.text("/containerID").is_empty();
        let ended = match () {
            () if previous && !ran(last) => return Err(format!("previous terminated {what} not found")),
            () if previous => last,
            () if !running.is_null() => return begun(running).ok_or_else(|| format!("{what} is not available")),
            () if ran(now) => now,
            () if ran(last) => last,
            () if !now.is_null() || !last.is_null() => return Err(format!("{what} is terminated")),
            () => {
                return Err(match status.text("/state/waiting/reason") {
                    "ErrImagePull" => format!("{what} is waiting to start: image can't be pulled"),
                    "ImagePullBackOff" => format!("{what} is waiting to start: trying and failing to pull image"),
                    "" => format!("{what} is waiting to start - no logs yet"),
                    reason => format!("{what} is waiting to start: {reason}"),
                });
            }
        };
        begun(ended).ok_or_else(|| format!("{what} is not available"))
    }

    /// True if it runs now.
    pub fn is_running(&self) -> bool {
        self.status().is_some_and(|status| status.has("/state/running"))
    }

    /// What became of a run: it is what it was, has ended, or is forgotten.
    pub fn again(&self, run: Run) -> Option<Run> {
        let status = self.status()?;
        let paths = ["/state/running", "/state/terminated", "/lastState/terminated"];
        paths.into_iter().filter_map(|path| begun(status.at(path))).find(|known| known.started == run.started)
    }
}

fn begun(state: &Value) -> Option<Run> {
    let moment = |path: &str| state.text(path).parse::<Timestamp>().ok();
    Some(Run { started: moment("/startedAt")?, ended: moment("/finishedAt") })
}
