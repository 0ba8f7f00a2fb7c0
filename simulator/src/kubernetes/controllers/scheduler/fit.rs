//! Why a pod can't be on a node, in the order in which the real scheduler looks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::nodes::{Amounts, Node, Nodes, ports, requests};
use crate::kubernetes::{controllers::fields::Fields, selector::Labels};

/// What a pod wants of a node, worked out once for all of them.
pub struct Wishes<'p> {
    pod: &'p Value,
    pub requests: Amounts,
    near: Vec<Near>,
    apart: Vec<Near>,
    spread: Vec<Spread>,
    /// By topology key and value: where pods are that don't want this one near.
    shunned: Vec<(String, String)>,
}

/// Other pods that a pod wants to be near to, or apart from.
struct Near {
    key: String,
    /// In which parts of the topology they are.
    values: Vec<String>,
    /// It is one of those itself, and there is none yet.
    first: bool,
}

/// How evenly pods are to be spread.
struct Spread {
    key: String,
    most: i64,
    counts: BTreeMap<String, i64>,
    is_counted: bool,
}

/// Why not, and whether it would help if others made room.
pub struct Misfit {
    pub reasons: Vec<String>,
    pub others_could_help: bool,
}

impl<'p> Wishes<'p> {
    pub fn of(pod: &'p Value, nodes: &Nodes) -> Self {
        let terms = |kind: &str| {
            let path = format!("/spec/affinity/{kind}/requiredDuringSchedulingIgnoredDuringExecution");
            pod.list(&path).iter().map(|term| near(term, pod, nodes)).collect::<Vec<_>>()
        };
        let spread = pod.list("/spec/topologySpreadConstraints").iter();
        let spread = spread.filter(|constraint| constraint.text("/whenUnsatisfiable") != "ScheduleAnyway");
        Self {
            pod,
            requests: requests(pod),
            near: terms("podAffinity"),
            apart: terms("podAntiAffinity"),
            spread: spread.map(|constraint| spread_of(constraint, pod, nodes)).collect(),
            shunned: shunned(pod, nodes),
        }
    }

    /// Why the pod can't be there.
    pub fn misfit(&self, node: &Node) -> Option<Misfit> {
        let never = |reason: &str| Some(Misfit { reasons: vec![reason.to_owned()], others_could_help: false });
        let now = |reason: &str| Some(Misfit { reasons: vec![reason.to_owned()], others_could_help: true });
        let object = node.object();
        let unschedulable = json!({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"});
        if object.flag("/spec/unschedulable") && !is_tolerated(self.pod, &unschedulable) {
            return never("node(s) were unschedulable");
        }
        let taints = object.list("/spec/taints").iter().filter(|taint| taint.text("/effect") != "PreferNoSchedule");
        if taints.into_iter().any(|taint| !is_tolerated(self.pod, taint)) {
            return never("node(s) had untolerated taint(s)");
        }
        if !is_selected(self.pod, object) {
            return never("node(s) didn't match Pod's node affinity/selector");
        }
        if ports(self.pod).iter().any(|port| node.ports.contains_key(port)) {
            return now("node(s) didn't have free ports for the requested pod ports");
        }
        let (lacks, ever) = node.lacks(&self.requests);
        let mut reasons: Vec<String> = lacks.iter().map(|resource| format!("Insufficient {resource}")).collect();
        if !node.has_room() {
            reasons.insert(0, "Too many pods".to_owned());
        }
        if !reasons.is_empty() {
            return Some(Misfit { reasons, others_could_help: !ever });
        }
        for spread in &self.spread {
            let Some(value) = node.label(&spread.key) else {
                return never("node(s) didn't match pod topology spread constraints (missing required label)");
            };
            let fewest = spread.counts.values().min().copied().unwrap_or_default();
            let count = spread.counts.get(value).copied().unwrap_or_default() + i64::from(spread.is_counted);
            if count - fewest > spread.most {
                return now("node(s) didn't match pod topology spread constraints");
            }
        }
        let is_in = |key: &str, values: &[String]| node.label(key).is_some_and(|here| values.iter().any(|v| v == here));
        if self
            .near
            .iter()
            .any(|near| !(is_in(&near.key, &near.values) || near.first && node.label(&near.key).is_some()))
        {
            return never("node(s) didn't match pod affinity rules");
        }
        if self.apart.iter().any(|apart| is_in(&apart.key, &apart.values)) {
            return now("node(s) didn't match pod anti-affinity rules");
        }
        if self.shunned.iter().any(|(key, value)| node.label(key) == Some(value)) {
            return now("node(s) didn't satisfy existing pods anti-affinity rules");
        }
        None
    }
}

/// True if one of the pod's tolerations is about this taint.
pub fn is_tolerated(pod: &Value, taint: &Value) -> bool {
    pod.list("/spec/tolerations").iter().any(|toleration| tolerates(toleration, taint))
}

/// True if a toleration is about this taint.
pub fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let same = |field: &str| toleration.text(field) == taint.text(field);
    let exists = toleration.text("/operator") == "Exists";
    (toleration.text("/effect").is_empty() || same("/effect"))
        && (same("/key") || exists && toleration.text("/key").is_empty())
        && (exists || same("/value"))
}

/// True if a node is of those that the pod wants by `nodeSelector` and node affinity.
pub fn is_selected(pod: &Value, node: &Value) -> bool {
    let labels = json!({"matchLabels": pod.at("/spec/nodeSelector")});
    if !Labels::of(&labels).select(node) {
        return false;
    }
    let required = pod.at("/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution");
    required.is_null() || required.list("/nodeSelectorTerms").iter().any(|term| is_node_of(term, node))
}

/// True if a node is as a term says.
pub fn is_node_of(term: &Value, node: &Value) -> bool {
    let expressions = term.list("/matchExpressions");
    let fields = term.list("/matchFields");
    if expressions.is_empty() && fields.is_empty() {
        return false;
    }
    expressions.iter().all(|expression| holds(expression, node.label(expression.text("/key"))))
        && fields.iter().all(|field| field.text("/key") == "metadata.name" && holds(field, Some(node.name())))
}

fn holds(expression: &Value, value: Option<&str>) -> bool {
    let values = expression.list("/values");
    let listed = |value: &str| values.iter().any(|known| known == value);
    let bound = || values.first().and_then(Value::as_str).and_then(|bound| bound.parse::<i64>().ok());
    let number = value.and_then(|value| value.parse::<i64>().ok());
    match expression.text("/operator") {
        "In" => value.is_some_and(listed),
        "NotIn" => !value.is_some_and(listed),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => number.zip(bound()).is_some_and(|(number, bound)| number > bound),
        "Lt" => number.zip(bound()).is_some_and(|(number, bound)| number < bound),
        _ => false,
    }
}

/// True if `other` is of those that a term of `pod` is about.
fn is_about(term: &Value, pod: &Value, other: &Value) -> bool {
    let namespaces = term.list("/namespaces");
    let nearby = match namespaces {
        [] if term.at("/namespaceSelector").is_null() => pod.namespace() == other.namespace(),
        [] => true,
        some => some.iter().any(|namespace| namespace == other.namespace()),
    };
    nearby && term.has("/labelSelector") && Labels::of(&term["labelSelector"]).select(other)
}

fn near(term: &Value, pod: &Value, nodes: &Nodes) -> Near {
    let key = term.text("/topologyKey").to_owned();
    let mut values: Vec<String> = Vec::new();
    for (_, node) in nodes.all() {
        let Some(value) = node.label(&key) else { continue };
        if !values.iter().any(|known| known == value) && node.pods.values().any(|other| is_about(term, pod, other)) {
            values.push(value.to_owned());
        }
    }
    let first = values.is_empty() && is_about(term, pod, pod);
    Near { key, values, first }
}

/// Where pods are that don't want to be near this one.
fn shunned(pod: &Value, nodes: &Nodes) -> Vec<(String, String)> {
    let mut shunned = Vec::new();
    for (_, node) in nodes.all() {
        for other in node.apart.values() {
            let terms = "/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution";
            for term in other.list(terms) {
                let key = term.text("/topologyKey");
                if let Some(value) = node.label(key).filter(|_| is_about(term, other, pod)) {
                    shunned.push((key.to_owned(), value.to_owned()));
                }
            }
        }
    }
    shunned
}

fn spread_of(constraint: &Value, pod: &Value, nodes: &Nodes) -> Spread {
    let key = constraint.text("/topologyKey").to_owned();
    let selector = Labels::of(&constraint["labelSelector"]);
    let mut counts = BTreeMap::new();
    for (_, node) in nodes.all() {
        let Some(value) = node.label(&key).filter(|_| is_selected(pod, node.object())) else { continue };
        let here = node.pods.values().filter(|other| other.namespace() == pod.namespace() && selector.select(other));
        let here =
            i64::try_from(here.filter(|other| !other.is_going()).count()).expect("there are fewer pods than numbers");
        *counts.entry(value.to_owned()).or_default() += here;
    }
    Spread { key, most: constraint.number("/maxSkew"), counts, is_counted: selector.select(pod) }
}
