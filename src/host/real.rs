//! The ports onto the real world: the system's clock, TCP, threads that block on tokio, programs, the process environment.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this module is the clock, the dial and the bridge"
)]

mod keys;
pub mod programs;
mod tcp;

use std::{
    ffi::OsString,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

use etcetera::BaseStrategy;
use futures::future::BoxFuture;
use jiff::Timestamp;
use rustls::RootCertStore;
use tokio::runtime::{self, Runtime};

pub use self::{keys::SystemKeys, tcp::Tcp};
use super::{
    clock::Clock,
    entropy::Entropy,
    environment::Environment,
    threads::{Branch, STACK, Threads},
};

/// The system's clock.
pub struct SystemClock {
    started: Instant,
    chance: Mutex<fastrand::Rng>,
}

impl SystemClock {
    pub fn new(seed: u64) -> Self {
        Self { started: Instant::now(), chance: Mutex::new(fastrand::Rng::with_seed(seed)) }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        // Made inside the future: a timer can only be made where a runtime is entered.
        Box::pin(async move { tokio::time::sleep(pause).await })
    }

    fn chance(&self) -> f64 {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }
}

/// Script threads that block on a tokio runtime of their own, which begins when the first of them waits: many a run
/// never does.
#[derive(Default)]
pub struct Blocking {
    runtime: Mutex<Option<Runtime>>,
}

impl Blocking {
    /// Ends what still goes on there: connections and timers that nobody waits for.
    pub fn end(&self) {
        if let Some(runtime) = self.lock().take() {
            runtime.shutdown_background();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Runtime>> {
        self.runtime.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        self.end();
    }
}

impl Threads for Blocking {
    fn drive(&self, work: BoxFuture<'static, ()>) {
        // Two workers: one may be in a slow system call while the other keeps watches and timers alive.
        let begin = || runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = self.lock().get_or_insert_with(|| begin().expect("the system gives a runtime")).handle().clone();
        runtime.block_on(work);
    }

    fn fork(&self, branches: Vec<Branch<'_>>) {
        thread::scope(|scope| {
            for (index, branch) in branches.into_iter().enumerate() {
                thread::Builder::new()
                    .name(format!("branch {index}"))
                    .stack_size(STACK)
                    .spawn_scoped(scope, branch)
                    .expect("the system gives another thread");
            }
        });
    }
}

/// The environment of this process.
#[derive(Default)]
pub struct ProcessEnvironment {
    /// Read when they are first asked for: that takes tens of milliseconds.
    authorities: OnceLock<Arc<RootCertStore>>,
}

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn variables(&self) -> Vec<(String, String)> {
        let as_text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let mut variables: Vec<_> = std::env::vars_os().filter_map(as_text).collect();
        variables.sort();
        variables
    }

    fn home(&self) -> Option<PathBuf> {
        etcetera::choose_base_strategy().ok().map(|strategy| strategy.home_dir().to_owned())
    }

    fn authorities(&self) -> Arc<RootCertStore> {
        let read = || {
            let mut authorities = RootCertStore::empty();
            // Files that can't be read, and certificates of forms that nobody uses any more, leave the others as they are.
            authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            Arc::new(authorities)
        };
        self.authorities.get_or_init(read).clone()
    }
}

/// The chance of the operating system, as TLS uses it.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let random = rustls::crypto::ring::default_provider().secure_random;
        random.fill(bytes).expect("the operating system has chance to give");
    }
}
