//! Deleting.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Write;
use crate::kubernetes::{
    admission::{self, Operation},
    answer::Refusal,
};

impl Write<'_> {
    /// # Errors
    /// If it is not there, or what was expected of it is not so.
    pub async fn delete(&self, name: &str) -> Result<(u16, Value), Refusal> {
        self.rules("delete")?;
        let there = self.cluster.store.get(&self.key(name)).ok_or_else(|| self.not_found(name))?;
        let metadata = &there["metadata"];
        let options: Value = match self.request.body.is_empty() {
            true => Value::Null,
            false => self.request.object("DeleteOptions")?,
        };
        for (field, word) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
            if let Some(wanted) = options.pointer(&format!("/preconditions/{field}")).and_then(Value::as_str)
                && metadata[field] != wanted
            {
                let found = metadata[field].as_str().unwrap_or_default();
                let why =
                    format!("Precondition failed: {word} in precondition: {wanted}, {word} in object meta: {found}");
                return Err(Refusal::conflict(&self.kind.resource, &self.kind.group, name, &why));
            }
        }
        admission::check(&self.attempt(Operation::Delete, name, Some(&there)), &there).await?;
        if !self.finished(&there) || &*self.kind.stored == "namespaces" {
            return Err(Refusal::not_modelled(format!("the deletion of `{name}`, which something else has to finish")));
        }
        let gone = self.cluster.store.remove(&self.key(name), &there);
        gone.map_err(|_| self.modified(name))?;
        if self.rules("delete")?.shows_deleted() {
            return Ok((200, self.seen(&there)?));
        }
        Ok((200, self.deleted(metadata)))
    }

    /// True if nothing holds an object that is to be deleted.
    pub(super) fn finished(&self, object: &Value) -> bool {
        object["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty)
    }

    /// Takes away what nothing holds any longer; the answer is what would have been stored.
    pub(super) fn gone(&self, name: &str, stored: &Arc<Value>, object: Value) -> Option<Arc<Value>> {
        self.cluster.store.remove(&self.key(name), stored).ok().map(|_| Arc::new(object))
    }

    /// What is said of something that is gone.
    fn deleted(&self, metadata: &Value) -> Value {
        let mut details = json!({"name": metadata["name"]});
        if !self.kind.group.is_empty() {
            details["group"] = json!(self.kind.group);
        }
        details["kind"] = json!(self.kind.resource);
        details["uid"] = metadata["uid"].clone();
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
    }
}
