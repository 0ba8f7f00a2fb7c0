//! The types of resources, as data: where they are, what they are called, and what tables show of them.

use std::collections::BTreeMap;

use prost::Message;
use serde_json::json;
use talos::api::cosi::meta::{
    NamespaceSpec, ResourceDefinitionSpec,
    resource_definition_spec::{PrintColumn, Sensitivity},
};

use super::{Content, Key};

/// A type of resources.
pub struct Definition {
    pub name: &'static str,
    pub namespace: &'static str,
    pub aliases: &'static [&'static str],
    /// The titles of columns, and where in a spec they are found.
    columns: &'static [(&'static str, &'static str)],
    /// Only administrators see them.
    pub sensitive: bool,
    /// The minor version of 1 from which on there are such.
    since: u32,
}

/// Where types and namespaces are.
pub const NAMESPACE: &str = "meta";

pub const NAMESPACES: [&str; 10] =
    ["cluster", "config", "etcd", "k8s", "kubespan", "meta", "network", "perf", "runtime", "secrets"];

const fn of(
    name: &'static str,
    namespace: &'static str,
    aliases: &'static [&'static str],
    columns: &'static [(&'static str, &'static str)],
) -> Definition {
    Definition { name, namespace, aliases, columns, sensitive: false, since: 0 }
}

const fn since(since: u32, definition: Definition) -> Definition {
    Definition { since, ..definition }
}

const fn secret(definition: Definition) -> Definition {
    Definition { sensitive: true, ..definition }
}

/// All of them, by their names.
const DEFINITIONS: &[Definition] = &[
    of(
        "AddressStatuses.net.talos.dev",
        "network",
        &["address", "addresses"],
        &[("Address", "{.address}"), ("Link", "{.linkName}")],
    ),
    of(
        "Affiliates.cluster.talos.dev",
        "cluster",
        &[],
        &[("Hostname", "{.hostname}"), ("Machine Type", "{.machineType}"), ("Addresses", "{.addresses}")],
    ),
    since(
        8,
        of("Diagnostics.runtime.talos.dev", "runtime", &[], &[("Message", "{.message}"), ("Details", "{.details}")]),
    ),
    since(
        8,
        of(
            "DiscoveredVolumes.block.talos.dev",
            "runtime",
            &["dv"],
            &[
                ("Type", "{.type}"),
                ("Size", "{.pretty_size}"),
                ("Discovered", "{.name}"),
                ("Label", "{.label}"),
                ("PartitionLabel", "{.partitionLabel}"),
            ],
        ),
    ),
    since(
        8,
        of(
            "Disks.block.talos.dev",
            "runtime",
            &[],
            &[
                ("Size", "{.pretty_size}"),
                ("Read Only", "{.readonly}"),
                ("Transport", "{.transport}"),
                ("Rotational", "{.rotational}"),
                ("WWID", "{.wwid}"),
                ("Model", "{.model}"),
                ("Serial", "{.serial}"),
            ],
        ),
    ),
    of("EtcdMembers.etcd.talos.dev", "etcd", &[], &[("Member ID", "{.memberID}")]),
    of(
        "ExtensionStatuses.runtime.talos.dev",
        "runtime",
        &["extensions"],
        &[("Name", "{.metadata.name}"), ("Version", "{.metadata.version}")],
    ),
    of(
        "HostnameStatuses.net.talos.dev",
        "network",
        &["hostname"],
        &[("Hostname", "{.hostname}"), ("Domainname", "{.domainname}")],
    ),
    of("Identities.cluster.talos.dev", "cluster", &[], &[("ID", "{.nodeId}")]),
    secret(of(
        "KubeSpanIdentities.kubespan.talos.dev",
        "kubespan",
        &[],
        &[("Address", "{.address}"), ("PublicKey", "{.publicKey}")],
    )),
    of(
        "KubeSpanPeerStatuses.kubespan.talos.dev",
        "kubespan",
        &[],
        &[
            ("Label", "{.label}"),
            ("Endpoint", "{.endpoint}"),
            ("State", "{.state}"),
            ("Rx", "{.receiveBytes}"),
            ("Tx", "{.transmitBytes}"),
        ],
    ),
    of(
        "LinkStatuses.net.talos.dev",
        "network",
        &["link", "links"],
        &[
            ("Alias", "{.alias}"),
            ("Type", "{.type}"),
            ("Kind", "{.kind}"),
            ("Hw Addr", "{.hardwareAddr}"),
            ("Oper State", "{.operationalState}"),
            ("Link State", "{.linkState}"),
        ],
    ),
    secret(of("MachineConfigs.config.talos.dev", "config", &[], &[])),
    of("MachineStatuses.runtime.talos.dev", "runtime", &[], &[("Stage", "{.stage}"), ("Ready", "{.status.ready}")]),
    of("MachineTypes.config.talos.dev", "config", &[], &[("Type", "{}")]),
    of(
        "Members.cluster.talos.dev",
        "cluster",
        &[],
        &[
            ("Hostname", "{.hostname}"),
            ("Machine Type", "{.machineType}"),
            ("OS", "{.operatingSystem}"),
            ("Addresses", "{.addresses}"),
        ],
    ),
    of("MetaKeys.runtime.talos.dev", "runtime", &["meta"], &[("Value", "{.value}")]),
    of("Namespaces.meta.cosi.dev", "meta", &["ns"], &[]),
    of("NodeAddresses.net.talos.dev", "network", &[], &[("Addresses", "{.addresses}")]),
    of(
        "NodeStatuses.kubernetes.talos.dev",
        "k8s",
        &[],
        &[("Ready", "{.nodeReady}"), ("Unschedulable", "{.unschedulable}")],
    ),
    of("Nodenames.kubernetes.talos.dev", "k8s", &[], &[("Nodename", "{.nodename}")]),
    of(
        "ResolverStatuses.net.talos.dev",
        "network",
        &["resolvers"],
        &[("Resolvers", "{.dnsServers}"), ("Search Domains", "{.searchDomains}")],
    ),
    of("ResourceDefinitions.meta.cosi.dev", "meta", &["api-resources"], &[("Aliases", "{.aliases[:]}")]),
    of(
        "RouteStatuses.net.talos.dev",
        "network",
        &["route", "routes"],
        &[("Destination", "{.dst}"), ("Gateway", "{.gateway}"), ("Link", "{.outLinkName}"), ("Metric", "{.priority}")],
    ),
    of(
        "Services.v1alpha1.talos.dev",
        "runtime",
        &["svc"],
        &[("Running", "{.running}"), ("Healthy", "{.healthy}"), ("Health Unknown", "{.unknown}")],
    ),
    of(
        "StaticPodStatuses.kubernetes.talos.dev",
        "k8s",
        &["podstatus"],
        &[("Ready", r#"{.conditions[?(@.type=="Ready")].status}"#)],
    ),
    since(8, of("SystemDisks.block.talos.dev", "runtime", &[], &[("Disk", "{.diskID}")])),
    of("TimeStatuses.v1alpha1.talos.dev", "runtime", &[], &[("Synced", "{.synced}")]),
    since(10, of("Versions.runtime.talos.dev", "runtime", &["version"], &[("Version", "{.version}")])),
    since(
        8,
        of(
            "VolumeStatuses.block.talos.dev",
            "runtime",
            &[],
            &[("Type", "{.type}"), ("Phase", "{.phase}"), ("Location", "{.location}"), ("Size", "{.prettySize}")],
        ),
    ),
];

/// The type of this name.
pub fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|definition| definition.name == name)
}

impl Definition {
    /// `LinkStatus`, for what is called `LinkStatuses.net.talos.dev`.
    fn one(&self) -> String {
        let plural = self.plural();
        for (ending, singular) in [("sses", "ss"), ("uses", "us"), ("ities", "ity"), ("ies", "y")] {
            if let Some(stem) = plural.strip_suffix(ending) {
                return format!("{stem}{singular}");
            }
        }
        match plural.strip_suffix("resses") {
            Some(stem) => format!("{stem}ress"),
            None => plural.strip_suffix('s').unwrap_or(plural).to_owned(),
        }
    }

    fn plural(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }

    /// Every name by which it may be called.
    fn all_aliases(&self) -> Vec<String> {
        let mut all: Vec<String> = self.aliases.iter().map(|alias| (*alias).to_owned()).collect();
        let plural = self.plural();
        let parts: Vec<&str> = self.name.split('.').collect();
        all.push(plural.to_lowercase());
        all.extend((2..parts.len()).map(|count| parts[..count].join(".").to_lowercase()));
        all.push(self.one().to_lowercase());
        let capitals: String = plural.chars().filter(char::is_ascii_uppercase).collect();
        if capitals.len() > 1 {
            all.extend([capitals.to_lowercase(), format!("{}s", capitals.to_lowercase())]);
        }
        let mut known = Vec::new();
        all.retain(|alias| {
            !known.contains(alias) && {
                known.push(alias.clone());
                true
            }
        });
        all
    }

    fn content(&self) -> Content {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let columns = self.columns.iter();
        let shown: Vec<_> = columns.clone().map(|(name, path)| json!({"name": name, "jsonPath": path})).collect();
        let sensitivity = if self.sensitive { Sensitivity::Sensitive } else { Sensitivity::NonSensitive };
        let message = ResourceDefinitionSpec {
            resource_type: self.name.to_owned(),
            display_type: self.one(),
            default_namespace: self.namespace.to_owned(),
            aliases: texts(self.aliases),
            all_aliases: self.all_aliases(),
            print_columns: columns
                .map(|(name, path)| PrintColumn { name: (*name).to_owned(), json_path: (*path).to_owned() })
                .collect(),
            sensitivity: sensitivity.into(),
        };
        let spec = json!({
            "type": self.name,
            "displayType": message.display_type,
            "aliases": message.all_aliases,
            "printColumns": shown,
            "defaultNamespace": self.namespace,
            "sensitivity": if self.sensitive { "sensitive" } else { "" },
        });
        Content { owner: "", yaml: super::shown::yaml(&spec), message: message.encode_to_vec(), annotations: &[] }
    }
}

/// The types and the namespaces of a version, as resources themselves.
pub fn shown(minor: u32) -> BTreeMap<Key, Content> {
    let known = DEFINITIONS.iter().filter(|definition| definition.since <= minor);
    let types = known.map(|definition| {
        let id = definition.name.to_lowercase();
        (Key::new(NAMESPACE, "ResourceDefinitions.meta.cosi.dev", &id), definition.content())
    });
    let namespaces = NAMESPACES.iter().map(|name| {
        let message = NamespaceSpec { description: String::new() }.encode_to_vec();
        let yaml = super::shown::yaml(&json!({"description": ""}));
        let content = Content { owner: "", yaml, message, annotations: &[] };
        (Key::new(NAMESPACE, "Namespaces.meta.cosi.dev", name), content)
    });
    types.chain(namespaces).collect()
}
