//! What makes pods from a template, and keeps as many of them as are wanted.

mod cronjobs;
mod daemonsets;
mod deployments;
mod jobs;
mod replicas;
mod schedule;
mod selection;
mod statefulsets;
mod templates;

pub use cronjobs::CronJobs;
pub use daemonsets::DaemonSets;
pub use deployments::Deployments;
pub use jobs::Jobs;
pub use replicas::{ReplicaSets, ReplicationControllers};
pub use statefulsets::StatefulSets;
pub use templates::{ControllerRevisions, PodTemplates};
