//! What kinds have beyond their schemas: what the server fills in on its own, keeps, and refuses, kind by kind.
//!
//! One file a family of kinds. Each rule is taken from what a real server answers.

mod admission_policies;
mod apiservices;
mod autoscalers;
mod budgets;
pub mod certificates;
mod configmaps;
mod devices;
mod difference;
mod endpoints;
mod events;
pub mod field;
mod fill;
mod flows;
pub mod form;
mod json_text;
mod leases;
mod limitranges;
mod namespaces;
mod networking;
mod nodes;
mod pod_spec;
mod pods;
mod priorities;
mod quotas;
mod rbac;
mod resources;
mod runtimeclasses;
mod secrets;
mod services;
mod simple;
pub mod structures;
mod volumes;
mod webhooks;
mod workloads;

use serde_json::Value;

use self::simple::{PLAIN, Simple};

use super::{
    answer::{Cause, Refusal},
    cluster::Cluster,
    custom::Definitions,
};

/// How the name of an object may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameForm {
    /// `example.com`: up to 253 letters, for most kinds.
    Subdomain,
    /// `web-1`: up to 63 letters.
    Label,
    /// `web-1`, not beginning with a digit: services.
    Label1035,
    /// Anything that can be a segment of a path: roles and their bindings.
    PathSegment,
}

/// How the real server looks at the metadata of a changed object, after it has done so as for any kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// For what may not be changed.
    AtChanges,
    /// For what no such object may have.
    AtTheWhole,
    /// For both, as for most kinds.
    Twice,
    /// Not at all.
    Never,
}

/// Where an object has the numbers of its scale, as in `spec.replicas`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale<'r> {
    pub replicas: &'r str,
    pub status_replicas: &'r str,
    /// A selector of pods, as an object or as a text.
    pub selector: Option<&'r str>,
}

impl Scale<'static> {
    /// As Deployments and their like have it.
    pub const USUAL: Self =
        Self { replicas: "spec.replicas", status_replicas: "status.replicas", selector: Some("spec.selector") };
}

/// The rules of one kind. What is not said here is as for most kinds.
///
/// Objects come and go as JSON, in the version in which they are stored. `object` is what somebody wants to be there, `there` what is.
pub trait Rules: Sync + Send {
    /// Fills in what nobody gave. It is called on every write, in the version that was written, and changes nothing when called twice.
    fn fill_in(&self, _object: &mut Value) {}

    /// The same of an object that somebody applies, in which a null may be more than nothing.
    fn fill_in_applied(&self, object: &mut Value) {
        self.fill_in(object);
    }

    /// Fills in what an object has not that comes back from where it was stored.
    fn fill_in_stored(&self, _object: &mut Value) {}

    /// True if what [`fill_in_stored`](Rules::fill_in_stored) gave a new object is stored by the first write to it, even by one that
    /// changes nothing.
    fn stores_filled_in_late(&self) -> bool {
        false
    }

    /// Gives an object what the cluster has only so many of (such as addresses), before anything of it is checked. Who only wants
    /// to know what would be is given what nobody has.
    ///
    /// # Errors
    /// If there is none left, or somebody else has what it asks for.
    fn allot(
        &self,
        _object: &mut Value,
        _there: Option<&Value>,
        _cluster: &Cluster,
        _dry_run: bool,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    /// What admission changes about a new object before it is made; `given` is what came, before anything was filled in.
    ///
    /// # Errors
    /// If it is refused.
    fn admit_new(&self, _object: &mut Value, _given: &Value, _cluster: &Cluster) -> Result<(), Refusal> {
        Ok(())
    }

    /// Makes an object new: what a creation sets or throws away, whoever asks (such as its status).
    fn prepare_new(&self, _object: &mut Value, _cluster: &Cluster) {}

    /// What a change leaves as it was, whoever asks.
    fn prepare_change(&self, _object: &mut Value, _there: &Value, _cluster: &Cluster) {}

    /// What is wrong with an object, in the order in which the real server tells it.
    fn check(&self, _object: &Value) -> Vec<Cause> {
        Vec::new()
    }

    /// What is wrong with a new object in the version in which it was given, before it becomes one of the stored version.
    fn check_given(&self, _object: &Value) -> Vec<Cause> {
        Vec::new()
    }

    /// What is wrong with a new object beyond what would be wrong with any.
    fn check_new(&self, _object: &Value) -> Vec<Cause> {
        Vec::new()
    }

    /// What whoever writes such an object is warned of, although it is taken.
    fn warnings(&self, _object: &Value) -> Vec<String> {
        Vec::new()
    }

    /// The same of who changes one.
    fn warnings_of_change(&self, object: &Value, _there: &Value) -> Vec<String> {
        self.warnings(object)
    }

    /// What is wrong with a change beyond what is wrong with the object itself: fields that can't be changed.
    fn check_change(&self, _object: &Value, _there: &Value) -> Vec<Cause> {
        Vec::new()
    }

    /// What is wrong with a new object as it was given, before what is empty was taken for what is not there.
    fn check_new_given(&self, _given: &Value) -> Vec<Cause> {
        Vec::new()
    }

    /// What is wrong with a change as it was given, before what is empty was taken for what is not there.
    fn check_given_change(&self, _given: &Value, _there: &Value) -> Vec<Cause> {
        Vec::new()
    }

    /// What is wrong with an object in place of another.
    fn check_over(&self, object: &Value, there: &Value) -> Vec<Cause> {
        [self.check(object), self.check_change(object, there)].concat()
    }

    /// How the metadata of an object is looked at that is changed as a whole, or by such a part.
    fn looks_at_metadata(&self, part: &str) -> Look {
        if part.is_empty() { Look::Twice } else { Look::AtChanges }
    }

    /// What a write to a part with a path of its own (`status`) leaves as it was, beyond what it [`leaves`](Rules::leaves).
    fn prepare_part(&self, _part: &str, _object: &mut Value, _there: &Value, _cluster: &Cluster) {}

    /// What is wrong with a change of such a part.
    fn check_part(&self, _part: &str, _object: &Value, _there: &Value) -> Vec<Cause> {
        Vec::new()
    }

    /// The fields that a write leaves as they were, and doesn't become the owner of, by the part of the object that it goes to:
    /// `status`, or nothing for the object as a whole.
    fn leaves(&self, part: &str) -> Vec<&str> {
        match part {
            "" => vec!["status"],
            _ => vec!["spec"],
        }
    }

    /// True if who creates an object may say its status.
    fn born_with_status(&self) -> bool {
        false
    }

    /// Where its objects have what `/scale` shows and changes.
    fn scale(&self) -> Option<Scale<'_>> {
        None
    }

    /// True if `metadata.generation` counts the changes of what is wanted.
    fn counts_generations(&self) -> bool {
        false
    }

    /// The field in which a list with nothing in it counts as a change from no list, although both are stored as none.
    fn counts_what_is_empty(&self) -> Option<&str> {
        None
    }

    /// The field of the metadata of which it counts the changes, too.
    fn counts_within_metadata(&self) -> Option<&str> {
        None
    }

    /// The version in which objects are stored, if it is always the same one, as in `autoscaling/v2`.
    fn stored_version(&self) -> Option<&str> {
        None
    }

    /// Makes an object one of another version.
    fn convert(&self, object: &mut Value, api_version: &str) {
        object["apiVersion"] = Value::from(api_version);
    }

    /// True if replacing an object that is not there creates it.
    fn replacing_creates(&self) -> bool {
        false
    }

    /// True if who replaces an object has to say which version of it was seen.
    fn replacing_needs_version(&self) -> bool {
        false
    }

    /// True if a deletion answers with what was deleted, and not only with its name.
    fn shows_deleted(&self) -> bool {
        false
    }

    /// True if what an object owns outlives it unless somebody says otherwise.
    fn orphans(&self) -> bool {
        false
    }

    /// What whoever deletes an object is warned of, if nobody said what is to become of what it owns.
    fn warning_of_deletion(&self) -> Option<&'static str> {
        None
    }

    /// True if nobody looks after what an object owns when it is deleted.
    fn owns_nothing(&self) -> bool {
        false
    }

    /// How many seconds an object has to end when somebody deletes it, who may have asked for a number of them; nothing, if it ends
    /// at once.
    fn grace(&self, _object: &Value, _asked: Option<i64>) -> Option<i64> {
        None
    }

    /// Makes an object one that is to end, if that is all that a deletion does for now.
    fn terminates(&self, _object: &mut Value, _cluster: &Cluster) -> bool {
        false
    }

    /// True if something else than its finalizers holds an object that is to end.
    fn is_held(&self, _object: &Value) -> bool {
        false
    }

    /// The fields besides the name and the namespace that its objects can be selected by.
    fn selectable(&self) -> Vec<&str> {
        Vec::new()
    }

    /// How fields are asked for in a group whose words for them are not the stored ones: the word there, and the stored path.
    fn words_of(&self, _group: &str) -> Option<&'static [(&'static str, &'static str)]> {
        None
    }

    fn name_form(&self) -> NameForm {
        NameForm::Subdomain
    }

    /// What an object without anything in it has beyond what its schema says, as marks in a watch show it.
    fn fill_blank(&self, _blank: &mut Value) {}

    /// An annotation that only whole objects have: the server keeps it elsewhere, and so in no table and no bare metadata.
    fn hidden_annotation(&self) -> Option<&str> {
        None
    }

    /// What keeps objects from being written, because there is no model of it.
    fn not_modelled(&self) -> Option<&str> {
        None
    }
}

static SERVICE_ACCOUNTS: Simple = Simple { prepare: only_names_of_secrets, shows_deleted: true, ..PLAIN };

/// Of the Secrets of an account only their names are kept.
fn only_names_of_secrets(account: &mut Value) {
    for secret in account.get_mut("secrets").and_then(Value::as_array_mut).into_iter().flatten() {
        secret.as_object_mut().into_iter().for_each(|secret| secret.retain(|field, _| field == "name"));
    }
}

/// The rules of a kind by the name under which it is stored (`deployments.apps`); nothing, if they are not modelled.
pub fn of(stored: &str) -> Option<&'static dyn Rules> {
    Some(match stored {
        "apiservices.apiregistration.k8s.io" => &apiservices::ApiServices,
        "certificatesigningrequests.certificates.k8s.io" => &certificates::Requests,
        "clusterrolebindings.rbac.authorization.k8s.io" => &rbac::ClusterRoleBindings,
        "clusterroles.rbac.authorization.k8s.io" => &rbac::ClusterRoles,
        "configmaps" => &configmaps::CONFIG_MAPS,
        "controllerrevisions.apps" => &workloads::ControllerRevisions,
        "cronjobs.batch" => &workloads::CronJobs,
        "csidrivers.storage.k8s.io" => &volumes::DRIVERS,
        "csinodes.storage.k8s.io" => &volumes::NODES,
        "customresourcedefinitions.apiextensions.k8s.io" => &Definitions,
        "daemonsets.apps" => &workloads::DaemonSets,
        "deployments.apps" => &workloads::Deployments,
        "deviceclasses.resource.k8s.io" => &devices::Classes,
        "endpoints" => &endpoints::ENDPOINTS,
        "endpointslices.discovery.k8s.io" => &endpoints::SLICES,
        "events" => &events::Events,
        "flowschemas.flowcontrol.apiserver.k8s.io" => &flows::FLOWS,
        "horizontalpodautoscalers.autoscaling" => &autoscalers::Autoscalers,
        "ingressclasses.networking.k8s.io" => &networking::CLASSES,
        "ingresses.networking.k8s.io" => &networking::INGRESSES,
        "jobs.batch" => &workloads::Jobs,
        "leases.coordination.k8s.io" => &leases::LEASES,
        "limitranges" => &limitranges::LIMIT_RANGES,
        "mutatingadmissionpolicies.admissionregistration.k8s.io" => &admission_policies::CHANGING,
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io" => &admission_policies::CHANGING_BINDINGS,
        "mutatingwebhookconfigurations.admissionregistration.k8s.io" => &webhooks::MUTATING,
        "namespaces" => &namespaces::Namespaces,
        "networkpolicies.networking.k8s.io" => &networking::POLICIES,
        "nodes" => &nodes::Nodes,
        "persistentvolumeclaims" => &volumes::Claims,
        "persistentvolumes" => &volumes::VOLUMES,
        "poddisruptionbudgets.policy" => &budgets::BUDGETS,
        "pods" => &pods::Pods,
        "podtemplates" => &workloads::PodTemplates,
        "priorityclasses.scheduling.k8s.io" => &priorities::CLASSES,
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io" => &flows::LEVELS,
        "replicasets.apps" => &workloads::ReplicaSets,
        "replicationcontrollers" => &workloads::ReplicationControllers,
        "resourcequotas" => &quotas::QUOTAS,
        "resourceclaims.resource.k8s.io" => &devices::Claims,
        "resourceclaimtemplates.resource.k8s.io" => &devices::Templates,
        "rolebindings.rbac.authorization.k8s.io" => &rbac::RoleBindings,
        "roles.rbac.authorization.k8s.io" => &rbac::Roles,
        "runtimeclasses.node.k8s.io" => &runtimeclasses::RUNTIME_CLASSES,
        "secrets" => &secrets::SECRETS,
        "serviceaccounts" => &SERVICE_ACCOUNTS,
        "services" => &services::Services,
        "statefulsets.apps" => &workloads::StatefulSets,
        "storageclasses.storage.k8s.io" => &volumes::CLASSES,
        "validatingadmissionpolicies.admissionregistration.k8s.io" => &admission_policies::POLICIES,
        "validatingadmissionpolicybindings.admissionregistration.k8s.io" => &admission_policies::BINDINGS,
        "validatingwebhookconfigurations.admissionregistration.k8s.io" => &webhooks::VALIDATING,
        "volumeattachments.storage.k8s.io" => &volumes::ATTACHMENTS,
        _ => return None,
    })
}
