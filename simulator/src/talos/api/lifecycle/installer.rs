//! The installer, since 1.13: it writes another system to the disk and says how that goes. Nothing restarts by it.

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use prost::Message;
use talos::api::machine::{
    LifecycleServiceInstallProgress, LifecycleServiceInstallRequest, LifecycleServiceUpgradeRequest,
    LifecycleServiceUpgradeResponse, lifecycle_service_install_progress::Response,
};
use tokio::time::sleep;

use super::{
    super::{Asked, images, unmodelled},
    precondition,
};
use crate::talos::{
    grpc::{Code, Messages, Status},
    node::Node,
    sequences::Sequence,
};

const BUSY: &str = "another installation/upgrade is already in progress";

/// How an installer ends that couldn't do its work.
const FAILED: i32 = 1;

pub fn answer(asked: &Asked<'_>, method: &str) -> Result<Messages, Status> {
    match method {
        "Install" => install(asked),
        "Upgrade" => upgrade(asked),
        _ => Err(unmodelled(asked)),
    }
}

fn needed(name: &str, what: &str) -> Result<(), Status> {
    match name.is_empty() {
        true => Err(Status::new(Code::InvalidArgument, format!("{what} is required"))),
        false => Ok(()),
    }
}

/// A node with a configuration installs itself: whoever asks for it comes too late, or in the midst of it.
fn install(asked: &Asked<'_>) -> Result<Messages, Status> {
    let request: LifecycleServiceInstallRequest = asked.call.message()?;
    needed(&request.source.unwrap_or_default().image_name, "installer image name")?;
    needed(&request.destination.unwrap_or_default().disk, "destination disk")?;
    match asked.node.is_installed() {
        true => Err(Status::new(Code::AlreadyExists, "machine is already installed")),
        false => Err(precondition(BUSY)),
    }
}

/// The node is being installed to for as long as this is there.
struct Installing(Arc<Node>);

impl Installing {
    fn begin(node: &Arc<Node>) -> Option<Self> {
        let free = node.change(|state| match state.sequence {
            None | Some(Sequence::Boot) => !std::mem::replace(&mut state.installs, true),
            Some(_) => false,
        });
        free.then(|| Self(node.clone()))
    }
}

impl Drop for Installing {
    fn drop(&mut self) {
        self.0.change(|state| state.installs = false);
    }
}

fn upgrade(asked: &Asked<'_>) -> Result<Messages, Status> {
    let request: LifecycleServiceUpgradeRequest = asked.call.message()?;
    let name = request.source.unwrap_or_default().image_name;
    needed(&name, "installer image name")?;
    if !asked.node.is_installed() {
        return Err(precondition("machine is not installed"));
    }
    let image = images::named(request.containerd, &name);
    if !asked.node.look(|state| state.images.contains_key(&image)) {
        return Err(Status::new(Code::Internal, format!("upgrade failed: image {name:?}: not found")));
    }
    let installing = Installing::begin(asked.node).ok_or_else(|| precondition(BUSY))?;
    let disk = asked.node.look(|state| state.system.as_ref().map(|system| system.disk.clone()).unwrap_or_default());
    let version = name.rsplit_once(':').map(|(_, tag)| tag.to_owned()).filter(|tag| tag.starts_with('v'));
    let first = [said(format!("running Talos installer {name}")), said(format!("installing to disk {disk}"))];
    // Whoever hangs up ends it.
    let last = stream::once(async move {
        let Installing(node) = &installing;
        sleep(node.stages().install).await;
        let end = match version {
            Some(version) => {
                node.change(|state| state.staged = Some(version));
                [said("installation of Talos is complete".to_owned()), Response::ExitCode(0)]
            }
            None => [said("the image is no installer".to_owned()), Response::ExitCode(FAILED)],
        };
        stream::iter(end)
    });
    let told = |response| {
        let progress = Some(LifecycleServiceInstallProgress { response: Some(response) });
        Ok(Bytes::from(LifecycleServiceUpgradeResponse { progress }.encode_to_vec()))
    };
    Ok(stream::iter(first).chain(last.flatten()).map(told).boxed())
}

fn said(line: String) -> Response {
    Response::Message(line)
}
