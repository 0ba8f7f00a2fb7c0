//! What the path of a request names.

use percent_encoding::percent_decode_str;

/// A resource, or one object of it, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub group: String,
    pub version: String,
    pub resource: String,
    pub namespace: Option<String>,
    pub name: Option<String>,
    /// `status`, `scale`, `log` …, with whatever follows it.
    pub subresource: Option<String>,
    /// The path itself says that it is to be watched, as older clients write it: `/api/v1/watch/pods`.
    pub watched: bool,
}

/// Reads `/apis/apps/v1/namespaces/prod/deployments/web/scale`; nothing, if it names no resource.
pub fn read(path: &str) -> Option<Address> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).map(decoded);
    let (group, version) = match segments.next()??.as_str() {
        "api" => (String::new(), segments.next()??),
        "apis" => (segments.next()??, segments.next()??),
        _ => return None,
    };
    let mut rest: Vec<String> = segments.collect::<Option<_>>()?;
    let watched = rest.first().is_some_and(|first| first == "watch");
    if watched {
        rest.remove(0);
    }
    let (namespace, rest) = match rest.as_slice() {
        // A namespace is also an object of its own, with its own parts.
        [namespaces, namespace, rest @ ..]
            if namespaces == "namespaces" && !rest.is_empty() && !matches!(rest[0].as_str(), "status" | "finalize") =>
        {
            (Some(namespace.clone()), rest)
        }
        rest => (None, rest),
    };
    let (resource, rest) = rest.split_first()?;
    let (name, subresource) = match rest {
        [] => (None, None),
        [name] => (Some(name.clone()), None),
        [name, rest @ ..] => (Some(name.clone()), Some(rest.join("/"))),
    };
    Some(Address { group, version, resource: resource.clone(), namespace, name, subresource, watched })
}

fn decoded(segment: &str) -> Option<String> {
    Some(percent_decode_str(segment).decode_utf8().ok()?.into_owned())
}
