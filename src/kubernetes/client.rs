//! A cluster, and the requests that can be put to it. Answers are trees; what goes wrong is a fault.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use kube::client::Body;

pub use super::query::{Answer, Query};
use super::{
    discovery::{Known, Resource},
    fault::{self, Subject},
    object, secrets, transport,
};
use crate::{
    event::What,
    host::{Host, frame},
    kubeconfig::Target,
    script::{
        fault::{Fault, Kind},
        values::{fields::Fields, interner::Interner, json, tree::Tree},
    },
};

/// The name under which we own fields.
pub const MANAGER: &str = "cozyscript";

/// How many objects a page of a list has.
const PAGE: usize = 500;

/// How often a request that may be repeated is, and the first pause before it.
const REPEATS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// How soon the next page of a list is asked for again from a server that went away.
const AGAIN: Duration = Duration::from_secs(1);

/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A connection to a cluster, as one context of a kubeconfig describes it. Cloning it is cheap.
#[derive(Clone)]
pub struct Cluster {
    connection: Arc<Connection>,
    /// Whose step its warnings belong to.
    step: Arc<str>,
}

struct Connection {
    http: kube::Client,
    context: String,
    server: String,
    namespace: String,
    host: Host,
    kinds: Known,
}

impl std::fmt::Display for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.context())
    }
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}, namespace {}", self.context(), self.server(), self.namespace())
    }
}

/// Why one attempt failed, and whether another may help.
struct Failed {
    fault: Fault,
    /// The server can't have acted on it.
    unsent: bool,
    passes: bool,
    pause: Option<Duration>,
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Everywhere, if none is named.
    pub namespace: Option<String>,
    pub labels: Option<String>,
    pub fields: Option<String>,
    pub keep_managed_fields: bool,
}

impl Selection {
    /// What is selected, behind the name of a kind: ` with app=web in shop`.
    pub fn shown(&self, namespaced: bool) -> String {
        let selectors: Vec<&str> = self.labels.iter().chain(&self.fields).map(String::as_str).collect();
        let with = if selectors.is_empty() { String::new() } else { format!(" with {}", selectors.join(" and ")) };
        match &self.namespace {
            _ if !namespaced => with,
            Some(namespace) => format!("{with} in {namespace}"),
            None => format!("{with} in all namespaces"),
        }
    }
}

/// A list at one moment.
pub struct Listed {
    pub objects: Vec<Tree>,
    /// The moment, to watch from.
    pub resource_version: String,
}

impl Cluster {
    /// A handle on the target. Nothing is sent yet. It must be made where a runtime is entered.
    ///
    /// # Errors
    /// A fault about certificates, keys and tokens.
    pub fn open(host: &Host, target: &Target) -> Result<Self, Fault> {
        let connection = Connection {
            http: transport::open(host, target)?,
            context: target.context.clone(),
            server: target.server.authority().map(ToString::to_string).unwrap_or_default(),
            namespace: target.namespace.clone(),
            host: host.clone(),
            kinds: Known::default(),
        };
        Ok(Self { connection: Arc::new(connection), step: "".into() })
    }

    /// The same cluster, with what it has to say told in this thread's step.
    #[must_use]
    pub fn here(&self) -> Self {
        Self { connection: self.connection.clone(), step: frame::step() }
    }

    pub fn context(&self) -> &str {
        &self.connection.context
    }

    /// Host and port.
    pub fn server(&self) -> &str {
        &self.connection.server
    }

    /// The namespace that is meant where none is named.
    pub fn namespace(&self) -> &str {
        &self.connection.namespace
    }

    pub fn host(&self) -> &Host {
        &self.connection.host
    }

    /// For what needs a connection of its own, such as `exec`.
    pub fn http(&self) -> &kube::Client {
        &self.connection.http
    }

    pub fn kinds(&self) -> &Known {
        &self.connection.kinds
    }

    /// What a request about this kind is about.
    pub fn subject(
        &self,
        verb: &'static str,
        resource: &Resource,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Subject {
        Subject {
            verb,
            resource: resource.full_name(),
            name: name.map(str::to_owned),
            namespace: namespace.filter(|_| resource.namespaced).map(str::to_owned),
            cluster: self.context().to_owned(),
        }
    }

    /// Sends a request, again if that is safe and may help.
    ///
    /// # Errors
    /// The server's refusal, or why no answer came; `in_doubt` if a request that must not be repeated got none.
    pub async fn ask(&self, query: Query) -> Result<Answer, Fault> {
        let mut attempt = 0;
        loop {
            let failed = match self.ask_once(&query).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let safe = query.repeatable || failed.unsent;
            if query.impatient || !(safe && failed.passes && attempt < REPEATS) {
                return Err(self.given_up(failed, &query));
            }
            let chance = 0.75 + self.host().clock.chance() / 2.0;
            let pause = failed.pause.unwrap_or(FIRST_PAUSE * 2_u32.pow(attempt)).min(LONGEST_PAUSE);
            self.host().clock.sleep(pause.mul_f64(chance)).await;
            attempt += 1;
        }
    }

    fn given_up(&self, failed: Failed, query: &Query) -> Fault {
        let Failed { fault, unsent, passes, .. } = failed;
        if query.repeatable || unsent || !passes {
            return fault;
        }
        let what = format!("nobody knows whether {} {} happened", query.subject.verb, query.subject.shown());
        let mut doubt = Fault::new(Kind::InDoubt, what).note(fault.message);
        doubt.status = fault.status;
        doubt.notes(fault.notes).hint("look whether it is there before doing it again")
    }

    async fn ask_once(&self, query: &Query) -> Result<Answer, Failed> {
        let response = self.send(query).await?;
        let (parts, body) = response.into_parts();
        let bytes = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return Err(self.broken(&error)),
        };
        let code = parts.status.as_u16();
        if parts.status.is_success() {
            return Ok(Answer { status: code, bytes, server: self.server().to_owned() });
        }
        Err(self.refused(code, &parts.headers, &bytes, &query.subject))
    }

    /// Opens a stream of lines: a watch, or a log.
    ///
    /// # Errors
    /// As for [`Cluster::ask`].
    pub async fn stream(&self, query: Query) -> Result<Lines, Fault> {
        let response = self.send(&query).await.map_err(|failed| failed.fault)?;
        let (parts, body) = response.into_parts();
        if parts.status.is_success() {
            return Ok(Lines { cluster: self.clone(), body, buffer: BytesMut::new(), searched: 0 });
        }
        let bytes = body.collect().await.map_err(|error| self.broken(&error).fault)?.to_bytes();
        Err(self.refused(parts.status.as_u16(), &parts.headers, &bytes, &query.subject).fault)
    }

    async fn send(&self, query: &Query) -> Result<http::Response<Body>, Failed> {
        let response = self.connection.http.send(query.request()).await.map_err(|error| self.broken(&error))?;
        for warning in response.headers().get_all(header::WARNING) {
            if let Some(text) = warning.to_str().ok().and_then(warning_text) {
                self.warn(format!("{}: {text}", query.subject.shown()));
            }
        }
        Ok(response)
    }

    /// Says something that deserves attention, in the step that this handle belongs to.
    pub fn warn(&self, text: String) {
        self.host().events.emit_in(&self.step, What::Warned { text });
    }

    /// Asks to speak another protocol on the request's connection, as its headers say; the answer holds the connection.
    ///
    /// # Errors
    /// As for [`Cluster::ask`]. It is asked once.
    pub async fn switch(&self, query: &Query, headers: HeaderMap) -> Result<http::Response<Body>, Fault> {
        let mut request = query.request();
        request.headers_mut().extend(headers);
        let given_up = |failed| self.given_up(failed, query);
        let sent = self.connection.http.send(request).await;
        let response = sent.map_err(|error| given_up(self.broken(&error)))?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.map_err(|error| self.broken(&error).fault)?.to_bytes();
        Err(given_up(self.refused(parts.status.as_u16(), &parts.headers, &bytes, &query.subject)))
    }

    fn broken(&self, error: &(dyn std::error::Error + 'static)) -> Failed {
        let broken = fault::of_transport(error, self.server(), self.context());
        Failed { fault: broken.fault, unsent: broken.unsent, passes: broken.passes, pause: None }
    }

    fn refused(&self, code: u16, headers: &HeaderMap, bytes: &[u8], subject: &Subject) -> Failed {
        let plain = String::from_utf8_lossy(bytes);
        let status = json::read(&plain, self.server()).unwrap_or_default();
        let header = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let passes = matches!(code, 429 | 502 | 503 | 504);
        let plain: String = plain.chars().take(300).collect();
        let fault = fault::of_answer(code, &status, &plain, subject);
        if fault.kind == Kind::Unsupported && code == 404 {
            // The kind was there when its name was looked up: whoever asks next looks again.
            self.kinds().forget();
        }
        Failed {
            fault,
            // The server was too busy to begin.
            unsent: code == 429,
            passes,
            pause: header.or_else(|| fault::retry_after(&status)).map(Duration::from_secs),
        }
    }

    /// Reads one object.
    ///
    /// # Errors
    /// `not_found` and the like.
    pub async fn read(&self, resource: &Resource, namespace: &str, name: &str) -> Result<Tree, Fault> {
        let subject = self.subject("get", resource, Some(namespace), Some(name));
        let answer = self.ask(Query::get(resource.path(Some(namespace), Some(name)), subject)).await?;
        let tree = answer.tree()?;
        self.remember(resource, std::slice::from_ref(&tree));
        Ok(tree)
    }

    /// Reads one object, if it is there.
    ///
    /// # Errors
    /// As for [`Cluster::read`], but for `not_found`.
    pub async fn find(&self, resource: &Resource, namespace: &str, name: &str) -> Result<Option<Tree>, Fault> {
        match self.read(resource, namespace, name).await {
            Ok(tree) => Ok(Some(tree)),
            Err(fault) if fault.kind == Kind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Reads all objects of a kind that are selected, page by page.
    ///
    /// # Errors
    /// The fault of the first page that failed.
    pub async fn list(&self, resource: &Resource, selection: &Selection) -> Result<Listed, Fault> {
        let mut interner = Interner::default();
        let mut listed = Listed { objects: Vec::new(), resource_version: String::new() };
        let mut next: Option<String> = None;
        loop {
            let query = self.selecting(resource, selection).with("limit", PAGE.to_string());
            let page = self.ask(query.with_some("continue", next.as_deref())).await;
            let page = match page {
                // The snapshot that the pages came from is gone: begin again, all at once.
                Err(fault) if fault.status == Some(410) && next.is_some() => {
                    listed.objects.clear();
                    self.ask(self.selecting(resource, selection)).await?
                }
                // A server that has begun will be back: whoever asks has set a deadline.
                Err(fault) if fault.kind.passes() && next.is_some() => {
                    self.host().clock.sleep(AGAIN).await;
                    continue;
                }
                page => page?,
            };
            let mut tree = page.tree_sharing(&mut interner)?;
            listed.resource_version = object::resource_version(&tree).unwrap_or_default().to_owned();
            next = object::text(&tree, &["metadata", "continue"]).filter(|next| !next.is_empty()).map(str::to_owned);
            listed.objects.extend(taken_items(&mut tree, resource, selection.keep_managed_fields));
            if next.is_none() {
                self.remember(resource, &listed.objects);
                return Ok(listed);
            }
        }
    }

    /// How many objects of a kind there are.
    ///
    /// # Errors
    /// As for [`Cluster::list`].
    pub async fn count(&self, resource: &Resource, namespace: Option<&str>) -> Result<i64, Fault> {
        let selection = Selection { namespace: namespace.map(str::to_owned), ..Selection::default() };
        let tree = self.ask(self.selecting(resource, &selection).with("limit", "1")).await?.tree()?;
        let first = object::items(&tree, &["items"]).len() as i64;
        Ok(first + object::integer(&tree, &["metadata", "remainingItemCount"]).unwrap_or(0))
    }

    fn selecting(&self, resource: &Resource, selection: &Selection) -> Query {
        let namespace = selection.namespace.as_deref();
        let subject = self.subject("list", resource, namespace, None);
        Query::get(resource.path(namespace, None), subject)
            .with_some("labelSelector", selection.labels.as_deref())
            .with_some("fieldSelector", selection.fields.as_deref())
    }

    /// Opens a watch on what is selected, from a moment on.
    ///
    /// # Errors
    /// As for [`Cluster::stream`].
    pub async fn watch(&self, resource: &Resource, selection: &Selection, from: &str) -> Result<Lines, Fault> {
        let mut query = self.selecting(resource, selection);
        query.subject.verb = "watch";
        self.stream(query.with("watch", "true").with("allowWatchBookmarks", "true").with("resourceVersion", from)).await
    }

    /// Takes what these objects hold, if they are Secrets, out of all that is shown from now on.
    pub fn remember(&self, resource: &Resource, objects: &[Tree]) {
        if resource.is_core("secrets") {
            secrets::remember(&self.host().secrets, objects);
        }
    }
}

/// The items of a list, each with the kind that only the list names.
fn taken_items(tree: &mut Tree, resource: &Resource, keep_managed_fields: bool) -> Vec<Tree> {
    let Tree::Map(fields) = tree else { return Vec::new() };
    let Some(Tree::List(items)) = Arc::make_mut(fields).remove("items") else { return Vec::new() };
    let mut items = Arc::unwrap_or_clone(items);
    let (version, kind) = (Tree::Text(resource.api_version().into()), Tree::Text(resource.kind.as_str().into()));
    for item in &mut items {
        if let Tree::Map(fields) = item
            && !fields.contains("kind")
        {
            let fields: &mut Fields = Arc::make_mut(fields);
            fields.insert("apiVersion".into(), version.clone());
            fields.insert("kind".into(), kind.clone());
        }
        if !keep_managed_fields {
            object::strip_managed_fields(item);
        }
    }
    items
}

/// The text of a `Warning` header: `299 - "it is deprecated"`.
fn warning_text(header: &str) -> Option<String> {
    let quoted = header.strip_prefix("299 ")?.split_once('"')?.1;
    let text = quoted.rsplit_once('"').map_or(quoted, |(text, _)| text);
    Some(text.replace("\\\"", "\"").replace("\\\\", "\\"))
}

/// An answer that comes line by line.
pub struct Lines {
    cluster: Cluster,
    body: Body,
    buffer: BytesMut,
    /// How much of the buffer is known to hold no end of a line.
    searched: usize,
}

impl Lines {
    /// The next line; none at the end.
    ///
    /// # Errors
    /// `unreachable`, if the connection broke.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            if let Some(end) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(self.searched + end + 1).freeze();
                self.searched = 0;
                return Ok(Some(line.slice(..line.len() - 1)));
            }
            self.searched = self.buffer.len();
            match self.body.frame().await {
                None if self.buffer.is_empty() => return Ok(None),
                None => {
                    self.searched = 0;
                    return Ok(Some(self.buffer.split().freeze()));
                }
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Err(self.cluster.broken(&error).fault),
            }
        }
    }
}
