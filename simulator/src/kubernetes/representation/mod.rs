//! How an answer is written: in which form, and as the object itself, as a row of a table, or as no more than its metadata.
//!
//! It decides nothing about what is answered, and never answers in protobuf: clients that ask for it also take JSON.

mod columns;
mod human;
mod table;
pub(super) mod yaml;

use http::header;
use serde_json::{Value, json};

use self::table::Table;
use super::{answer::Refusal, cluster::Cluster, kinds::Kind, request::Request, rules::Rules};

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const META: &str = "meta.k8s.io";

/// How the bytes of an answer are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Json,
    Yaml,
}

impl Form {
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Yaml => YAML,
        }
    }

    pub fn written(self, value: &Value) -> String {
        match self {
            Self::Json => value.to_string(),
            Self::Yaml => yaml::written(value),
        }
    }

    /// The form in which somebody is told that there is nothing for him.
    pub fn of_refusals(request: &Request) -> Self {
        let wants_yaml = accepted(request).first().is_some_and(|accepted| accepted.form == YAML);
        if wants_yaml { Self::Yaml } else { Self::Json }
    }
}

/// What is shown of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Whole,
    Metadata,
    MetadataList,
    Table,
}

/// How the answer to one request is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Representation {
    pub form: Form,
    shape: Shape,
    /// Of the shape: `v1` or `v1beta1`.
    version: String,
}

/// What there is besides an object: where it belongs.
#[derive(Clone, Copy)]
pub struct Shown<'s> {
    pub cluster: &'s Cluster,
    pub kind: &'s Kind,
    /// `scale`, or nothing for the object as a whole.
    pub part: &'s str,
    pub request: &'s Request,
}

impl Representation {
    /// What a client takes for one answer.
    ///
    /// # Errors
    /// If nothing of it can be had.
    pub fn of_answer(request: &Request, kind: &Kind, part: &str) -> Result<Self, Refusal> {
        Self::negotiated(request, (kind, part), &[JSON, YAML], &[JSON, YAML])
    }

    /// What a client takes for a watch, which comes line by line.
    ///
    /// # Errors
    /// If nothing of it can be had.
    pub fn of_watch(request: &Request, kind: &Kind) -> Result<Self, Refusal> {
        let streamed = ["application/json;stream=watch"];
        let found = Self::negotiated(request, (kind, ""), &[JSON, YAML, streamed[0]], &[JSON, YAML])?;
        match found.form {
            Form::Json => Ok(found),
            Form::Yaml => Err(Refusal::not_acceptable(&streamed)),
        }
    }

    fn negotiated(
        request: &Request,
        (kind, part): (&Kind, &str),
        known: &[&str],
        offered: &[&str],
    ) -> Result<Self, Refusal> {
        let accepted = accepted(request);
        let whole = |form| Self { form, shape: Shape::Whole, version: String::new() };
        if accepted.is_empty() {
            return Ok(whole(Form::Json));
        }
        // Paths of kinds of Kubernetes itself are first asked whether they have such a form at all.
        let is_known = |accepted: &Accepted| accepted.form == "*/*" || [JSON, YAML].contains(&accepted.form.as_str());
        if kind.built_in() && !accepted.iter().any(is_known) {
            return Err(Refusal::unknown_representation(known));
        }
        let found = accepted.iter().filter_map(Accepted::representation);
        let mut fitting = found.filter(|found| found.shape != Shape::Table || has_rows(kind, part));
        fitting.next().ok_or_else(|| match has_rows(kind, part) {
            true => Refusal::not_acceptable(offered),
            false => Refusal::not_acceptable(&[JSON, YAML, PROTOBUF]),
        })
    }

    /// An answer as it was asked for. A `Status` stays one.
    ///
    /// # Errors
    /// If a list was asked for and this is none, or the other way round.
    pub fn of(&self, value: Value, shown: Shown<'_>) -> Result<Value, Refusal> {
        if value["kind"] == "Status" && value["apiVersion"] == "v1" {
            return Ok(value);
        }
        let is_list = value.get("items").is_some() && value["kind"] == *shown.kind.list_kind();
        let of = |list: bool| {
            let kind = &shown.kind.kind;
            match (shown.kind.built_in(), list) {
                (true, false) if shown.part == "scale" => "*autoscaling.Scale".to_owned(),
                (false, false) if shown.part == "scale" => "*v1.Scale".to_owned(),
                (true, true) => format!("*{}.{kind}List", package(shown.kind)),
                (true, false) => format!("*{}.{kind}", package(shown.kind)),
                (false, true) => "*unstructured.UnstructuredList".to_owned(),
                (false, false) => "*unstructured.Unstructured".to_owned(),
            }
        };
        match self.shape {
            Shape::Whole => Ok(value),
            Shape::Metadata if is_list => Err(Refusal::no_such_representation(format!(
                "you requested PartialObjectMetadata, but the requested object is a list ({})",
                of(true)
            ))),
            Shape::Metadata => Ok(self.metadata_of(&value, shown.kind)),
            Shape::MetadataList if !is_list && !shown.kind.built_in() => Err(Refusal::failed("content is not a list")),
            Shape::MetadataList if !is_list => Err(Refusal::no_such_representation(format!(
                "you requested PartialObjectMetadataList, but the requested object is not a list ({})",
                of(false)
            ))),
            Shape::MetadataList => {
                let items = value["items"].as_array().filter(|items| !items.is_empty());
                let items =
                    items.map(|items| items.iter().map(|item| self.metadata_of(item, shown.kind)).collect::<Vec<_>>());
                Ok(json!({
                    "kind": "PartialObjectMetadataList",
                    "apiVersion": self.api_version(),
                    "metadata": without_end(value["metadata"].clone()),
                    "items": items,
                }))
            }
            Shape::Table => Ok(Table::read(self, shown)?.written(value, is_list, shown)),
        }
    }

    /// The events of a watch as they were asked for, one after the other; nothing, if there is no such thing.
    pub fn of_events(&self, shown: Shown<'_>) -> Result<Events, Refusal> {
        let table = match self.shape {
            Shape::Table => Some(Table::read(self, shown)?),
            _ => None,
        };
        Ok(Events { representation: self.clone(), table })
    }

    fn metadata_of(&self, object: &Value, kind: &Kind) -> Value {
        let mut metadata = object["metadata"].clone();
        let hidden = kind.rules().and_then(Rules::hidden_annotation);
        if let (Some(hidden), Some(known)) = (hidden, metadata.get_mut("annotations").and_then(Value::as_object_mut)) {
            known.shift_remove(hidden);
            if known.is_empty() {
                metadata.as_object_mut().and_then(|metadata| metadata.shift_remove("annotations"));
            }
        }
        json!({"kind": "PartialObjectMetadata", "apiVersion": self.api_version(), "metadata": metadata})
    }

    fn api_version(&self) -> String {
        format!("{META}/{}", self.version)
    }
}

/// True for what can be rows of a table: answers to questions, and some parts of pods, can't.
fn has_rows(kind: &Kind, part: &str) -> bool {
    !["authentication.k8s.io", "authorization.k8s.io"].contains(&kind.group.as_str())
        && !["binding", "ephemeralcontainers", "eviction", "resize"].contains(&part)
}

/// Objects in the events of one watch.
pub struct Events {
    representation: Representation,
    table: Option<Table>,
}

impl Events {
    /// An object as it was asked for; nothing, if no object has such a shape.
    pub fn object(&mut self, object: Value, cluster: &Cluster, kind: &Kind) -> Option<Value> {
        match (&self.representation.shape, &mut self.table) {
            (Shape::Whole, _) => Some(object),
            (Shape::Metadata, _) => Some(self.representation.metadata_of(&object, kind)),
            (Shape::MetadataList, _) => None,
            (Shape::Table, table) => table.as_mut().map(|table| table.next(object, cluster, kind)),
        }
    }
}

/// What a client takes.
struct Accepted {
    /// `application/json`, `*/*`.
    form: String,
    quality: f64,
    parameters: Vec<(String, String)>,
}

impl Accepted {
    fn read(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let form = parts.next().unwrap_or_default().to_owned();
        let pairs = parts.filter_map(|part| part.split_once('='));
        let parameters: Vec<_> = pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect();
        let quality = parameters.iter().find(|(name, _)| name == "q").and_then(|(_, value)| value.parse().ok());
        Self { form, quality: quality.unwrap_or(1.0), parameters }
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What this comes to; nothing, if it can't be had.
    fn representation(&self) -> Option<Representation> {
        let form = match self.form.as_str() {
            JSON | "*/*" | "application/*" => Form::Json,
            YAML => Form::Yaml,
            _ => return None,
        };
        let [shape, group, version] = ["as", "g", "v"].map(|name| self.parameter(name));
        if shape.is_none() && group.is_none() && version.is_none() {
            return Some(Representation { form, shape: Shape::Whole, version: String::new() });
        }
        let version = version.filter(|version| ["v1", "v1beta1"].contains(version) && group == Some(META))?;
        let shape = match shape? {
            "Table" => Shape::Table,
            "PartialObjectMetadata" => Shape::Metadata,
            "PartialObjectMetadataList" => Shape::MetadataList,
            _ => return None,
        };
        Some(Representation { form, shape, version: version.to_owned() })
    }
}

/// What a client takes, what it likes best first.
fn accepted(request: &Request) -> Vec<Accepted> {
    let headers = request.headers.get_all(header::ACCEPT).iter();
    let texts = headers.filter_map(|accept| accept.to_str().ok()).flat_map(|accept| accept.split(','));
    let mut accepted: Vec<Accepted> = texts.map(Accepted::read).filter(|accepted| !accepted.form.is_empty()).collect();
    accepted.sort_by(|one, other| other.quality.total_cmp(&one.quality));
    accepted
}

/// The metadata of a list, which says nothing of a next page if there is none.
fn without_end(mut metadata: Value) -> Value {
    if metadata["continue"] == "" {
        metadata.as_object_mut().and_then(|metadata| metadata.shift_remove("continue"));
    }
    metadata
}

/// Where the real server has the types of a kind.
fn package(kind: &Kind) -> &str {
    match kind.group.as_str() {
        "" | "events.k8s.io" => "core",
        group => group.split('.').next().unwrap_or(group),
    }
}
