//! A talosconfig: who somebody is to nodes, and where they are.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

/// A talosconfig with one context.
pub fn written(context: &str, endpoints: &[String], nodes: &[String], ca: &str, crt: &str, key: &str) -> String {
    let mut inner = json!({
        "endpoints": endpoints,
        "ca": STANDARD.encode(ca),
        "crt": STANDARD.encode(crt),
        "key": STANDARD.encode(key),
    });
    if !nodes.is_empty() {
        inner["nodes"] = json!(nodes);
    }
    let whole = json!({"context": context, "contexts": {context: inner}});
    serde_saphyr::to_string(&whole).expect("a talosconfig is made of what YAML can say")
}
