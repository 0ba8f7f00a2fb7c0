//! The real arm: behaviour held against real servers, where there are some.
//!
//! The programs are found through `KUBEBUILDER_ASSETS`, and how to start them through `COZYSCRIPT_TESTBED`: a folder with
//! the scripts `cluster` and `unpack`, by default `../shared/testbed`. Without them every test says that it was skipped,
//! and why. One control plane serves the whole process; a watchdog ends it when the process has ended, however it did.

mod access;
mod apply;
mod change;
mod connect;
mod dns;
mod events;
mod flux;
mod guestbook;
mod http;
mod k8s;
mod kubeconfig;
mod kubectl;
mod nodes;
mod outage;
mod record;
mod redis;
mod rollout;
mod stdlib;
mod streams;
mod testbed;
mod texts;
mod wait;
mod watch;
mod webhooks;
mod workloads;

use self::testbed::{Bed, Scripts, alone, shared, with_flux};
