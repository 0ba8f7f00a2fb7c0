//! A claim that names no class gets the one that is the default.

use serde_json::Value;

use super::{Attempt, Operation};
use crate::kubernetes::answer::Refusal;

const DEFAULT: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

pub fn change(attempt: &Attempt<'_>, claim: &mut Value) -> Result<(), Refusal> {
    if !attempt.is_of("persistentvolumeclaims")
        || attempt.operation != Operation::Create
        || claim["spec"].get("storageClassName").is_some()
    {
        return Ok(());
    }
    let is_default = |class: &Value| {
        let annotations = &class["metadata"]["annotations"];
        DEFAULT.iter().any(|name| annotations[*name] == "true")
    };
    let mut classes = attempt.all("storageclasses.storage.k8s.io", None);
    classes.retain(|class| is_default(class));
    // The newest of several, and the first by name of equally new ones.
    let text = |class: &Value, field: &str| class["metadata"][field].as_str().unwrap_or_default().to_owned();
    classes.sort_by_key(|class| text(class, "name"));
    classes.sort_by_key(|class| std::cmp::Reverse(text(class, "creationTimestamp")));
    if let Some(class) = classes.first() {
        claim["spec"]["storageClassName"] = class["metadata"]["name"].clone();
    }
    Ok(())
}
