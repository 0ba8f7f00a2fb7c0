//! What every protocol above a dialled stream shares: the route to a server, proxies, TLS, and the certificates that are
//! met on the way.
//!
//! It speaks no protocol of an application and raises no faults: what went wrong is a value, and who asked says what it means.

pub mod authority;
pub mod certificate;
pub mod connector;
pub mod failure;
pub mod proxy;
pub mod route;
pub mod signer;
pub mod tls;
