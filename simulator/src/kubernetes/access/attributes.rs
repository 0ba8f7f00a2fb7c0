//! What a request is for, as far as it matters for whether it is allowed.

use http::Method;
use serde_json::Value;

use crate::kubernetes::{
    address::{self, Address},
    answer::{Refusal, full},
    request::Request,
    user::User,
};

/// What somebody wants to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    pub verb: String,
    /// The path, if it leads to no resource.
    pub path: Option<String>,
    pub group: String,
    pub resource: String,
    /// `status`, `log` …, or nothing.
    pub part: String,
    pub namespace: String,
    pub name: String,
}

impl Attributes {
    pub fn of(request: &Request) -> Self {
        let Some(address) = address::read(&request.path) else {
            let verb = request.method.as_str().to_lowercase();
            return Self { verb, path: Some(request.path.clone()), ..Self::default() };
        };
        let Address { group, resource, namespace, name, subresource, watched, .. } = address;
        let verb = match (&request.method, &name) {
            _ if watched => "watch",
            (&Method::GET | &Method::HEAD, Some(_)) => "get",
            (&Method::GET | &Method::HEAD, None) if request.flag("watch") => "watch",
            (&Method::GET | &Method::HEAD, None) => "list",
            (&Method::POST, _) => "create",
            (&Method::PUT, _) => "update",
            (&Method::PATCH, _) => "patch",
            (&Method::DELETE, Some(_)) => "delete",
            (&Method::DELETE, None) => "deletecollection",
            _ => "",
        };
        // A namespace is inside of itself.
        let inside = match (&namespace, &name) {
            (Some(namespace), _) => namespace.clone(),
            (None, Some(name)) if resource == "namespaces" && group.is_empty() => name.clone(),
            _ => String::new(),
        };
        Self {
            verb: verb.to_owned(),
            path: None,
            group,
            resource,
            // What follows a subresource is its own business: `proxy/index.html`.
            part: subresource.unwrap_or_default().split('/').next().unwrap_or_default().to_owned(),
            namespace: inside,
            name: name.unwrap_or_default(),
        }
    }

    /// What an access review asks for.
    pub fn asked(spec: &Value) -> Self {
        let text = |path: &str| spec.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        if spec.get("nonResourceAttributes").is_some_and(|asked| !asked.is_null()) {
            let path = Some(text("/nonResourceAttributes/path"));
            return Self { verb: text("/nonResourceAttributes/verb"), path, ..Self::default() };
        }
        let of = |field: &str| text(&format!("/resourceAttributes/{field}"));
        Self {
            verb: of("verb"),
            path: None,
            group: of("group"),
            resource: of("resource"),
            part: of("subresource"),
            namespace: of("namespace"),
            name: of("name"),
        }
    }

    /// `pods/log`, as rules name it.
    pub fn whole_resource(&self) -> String {
        if self.part.is_empty() { self.resource.clone() } else { format!("{}/{}", self.resource, self.part) }
    }

    /// Why it isn't allowed, in the real server's words; `because` is what the roles have to say.
    pub fn forbidden(&self, user: &User, because: &str) -> Refusal {
        let who = format!("User \"{}\" cannot {}", user.name, self.verb);
        let because = if because.is_empty() { String::new() } else { format!(": {because}") };
        if let Some(path) = &self.path {
            return Refusal::forbidden("", "", "", &format!("{who} path \"{path}\"{because}"));
        }
        let place = match self.namespace.as_str() {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace \"{namespace}\""),
        };
        let what = format!("resource \"{}\" in API group \"{}\" {place}", self.whole_resource(), self.group);
        Refusal::forbidden(&self.resource, &self.group, &self.name, &format!("{who} {what}{because}"))
    }

    /// The resource with its group, as messages name it.
    pub fn full(&self) -> String {
        full(&self.resource, &self.group)
    }
}
