//! Clusters of the world: their API servers, and what is in them from the beginning.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    World,
    births::Nursery,
    certificate, charts,
    check::{host_and_port, skew},
    description::{self, Object},
    founded::Founded,
    node, pools, repositories, webhooks,
};
use crate::{
    certificates::CertificateAuthority,
    duration::Length,
    kubernetes::{
        access::identities::Identities,
        answer::Refusal,
        client::{Client, Place},
        cluster::Cluster,
        control_plane, controllers,
        manifests::{self, Unfit},
        server::ApiServer,
        user::User,
    },
    time::{Calendar, During},
};

/// How long a kind of the file's own may take until it is served.
const PATIENCE: u32 = 60;

/// A cluster, and how it is reached.
pub struct Placed {
    pub name: String,
    pub context: String,
    pub host: String,
    pub port: u16,
    /// The certificate that vouches for its server.
    pub authority: String,
    pub token: String,
    pub cluster: Arc<Cluster>,
}

impl Placed {
    pub(super) async fn begin(
        world: &World,
        nursery: &Arc<Nursery>,
        (name, described): &(String, description::Cluster),
        seed: u64,
        founded: Option<&Founded>,
    ) -> Result<Self, String> {
        let whole = &nursery.whole;
        let server = server(name, described);
        let (host, port) = host_and_port(&server).ok_or_else(|| format!("`{server}` is no address of a server"))?;
        let ahead = described.clock.as_deref().and_then(skew).unwrap_or_default();
        let authority = Arc::new(CertificateAuthority::new(&self::authority(name), seed));
        let surroundings = (world, nursery);
        let cluster = empty(surroundings, world.calendar.ahead(ahead), (name, described), &authority, seed);
        let nodes = match founded {
            None => {
                let network = pools::network(whole, described.network.as_deref());
                node::all(described.nodes.as_ref(), network, &cluster.version())
            }
            // Machines make themselves known.
            Some(_) => Vec::new(),
        };
        let pools = pools::objects(&described.pools);
        let objects = described.objects.iter().filter_map(|object| match object {
            Object::Inline(object) => Some(object),
            // Reading has put objects in place of the files.
            Object::File(_) => None,
        });
        let client = Client::new(&cluster, User::administrator(), "world");
        let fits = |why| format!("in cluster `{name}`, {why}");
        fill(&client, &nodes.iter().chain(objects).chain(&pools).collect::<Vec<_>>()).await.map_err(fits)?;
        definitions_are_served(&cluster).await;
        charts::install(described, &client).await.map_err(fits)?;
        fill(&client, &webhooks::begin(world, name, described)?.iter().collect::<Vec<_>>()).await.map_err(fits)?;
        let placed = Self {
            name: name.to_owned(),
            context: described.context.clone().unwrap_or_else(|| name.to_owned()),
            host: host.to_owned(),
            port,
            authority: founded.map_or_else(|| authority.pem(), |founded| founded.authority.clone()),
            token: token(name),
            cluster: cluster.clone(),
        };
        if founded.is_some() {
            return Ok(placed);
        }
        let unmodelled = world.unmodelled.clone();
        // Where the world is up on this machine, it is reached by the last two.
        let names = [host, "localhost", "127.0.0.1"];
        let server = ApiServer {
            cluster: cluster.clone(),
            tls: certificate::of(&authority, &described.certificate, &names, world.at(host, port))?,
            identities: placed.identities(),
            faults: world.at(host, port),
            unmodelled: Arc::new(move |what| unmodelled.note(what.to_owned())),
        };
        world.network.place(host, port, Arc::new(server), During::default());
        Ok(placed)
    }

    /// Whom its API server knows.
    pub(super) fn identities(&self) -> Identities {
        Identities::default().with(&self.token, User::administrator())
    }
}

/// A cluster with nothing in it yet, whose machines and controllers do as the file says.
pub fn empty(
    (world, nursery): (&World, &Arc<Nursery>),
    calendar: Calendar,
    (name, described): (&str, &description::Cluster),
    authority: &Arc<CertificateAuthority>,
    seed: u64,
) -> Arc<Cluster> {
    let cluster = control_plane::begin(calendar, seed);
    cluster.authority.get_or_init(|| authority.clone());
    cluster.join(world.network.clone());
    if let Some(version) = &described.version {
        cluster.says_that_it_is(version);
    }
    cluster.machines.behave(described.pods.clone());
    for (provisioner, Length(takes)) in &described.provisioners {
        cluster.provisioners.provide(provisioner, *takes);
    }
    controllers::start_operators(&cluster, nursery.operators(name), nursery.clone());
    let whole = &nursery.whole;
    repositories::supply(whole, &cluster, world.begins);
    // A world in which Flux has nothing to fetch plays its objects itself.
    if described.flux && !whole.repositories.0.is_empty() {
        controllers::flux::start(&cluster);
    }
    cluster
}

/// What the authority of a cluster is called.
pub fn authority(name: &str) -> String {
    format!("{name}-ca")
}

/// What an administrator of a cluster shows.
pub fn token(name: &str) -> String {
    format!("{name}-administrator")
}

/// Where the API server of a cluster answers.
pub fn server(name: &str, described: &description::Cluster) -> String {
    described.server.clone().unwrap_or_else(|| format!("{name}.example.test:6443"))
}

async fn fill(client: &Client, objects: &[&Value]) -> Result<(), String> {
    let mut ordered = objects.to_vec();
    ordered.sort_by_key(|object| rank(object));
    for object in ordered {
        create(client, object).await?;
    }
    Ok(())
}

/// Waits for the kinds that were defined: a chart doesn't wait for those of its objects.
async fn definitions_are_served(cluster: &Cluster) {
    let stored = "customresourcedefinitions.apiextensions.k8s.io".into();
    for _ in 0..PATIENCE {
        let (_, definitions) = cluster.store.list(&stored, None);
        let is_served = |definition: &Value| {
            let mut conditions = definition["status"]["conditions"].as_array().into_iter().flatten();
            conditions.any(|condition| condition["type"] == "Established" && condition["status"] == "True")
        };
        if definitions.iter().all(|(_, definition)| is_served(definition)) {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Namespaces and kinds come before what is in them and of them, and accounts before the pods that are run for them.
fn rank(object: &Value) -> u8 {
    match object["kind"].as_str() {
        Some("Namespace") => 0,
        Some("CustomResourceDefinition") => 1,
        Some("ServiceAccount") => 2,
        _ => 3,
    }
}

async fn create(client: &Client, object: &Value) -> Result<(), String> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (api_version, name) = (text("/apiVersion"), text("/metadata/name"));
    let what = format!("{} `{name}`", text("/kind"));
    // A kind that was only just made is served in a moment.
    for _ in 0..PATIENCE {
        if manifests::kind(client.cluster(), object).is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let refused = |refusal: Refusal| format!("{what} can't be there: {}", refusal.message);
    let mut made = manifests::create(client, object, "default").await;
    for _ in 0..PATIENCE {
        match &made {
            // The account that each namespace has comes a moment after it.
            Err(Unfit::Refused(refusal)) if refusal.message.contains("error looking up service account") => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                made = manifests::create(client, object, "default").await;
            }
            _ => break,
        }
    }
    match made {
        // What every cluster begins with may be described all the same.
        Err(Unfit::Refused(refusal)) if refusal.reason == "AlreadyExists" => {}
        Err(Unfit::Refused(refusal)) => return Err(refused(refusal)),
        Err(Unfit::NoSuchKind(..)) => {
            return Err(format!("{what} is of a kind that the cluster does not have: `{api_version}`"));
        }
        Ok(()) => {}
    }
    let Some(status) = object.get("status").and_then(Value::as_object).filter(|status| !status.is_empty()) else {
        return Ok(());
    };
    let Some(kind) = manifests::kind(client.cluster(), object) else { return Ok(()) };
    let namespace = match text("/metadata/namespace") {
        _ if !kind.namespaced => "",
        "" => "default",
        namespace => namespace,
    };
    let place = Place { api_version, resource: &kind.resource, namespace };
    client.patch(place, (name, "status"), "merge", &json!({ "status": status })).await.map(drop).map_err(refused)
}
