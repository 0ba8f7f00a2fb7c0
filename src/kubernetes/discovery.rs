//! Which kinds a cluster has: any kind by any of its names, in at most two requests, whatever the number of kinds.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{StreamExt, TryStreamExt, stream};

use super::{
    client::{Cluster, Query},
    fault::Subject,
    served::{Root, Served, VersionList},
};
use crate::script::{
    fault::{Fault, Kind},
    options::nearest,
};

/// A kind as a server serves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Empty for the core group.
    pub group: String,
    pub version: String,
    pub kind: String,
    pub plural: String,
    pub singular: String,
    pub short_names: Vec<String>,
    pub namespaced: bool,
}

impl Resource {
    pub fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// `deployments.apps`: the name that no other kind has.
    pub fn full_name(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// The name in a sentence: `deployment`.
    pub fn shown(&self) -> String {
        match self.singular.as_str() {
            "" => self.kind.to_lowercase(),
            singular => singular.to_owned(),
        }
    }

    /// The path of the collection, or of one object in it.
    pub fn path(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let mut path = match self.group.as_str() {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        if let Some(namespace) = namespace.filter(|_| self.namespaced) {
            path.push_str(&format!("/namespaces/{}", escape(namespace)));
        }
        path.push_str(&format!("/{}", self.plural));
        if let Some(name) = name {
            path.push_str(&format!("/{}", escape(name)));
        }
        path
    }

    pub fn is_core(&self, plural: &str) -> bool {
        self.group.is_empty() && self.plural == plural
    }

    fn answers_to(&self, name: &str) -> bool {
        let same = |own: &str| own.eq_ignore_ascii_case(name);
        same(&self.plural) || same(&self.singular) || same(&self.kind) || self.short_names.iter().any(|own| same(own))
    }
}

/// Words for a kind: `deployment`, `deployments`.
pub struct Words {
    pub one: String,
    pub many: String,
    pub namespaced: bool,
}

fn escape(segment: &str) -> String {
    const SEGMENT: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');
    percent_encoding::utf8_percent_encode(segment, SEGMENT).to_string()
}

/// How a script names a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    name: String,
    /// `apps`, or `v1.apps`, or both apart.
    qualifier: Option<Qualifier>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Qualifier {
    /// `Kind.group` or `plural.version.group`.
    Dotted(String),
    /// `group/version/Kind`.
    Exact { group: String, version: String },
}

impl Wanted {
    fn read(text: &str) -> Self {
        if let Some((version, name)) = text.rsplit_once('/') {
            let (group, version) = version.split_once('/').unwrap_or(("", version));
            let qualifier = Qualifier::Exact { group: group.to_owned(), version: version.to_owned() };
            return Self { name: name.to_owned(), qualifier: Some(qualifier) };
        }
        match text.split_once('.') {
            Some((name, rest)) => Self {
                name: name.to_owned(),
                qualifier: Some(Qualifier::Dotted(rest.trim_end_matches('.').to_owned())),
            },
            None => Self { name: text.to_owned(), qualifier: None },
        }
    }

    fn matches(&self, resource: &Resource) -> bool {
        let qualified = match &self.qualifier {
            None => true,
            Some(Qualifier::Exact { group, version }) => resource.group == *group && resource.version == *version,
            Some(Qualifier::Dotted(dotted)) => {
                resource.group.eq_ignore_ascii_case(dotted)
                    || format!("{}.{}", resource.version, resource.group).trim_end_matches('.') == dotted.as_str()
            }
        };
        qualified && resource.answers_to(&self.name)
    }
}

/// The kinds that every server has had for years, so that nobody needs to ask: group, version, kind, plural, short names,
/// namespaced.
type BuiltIn = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str], bool);

const BUILT_IN: &[BuiltIn] = &[
    ("", "v1", "ConfigMap", "configmaps", &["cm"], true),
    ("", "v1", "Endpoints", "endpoints", &["ep"], true),
    ("", "v1", "Event", "events", &["ev"], true),
    ("", "v1", "LimitRange", "limitranges", &["limits"], true),
    ("", "v1", "Namespace", "namespaces", &["ns"], false),
    ("", "v1", "Node", "nodes", &["no"], false),
    ("", "v1", "PersistentVolume", "persistentvolumes", &["pv"], false),
    ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", &["pvc"], true),
    ("", "v1", "Pod", "pods", &["po"], true),
    ("", "v1", "ReplicationController", "replicationcontrollers", &["rc"], true),
    ("", "v1", "ResourceQuota", "resourcequotas", &["quota"], true),
    ("", "v1", "Secret", "secrets", &[], true),
    ("", "v1", "Service", "services", &["svc"], true),
    ("", "v1", "ServiceAccount", "serviceaccounts", &["sa"], true),
    ("apps", "v1", "DaemonSet", "daemonsets", &["ds"], true),
    ("apps", "v1", "Deployment", "deployments", &["deploy"], true),
    ("apps", "v1", "ReplicaSet", "replicasets", &["rs"], true),
    ("apps", "v1", "StatefulSet", "statefulsets", &["sts"], true),
    ("batch", "v1", "CronJob", "cronjobs", &["cj"], true),
    ("batch", "v1", "Job", "jobs", &[], true),
    ("networking.k8s.io", "v1", "Ingress", "ingresses", &["ing"], true),
    ("networking.k8s.io", "v1", "IngressClass", "ingressclasses", &[], false),
    ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", &["netpol"], true),
    ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", &["pdb"], true),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", &[], false),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", &[], false),
    ("rbac.authorization.k8s.io", "v1", "Role", "roles", &[], true),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", &[], true),
    ("storage.k8s.io", "v1", "StorageClass", "storageclasses", &["sc"], false),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", &["crd", "crds"], false),
    ("apiregistration.k8s.io", "v1", "APIService", "apiservices", &[], false),
    ("coordination.k8s.io", "v1", "Lease", "leases", &[], true),
    ("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", &[], true),
    ("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", &["pc"], false),
];

fn built_in() -> impl Iterator<Item = Resource> {
    BUILT_IN.iter().map(|&(group, version, kind, plural, short_names, namespaced)| Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        singular: kind.to_lowercase(),
        short_names: short_names.iter().map(|&name| name.to_owned()).collect(),
        namespaced,
    })
}

/// What is known of a cluster's kinds.
#[derive(Default)]
pub struct Known {
    held: Mutex<Held>,
    /// Held by whoever asks for all kinds, so that many who miss one ask once.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    resources: Arc<Vec<Resource>>,
    /// How often all kinds were asked for.
    asked: u64,
}

impl Known {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> Arc<Vec<Resource>> {
        self.held().resources.clone()
    }

    fn replace(&self, resources: Vec<Resource>) {
        let mut held = self.held();
        held.resources = Arc::new(resources);
        held.asked += 1;
    }

    fn add(&self, more: Vec<Resource>) {
        let mut held = self.held();
        let all = Arc::make_mut(&mut held.resources);
        for resource in more {
            if !all.contains(&resource) {
                all.push(resource);
            }
        }
    }

    /// From now on kinds are looked up anew.
    pub fn forget(&self) {
        self.held().resources = Arc::default();
    }
}

impl Cluster {
    /// The kind of that name: plural, singular, short name, `Kind`, `Kind.group`, `group/version/Kind` …
    ///
    /// # Errors
    /// `unsupported` with the nearest name, if the server has no such kind; or the fault of asking it.
    pub async fn resolve(&self, name: &str) -> Result<Resource, Fault> {
        let wanted = Wanted::read(name);
        let asked = self.kinds().held().asked;
        if let Some(found) = self.known(&wanted) {
            return Ok(found);
        }
        if let Some(Qualifier::Exact { group, version }) = &wanted.qualifier {
            let resources = self.version_resources(group, version).await?;
            self.kinds().add(resources);
        } else {
            let _asking = self.kinds().asking.lock().await;
            // Somebody else may have asked meanwhile, and the answer is as good for us.
            if self.kinds().held().asked == asked {
                self.kinds().replace(self.all_resources().await?);
            }
        }
        self.known(&wanted).ok_or_else(|| self.unknown(name))
    }

    /// What is known of the kind without asking.
    fn known(&self, wanted: &Wanted) -> Option<Resource> {
        built_in()
            .find(|resource| wanted.matches(resource))
            .or_else(|| self.kinds().all().iter().find(|resource| wanted.matches(resource)).cloned())
    }

    /// The object as an operator names it, before anything is asked: `deployment/web in guestbook`.
    pub fn shown(&self, kind: &str, namespace: &str, name: &str) -> String {
        match self.known(&Wanted::read(kind)) {
            Some(resource) => super::explain::shown(&resource, namespace, name),
            None => format!("{kind}/{name} in {namespace}"),
        }
    }

    /// How an operator speaks of the kind, before anything is asked.
    pub fn words_for(&self, kind: &str) -> Words {
        match self.known(&Wanted::read(kind)) {
            Some(resource) => Words { one: resource.shown(), namespaced: resource.namespaced, many: resource.plural },
            None => Words { one: kind.to_owned(), many: kind.to_owned(), namespaced: true },
        }
    }

    fn unknown(&self, name: &str) -> Fault {
        let fault = Fault::new(Kind::Unsupported, format!("`{}` has no kind `{name}`", self.context()));
        let known = self.kinds().all();
        let wanted = Wanted::read(name).name;
        let mut names: Vec<String> = (built_in().chain(known.iter().cloned()))
            .flat_map(|resource| [resource.plural, resource.singular, resource.kind])
            .collect();
        names.sort();
        match nearest(&wanted, names.iter().map(String::as_str)) {
            Some(near) if !near.eq_ignore_ascii_case(&wanted) => fault.hint(format!("did you mean `{near}`?")),
            Some(_) => fault.hint("the cluster has it in another group or version: leave them out to find it"),
            None => fault.hint("is its CustomResourceDefinition installed? `kubectl api-resources` lists all kinds"),
        }
    }

    /// Every kind, in the order in which a bare name is looked up.
    async fn all_resources(&self) -> Result<Vec<Resource>, Fault> {
        let (core, groups) = futures::try_join!(self.root_of("/api"), self.root_of("/apis"))?;
        let mut resources = Vec::new();
        for root in [core, groups] {
            match root.served() {
                Served::Resources(served) => resources.extend(served),
                // The way of servers before 1.26: a request for each version of each group.
                Served::Versions(versions) => resources.extend(
                    stream::iter(versions)
                        .map(|(group, version)| async move { self.version_resources(&group, &version).await })
                        .buffered(16)
                        .try_concat()
                        .await?,
                ),
            }
        }
        Ok(resources)
    }

    async fn root_of(&self, path: &str) -> Result<Root, Fault> {
        const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                                  application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,\
                                  application/json";
        let query = Query::get(path.to_owned(), self.about_itself()).accepting(AGGREGATED);
        self.ask(query).await?.read()
    }

    async fn version_resources(&self, group: &str, version: &str) -> Result<Vec<Resource>, Fault> {
        let path = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        match self.ask(Query::get(path, self.about_itself())).await {
            Ok(answer) => Ok(answer.read::<VersionList>()?.resources(group, version)),
            // The group or version is not there, or its extension server is down.
            Err(fault) if matches!(fault.status, Some(404 | 503)) => Ok(Vec::new()),
            Err(fault) => Err(fault),
        }
    }

    fn about_itself(&self) -> Subject {
        Subject { verb: "get", cluster: self.context().to_owned(), ..Subject::default() }
    }
}
