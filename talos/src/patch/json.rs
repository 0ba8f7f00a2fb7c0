//! The steps of RFC 6902 on a configuration.

use documents::steps::Step;
use serde_json::Value;

use crate::{configuration::Invalid, yaml};

/// # Errors
/// One of them isn't a step.
pub fn read(steps: &[Value]) -> Result<Vec<Step>, Invalid> {
    steps.iter().map(|step| Step::read(step).map_err(Invalid::new)).collect()
}

/// # Errors
/// A step can't be taken.
pub fn apply(text: &str, steps: &[Step]) -> Result<String, Invalid> {
    let documents =
        yaml::read(text).map_err(|why| Invalid::new(format!("failure decoding talos machine config: {why}")))?;
    let [document] = documents.as_slice() else {
        return Err(Invalid::new("JSON6902 patches are not supported for multi-document machine configuration"));
    };
    let mut root = document.value();
    for step in steps {
        step.take(&mut root)
            .map_err(|why| Invalid::new(format!("failure applying rfc6902 patches to talos machine config: {why}")))?;
    }
    Ok(yaml::write(&[root]))
}
