//! A server of admission webhooks: it looks at the writes of a cluster, and refuses, changes or lets them pass.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::{
    faults::{
        Asked, At,
        http::{Fragile, Voice, through},
    },
    http::converse,
    kubernetes::behaviour::fits,
    network::Server,
    stream::Stream,
    time::During,
    tls::Tls,
};

type Body = Full<Bytes>;

/// The webhooks of a cluster.
pub struct Webhooks {
    pub tls: Tls,
    /// By the names of the webhooks, which are their paths.
    pub verdicts: BTreeMap<String, Vec<Verdict>>,
    /// What goes wrong here.
    pub faults: At,
}

/// What is said of the writes that it is about; the first that fits counts, and what none fits passes.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    pub about: About,
    pub during: During,
    /// How long it is thought over.
    pub after: Duration,
    pub says: Says,
    pub warnings: Vec<String>,
}

/// Which writes a verdict is about. Patterns are texts in which `*` stands for anything; none stands for all.
#[derive(Debug, Clone, Default)]
pub struct About {
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub user: Option<String>,
    /// A path of a field that is not there, as in `/metadata/labels/owner`; a `*` in it stands for any item.
    pub lacks: Option<String>,
    /// Paths of fields, and patterns of their texts.
    pub has: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub enum Says {
    #[default]
    Pass,
    Refuse {
        message: String,
        code: u16,
    },
    /// The steps of a JSON patch.
    Change(Vec<Value>),
}

impl Server for Webhooks {
    fn serve(self: Arc<Self>, stream: Box<dyn Stream>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            // A client that doesn't trust us goes away, and knows best why.
            let Ok(stream) = self.tls.accept(stream).await else { return };
            converse(stream, move |request| {
                let server = self.clone();
                async move { server.troubled(request).await }
            })
            .await;
        })
    }
}

impl Webhooks {
    async fn troubled(&self, request: Request<Incoming>) -> io::Result<Response<Fragile>> {
        let asked = Asked { verb: "post", path: request.uri().path(), ..Asked::default() };
        let trouble = self.faults.of_request(&asked);
        through(trouble, self.answer(request), self).await
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let name = request.uri().path().trim_start_matches('/').to_owned();
        let Some(verdicts) = self.verdicts.get(&name) else {
            return said(StatusCode::NOT_FOUND, "404 page not found\n");
        };
        let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let Ok(review) = serde_json::from_slice::<Value>(&body) else {
            return said(StatusCode::BAD_REQUEST, "this is no review\n");
        };
        let asked = &review["request"];
        let none = Verdict::default();
        let verdict = verdicts.iter().find(|verdict| verdict.during.is_now() && verdict.about.fits(asked));
        let verdict = verdict.unwrap_or(&none);
        tokio::time::sleep(verdict.after).await;
        let answer = json!({
            "kind": "AdmissionReview",
            "apiVersion": "admission.k8s.io/v1",
            "response": verdict.on(asked),
        });
        let mut response = said(StatusCode::OK, answer.to_string());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

impl Voice<Body> for Webhooks {
    fn refuse(&self, status: u16, message: Option<&str>) -> Response<Body> {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        said(status, message.map_or_else(|| status.to_string(), str::to_owned))
    }

    fn last(&self, _: u16) -> Bytes {
        // Nobody watches webhooks.
        Bytes::new()
    }
}

impl Verdict {
    fn on(&self, asked: &Value) -> Value {
        let mut response = json!({"uid": asked["uid"], "allowed": true});
        match &self.says {
            Says::Pass => {}
            Says::Refuse { message, code } => {
                response["allowed"] = json!(false);
                response["status"] = json!({"message": message, "code": code});
            }
            Says::Change(steps) => {
                response["patchType"] = json!("JSONPatch");
                response["patch"] = json!(STANDARD.encode(json!(steps).to_string()));
            }
        }
        if !self.warnings.is_empty() {
            response["warnings"] = json!(self.warnings);
        }
        response
    }
}

impl About {
    fn fits(&self, asked: &Value) -> bool {
        let object = if asked["object"].is_null() { &asked["oldObject"] } else { &asked["object"] };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        // What is made by `generateName` has no name yet.
        let name = Some(text(&asked["name"])).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| text(&object["metadata"]["generateName"]));
        let pairs = [
            (&self.namespace, text(&asked["namespace"])),
            (&self.name, name),
            (&self.user, text(&asked["userInfo"]["username"])),
        ];
        pairs.iter().all(|(pattern, found)| pattern.as_deref().is_none_or(|pattern| fits(pattern, found)))
            && self.lacks.as_deref().is_none_or(|path| found(object, path).is_empty())
            && self.has.iter().all(|(path, pattern)| found(object, path).iter().any(|value| is(value, pattern)))
    }
}

fn is(value: &Value, pattern: &str) -> bool {
    match value {
        Value::String(text) => fits(pattern, text),
        other => fits(pattern, &other.to_string()),
    }
}

/// What is at a path, in which `*` stands for every item or field.
fn found<'o>(object: &'o Value, path: &str) -> Vec<&'o Value> {
    let mut at = vec![object];
    for segment in path.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        at = at
            .into_iter()
            .flat_map(|value| match (value, segment.as_str()) {
                (Value::Array(items), "*") => items.iter().collect(),
                (Value::Object(fields), "*") => fields.values().collect(),
                (Value::Array(items), index) => {
                    index.parse().ok().and_then(|index: usize| items.get(index)).into_iter().collect()
                }
                (value, field) => value.get(field).into_iter().collect::<Vec<_>>(),
            })
            .collect();
    }
    at.retain(|value| !value.is_null());
    at
}

fn said(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response
}
