//! The kubeconfig that a node of the control plane makes for whoever administers it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use prost::Message;
use serde_json::json;
use talos::{api::common, pem};

use super::{Asked, archive};
use crate::{
    certificates::Key,
    talos::{
        config::Config,
        grpc::{Messages, Status},
        pki::{Authority, CLIENTS_LAST},
    },
};

pub fn answer(asked: &Asked<'_>) -> Result<Messages, Status> {
    asked.of_control_planes("kubeconfig")?;
    let config = asked.node.state().config.clone();
    let config = config.ok_or_else(|| Status::plain("the node has no configuration"))?;
    let text = written(asked, &config).map_err(Status::plain)?;
    let archive = archive::torn("kubeconfig", &text).map_err(|error| Status::plain(error.to_string()))?;
    let message = Bytes::from(common::Data { metadata: None, bytes: archive }.encode_to_vec());
    Ok(stream::once(async move { Ok(message) }).boxed())
}

fn written(asked: &Asked<'_>, config: &Config) -> Result<String, String> {
    let pair = config.kubernetes_authority().ok_or("cluster.ca is missing")?;
    let authority = Authority::read(&pair)?;
    let key = Key::p256(&asked.node.next_key());
    let groups = ["system:masters".to_owned()];
    let certificate = authority.client("admin", &groups, &key, asked.node.calendar.now(), CLIENTS_LAST);
    let (cluster, user) = (config.cluster_name(), format!("admin@{}", config.cluster_name()));
    let whole = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {
            "server": config.endpoint(),
            "certificate-authority-data": STANDARD.encode(&pair.certificate),
        }}],
        "users": [{"name": user, "user": {
            "client-certificate-data": STANDARD.encode(certificate),
            "client-key-data": STANDARD.encode(pem::write("PRIVATE KEY", &key.to_pkcs8())),
        }}],
        "contexts": [{"name": user, "context": {"cluster": cluster, "namespace": "default", "user": user}}],
        "current-context": user,
    });
    serde_saphyr::to_string(&whole).map_err(|error| error.to_string())
}
