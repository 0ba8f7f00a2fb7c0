//! Flux: its source-, kustomize- and helm-controller, in clusters that have them.
//!
//! They fetch from the repositories and charts of the world, and say what the real ones of the 2.9 line say. What they have no
//! model of they stall on, and name it.

mod apply;
mod charts;
mod fetch;
mod health;
mod kinds;
mod kustomizations;
mod lives;
mod progress;
mod releases;
mod sources;
mod versions;

use std::sync::Arc;

use self::{kinds::Kind, lives::Lives};
use super::{Controller, Tools, begin, census::Census, events::Teller};
use crate::kubernetes::{client::Client, cluster::Cluster, user::User};

/// The namespace that its controllers are in.
const NAMESPACE: &str = "flux-system";
/// What keeps objects until their controller has tidied up after them.
const FINALIZER: &str = "finalizers.fluxcd.io";

/// Starts its controllers. To be called on the world's thread.
pub fn start(cluster: &Arc<Cluster>) {
    let census = Arc::new(Census::new(cluster));
    for (component, keeper) in [
        ("source-controller", Arc::new(sources::Sources(&kinds::GIT_REPOSITORY)) as Arc<dyn lives::Keeper>),
        ("source-controller", Arc::new(sources::Sources(&kinds::OCI_REPOSITORY))),
        ("source-controller", Arc::new(sources::Sources(&kinds::HELM_REPOSITORY))),
        ("source-controller", Arc::new(sources::Sources(&kinds::BUCKET))),
        ("source-controller", Arc::new(charts::Charts)),
        ("kustomize-controller", Arc::new(kustomizations::Kustomizations)),
        ("helm-controller", Arc::new(releases::Releases)),
    ] {
        let user = User::service_account(NAMESPACE, component);
        let tools = |user: User| Tools {
            client: Client::new(cluster, user, component),
            census: census.clone(),
            teller: Teller::new(component),
        };
        // Flux may do everything.
        let controller = Arc::new(Lives::new(keeper, tools(User::administrator()))) as Arc<dyn Controller>;
        begin(cluster, &census, user, component, Teller::new(component), controller);
    }
}
