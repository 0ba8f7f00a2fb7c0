//! The type `Tunnel` in scripts: what a binding made and others connect through.

use rhai::Engine;

use crate::host::tunnel::Tunnel;

/// Names the type, and says where it leads: `host`, `port`, and the text of it.
pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Tunnel>("Tunnel")
        .register_get("host", |tunnel: &mut Tunnel| tunnel.host().to_owned())
        .register_get("port", |tunnel: &mut Tunnel| i64::from(tunnel.port()))
        .register_fn("to_string", |tunnel: &mut Tunnel| tunnel.to_string())
        .register_fn("to_debug", |tunnel: &mut Tunnel| format!("tunnel to {tunnel}"));
}
