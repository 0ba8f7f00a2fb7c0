//! The ports a script reaches the world through: clock, dial, ask, secrets, effects, entropy, events, files, keys, programs, threads.
//!
//! It knows no Kubernetes, no terminal and no journal. What a rehearsal swaps is decided where the host is put together,
//! and nowhere else.

pub mod allowed;
pub mod ask;
pub mod cancel;
pub mod clock;
pub mod dial;
pub mod effect;
pub mod entropy;
pub mod environment;
pub mod events;
pub mod files;
pub mod frame;
pub mod keys;
pub mod personal;
pub mod programs;
pub mod real;
pub mod secrets;
pub mod threads;
pub mod tunnel;
pub mod wait;

use std::sync::Arc;

use self::{
    allowed::Allowed, ask::Ask, clock::Clock, dial::Dial, effect::Effects, entropy::Entropy, environment::Environment,
    events::Events, files::Files, keys::Keys, programs::Programs, secrets::Vault, threads::Threads,
};

/// Everything outside of the script, as ports.
#[derive(Clone)]
pub struct Host {
    pub clock: Arc<dyn Clock>,
    pub dial: Arc<dyn Dial>,
    pub ask: Arc<dyn Ask>,
    pub effects: Arc<dyn Effects>,
    pub environment: Arc<dyn Environment>,
    pub entropy: Arc<dyn Entropy>,
    pub files: Arc<Files>,
    pub keys: Arc<dyn Keys>,
    pub programs: Arc<dyn Programs>,
    pub allowed: Arc<Allowed>,
    pub secrets: Arc<Vault>,
    pub threads: Arc<dyn Threads>,
    pub events: Arc<Events>,
}
