//! Files of a node, as far as there are any, and its kubeconfig.

use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures::{StreamExt as _, stream};
use prost::Message;
use rcgen::KeyPair;
use serde_json::json;
use talos::api::{common, machine};

use super::{Asked, streams::data, unmodelled};
use crate::talos::{
    config::Config,
    grpc::{Code, Messages, Status},
    pki::{Authority, CLIENTS_LAST},
};

/// The length of a block of a tar archive.
const BLOCK: usize = 512;

pub fn answer(asked: &Asked<'_>, method: &str) -> Result<Messages, Status> {
    match method {
        "Read" => read(asked),
        "Kubeconfig" => kubeconfig(asked),
        _ => Err(unmodelled(asked)),
    }
}

fn read(asked: &Asked<'_>) -> Result<Messages, Status> {
    let path = asked.call.message::<machine::ReadRequest>()?.path;
    if !path.starts_with('/') {
        return Err(Status::new(Code::InvalidArgument, format!("path is not absolute {path}")));
    }
    let uptime = asked.node.calendar.now().duration_since(asked.boot.began()).as_secs();
    let text = match path.as_str() {
        "/proc/sys/kernel/random/boot_id" => format!("{}\n", asked.boot.id),
        "/proc/uptime" => format!("{uptime}.00 {uptime}.00\n"),
        "/proc/sys/kernel/hostname" | "/etc/hostname" => format!("{}\n", asked.node.hostname()),
        "/proc/version" => format!("Linux version 6.12.57-talos (Talos {})\n", asked.node.version()),
        "/etc/os-release" => {
            let version = asked.node.version();
            format!("NAME=\"Talos\"\nID=talos\nVERSION_ID={version}\nPRETTY_NAME=\"Talos ({version})\"\n")
        }
        "/system/state/config.yaml" => {
            asked.node.state().kept.as_ref().map(|kept| kept.text.clone()).unwrap_or_default()
        }
        _ => {
            let asks = format!("{} read {path}: nodes have no model of this file", asked.node.machine.name);
            (asked.node.estate().unmodelled)(&asks);
            return Err(Status::new(Code::NotFound, format!("stat {path}: no such file or directory")));
        }
    };
    Ok(stream::iter(data(text.as_bytes()).into_iter().map(Ok)).boxed())
}

fn kubeconfig(asked: &Asked<'_>) -> Result<Messages, Status> {
    asked.of_control_planes("kubeconfig")?;
    let config = asked.node.state().config.clone();
    let config = config.ok_or_else(|| Status::plain("the node has no configuration"))?;
    let text = written(asked, &config).map_err(Status::plain)?;
    let archive = packed(&text).map_err(|error| Status::plain(error.to_string()))?;
    let message = Bytes::from(common::Data { metadata: None, bytes: archive }.encode_to_vec());
    Ok(stream::once(async move { Ok(message) }).boxed())
}

fn written(asked: &Asked<'_>, config: &Config) -> Result<String, String> {
    let pair = config.kubernetes_authority().ok_or("cluster.ca is missing")?;
    let authority = Authority::read(&pair)?;
    let key = KeyPair::generate().map_err(|error| error.to_string())?;
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
            "client-key-data": STANDARD.encode(key.serialize_pem()),
        }}],
        "contexts": [{"name": user, "context": {"cluster": cluster, "namespace": "default", "user": user}}],
        "current-context": user,
    });
    serde_saphyr::to_string(&whole).map_err(|error| error.to_string())
}

/// A compressed archive of one file, which ends where the file does: nothing fills its last block, and no empty blocks follow.
fn packed(text: &str) -> std::io::Result<Vec<u8>> {
    let mut head = [0_u8; BLOCK];
    let mut put = |at: usize, field: &[u8]| head[at..at + field.len()].copy_from_slice(field);
    put(0, b"kubeconfig");
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", text.len()).as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = GzEncoder::new(Vec::new(), Compression::default());
    archive.write_all(&head)?;
    archive.write_all(text.as_bytes())?;
    archive.finish()
}
