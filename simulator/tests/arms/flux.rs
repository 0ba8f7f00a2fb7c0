//! Both servers with Flux, and the same to be fetched.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use serde_json::json;
use simulator::{
    kubernetes::{
        client::{Client, Place},
        cluster::Cluster,
        control_plane,
        controllers::flux,
        user::User,
    },
    time::Calendar,
    world::{self, sets},
};
use testbed::Bed;

const WORLD: &str = include_str!("../conformance/flux.world.yaml");
/// Where the simulated registry is.
const REGISTRY: &str = "registry.test:5000";

/// A cluster with Flux, and what it can fetch.
pub fn begin(calendar: Calendar, seed: u64) -> Arc<Cluster> {
    let cluster = control_plane::begin(calendar, seed);
    let files = |path: &Path| Err(format!("{} is not asked for", path.display()));
    let described = world::read(WORLD, &files).unwrap_or_else(|problems| panic!("{problems:?}"));
    world::supply(&described, &cluster, tokio::time::Instant::now());
    flux::start(&cluster);
    let client = Client::new(&cluster, User::administrator(), "kubectl");
    tokio::spawn(async move {
        let place =
            Place { api_version: "apiextensions.k8s.io/v1", resource: "customresourcedefinitions", namespace: "" };
        let object = |name: &str| json!({"metadata": {"name": name}});
        let namespaces = Place { api_version: "v1", resource: "namespaces", namespace: "" };
        client.create(namespaces, &object("flux-system")).await.expect("there is no such namespace");
        let mut registry = object("registry");
        registry["data"] = json!({"address": REGISTRY});
        let maps = Place { api_version: "v1", resource: "configmaps", namespace: "flux-system" };
        client.create(maps, &registry).await.expect("there is no such ConfigMap");
        for definition in sets::of("flux").expect("there is a set of that name") {
            client.create(place, &definition).await.expect("definitions of Flux are fine");
        }
    });
    cluster
}

/// The real one, with the same to be fetched.
pub fn stocked() -> Option<Bed> {
    static STOCKED: OnceLock<()> = OnceLock::new();
    let bed = testbed::with_flux()?;
    STOCKED.get_or_init(|| {
        let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/real/flux");
        let text = |path: &Path| path.to_str().expect("paths here are texts").to_owned();
        bed.flux(&["push-chart", &text(&lab.join("charts/app"))]);
        let newer = tempfile::tempdir().unwrap();
        let app = newer.path().join("app");
        std::fs::create_dir_all(app.join("templates")).unwrap();
        for file in ["Chart.yaml", "values.yaml", "templates/app.yaml"] {
            let of = std::fs::read_to_string(lab.join("charts/app").join(file)).unwrap();
            std::fs::write(app.join(file), of.replace("version: 1.0.0", "version: 1.1.0")).unwrap();
        }
        bed.flux(&["push-chart", &text(&app)]);
        for tree in ["front", "layered", "secret", "shop", "things"] {
            bed.flux(&["push-tree", &text(&lab.join("trees").join(tree)), tree, "v1"]);
        }
        let address = format!("--from-literal=address={}", bed.registry());
        bed.kubectl(&["create", "configmap", "registry", "-n", "flux-system", &address]);
    });
    Some(bed)
}
