//! What a change of one object gives, and whether one that is in doubt happened, judged from what is there.

use serde_json::json;

use crate::{
    kubernetes::{
        client::MANAGER,
        object::{self, items, text},
    },
    script::{context::Changed, fault::Fault, values::object::Object, values::tree::Tree},
};

/// What a change that leaves one object gives, and what is kept of it.
pub fn changed(mut tree: Tree, detail: &str) -> Result<Changed<Object>, Fault> {
    object::strip_managed_fields(&mut tree);
    let kept = json!({ "name": object::name(&tree) });
    Ok(Changed { value: object::whole(tree)?, kept, detail: Some(detail.to_owned()) })
}

/// True if we have written the object at least once.
pub fn is_ours(object: &Tree) -> bool {
    let managers = items(object, &["metadata", "managedFields"]);
    managers.iter().any(|entry| text(entry, &["manager"]) == Some(MANAGER))
}

/// True if an object has all that was sent; what the server adds is fine.
pub fn holds(found: &Tree, sent: &Tree) -> bool {
    match (found, sent) {
        (Tree::Map(found), Tree::Map(sent)) => sent.iter().all(|(name, sent)| match found.get(name) {
            Some(found) => holds(found, sent),
            // It is written only: the server moves it to `data`.
            None => sent.is_null() || name.as_str() == "stringData",
        }),
        (Tree::List(found), Tree::List(sent)) => {
            found.len() == sent.len() && found.iter().zip(sent.iter()).all(|(found, sent)| holds(found, sent))
        }
        (found, Tree::Secret(sent)) => *found == Tree::Text(sent.expose().into()),
        (found, sent) => found.equals(sent),
    }
}
