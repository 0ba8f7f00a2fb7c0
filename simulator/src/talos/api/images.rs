//! Images on a node, since 1.13: they are pulled before anything is made of them.

use sha2::{Digest as _, Sha256};
use talos::api::{
    common::ContainerdInstance,
    machine::{
        ImageServiceListRequest, ImageServiceListResponse, ImageServicePullLayerProgress, ImageServicePullProgress,
        ImageServicePullRequest, ImageServicePullResponse, ImageServiceRemoveRequest,
        image_service_pull_layer_progress::Status as Layer, image_service_pull_response::Response,
    },
};

use super::{Asked, unmodelled};
use crate::talos::{
    grpc::{Code, Messages, Status, one, several},
    machine::Ill,
    node::{Image, moment},
};

/// How large an image is said to be.
const SIZE: i64 = 100 << 20;

pub fn answer(asked: &Asked<'_>, method: &str) -> Result<Messages, Status> {
    match method {
        "List" => list(asked),
        "Pull" => pull(asked),
        "Remove" => remove(asked),
        _ => Err(unmodelled(asked)),
    }
}

/// The image of this name where it is pulled to.
pub fn named(containerd: Option<ContainerdInstance>, name: &str) -> Image {
    let containerd = containerd.unwrap_or_default();
    Image { driver: containerd.driver, namespace: containerd.namespace, name: name.to_owned() }
}

fn digest(text: &str) -> String {
    let sum = Sha256::digest(text.as_bytes());
    format!("sha256:{}", sum.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn list(asked: &Asked<'_>) -> Result<Messages, Status> {
    let place = named(asked.call.message::<ImageServiceListRequest>()?.containerd, "");
    let state = asked.node.state();
    let here =
        state.images.iter().filter(|(image, _)| (image.driver, image.namespace) == (place.driver, place.namespace));
    let image = |(image, pulled): (&Image, &jiff::Timestamp)| ImageServiceListResponse {
        name: image.name.clone(),
        digest: digest(&image.name),
        size: SIZE,
        created_at: Some(moment(*pulled)),
        ..ImageServiceListResponse::default()
    };
    Ok(several(here.map(image).collect()))
}

/// The name comes last, when the image is there.
fn pull(asked: &Asked<'_>) -> Result<Messages, Status> {
    let request: ImageServicePullRequest = asked.call.message()?;
    let name = request.image_ref;
    if name.is_empty() {
        return Err(Status::new(Code::InvalidArgument, "image reference is required"));
    }
    if asked.node.machine.suffers(&Ill::WrongImage) {
        let why = format!("failed to pull image {name:?}: failed to resolve reference: not found");
        return Err(Status::new(Code::NotFound, why));
    }
    let at = asked.node.calendar.now();
    asked.node.change(|state| state.images.insert(named(request.containerd, &name), at));
    let layer = digest(&format!("layer of {name}"));
    let step = |status: Layer, offset| {
        let progress = ImageServicePullLayerProgress { status: status.into(), total: SIZE, offset, elapsed: None };
        let progress = ImageServicePullProgress { layer_id: layer.clone(), progress: Some(progress) };
        ImageServicePullResponse { response: Some(Response::PullProgress(progress)) }
    };
    Ok(several(vec![
        step(Layer::Downloading, 0),
        step(Layer::DownloadComplete, SIZE),
        step(Layer::ExtractComplete, SIZE),
        ImageServicePullResponse { response: Some(Response::Name(name)) },
    ]))
}

fn remove(asked: &Asked<'_>) -> Result<Messages, Status> {
    let request: ImageServiceRemoveRequest = asked.call.message()?;
    let image = named(request.containerd, &request.image_ref);
    match asked.node.change(|state| state.images.remove(&image)) {
        Some(_) => Ok(one(&())),
        None => Err(Status::new(Code::NotFound, format!("image {:?} not found", image.name))),
    }
}
