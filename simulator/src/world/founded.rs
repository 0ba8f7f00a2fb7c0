//! Clusters that machines make from the beginning: their secrets, and the configurations of their nodes.

use std::cell::RefCell;

use talos::{
    generate::Plan,
    pem,
    secrets::{Algorithm, Secrets, Source},
    talosconfig::Talosconfig,
};

use super::{
    World,
    description::{Cluster, Description, Machine},
};
use crate::{
    certificates::Key,
    talos::{config::Config, machine::minor},
};

/// What there is of a cluster before its machines are switched on.
pub struct Founded {
    /// The machines, and what each of them is to be.
    pub machines: Vec<(String, Config)>,
    pub talosconfig: Talosconfig,
    /// The certificate that vouches for its API server.
    pub authority: String,
}

/// The cluster of this name, if there are machines of it.
///
/// # Errors
/// If there can be no such configurations.
pub fn of(
    world: &World,
    whole: &Description,
    name: &str,
    described: &Cluster,
    seed: u64,
) -> Result<Option<Founded>, String> {
    let own = whole.machines.0.iter().filter(|(_, machine)| machine.cluster.as_deref() == Some(name));
    let own: Vec<&(String, Machine)> = own.collect();
    let Some((_, first)) = own.first() else { return Ok(None) };
    let source = Lots { lots: RefCell::new(fastrand::Rng::with_seed(seed)), now: world.calendar.now().as_second() };
    let version = first.version.clone().unwrap_or_else(|| super::machines::VERSION.to_owned());
    let endpoint = format!("https://{}", super::cluster::server(name, described));
    // What is written for 1.12 is read by later ones, too.
    let contract = format!("v1.{}.0", minor(&version).clamp(8, 12));
    let wrong = |why: String| format!("the machines of cluster `{name}` can't be configured: {why}");
    let secrets = Secrets::generate(&source).map_err(|error| wrong(error.to_string()))?;
    let mut plan = Plan::new(name, &endpoint, &contract).map_err(|invalid| wrong(invalid.to_string()))?;
    plan.install_image = Some(format!("ghcr.io/siderolabs/installer:{version}"));
    let is_worker = |machine: &Machine| machine.role.as_deref() == Some("worker");
    let leading = own.iter().filter(|(_, machine)| !is_worker(machine));
    plan.endpoints = leading.map(|(name, _)| world.address(name)).collect();
    let generated = plan.generate(&secrets, &source).map_err(|invalid| wrong(invalid.to_string()))?;
    let machines = own.iter().map(|(name, machine)| {
        let text = if is_worker(machine) { &generated.worker } else { &generated.control_plane };
        let config = Config::read(text.as_bytes(), minor(&version)).map_err(|status| wrong(status.message))?;
        Ok((name.clone(), config))
    });
    Ok(Some(Founded {
        machines: machines.collect::<Result<_, String>>()?,
        talosconfig: generated.talosconfig,
        authority: pem::unwrap(secrets.text("certs.k8s.crt")).unwrap_or_default(),
    }))
}

/// Chance that follows from a seed, and the world's time.
struct Lots {
    lots: RefCell<fastrand::Rng>,
    now: i64,
}

impl Source for Lots {
    type Signer = Key;

    fn fill(&self, bytes: &mut [u8]) {
        self.lots.borrow_mut().fill(bytes);
    }

    fn key(&self, algorithm: Algorithm) -> Vec<u8> {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        let key = match algorithm {
            Algorithm::Ed25519 => Key::ed25519(bytes),
            Algorithm::EcdsaP256 => Key::p256(&bytes),
        };
        key.to_pkcs8()
    }

    fn signer(&self, pkcs8: &[u8]) -> Result<Key, rcgen::Error> {
        Key::from_pkcs8(pkcs8)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.now).unwrap_or_default()
    }
}
