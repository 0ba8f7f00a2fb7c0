//! Putting another version of Talos onto a node: by one call up to 1.12, and since then by a row of them.

use talos::api::{
    common::{ContainerDriver, ContainerdInstance, ContainerdNamespace},
    machine::{
        ImageServicePullRequest, InstallArtifactsSource, LifecycleServiceUpgradeRequest, RebootRequest, UpgradeRequest,
        image_service_pull_response as pulled, lifecycle_service_install_progress as installed,
        reboot_request::Mode as Reboot, upgrade_request::RebootMode,
    },
};
use tonic::Status;

use super::{
    condition::{self, Role},
    guard::Prospect,
    machines::Talos,
    reach::{Node, images, lifecycle, machine},
};
use crate::{
    host::wait::Progress,
    script::fault::{Fault, Kind},
};

/// The first minor version that is upgraded in a row of calls.
const IN_A_ROW: u32 = 13;

/// Begins it: in the end the node boots.
///
/// # Errors
/// What the node can't do, or `in_doubt`.
pub async fn upgrade(talos: &Talos, node: &Node, request: UpgradeRequest, progress: &Progress) -> Result<(), Fault> {
    if condition::minor(&condition::tag(node).await?) >= IN_A_ROW {
        match pull(node, &request.image, progress).await {
            Ok(image) => return in_a_row(talos, node, image, &request, progress).await,
            // The first versions that were to have these calls do not.
            Err(fault) if fault.kind == Kind::Unsupported => {}
            Err(fault) => return Err(fault),
        }
    }
    let whole = node.once(|channel| {
        let request = request.clone();
        async move { machine(channel).upgrade(request).await }
    });
    whole.await.map(drop)
}

async fn in_a_row(
    talos: &Talos,
    node: &Node,
    image: String,
    request: &UpgradeRequest,
    progress: &Progress,
) -> Result<(), Fault> {
    // Nobody else looks after etcd in this way.
    if !request.force {
        let why = stands_it(&Prospect::of(talos, node).await);
        why.map_err(|why| {
            Fault::new(Kind::Failed, format!("node `{node}`: etcd would not stand it: {why}"))
                .hint("mend the others first; or, if it must be: `force: true`")
        })?;
    }
    install(node, image, progress).await?;
    progress.because(format!("node `{node}` has it on its disk, and is told to boot"));
    let mode = match request.reboot_mode() {
        RebootMode::Default => Reboot::Default,
        RebootMode::Powercycle => Reboot::Powercycle,
    };
    let reboot = RebootRequest { mode: mode.into() };
    node.once(|channel| async move { machine(channel).reboot(reboot).await }).await.map(drop)
}

/// Whether etcd goes on while the node boots; if not, why.
fn stands_it(prospect: &Prospect) -> Result<(), String> {
    match &prospect.etcd {
        Some(etcd) if etcd.others + 1 < etcd.members => {
            Err(format!("only {} of its {} members answer besides this one", etcd.others, etcd.members))
        }
        None if prospect.role == Some(Role::ControlPlane) => Err("it does not say which members it has".to_owned()),
        _ => Ok(()),
    }
}

/// Where Talos keeps its own images.
fn own() -> Option<ContainerdInstance> {
    let (driver, namespace) = (ContainerDriver::Cri, ContainerdNamespace::NsSystem);
    Some(ContainerdInstance { driver: driver.into(), namespace: namespace.into() })
}

/// Has the node fetch an image; by which name it has it then.
async fn pull(node: &Node, image: &str, progress: &Progress) -> Result<String, Fault> {
    progress.because(format!("node `{node}` pulls {image}"));
    let request = ImageServicePullRequest { containerd: own(), image_ref: image.to_owned() };
    let mut answers = node
        .listen(|channel| {
            let request = request.clone();
            async move { images(channel).pull(request).await }
        })
        .await?;
    while let Some(answer) = answers.message().await.map_err(|status| node.broke(&status))? {
        if let Some(pulled::Response::Name(name)) = answer.response {
            return Ok(name);
        }
    }
    Err(Fault::new(Kind::Failed, format!("node `{node}` did not say that it has `{image}`")))
}

async fn install(node: &Node, image: String, progress: &Progress) -> Result<(), Fault> {
    let source = Some(InstallArtifactsSource { image_name: image });
    let request = LifecycleServiceUpgradeRequest { containerd: own(), source };
    let mut answers = node
        .once(|channel| {
            let request = request.clone();
            async move { lifecycle(channel).upgrade(request).await }
        })
        .await?;
    let mut last = String::new();
    while let Some(answer) = answers.message().await.map_err(|status| unfinished(node, &status))? {
        match answer.progress.and_then(|progress| progress.response) {
            Some(installed::Response::Message(line)) => {
                last = line.trim().to_owned();
                progress.because(format!("node `{node}` installs: {last}"));
            }
            Some(installed::Response::ExitCode(0)) => return Ok(()),
            Some(installed::Response::ExitCode(code)) => {
                let message = format!("node `{node}`: the installer ended with {code}: {last}");
                return Err(Fault::new(Kind::Failed, message));
            }
            None => {}
        }
    }
    Err(Fault::new(Kind::InDoubt, format!("node `{node}` did not say how its installer ended")))
}

/// A node that stops telling may be going on.
fn unfinished(node: &Node, status: &Status) -> Fault {
    let fault = node.broke(status);
    match fault.kind {
        Kind::Unreachable | Kind::Unavailable => Fault { kind: Kind::InDoubt, ..fault },
        _ => fault,
    }
}
