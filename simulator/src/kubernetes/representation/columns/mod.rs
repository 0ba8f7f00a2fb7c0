//! The columns of tables: what the real server tells of them, and how each cell is made of an object, kind by kind.

mod cluster;
mod network;
mod pods;
mod storage;
mod workloads;

use std::{collections::BTreeMap, sync::OnceLock};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::human;
use crate::{
    kubernetes::{custom::PrinterColumn, kinds::Kind, rules, selector::shown},
    packed,
};

/// The columns of each kind, as a real server tells them: by the name under which a kind is stored.
const TOLD: &[u8] = include_bytes!("../../data/columns-1.36.json.gz");

const NONE: &str = "<none>";
const UNSET: &str = "<unset>";

/// An object of which a row is made.
pub struct Row<'o> {
    object: &'o Value,
    now: Timestamp,
}

/// How a cell is made.
#[derive(Clone, Copy)]
pub enum Cell {
    /// The text at a path, or an empty one.
    Text(&'static str),
    /// The text at a path, or else this.
    Or(&'static str, &'static str),
    /// The number at a path, or 0.
    Number(&'static str),
    /// True if that is at the path.
    Flag(&'static str),
    /// How many entries there are at these paths.
    Count(&'static [&'static str]),
    /// How long ago the time at a path was.
    Since(&'static str),
    /// The labels at a path.
    Labels(&'static str),
    /// What the selector at a path selects.
    Selector(&'static str),
    Made(fn(&Row<'_>) -> Value),
}

use Cell::{Count, Flag, Labels, Made, Number, Or, Selector, Since, Text};

const NAME: Cell = Text("metadata.name");
const AGE: Cell = Since(CREATED);
const CREATED: &str = "metadata.creationTimestamp";

/// What the table of a kind has no other columns for.
const PLAIN: &[Cell] = &[NAME, Or(CREATED, "0001-01-01T00:00:00Z")];

/// The cells of a kind by the name under which it is stored.
fn cells_of(stored: &str) -> &'static [Cell] {
    match stored {
        "apiservices.apiregistration.k8s.io" => &[NAME, Made(cluster::api_service), Made(cluster::is_available), AGE],
        "certificatesigningrequests.certificates.k8s.io" => &[
            NAME,
            AGE,
            Text("spec.signerName"),
            Text("spec.username"),
            Made(cluster::requested_duration),
            Made(cluster::signing_condition),
        ],
        "clusterrolebindings.rbac.authorization.k8s.io" | "rolebindings.rbac.authorization.k8s.io" => &[
            NAME,
            Made(cluster::role),
            AGE,
            Made(|row| cluster::subjects(row, "User")),
            Made(|row| cluster::subjects(row, "Group")),
            Made(|row| cluster::subjects(row, "ServiceAccount")),
        ],
        "configmaps" => &[NAME, Count(&["data", "binaryData"]), AGE],
        "controllerrevisions.apps" => &[NAME, Made(workloads::controller), Number("revision"), AGE],
        "cronjobs.batch" => &[
            NAME,
            Text("spec.schedule"),
            Or("spec.timeZone", NONE),
            Made(workloads::is_suspended),
            Count(&["status.active"]),
            Made(workloads::last_schedule),
            AGE,
            Made(|row| workloads::names(row, "spec.jobTemplate.spec.template.spec")),
            Made(|row| workloads::images(row, "spec.jobTemplate.spec.template.spec")),
            Selector("spec.jobTemplate.spec.selector"),
        ],
        "csidrivers.storage.k8s.io" => &[
            NAME,
            Made(storage::needs_attaching),
            Flag("spec.podInfoOnMount"),
            Flag("spec.storageCapacity"),
            Made(storage::token_requests),
            Flag("spec.requiresRepublish"),
            Made(storage::lifecycle_modes),
            AGE,
        ],
        "csinodes.storage.k8s.io" => &[NAME, Count(&["spec.drivers"]), AGE],
        "daemonsets.apps" => &[
            NAME,
            Number("status.desiredNumberScheduled"),
            Number("status.currentNumberScheduled"),
            Number("status.numberReady"),
            Number("status.updatedNumberScheduled"),
            Number("status.numberAvailable"),
            Labels("spec.template.spec.nodeSelector"),
            AGE,
            Made(workloads::template_names),
            Made(workloads::template_images),
            Selector("spec.selector"),
        ],
        // What is not there has no age, as in all columns of defined kinds.
        "defined" => &[NAME, Made(|row| at(row.object, CREATED).map_or(Value::Null, |_| AGE.of(row)))],
        "deployments.apps" => &[
            NAME,
            Made(|row| workloads::ready(row, "status.readyReplicas")),
            Number("status.updatedReplicas"),
            Number("status.availableReplicas"),
            AGE,
            Made(workloads::template_names),
            Made(workloads::template_images),
            Made(workloads::selector),
        ],
        "deviceclasses.resource.k8s.io" | "resourceclaimtemplates.resource.k8s.io" | "serviceaccounts" => &[NAME, AGE],
        "endpoints" => &[NAME, Made(network::endpoints), AGE],
        "endpointslices.discovery.k8s.io" => {
            &[NAME, Text("addressType"), Made(network::slice_ports), Made(network::slice_endpoints), AGE]
        }
        "events" => &[
            Made(cluster::last_seen),
            Text("type"),
            Text("reason"),
            Made(cluster::involved),
            Text("involvedObject.fieldPath"),
            Made(cluster::event_source),
            Made(cluster::event_message),
            Made(cluster::first_seen),
            Made(cluster::event_count),
            NAME,
        ],
        "flowschemas.flowcontrol.apiserver.k8s.io" => &[
            NAME,
            Text("spec.priorityLevelConfiguration.name"),
            Number("spec.matchingPrecedence"),
            Or("spec.distinguisherMethod.type", NONE),
            AGE,
            Made(cluster::dangling),
        ],
        "horizontalpodautoscalers.autoscaling" => &[
            NAME,
            Made(cluster::scaled),
            Made(cluster::metrics),
            Or("spec.minReplicas", UNSET),
            Number("spec.maxReplicas"),
            Number("status.currentReplicas"),
            AGE,
        ],
        "ingressclasses.networking.k8s.io" => &[NAME, Text("spec.controller"), Made(network::class_parameters), AGE],
        "ingresses.networking.k8s.io" => &[
            NAME,
            Or("spec.ingressClassName", NONE),
            Made(network::hosts),
            Made(network::balanced),
            Made(network::ingress_ports),
            AGE,
        ],
        "ipaddresses.networking.k8s.io" => &[NAME, Made(network::parent)],
        "jobs.batch" => &[
            NAME,
            Made(workloads::job_status),
            Made(workloads::completions),
            Made(workloads::job_duration),
            AGE,
            Made(workloads::template_names),
            Made(workloads::template_images),
            Selector("spec.selector"),
        ],
        "leases.coordination.k8s.io" => &[NAME, Text("spec.holderIdentity"), AGE],
        "mutatingwebhookconfigurations.admissionregistration.k8s.io"
        | "validatingwebhookconfigurations.admissionregistration.k8s.io" => &[NAME, Count(&["webhooks"]), AGE],
        "mutatingadmissionpolicies.admissionregistration.k8s.io" => {
            &[NAME, Count(&["spec.mutations"]), Made(cluster::parameter_kind), AGE]
        }
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io"
        | "validatingadmissionpolicybindings.admissionregistration.k8s.io" => {
            &[NAME, Text("spec.policyName"), Made(cluster::parameters), AGE]
        }
        "namespaces" => &[NAME, Text("status.phase"), AGE],
        "networkpolicies.networking.k8s.io" => &[NAME, Selector("spec.podSelector"), AGE],
        "nodes" => &[
            NAME,
            Made(cluster::node_status),
            Made(cluster::node_roles),
            AGE,
            Text("status.nodeInfo.kubeletVersion"),
            Made(|row| cluster::node_address(row, "InternalIP")),
            Made(|row| cluster::node_address(row, "ExternalIP")),
            Or("status.nodeInfo.osImage", UNKNOWN),
            Or("status.nodeInfo.kernelVersion", UNKNOWN),
            Or("status.nodeInfo.containerRuntimeVersion", UNKNOWN),
        ],
        "persistentvolumeclaims" => &[
            NAME,
            Made(storage::phase),
            Text("spec.volumeName"),
            Made(storage::claim_capacity),
            Made(storage::claim_modes),
            Made(storage::class),
            Or("spec.volumeAttributesClassName", UNSET),
            AGE,
            Or("spec.volumeMode", UNSET),
        ],
        "persistentvolumes" => &[
            NAME,
            Text("spec.capacity.storage"),
            Made(|row| storage::modes(at(row.object, "spec.accessModes"))),
            Text("spec.persistentVolumeReclaimPolicy"),
            Made(storage::phase),
            Made(storage::claim),
            Made(storage::class),
            Or("spec.volumeAttributesClassName", UNSET),
            Text("status.reason"),
            AGE,
            Or("spec.volumeMode", UNSET),
        ],
        "poddisruptionbudgets.policy" => &[
            NAME,
            Or("spec.minAvailable", "N/A"),
            Or("spec.maxUnavailable", "N/A"),
            Number("status.disruptionsAllowed"),
            AGE,
        ],
        "pods" => &[
            NAME,
            Made(pods::ready),
            Made(pods::status),
            Made(pods::restarts),
            AGE,
            Made(pods::address),
            Or("spec.nodeName", NONE),
            Or("status.nominatedNodeName", NONE),
            Made(pods::gates),
        ],
        "podtemplates" => &[
            NAME,
            Made(|row| workloads::names(row, "template.spec")),
            Made(|row| workloads::images(row, "template.spec")),
            Labels("template.metadata.labels"),
        ],
        "priorityclasses.scheduling.k8s.io" => {
            &[NAME, Number("value"), Flag("globalDefault"), AGE, Text("preemptionPolicy")]
        }
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io" => &[
            NAME,
            Text("spec.type"),
            Made(cluster::concurrency_shares),
            Made(|row| cluster::queuing(row, "queues")),
            Made(|row| cluster::queuing(row, "handSize")),
            Made(|row| cluster::queuing(row, "queueLengthLimit")),
            AGE,
        ],
        "replicasets.apps" => &[
            NAME,
            Number("spec.replicas"),
            Number("status.replicas"),
            Number("status.readyReplicas"),
            AGE,
            Made(workloads::template_names),
            Made(workloads::template_images),
            Selector("spec.selector"),
        ],
        "replicationcontrollers" => &[
            NAME,
            Number("spec.replicas"),
            Number("status.replicas"),
            Number("status.readyReplicas"),
            AGE,
            Made(workloads::template_names),
            Made(workloads::template_images),
            Labels("spec.selector"),
        ],
        "resourceclaims.resource.k8s.io" => &[NAME, Made(cluster::claim_state), AGE],
        "resourcequotas" => &[NAME, Made(|row| cluster::used(row, false)), Made(|row| cluster::used(row, true)), AGE],
        "resourceslices.resource.k8s.io" => {
            &[NAME, Text("spec.nodeName"), Text("spec.driver"), Text("spec.pool.name"), AGE]
        }
        "runtimeclasses.node.k8s.io" => &[NAME, Text("handler"), AGE],
        "scale" => &[NAME, Number("spec.replicas"), Number("status.replicas"), AGE],
        "secrets" => &[NAME, Text("type"), Count(&["data"]), AGE],
        "servicecidrs.networking.k8s.io" => &[NAME, Made(|row| joined(at(row.object, "spec.cidrs"), ",")), AGE],
        "services" => &[
            NAME,
            Text("spec.type"),
            Made(network::cluster_address),
            Made(network::external_addresses),
            Made(network::service_ports),
            AGE,
            Labels("spec.selector"),
        ],
        "statefulsets.apps" => &[
            NAME,
            Made(|row| workloads::ready(row, "status.readyReplicas")),
            AGE,
            Made(workloads::template_names),
            Made(workloads::template_images),
        ],
        "storageclasses.storage.k8s.io" => &[
            Made(storage::class_name),
            Text("provisioner"),
            Or("reclaimPolicy", "Delete"),
            Or("volumeBindingMode", "Immediate"),
            Flag("allowVolumeExpansion"),
            AGE,
        ],
        "validatingadmissionpolicies.admissionregistration.k8s.io" => {
            &[NAME, Count(&["spec.validations"]), Made(cluster::parameter_kind), AGE]
        }
        "volumeattachments.storage.k8s.io" => &[
            NAME,
            Text("spec.attacher"),
            Text("spec.source.persistentVolumeName"),
            Text("spec.nodeName"),
            Flag("status.attached"),
            AGE,
        ],
        "volumeattributesclasses.storage.k8s.io" => &[NAME, Text("driverName"), AGE],
        _ => PLAIN,
    }
}

const UNKNOWN: &str = "<unknown>";

impl Cell {
    fn of(self, row: &Row<'_>) -> Value {
        let at = |path: &str| at(row.object, path);
        match self {
            Text(path) => json!(text(at(path))),
            Or(path, other) => match text(at(path)) {
                empty if empty.is_empty() => json!(other),
                text => json!(text),
            },
            Number(path) => at(path).cloned().unwrap_or(json!(0)),
            Flag(path) => json!(at(path) == Some(&Value::Bool(true))),
            Count(paths) => json!(paths.iter().map(|path| count(at(path))).sum::<usize>()),
            Since(path) => json!(human::since(at(path), row.now)),
            Labels(path) | Selector(path) => match at(path).map(shown) {
                Some(text) if !text.is_empty() => json!(text),
                _ => json!(NONE),
            },
            Made(make) => make(row),
        }
    }
}

/// Tables that are odd in something else than their columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    Usual,
    /// Nothing is not an empty list of rows.
    Plain,
    Pods,
}

/// The columns of one table.
pub enum Columns {
    Known { definitions: &'static Value, cells: &'static [Cell], sort: Sort },
    Defined(Vec<PrinterColumn>),
}

impl Columns {
    pub fn of(kind: &Kind, part: &str) -> Self {
        match (&kind.defined, part) {
            (None, "scale") => Self::known("scale", "scale"),
            (Some(_), "scale") => Self::known("defined scale", "scale"),
            (Some(defined), _) if !defined.columns.is_empty() => Self::Defined(defined.columns.clone()),
            (Some(_), _) => Self::known("defined", "defined"),
            (None, _) => Self::known(&kind.stored, &kind.stored),
        }
    }

    fn known(definitions: &str, stored: &str) -> Self {
        let cells = cells_of(stored);
        let sort = match stored {
            "pods" => Sort::Pods,
            _ if std::ptr::eq(cells, PLAIN) => Sort::Plain,
            _ => Sort::Usual,
        };
        Self::Known { definitions: told(definitions), cells, sort }
    }

    /// All the rows of a list.
    pub fn rows(&self, rows: Vec<Value>) -> Value {
        match self {
            Self::Known { sort: Sort::Plain, .. } if rows.is_empty() => Value::Null,
            _ => Value::Array(rows),
        }
    }

    pub fn definitions(&self) -> Value {
        match self {
            Self::Known { definitions, .. } => (*definitions).clone(),
            Self::Defined(columns) => {
                let name = told("defined")[0].clone();
                std::iter::once(name).chain(columns.iter().map(|column| column.definition.clone())).collect()
            }
        }
    }

    pub fn cells(&self, object: &Value, now: Timestamp, kind: &Kind) -> Value {
        match self {
            Self::Known { cells, .. } => {
                let stored = as_stored(object, kind);
                let row = Row { object: stored.as_ref().unwrap_or(object), now };
                cells.iter().map(|cell| cell.of(&row)).collect()
            }
            Self::Defined(columns) => {
                let name = json!(text(at(object, "metadata.name")));
                let since = |time: &Value| human::since(Some(time), now);
                std::iter::once(name).chain(columns.iter().map(|column| column.cell(object, since))).collect()
            }
        }
    }

    /// What else there is to say of a row.
    pub fn conditions(&self, object: &Value) -> Option<Value> {
        match self {
            Self::Known { sort: Sort::Pods, .. } => pods::conditions(object),
            _ => None,
        }
    }
}

/// What a real server tells of the columns of a kind, or of any.
fn told(stored: &str) -> &'static Value {
    static READ: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    let told = READ.get_or_init(|| packed::read(TOLD));
    told.get(stored).unwrap_or(&told[""])
}

/// The object in the version of which tables are made, if it is in another one.
fn as_stored(object: &Value, kind: &Kind) -> Option<Value> {
    let rules = rules::of(&kind.stored)?;
    let version = rules.stored_version().filter(|version| object["apiVersion"] != **version)?;
    let mut converted = object.clone();
    rules.convert(&mut converted, version);
    Some(converted)
}

fn at<'o>(object: &'o Value, path: &str) -> Option<&'o Value> {
    path.split('.').try_fold(object, |value, field| value.get(field)).filter(|value| !value.is_null())
}

fn text(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn count(value: Option<&Value>) -> usize {
    match value {
        Some(Value::Array(items)) => items.len(),
        Some(Value::Object(map)) => map.len(),
        _ => 0,
    }
}

fn joined(list: Option<&Value>, by: &str) -> Value {
    json!(items(list).map(|item| text(Some(item))).collect::<Vec<_>>().join(by))
}

fn or(text: String, other: &str) -> Value {
    if text.is_empty() { json!(other) } else { json!(text) }
}

/// The first few of so many, and how many more there are.
fn first_of(all: &[String], most: usize) -> String {
    match all.len() {
        count if count > most => format!("{} + {} more...", all[..most].join(","), count - most),
        _ => all.join(","),
    }
}

/// The condition of a type.
fn condition<'o>(object: &'o Value, of: &str) -> Option<&'o Value> {
    items(at(object, "status.conditions")).find(|condition| condition["type"] == of)
}

fn holds(object: &Value, of: &str) -> bool {
    condition(object, of).is_some_and(|condition| condition["status"] == "True")
}
