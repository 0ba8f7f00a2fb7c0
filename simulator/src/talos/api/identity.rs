//! Who a node is: its version, its name, its memory, its time, and who may talk to it.

use talos::{
    api::{machine, time},
    secrets::Pair,
    talosconfig::{Context, Talosconfig},
};

use super::{Asked, unmodelled};
use crate::{
    certificates::Key,
    talos::{
        grpc::{Code, Messages, Status, one},
        node::moment,
        pki::{Authority, ORGANISATIONS, labelled},
    },
};

pub fn answer(asked: &Asked<'_>, method: &str) -> Result<Messages, Status> {
    match method {
        "Version" => Ok(one(&version(asked))),
        "Hostname" => {
            let hostname = asked.node.hostname();
            Ok(one(&machine::HostnameResponse { messages: vec![machine::Hostname { metadata: None, hostname }] }))
        }
        "Memory" => Ok(one(&memory(asked))),
        "GenerateClientConfiguration" => generate(asked),
        _ => Err(unmodelled(asked)),
    }
}

fn version(asked: &Asked<'_>) -> machine::VersionResponse {
    let text = |text: &str| text.to_owned();
    let configured = asked.node.state().config.is_some();
    let version = machine::VersionInfo {
        tag: asked.node.version(),
        sha: text("00000000"),
        built: String::new(),
        go_version: text(if asked.node.minor() >= 13 { "go1.26.1" } else { "go1.24.9" }),
        os: text("linux"),
        arch: text("amd64"),
    };
    machine::VersionResponse {
        messages: vec![machine::Version {
            metadata: None,
            version: Some(version),
            platform: Some(machine::PlatformInfo { name: text("metal"), mode: text("metal") }),
            features: configured.then_some(machine::FeaturesInfo { rbac: true }),
        }],
    }
}

fn memory(asked: &Asked<'_>) -> machine::MemoryResponse {
    let total = asked.node.machine.memory;
    let used = if asked.node.state().control_plane { total / 4 } else { total / 16 };
    let meminfo = machine::MemInfo {
        memtotal: total,
        memfree: total - used,
        memavailable: total - used / 2,
        ..machine::MemInfo::default()
    };
    machine::MemoryResponse { messages: vec![machine::Memory { metadata: None, meminfo: Some(meminfo) }] }
}

/// Certificates for somebody else, by the authority that this node has.
fn generate(asked: &Asked<'_>) -> Result<Messages, Status> {
    asked.of_control_planes("client configuration (talosconfig)")?;
    let request: machine::GenerateClientConfigurationRequest = asked.call.message()?;
    let lasts = request.crt_ttl.and_then(|ttl| std::time::Duration::try_from(ttl).ok()).unwrap_or_default();
    if lasts.is_zero() {
        return Err(Status::new(Code::InvalidArgument, "crt_ttl should be positive"));
    }
    if request.roles.len() > ORGANISATIONS {
        return Err(unmodelled(asked));
    }
    let config = asked.node.state().config.clone();
    let config = config.ok_or_else(|| Status::plain("the node has no configuration"))?;
    let pair = config.system_authority().ok_or_else(|| Status::plain("the node has no authority"))?;
    let authority = Authority::read(&pair).map_err(Status::plain)?;
    let now = asked.node.calendar.now();
    let key = Key::ed25519(asked.node.next_key());
    let crt = authority.client("", &request.roles, &key, now, lasts);
    let context = match request.roles.as_slice() {
        [role] => format!("{}@{}", role.trim_start_matches("os:"), config.cluster_name()),
        _ => config.cluster_name().to_owned(),
    };
    let own = Pair { certificate: crt.clone(), key: labelled(&key) };
    let talosconfig = Talosconfig::of(&context, Context::new(Vec::new(), &pair.certificate, &own)).text();
    let answer = machine::GenerateClientConfiguration {
        metadata: None,
        ca: pair.certificate.into_bytes(),
        crt: crt.into_bytes(),
        key: labelled(&key).into_bytes(),
        talosconfig: talosconfig.into_bytes(),
    };
    Ok(one(&machine::GenerateClientConfigurationResponse { messages: vec![answer] }))
}

pub fn time(asked: &Asked<'_>, method: &str) -> Result<Messages, Status> {
    let server = match method {
        "Time" => "time.cloudflare.com".to_owned(),
        "TimeCheck" => asked.call.message::<time::TimeRequest>()?.server,
        _ => return Err(unmodelled(asked)),
    };
    if server.is_empty() {
        return Err(Status::new(Code::InvalidArgument, "ntp server is required"));
    }
    let answer = time::Time {
        metadata: None,
        server,
        localtime: Some(moment(asked.node.calendar.now())),
        remotetime: Some(moment(asked.node.estate().calendar.now())),
    };
    Ok(one(&time::TimeResponse { messages: vec![answer] }))
}
