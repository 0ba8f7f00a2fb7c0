//! What a request comes to: an object, or a `Status` that says why not, in the words of the real server.

use serde_json::{Map, Value, json};

use super::kinds::built_in;

/// A refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
    details: Option<Map<String, Value>>,
    /// The token by which the list goes on all the same.
    continues: Option<String>,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub reason: &'static str,
    pub message: String,
    pub field: String,
}

/// The reason of a `Status` that has none.
const UNKNOWN: &str = "";
/// The reason of what is no `Status`.
const NO_STATUS: &str = "no status";

impl Refusal {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, continues: None }
    }

    fn about(mut self, group: &str, kind: &str, name: &str) -> Self {
        let details = self.details.get_or_insert_default();
        for (key, value) in [("name", name), ("group", group), ("kind", kind)] {
            if !value.is_empty() {
                details.insert(key.to_owned(), json!(value));
            }
        }
        self
    }

    pub fn not_found(resource: &str, group: &str, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{} \"{name}\" not found", full(resource, group)))
            .about(group, resource, name)
    }

    /// There is no such path.
    pub fn no_such_resource() -> Self {
        let refusal = Self::new(404, "NotFound", "the server could not find the requested resource");
        Self { details: Some(Map::new()), ..refusal }
    }

    /// There is nobody to answer for such a path; it is said in plain words, not as a `Status`.
    pub fn no_such_path() -> Self {
        Self::new(404, NO_STATUS, "404 page not found\n")
    }

    /// There is nobody to answer for such a path in a group: whoever serves the built-in ones says so in a `Status`.
    pub fn no_such_path_in(group: &str) -> Self {
        match built_in().keys().any(|(known, ..)| known == group) {
            true => Self::no_such_resource(),
            false => Self::no_such_path(),
        }
    }

    /// What is said in plain words, if that is no `Status`.
    pub fn plain(&self) -> Option<&str> {
        (self.reason == NO_STATUS).then_some(&*self.message)
    }

    pub fn already_exists(resource: &str, group: &str, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", full(resource, group));
        Self::new(409, "AlreadyExists", message).about(group, resource, name)
    }

    /// The same of a name that may be one that was generated: another try may have more luck.
    pub fn ungenerated(mut self) -> Self {
        self.message.push_str(", the server was not able to generate a unique name for the object");
        self.details.get_or_insert_default().insert("retryAfterSeconds".to_owned(), json!(1));
        self
    }

    pub fn conflict(resource: &str, group: &str, name: &str, why: &str) -> Self {
        let what = full(resource, group);
        let message = format!("Operation cannot be fulfilled on {what} \"{name}\": {why}");
        Self::new(409, "Conflict", message).about(group, resource, name)
    }

    /// Somebody else changed it meanwhile.
    pub fn modified(resource: &str, group: &str, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, group, name, why)
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub fn method_not_allowed() -> Self {
        let refusal =
            Self::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
        Self { details: Some(Map::new()), ..refusal }
    }

    /// A patch of a form that is not taken here.
    pub fn unsupported_patch() -> Self {
        let refusal = Self::new(415, "UnsupportedMediaType", "415: Unsupported Media Type");
        Self { details: Some(Map::new()), ..refusal }
    }

    pub fn unsupported_media_type(accepted: &[&str]) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            accepted.join(", ")
        );
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// None of what is offered is what the client takes.
    pub fn not_acceptable(offered: &[&str]) -> Self {
        let message = format!("only the following media types are accepted: {}", offered.join(", "));
        Self::new(406, "NotAcceptable", message)
    }

    /// The same of what nobody offers for any object.
    pub fn unknown_representation(offered: &[&str]) -> Self {
        let message = format!("406: Not Acceptable\n\nAvailable representations: {}", offered.join(", "));
        Self { details: Some(Map::new()), ..Self::new(406, "NotAcceptable", message) }
    }

    /// A list was asked for as one object, or the other way round.
    pub fn no_such_representation(message: impl Into<String>) -> Self {
        Self::new(406, "NotAcceptable", message)
    }

    /// Such a revision is still to come.
    pub fn ahead(revision: u64, latest: u64) -> Self {
        let mut refusal =
            Self::new(504, "Timeout", format!("Timeout: Too large resource version: {revision}, current: {latest}"));
        let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        let details = refusal.details.get_or_insert_default();
        details.insert("causes".to_owned(), json!([cause]));
        details.insert("retryAfterSeconds".to_owned(), json!(1));
        refusal
    }

    /// Somebody may not do this; without a name it is about the resource as a whole, without a resource about a path.
    pub fn forbidden(resource: &str, group: &str, name: &str, why: &str) -> Self {
        let what = match (resource, name) {
            ("", _) => String::new(),
            (resource, "") => format!("{} is ", full(resource, group)),
            (resource, name) => format!("{} \"{name}\" is ", full(resource, group)),
        };
        let refusal = Self::new(403, "Forbidden", format!("{what}forbidden: {why}"));
        Self { details: Some(Map::new()), ..refusal }.about(group, resource, name)
    }

    /// Admission doesn't let a write in; a new object may be without a name.
    pub fn not_admitted(resource: &str, group: &str, name: &str, why: &str) -> Self {
        Self::forbidden(resource, group, if name.is_empty() { "Unknown" } else { name }, why)
    }

    /// It was understood, and doesn't fit. The real server keeps to itself why.
    pub fn unprocessable() -> Self {
        let message = "the server rejected our request due to an error in our request";
        Self { details: Some(Map::new()), ..Self::new(422, "Invalid", message) }
    }

    /// Not now; `after` so many seconds it may be otherwise.
    pub fn too_many_requests(message: &str, after: Option<u64>, causes: Vec<Cause>) -> Self {
        let mut refusal = Self::new(429, "TooManyRequests", message);
        let details = refusal.details.get_or_insert_default();
        details.insert("causes".to_owned(), written(&causes));
        if let Some(after) = after {
            details.insert("retryAfterSeconds".to_owned(), json!(after));
        }
        refusal
    }

    /// The server failed at it.
    pub fn failed(why: impl Into<String>) -> Self {
        Self::new(500, UNKNOWN, why)
    }

    pub fn too_large(why: impl std::fmt::Display) -> Self {
        Self::new(413, "RequestEntityTooLarge", format!("Request entity too large: {why}"))
    }

    /// So many others ask that it is said in plain words, not as a `Status`.
    pub fn too_busy() -> Self {
        Self::new(429, NO_STATUS, "Too many requests, please try again later.\n")
    }

    /// The server takes no more requests.
    pub fn shutting_down() -> Self {
        Self::unavailable("apiserver is shutting down")
    }

    /// Whoever would have to answer can't.
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self::new(503, "ServiceUnavailable", why)
    }

    /// The server took too long.
    pub fn timed_out() -> Self {
        Self::new(504, "Timeout", "request did not complete within requested timeout - context deadline exceeded")
    }

    /// A status that has no words of its own here.
    pub fn of_code(code: u16, message: impl Into<String>) -> Self {
        Self::new(code, UNKNOWN, message)
    }

    /// The same in other words.
    pub fn saying(self, message: impl Into<String>) -> Self {
        Self { message: message.into(), ..self }
    }

    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    /// Changes since then are forgotten.
    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// The same refusal with a token by which a list goes on all the same.
    pub fn continuing(self, token: String) -> Self {
        Self { continues: Some(token), ..self }
    }

    pub fn invalid(kind: &str, group: &str, name: &str, causes: Vec<Cause>) -> Self {
        // Each is told once, also if two rules found it.
        let mut told: Vec<String> = Vec::new();
        for cause in &causes {
            let one = format!("{}: {}", cause.field, cause.message);
            if !told.contains(&one) {
                told.push(one);
            }
        }
        let all = match told.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let mut refusal = Self::new(422, "Invalid", format!("{} \"{name}\" is invalid: {all}", full(kind, group)))
            .about(group, kind, name);
        refusal.details.get_or_insert_default().insert("causes".to_owned(), written(&causes));
        refusal
    }

    /// The same refusal, with what is behind it.
    pub fn because(mut self, causes: Vec<Cause>) -> Self {
        self.details.get_or_insert_default().insert("causes".to_owned(), written(&causes));
        self
    }

    /// The same refusal for the reason that a policy gives.
    pub fn by_policy(mut self, why: &str, reason: &str) -> Self {
        (self.reason, self.code) = match reason {
            "Forbidden" => ("Forbidden", 403),
            "Unauthorized" => ("Unauthorized", 401),
            "RequestEntityTooLarge" => ("RequestEntityTooLarge", 413),
            _ => ("Invalid", 422),
        };
        self.details.get_or_insert_default().insert("causes".to_owned(), json!([{"message": why}]));
        self
    }

    /// Policies that should change an object could not: the first of them is told, and all are what is behind it.
    pub fn by_mutations((resource, group, name): (&str, &str, &str), told: &[String]) -> Self {
        let refusal = Self::new(403, "Invalid", told.first().cloned().unwrap_or_default());
        let mut refusal = refusal.about(group, resource, name);
        let causes = told.iter().map(|told| json!({"message": told})).collect();
        refusal.details.get_or_insert_default().insert("causes".to_owned(), causes);
        refusal
    }

    /// A webhook said no.
    pub fn by_webhook(name: &str, status: &Value) -> Self {
        const REASONS: [&str; 8] = [
            "Forbidden",
            "Invalid",
            "BadRequest",
            "Conflict",
            "NotFound",
            "Unauthorized",
            "InternalError",
            "TooManyRequests",
        ];
        let by = format!("admission webhook {name:?} denied the request");
        let text = |field: &str| status[field].as_str().filter(|text| !text.is_empty());
        let message = match (text("message"), text("reason")) {
            (Some(message), _) => format!("{by}: {message}"),
            (None, Some(reason)) => format!("{by}: {reason}"),
            (None, None) => format!("{by} without explanation"),
        };
        let code = status["code"].as_u64().and_then(|code| u16::try_from(code).ok()).filter(|code| *code >= 400);
        let reason = REASONS.into_iter().find(|known| Some(*known) == text("reason")).unwrap_or(UNKNOWN);
        Self::new(code.unwrap_or(400), reason, message)
    }

    /// Others own fields that were to be applied.
    pub fn owned_by_others(message: String, causes: Vec<Cause>) -> Self {
        let mut refusal = Self::new(409, "Conflict", message);
        refusal.details.get_or_insert_default().insert("causes".to_owned(), written(&causes));
        refusal
    }

    /// Something went wrong in the server.
    pub fn internal(why: &str) -> Self {
        let mut refusal = Self::new(500, "InternalError", format!("Internal error occurred: {why}"));
        refusal.details.get_or_insert_default().insert("causes".to_owned(), json!([{"message": why}]));
        refusal
    }

    /// The world has no such behaviour: it says so rather than guess.
    pub fn not_modelled(what: impl Into<String>) -> Self {
        Self::new(501, "NotImplemented", format!("the simulator has no model of this: {}", what.into()))
    }

    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        });
        if let Some(token) = &self.continues {
            status["metadata"]["continue"] = json!(token);
        }
        if self.reason != UNKNOWN {
            status["reason"] = json!(self.reason);
        }
        if let Some(details) = &self.details {
            status["details"] = Value::Object(details.clone());
        }
        status["code"] = json!(self.code);
        status
    }
}

impl Cause {
    /// A value that is not allowed.
    pub fn invalid(field: impl Into<String>, value: &Value, why: &str) -> Self {
        Self { reason: "FieldValueInvalid", message: format!("Invalid value: {value}: {why}"), field: field.into() }
    }

    /// The same, with an empty map or list told as one, where the object that was given has it.
    #[must_use]
    pub fn as_given(mut self, given: &Value) -> Self {
        // What is wrong with the whole of what is wanted is told by its parts.
        if let Some(why) = self.message.strip_prefix("Invalid value: null: ")
            && self.field.contains('.')
            && let Some(value) = given.pointer(&format!("/{}", self.field.replace('.', "/")))
            && (*value == json!({}) || *value == json!([]))
        {
            self.message = format!("Invalid value: {value}: {why}");
        }
        self
    }

    /// The same of a value that is not shown.
    pub fn invalid_as_it_is(field: impl Into<String>, why: &str) -> Self {
        Self { reason: "FieldValueInvalid", message: format!("Invalid value: {why}"), field: field.into() }
    }

    /// Something that has to be there and isn't.
    pub fn required(field: impl Into<String>, why: &str) -> Self {
        Self { reason: "FieldValueRequired", message: explained("Required value", why), field: field.into() }
    }

    /// Something that may not be there, or may not change.
    pub fn forbidden(field: impl Into<String>, why: &str) -> Self {
        Self { reason: "FieldValueForbidden", message: explained("Forbidden", why), field: field.into() }
    }

    /// Something that is there already.
    pub fn duplicate(field: impl Into<String>, value: &Value) -> Self {
        Self { reason: "FieldValueDuplicate", message: format!("Duplicate value: {value}"), field: field.into() }
    }

    /// A value that is none of the few allowed.
    pub fn unsupported(field: impl Into<String>, value: &Value, supported: &[&str]) -> Self {
        let supported: Vec<String> = supported.iter().map(|value| format!("{value:?}")).collect();
        let given = if value.is_null() { &Value::from("") } else { value };
        let message = format!("Unsupported value: {given}: supported values: {}", supported.join(", "));
        Self { reason: "FieldValueNotSupported", message, field: field.into() }
    }

    /// Something that could not be looked at.
    pub fn internal(field: impl Into<String>, why: &str) -> Self {
        Self { reason: "InternalError", message: format!("Internal error: {why}"), field: field.into() }
    }

    /// Something that refers to nothing.
    pub fn not_found(field: impl Into<String>, value: &Value) -> Self {
        Self { reason: "FieldValueNotFound", message: format!("Not found: {value}"), field: field.into() }
    }

    /// A text of more bytes than that.
    pub fn too_long(field: impl Into<String>, most: usize) -> Self {
        let message = format!("Too long: may not be more than {most} bytes");
        Self { reason: "FieldValueTooLong", message, field: field.into() }
    }

    /// More items than that.
    pub fn too_many(field: impl Into<String>, found: usize, most: usize) -> Self {
        let message = format!("Too many: {found}: must have at most {most} items");
        Self { reason: "FieldValueTooMany", message, field: field.into() }
    }
}

fn explained(what: &str, why: &str) -> String {
    if why.is_empty() { what.to_owned() } else { format!("{what}: {why}") }
}

fn written(causes: &[Cause]) -> Value {
    let written = causes.iter().map(|Cause { reason, message, field }| match field.as_str() {
        "" => json!({"reason": reason, "message": message}),
        field => json!({"reason": reason, "message": message, "field": field}),
    });
    Value::Array(written.collect())
}

/// `deployments.apps`, or `pods`.
pub fn full(resource: &str, group: &str) -> String {
    if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") }
}
