//! Definitions of kinds: when their objects can be made.

use std::time::Duration;

use super::{
    client::{Cluster, Selection},
    object::{self, name, text},
    watch::{Observer, Seen},
};
use crate::script::{
    fault::{Fault, Kind},
    values::tree::Tree,
};

/// How long a definition may take until it is served.
const ESTABLISHED: Duration = Duration::from_secs(30);

/// Waits until a definition is served, and gives it as it is then.
///
/// # Errors
/// `failed` if another definition has its names, or `timeout`.
pub async fn wait(cluster: &Cluster, definition: &Tree) -> Result<Tree, Fault> {
    let is = |object: &Tree, kind: &str, value: &str| {
        object::condition(object, kind).is_some_and(|condition| text(condition, &["status"]) == Some(value))
    };
    if is(definition, "Established", "True") {
        return Ok(definition.clone());
    }
    let name = name(definition);
    let selection = Selection { fields: Some(format!("metadata.name={name}")), ..Selection::default() };
    let mut observer = Observer::new(cluster.clone(), "customresourcedefinitions".to_owned(), selection);
    let served = async {
        loop {
            match observer.next().await? {
                Seen::Object(object) if is(&object, "Established", "True") => return Ok(object),
                Seen::Object(object) if is(&object, "NamesAccepted", "False") => {
                    let condition = object::condition(&object, "NamesAccepted").unwrap_or(&Tree::Null);
                    let why = text(condition, &["message"]).unwrap_or_default();
                    return Err(Fault::new(Kind::Failed, format!("definition `{name}` is not served: {why}"))
                        .hint("another definition has one of its names already"));
                }
                _ => {}
            }
        }
    };
    let too_long = cluster.host().clock.sleep(ESTABLISHED);
    tokio::select! {
        biased;
        served = served => served,
        () = too_long => {
            let after = crate::duration::show(ESTABLISHED);
            Err(Fault::new(Kind::Timeout, format!("definition `{name}` is not served after {after}")))
        }
    }
}
