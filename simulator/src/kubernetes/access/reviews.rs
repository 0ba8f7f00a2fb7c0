//! Questions about who somebody is and what they may do, and tokens for service accounts.

use serde_json::{Map, Value, json};

use super::{
    Attributes, allowed,
    rbac::{Verdict, rules_for},
    tokens::{Bound, Claims, ISSUER},
};
use crate::kubernetes::{
    answer::{Cause, Refusal},
    cluster::Cluster,
    kinds::Kind,
    ownership::{self, Before, Writer},
    request::Request,
    store::Key,
    user::User,
};

/// How long a token is good for if nobody says, and how long at least, in seconds.
const LIFETIME: i64 = 3600;
const SHORTEST: i64 = 600;

/// The answer to a question that is asked by creating it; nothing, if the kind is none of a question.
pub fn review(
    cluster: &Cluster,
    request: &Request,
    kind: &Kind,
    namespace: Option<&str>,
) -> Option<Result<(u16, Value), Refusal>> {
    let answer = match (kind.group.as_str(), kind.resource.as_str()) {
        ("authorization.k8s.io", "selfsubjectaccessreviews") => access(cluster, request, kind, namespace, true),
        ("authorization.k8s.io", "subjectaccessreviews" | "localsubjectaccessreviews") => {
            access(cluster, request, kind, namespace, false)
        }
        ("authorization.k8s.io", "selfsubjectrulesreviews") => own_rules(cluster, request, kind),
        ("authentication.k8s.io", "selfsubjectreviews") => own_name(cluster, request, kind),
        ("authentication.k8s.io", "tokenreviews") => token(cluster, request, kind),
        _ => return None,
    };
    Some(answer.map(|answer| (201, answer)))
}

fn access(
    cluster: &Cluster,
    request: &Request,
    kind: &Kind,
    namespace: Option<&str>,
    of_oneself: bool,
) -> Result<Value, Refusal> {
    let mut answer = asked(request, kind)?;
    if let Some(namespace) = namespace {
        answer["metadata"]["namespace"] = json!(namespace);
    }
    let spec = answer["spec"].clone();
    let wrong = wrong(&spec, namespace, of_oneself);
    if !wrong.is_empty() {
        return Err(Refusal::invalid("", &kind.group, "", wrong));
    }
    let user = if of_oneself { request.user.clone() } else { meant(&spec) };
    own(cluster, request, kind, &mut answer)?;
    answer["status"] = match allowed(cluster, &user, &Attributes::asked(&spec)) {
        Verdict::Allowed(by) if by.is_empty() => json!({"allowed": true}),
        Verdict::Allowed(by) => json!({"allowed": true, "reason": by}),
        Verdict::Denied(why) if why.is_empty() => json!({"allowed": false}),
        Verdict::Denied(why) => json!({"allowed": false, "reason": why}),
    };
    Ok(answer)
}

/// Of whom a review asks.
fn meant(spec: &Value) -> User {
    let texts = |field: &str| -> Vec<String> {
        let values = spec.get(field).and_then(Value::as_array).into_iter().flatten();
        values.filter_map(|value| Some(value.as_str()?.to_owned())).collect()
    };
    let name = spec.get("user").and_then(Value::as_str).unwrap_or_default().to_owned();
    User { name, groups: texts("groups"), ..User::default() }
}

fn wrong(spec: &Value, namespace: Option<&str>, of_oneself: bool) -> Vec<Cause> {
    let given = |field: &str| spec.get(field).filter(|value| !value.is_null());
    let mut wrong = Vec::new();
    match (given("resourceAttributes"), given("nonResourceAttributes")) {
        (None, None) => wrong.push(Cause::invalid(
            "spec.resourceAttributes",
            &Value::Null,
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )),
        (Some(_), Some(other)) => {
            let of = |field: &str| other.get(field).and_then(Value::as_str).unwrap_or_default();
            let shown = json!({"Path": of("path"), "Verb": of("verb")});
            let why = "cannot be specified in combination with resourceAttributes";
            wrong.push(Cause::invalid("spec.nonResourceAttributes", &shown, why));
        }
        _ => {}
    }
    if !of_oneself {
        let nobody = given("user").and_then(Value::as_str).unwrap_or_default().is_empty()
            && given("groups").and_then(Value::as_array).is_none_or(Vec::is_empty);
        if nobody {
            wrong.push(Cause::invalid("spec.user", &json!(""), "at least one of user or group must be specified"));
        }
    }
    let inside = spec.pointer("/resourceAttributes/namespace").and_then(Value::as_str).unwrap_or_default();
    if let Some(namespace) = namespace
        && inside != namespace
    {
        let why = "must match metadata.namespace";
        wrong.push(Cause::invalid("spec.resourceAttributes.namespace", &json!(inside), why));
    }
    wrong
}

fn own_rules(cluster: &Cluster, request: &Request, kind: &Kind) -> Result<Value, Refusal> {
    let mut answer = asked(request, kind)?;
    let namespace = answer["spec"]["namespace"].as_str().unwrap_or_default().to_owned();
    if namespace.is_empty() {
        return Err(Refusal::bad_request("no namespace on request"));
    }
    answer["metadata"] = json!({});
    answer["spec"] = json!({});
    let (mut resources, mut paths) = (Vec::new(), Vec::new());
    let everything = json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]});
    let everywhere = json!({"verbs": ["*"], "nonResourceURLs": ["*"]});
    let mut rules = rules_for(cluster, &request.user, &namespace);
    if request.user.is_in("system:masters") {
        rules.extend([everything, everywhere]);
    }
    for rule in rules {
        let only = |fields: &[&str]| {
            let there = fields.iter().filter_map(|field| Some(((*field).to_owned(), rule.get(*field)?.clone())));
            Value::Object(there.collect::<Map<_, _>>())
        };
        match rule.get("nonResourceURLs") {
            Some(_) => paths.push(only(&["verbs", "nonResourceURLs"])),
            None => resources.push(only(&["verbs", "apiGroups", "resources", "resourceNames"])),
        }
    }
    answer["status"] = json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false});
    Ok(answer)
}

fn own_name(cluster: &Cluster, request: &Request, kind: &Kind) -> Result<Value, Refusal> {
    let mut answer = asked(request, kind)?;
    answer["metadata"] = json!({"creationTimestamp": cluster.now()});
    answer["status"] = json!({"userInfo": request.user.shown()});
    Ok(answer)
}

fn token(cluster: &Cluster, request: &Request, kind: &Kind) -> Result<Value, Refusal> {
    let mut answer = asked(request, kind)?;
    let token = answer["spec"]["token"].as_str().unwrap_or_default().to_owned();
    if token.is_empty() {
        return Err(Refusal::bad_request("token is required for TokenReview in authentication"));
    }
    let wanted: Vec<String> = texts(&answer["spec"]["audiences"]);
    let wanted = if wanted.is_empty() { vec![ISSUER.to_owned()] } else { wanted };
    own(cluster, request, kind, &mut answer)?;
    let claims = cluster.signer.verify(&token);
    let known = claims.and_then(|claims| {
        let both: Vec<String> = claims.audiences().into_iter().filter(|audience| wanted.contains(audience)).collect();
        Some((claims.user(cluster)?, both)).filter(|(_, both)| !both.is_empty())
    });
    answer["status"] = match known {
        Some((user, audiences)) => json!({"authenticated": true, "user": user.shown(), "audiences": audiences}),
        None => json!({"user": {}, "error": "invalid bearer token"}),
    };
    Ok(answer)
}

/// A token for a service account, bound to what the request says.
///
/// # Errors
/// If the account or what it is to be bound to is not there, or the token would not last long enough.
pub fn request_token(
    cluster: &Cluster,
    request: &Request,
    kind: &Kind,
    (namespace, name): (&str, &str),
) -> Result<Value, Refusal> {
    let object = |resource: &str, namespace: &str, name: &str| {
        let key = Key { resource: resource.into(), namespace: namespace.to_owned(), name: name.to_owned() };
        cluster.store.get(&key).ok_or_else(|| Refusal::not_found(resource, "", name))
    };
    let account = object("serviceaccounts", namespace, name)?;
    let given = request.object("TokenRequest")?;
    let spec = &given["spec"];
    let seconds = spec["expirationSeconds"].as_i64().unwrap_or(LIFETIME);
    if seconds < SHORTEST {
        let why = "may not specify a duration less than 10 minutes";
        let wrong = vec![Cause::invalid("spec.expirationSeconds", &json!(seconds), why)];
        return Err(Refusal::invalid("TokenRequest", "authentication.k8s.io", "", wrong));
    }
    let audiences = texts(&spec["audiences"]);
    let audiences = if audiences.is_empty() { vec![ISSUER.to_owned()] } else { audiences };
    let reference = spec.get("boundObjectRef").filter(|reference| !reference.is_null());
    let bound = reference.map(|reference| bound(reference, |resource, name| object(resource, namespace, name)));
    let bound = bound.transpose()?;
    let now = cluster.calendar.now();
    let until = now.saturating_add(jiff::SignedDuration::from_secs(seconds)).expect("seconds can be added");
    let claims = Claims::of(&account, &audiences, bound.as_ref(), (now, until), &cluster.uid());
    let mut answer = json!({
        "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"name": name, "namespace": namespace, "uid": account["metadata"]["uid"], "creationTimestamp": cluster.now()},
        "spec": {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": reference},
    });
    let mut owned = json!({"spec": {"expirationSeconds": seconds}});
    for field in ["audiences", "boundObjectRef"] {
        if let Some(value) = spec.get(field).filter(|value| !value.is_null()) {
            owned["spec"][field] = value.clone();
        }
    }
    let mut writer = writer(cluster, request, kind);
    (writer.subresource, writer.api_version) = ("token".to_owned(), "authentication.k8s.io/v1".to_owned());
    let review = cluster.kind("authentication.k8s.io", "v1", "tokenreviews");
    let typed = review.as_ref().map_or(kind, |review| review).schema().root();
    let before = Before { typed, object: None, entries: &[] };
    let entries = ownership::update(before, &owned, &writer, &[]);
    answer["metadata"]["managedFields"] =
        ownership::write(&entries.map_err(|error| Refusal::bad_request(error.to_string()))?);
    answer["status"] = json!({
        "token": cluster.signer.sign(&claims), "expirationTimestamp": until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    });
    Ok(answer)
}

/// What a reference names, if it is still that.
fn bound<F>(reference: &Value, find: F) -> Result<Bound, Refusal>
where
    F: Fn(&str, &str) -> Result<std::sync::Arc<Value>, Refusal>,
{
    let of = |field: &str| reference.get(field).and_then(Value::as_str).unwrap_or_default();
    let resource = match of("kind") {
        "Pod" => "pods",
        "Secret" => "secrets",
        "Node" => "nodes",
        other => {
            return Err(Refusal::bad_request(format!("cannot bind token for serviceaccount to a {other} object")));
        }
    };
    let object = find(resource, of("name"))?;
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
    if !of("uid").is_empty() && of("uid") != uid {
        let why = format!(
            "the UID in the bound object reference ({}) does not match the UID in record. The object might have been \
             deleted and then recreated",
            of("uid")
        );
        return Err(Refusal::conflict(resource, "", of("name"), &why));
    }
    Ok(Bound { kind: of("kind").to_owned(), name: of("name").to_owned(), uid: uid.to_owned() })
}

/// The question, of the kind that it must be.
fn asked(request: &Request, kind: &Kind) -> Result<Value, Refusal> {
    let given = request.object(&kind.kind)?;
    let spec = given.get("spec").filter(|spec| !spec.is_null()).cloned().unwrap_or_else(|| json!({}));
    let mut asked = json!({"kind": kind.kind, "apiVersion": kind.api_version(), "metadata": {}});
    if kind.resource != "selfsubjectreviews" {
        asked["spec"] = spec;
    }
    kind.normalise(&mut asked);
    if asked.get("spec").is_none() && kind.resource != "selfsubjectreviews" {
        asked["spec"] = json!({});
    }
    Ok(asked)
}

/// Notes who asked, as for every object that is written.
fn own(cluster: &Cluster, request: &Request, kind: &Kind, object: &mut Value) -> Result<(), Refusal> {
    let before = Before { typed: kind.schema().root(), object: None, entries: &[] };
    let entries = ownership::update(before, object, &writer(cluster, request, kind), &[&["status"]]);
    object["metadata"]["managedFields"] =
        ownership::write(&entries.map_err(|error| Refusal::bad_request(error.to_string()))?);
    Ok(())
}

fn writer(cluster: &Cluster, request: &Request, kind: &Kind) -> Writer {
    let (manager, now) = (request.manager(), cluster.now());
    Writer { manager, api_version: kind.api_version(), subresource: String::new(), now }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
}
