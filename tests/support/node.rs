//! A node of Talos on loopback, as far as a connection to one goes: it answers who is welcome, and says what it was asked.

use std::{
    io::Write as _,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use sha2::{Digest as _, Sha256};
use talos::api::{
    common::Data,
    cosi::{
        meta::ResourceDefinitionSpec,
        resource::{
            Event, EventType, GetRequest, GetResponse, ListRequest, ListResponse, Metadata, Resource, Spec,
            WatchRequest, WatchResponse, state_server,
        },
    },
    machine::{
        self, ApplyConfiguration, ApplyConfigurationRequest, ApplyConfigurationResponse, Bootstrap, BootstrapRequest,
        BootstrapResponse, EtcdMember, EtcdMemberListRequest, EtcdMemberListResponse, EtcdMembers, EtcdSnapshotRequest,
        EventsRequest, Hostname, HostnameResponse, PhaseEvent, ReadRequest, Reset, ResetRequest, ResetResponse,
        ServiceHealth, ServiceInfo, ServiceList, ServiceListResponse, Version, VersionInfo, VersionResponse,
        machine_service_server,
    },
    storage::{Disk, Disks, DisksResponse, storage_service_server},
};
use talos::{prost::Message as _, prost_types::Any};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tonic::{Request, Response, Status, codegen::BoxStream};
use tower::Service as _;

use super::certificates::Authority;

/// A node that answers until it is dropped.
pub struct Node {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    /// How often it says that it is not ready to begin, before it does.
    pub boots_for: Arc<AtomicUsize>,
    connections: Arc<Mutex<Vec<JoinHandle<()>>>>,
    served: JoinHandle<()>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.served.abort();
        self.hang_up();
    }
}

impl Node {
    /// A node that was configured by who has this authority.
    pub fn configured(authority: &Authority) -> Self {
        Self::answering(authority.server_for_known_clients(&["127.0.0.1"]))
    }

    /// A node that takes whoever comes.
    pub fn in_maintenance(authority: &Authority) -> Self {
        Self::answering(authority.server(&["maintenance-service.talos.dev"], |_| {}))
    }

    fn answering(mut settings: ServerConfig) -> Self {
        settings.alpn_protocols = vec![b"h2".to_vec()];
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let boots_for = Arc::<AtomicUsize>::default();
        let api = Api { asked: asked.clone(), boots_for: boots_for.clone(), etcd: Arc::default() };
        let connections = Arc::<Mutex<Vec<_>>>::default();
        let (address, served) = super::runtime().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            (address, tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(settings)), api, connections.clone())))
        });
        Self { address, asked, boots_for, connections, served }
    }

    /// Ends every connection, and goes on listening.
    pub fn hang_up(&self) {
        self.connections.lock().unwrap().drain(..).for_each(|connection: JoinHandle<()>| connection.abort());
    }

    /// What it was asked, each with the node that it was asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, api: Api, connections: Arc<Mutex<Vec<JoinHandle<()>>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, api) = (tls.clone(), api.clone());
        let connection = tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let answer = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let api = api.clone();
                async move {
                    let service = request.uri().path().split('/').nth(1).unwrap_or_default().to_owned();
                    match service.as_str() {
                        "machine.MachineService" => {
                            machine_service_server::MachineServiceServer::new(api).call(request).await
                        }
                        "cosi.resource.State" => state_server::StateServer::new(api).call(request).await,
                        _ => storage_service_server::StorageServiceServer::new(api).call(request).await,
                    }
                }
            });
            // Whoever hangs up in between is what some tests are about.
            let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await;
        });
        connections.lock().unwrap().push(connection);
    }
}

#[derive(Clone)]
struct Api {
    asked: Arc<Mutex<Vec<String>>>,
    boots_for: Arc<AtomicUsize>,
    /// It was told to begin.
    etcd: Arc<AtomicBool>,
}

impl Api {
    fn note<T>(&self, method: &str, request: &Request<T>) -> String {
        let node = request.metadata().get("node").and_then(|node| node.to_str().ok()).unwrap_or("itself").to_owned();
        self.asked.lock().unwrap().push(format!("{method} of {node}"));
        node
    }
}

fn stream<T: Send + 'static>(items: Vec<T>) -> Response<BoxStream<T>> {
    Response::new(Box::pin(futures::stream::iter(items.into_iter().map(Ok))))
}

#[tonic::async_trait]
impl machine_service_server::MachineService for Api {
    async fn version(&self, request: Request<()>) -> Result<Response<VersionResponse>, Status> {
        if self.note("version", &request) == "10.0.0.9" {
            return Err(Status::unavailable(
                "connection error: error while dialing: dial tcp 10.0.0.9:50000: no route",
            ));
        }
        let version = VersionInfo { tag: "v1.11.5".to_owned(), arch: "amd64".to_owned(), ..VersionInfo::default() };
        let version = Version { version: Some(version), ..Version::default() };
        Ok(Response::new(VersionResponse { messages: vec![version] }))
    }

    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<BoxStream<Data>>, Status> {
        self.note("read", &request);
        match request.into_inner().path.as_str() {
            "/proc/sys/kernel/random/boot_id" => {
                let pieces = ["4e3a", "-1\n"].map(|piece| Data { bytes: piece.into(), ..Data::default() });
                Ok(stream(pieces.to_vec()))
            }
            path => Err(Status::not_found(format!("stat {path}: no such file or directory"))),
        }
    }

    async fn hostname(&self, request: Request<()>) -> Result<Response<HostnameResponse>, Status> {
        self.note("hostname", &request);
        let hostname = Hostname { metadata: None, hostname: "cp-1".to_owned() };
        Ok(Response::new(HostnameResponse { messages: vec![hostname] }))
    }

    async fn apply_configuration(
        &self,
        request: Request<ApplyConfigurationRequest>,
    ) -> Result<Response<ApplyConfigurationResponse>, Status> {
        self.note("apply", &request);
        let applied = ApplyConfiguration {
            mode: 2,
            mode_details: "Applied configuration without a reboot".to_owned(),
            warnings: vec!["the disk is slow".to_owned()],
            ..ApplyConfiguration::default()
        };
        Ok(Response::new(ApplyConfigurationResponse { messages: vec![applied] }))
    }

    async fn bootstrap(&self, request: Request<BootstrapRequest>) -> Result<Response<BootstrapResponse>, Status> {
        self.note("bootstrap", &request);
        if self.boots_for.load(Ordering::Relaxed) > 0 {
            self.boots_for.fetch_sub(1, Ordering::Relaxed);
            return Err(Status::failed_precondition("bootstrap is not available yet"));
        }
        match self.etcd.swap(true, Ordering::Relaxed) {
            false => Ok(Response::new(BootstrapResponse { messages: vec![Bootstrap::default()] })),
            true => Err(Status::already_exists("etcd data directory is not empty")),
        }
    }

    async fn service_list(&self, request: Request<()>) -> Result<Response<ServiceListResponse>, Status> {
        let runs = self.note("services", &request) != "10.0.0.2" && self.etcd.load(Ordering::Relaxed);
        let etcd = ServiceInfo {
            id: "etcd".to_owned(),
            state: if runs { "Running" } else { "Preparing" }.to_owned(),
            health: Some(ServiceHealth { healthy: runs, ..ServiceHealth::default() }),
            ..ServiceInfo::default()
        };
        let services = ServiceList { metadata: None, services: vec![etcd] };
        Ok(Response::new(ServiceListResponse { messages: vec![services] }))
    }

    async fn etcd_member_list(
        &self,
        request: Request<EtcdMemberListRequest>,
    ) -> Result<Response<EtcdMemberListResponse>, Status> {
        self.note("members of etcd", &request);
        let member = EtcdMember {
            id: 0xa1,
            hostname: "cp-1".to_owned(),
            peer_urls: vec!["https://127.0.0.1:2380".to_owned()],
            ..EtcdMember::default()
        };
        let members = EtcdMembers { members: vec![member], ..EtcdMembers::default() };
        Ok(Response::new(EtcdMemberListResponse { messages: vec![members] }))
    }

    async fn etcd_snapshot(&self, request: Request<EtcdSnapshotRequest>) -> Result<Response<BoxStream<Data>>, Status> {
        let node = self.note("snapshot", &request);
        let mut whole = vec![7; 1536];
        whole.extend(Sha256::digest(&whole));
        if node == "10.0.0.2" {
            whole[9] = 8;
        }
        Ok(stream(whole.chunks(1000).map(|piece| Data { metadata: None, bytes: piece.to_vec() }).collect()))
    }

    async fn kubeconfig(&self, request: Request<()>) -> Result<Response<BoxStream<Data>>, Status> {
        self.note("kubeconfig", &request);
        let text = "users:\n- name: admin\n  user: {client-key-data: c2VjcmV0LWtleQ==}\n";
        Ok(stream(vec![Data { metadata: None, bytes: packed(text) }]))
    }

    async fn events(&self, request: Request<EventsRequest>) -> Result<Response<BoxStream<machine::Event>>, Status> {
        self.note("events", &request);
        let hello = machine::Event { data: Some(Any::default()), ..machine::Event::default() };
        let phase = PhaseEvent { phase: "stopEverything".to_owned(), action: 1 };
        let later = Any { type_url: "talos/runtime/machine.LaterEvent".to_owned(), value: vec![8, 1] };
        let known = Any { type_url: "talos/runtime/machine.PhaseEvent".to_owned(), value: phase.encode_to_vec() };
        let told = [later, known].map(|data| machine::Event { data: Some(data), ..machine::Event::default() });
        Ok(stream([hello].into_iter().chain(told).collect()))
    }

    async fn reset(&self, request: Request<ResetRequest>) -> Result<Response<ResetResponse>, Status> {
        self.note("reset", &request);
        Ok(Response::new(ResetResponse { messages: vec![Reset::default()] }))
    }
}

/// A kubeconfig as Talos packs it: a header, the file, and no end.
fn packed(text: &str) -> Vec<u8> {
    let mut archive = vec![0; 512];
    archive[..10].copy_from_slice(b"kubeconfig");
    archive[124..135].copy_from_slice(format!("{:011o}", text.len()).as_bytes());
    archive.extend(text.as_bytes());
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&archive).unwrap();
    packer.finish().unwrap()
}

#[tonic::async_trait]
impl storage_service_server::StorageService for Api {
    async fn disks(&self, request: Request<()>) -> Result<Response<DisksResponse>, Status> {
        self.note("disks", &request);
        let disk = Disk { device_name: "/dev/sda".to_owned(), size: 20 << 30, r#type: 1, ..Disk::default() };
        let disks = Disks { metadata: None, disks: vec![disk] };
        Ok(Response::new(DisksResponse { messages: vec![disks] }))
    }
}

fn resource(namespace: &str, kind: &str, id: &str, proto_spec: Vec<u8>, yaml_spec: &str) -> Resource {
    let metadata = Metadata {
        namespace: namespace.to_owned(),
        r#type: kind.to_owned(),
        id: id.to_owned(),
        version: "1".to_owned(),
        phase: "running".to_owned(),
        ..Metadata::default()
    };
    Resource { metadata: Some(metadata), spec: Some(Spec { proto_spec, yaml_spec: yaml_spec.to_owned() }) }
}

#[tonic::async_trait]
impl state_server::State for Api {
    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        self.note("get", &request);
        let GetRequest { namespace, r#type, id, .. } = request.into_inner();
        match id.as_str() {
            "hostname" => Ok(Response::new(GetResponse {
                resource: Some(resource(&namespace, &r#type, &id, Vec::new(), "hostname: cp-1\ndomainname: \"\"\n")),
            })),
            "machine-type" => Ok(Response::new(GetResponse {
                resource: Some(resource(&namespace, &r#type, &id, Vec::new(), "controlplane\n")),
            })),
            "machine" => {
                let status = "stage: running\nstatus:\n  ready: false\n  unmetConditions:\n    - {name: time, reason: time is not synced}\n";
                Ok(Response::new(GetResponse {
                    resource: Some(resource(&namespace, &r#type, &id, Vec::new(), status)),
                }))
            }
            _ => Err(Status::not_found(format!("resource {type}({namespace}/{id}@undefined) doesn't exist"))),
        }
    }

    /// Ends after what is there; the next one tells what became of it meanwhile, and then that it goes.
    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<BoxStream<WatchResponse>>, Status> {
        self.note("watch", &request);
        let again = self.asked.lock().unwrap().iter().filter(|asked| asked.starts_with("watch")).count() > 1;
        let WatchRequest { namespace, r#type, .. } = request.into_inner();
        let event = |event_type: EventType, version: &str| {
            let mut found = resource(&namespace, &r#type, "hostname", Vec::new(), "hostname: cp-1\n");
            found.metadata.as_mut().unwrap().version = version.to_owned();
            let event = Event { resource: Some(found), event_type: event_type.into(), ..Event::default() };
            WatchResponse { event: vec![event] }
        };
        let there = Event { event_type: EventType::Bootstrapped.into(), ..Event::default() };
        let mut told = vec![
            WatchResponse::default(),
            event(EventType::Created, if again { "2" } else { "1" }),
            WatchResponse { event: vec![there] },
        ];
        if again {
            told.push(event(EventType::Destroyed, "2"));
        }
        Ok(stream(told))
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<BoxStream<ListResponse>>, Status> {
        self.note("list", &request);
        if request.get_ref().r#type != "ResourceDefinitions.meta.cosi.dev" {
            return Ok(stream(Vec::new()));
        }
        let kind = "HostnameStatuses.net.talos.dev";
        let described = ResourceDefinitionSpec {
            resource_type: kind.to_owned(),
            default_namespace: "network".to_owned(),
            all_aliases: ["hostname", "hostnamestatus", "hs"].map(str::to_owned).to_vec(),
            ..ResourceDefinitionSpec::default()
        };
        let found =
            resource("meta", "ResourceDefinitions.meta.cosi.dev", &kind.to_lowercase(), described.encode_to_vec(), "");
        Ok(stream(vec![ListResponse { resource: Some(found) }]))
    }
}

/// A talosconfig of a client whom this authority knows.
pub fn talosconfig(authority: &Authority, endpoints: &[String]) -> String {
    let (certificate, key) = authority.client();
    let [ca, certificate, key] = [authority.pem(), certificate, key].map(|pem| STANDARD.encode(pem));
    let endpoints = endpoints.join(", ");
    format!(
        "context: lab\ncontexts:\n  lab:\n    endpoints: [{endpoints}]\n    nodes: [10.0.0.1, 10.0.0.2]\n    ca: {ca}\n    \
         crt: {certificate}\n    key: {key}\n"
    )
}
