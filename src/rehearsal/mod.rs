//! A rehearsal: the ports of the host onto a world that the simulator plays, on virtual time.
//!
//! What runs on it can't tell: the same engine, bindings and client code speak to the same ports. It never reaches the network,
//! the programs, the environment or the personal files of this machine.

mod answers;
mod chance;
mod clock;
mod dial;
mod environment;
mod programs;
pub mod recording;
mod threads;
mod up;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::Duration,
};

use simulator::{
    certificates::CertificateAuthority,
    network::Network,
    time::{Calendar, Time},
    world::{NAME_SERVER, Unmodelled, World},
};
pub use simulator::{
    time::Pace,
    world::{Description, Problem, read, reference},
};

pub use self::{
    answers::Answers,
    chance::{SeededEntropy, SeededKeys},
    clock::VirtualClock,
    dial::WorldDial,
    environment::WorldEnvironment,
    programs::NoPrograms,
    threads::InTurns,
    up::Up,
};

use crate::host::ask::Question;

/// How old a world is when the rehearsal begins: what was there from the beginning has come to rest.
const SETTLED: Duration = Duration::from_secs(5 * 60);

/// Where the system says which name server it asks.
const RESOLVER: &str = "/etc/resolv.conf";

/// The home folder of whoever rehearses.
const HOME: &str = "/operator";

/// A world that is played.
pub struct Rehearsal {
    time: Time,
    network: Arc<Network>,
    began: jiff::Timestamp,
    authority: Arc<CertificateAuthority>,
    unmodelled: Arc<Unmodelled>,
    environment: BTreeMap<String, String>,
    confirm: BTreeMap<String, bool>,
    /// The personal files that there are, by their paths.
    files: BTreeMap<PathBuf, String>,
}

/// What the world's thread tells when everything is in its place.
struct Begun {
    network: Arc<Network>,
    began: jiff::Timestamp,
    authority: Arc<CertificateAuthority>,
    kubeconfig: String,
    talosconfig: Option<String>,
    name_server: String,
    unmodelled: Arc<Unmodelled>,
}

impl Rehearsal {
    /// Begins a world.
    ///
    /// # Errors
    /// What can't be as its file has it.
    ///
    /// # Panics
    /// If the system gives no thread.
    pub fn begin(description: Description, seed: u64, pace: Pace) -> Result<Self, String> {
        let (tell, told) = mpsc::channel();
        let (environment, confirm) = (description.environment.clone(), description.answers.confirm.clone());
        let files = description.files.iter().map(|(path, text)| (PathBuf::from(path), text.clone())).collect();
        let time = Time::begin(pace, async move || {
            // If nobody hears it, nobody waits for this world.
            drop(tell.send(furnish(&description, seed).await));
        });
        let begun = told.recv().expect("a world is furnished before its first turn")?;
        let mut rehearsal = Self {
            time,
            network: begun.network,
            began: begun.began,
            authority: begun.authority,
            unmodelled: begun.unmodelled,
            environment,
            confirm,
            files,
        };
        let name_server = format!("nameserver {}\n", begun.name_server);
        rehearsal.files.entry(RESOLVER.into()).or_insert(name_server);
        rehearsal.files.entry(Path::new(HOME).join(".kube/config")).or_insert(begun.kubeconfig);
        if let Some(talosconfig) = begun.talosconfig {
            rehearsal.files.entry(Path::new(HOME).join(".talos/config")).or_insert(talosconfig);
        }
        Ok(rehearsal)
    }

    pub fn clock(&self, seed: u64) -> VirtualClock {
        VirtualClock::new(self.time.elapsed(), self.began, seed)
    }

    pub fn dial(&self) -> WorldDial {
        WorldDial::new(self.network.clone())
    }

    pub fn threads(&self) -> InTurns {
        InTurns::new(self.time.turns())
    }

    pub fn environment(&self) -> WorldEnvironment {
        WorldEnvironment::new(self.environment.clone(), HOME.into(), self.authority.clone())
    }

    pub fn answers(&self, show: impl Fn(&Question) + Send + Sync + 'static) -> Answers {
        Answers::new(self.confirm.clone(), show)
    }

    /// Puts the personal files of the world below a folder, which stands for the root of the machine's.
    ///
    /// # Errors
    /// If they can't be written there.
    pub fn lay_out(&self, folder: &Path) -> std::io::Result<()> {
        for (path, text) in &self.files {
            let path = folder.join(path.strip_prefix("/").unwrap_or(path));
            std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
            std::fs::write(path, text)?;
        }
        Ok(())
    }

    /// What is asked of the world and has no model.
    pub fn unmodelled(&self) -> Arc<Unmodelled> {
        self.unmodelled.clone()
    }
}

async fn furnish(description: &Description, seed: u64) -> Result<Begun, String> {
    let calendar =
        Calendar::beginning(description.start() - jiff::SignedDuration::try_from(SETTLED).expect("it is short"));
    let world = World::begin(description, calendar, SETTLED, seed).await?;
    Ok(Begun {
        began: world.calendar.now(),
        kubeconfig: world.kubeconfig(|host, port| format!("{host}:{port}")),
        talosconfig: world.talosconfig(),
        name_server: description.nameservers.first().map_or_else(|| NAME_SERVER.to_owned(), ToString::to_string),
        authority: world.authority.clone(),
        network: world.network.clone(),
        unmodelled: world.unmodelled.clone(),
    })
}
