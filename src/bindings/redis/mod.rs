//! Redis: its protocol above the dialled stream, for what an operator does with `redis-cli`.
//!
//! It knows no clusters, sentinels or subscriptions, and sends nothing twice that is not the same twice.

mod commands;
mod connect;
mod connection;
mod fault;
pub mod value;

use rhai::plugin::*;

use self::connection::Redis;
use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "redis",
    summary: "asks and changes a Redis server, directly or through a tunnel",
    functions: |module| {
        combine_with_exported_module!(module, "connect", connect::functions);
        combine_with_exported_module!(module, "commands", commands::functions);
    },
    types: |engine| {
        engine
            .register_type_with_name::<Redis>("Redis")
            .register_fn("to_string", |redis: &mut Redis| redis.to_string())
            .register_fn("to_debug", |redis: &mut Redis| format!("redis at {redis}"));
    },
};
