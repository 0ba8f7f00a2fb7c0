//! HTTP: questions, posts, downloads, and waiting until a site answers as it should. It follows redirects with care, and never shows a
//! secret that it sends.

mod answer;
mod body;
mod carriage;
mod download;
mod exchange;
mod expected;
mod guarded;
mod kept;
mod request;
mod send;
mod verbs;
mod wait;

use rhai::plugin::*;

use crate::script::binding::Binding;

pub const BINDING: Binding = Binding {
    name: "http",
    summary: "asks HTTP servers, posts to them, downloads from them, and waits until they answer as they should",
    functions: |module| {
        combine_with_exported_module!(module, "verbs", verbs::functions);
        combine_with_exported_module!(module, "download", download::functions);
        combine_with_exported_module!(module, "wait", wait::functions);
        combine_with_exported_module!(module, "answer", answer::functions);
    },
    types: answer::register,
};
