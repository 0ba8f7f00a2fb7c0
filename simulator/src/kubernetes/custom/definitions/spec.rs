//! What is wrong with a definition, apart from its schemas.

use serde_json::{Value, json};

use super::{
    super::structural::Node,
    schema::{self, Where},
};
use crate::kubernetes::{
    answer::Cause,
    rules::{
        field::{Field, one_of, required},
        form,
    },
};

/// Groups that belong to Kubernetes itself need somebody's word.
const APPROVED: &str = "api-approved.kubernetes.io";

/// What is wrong with a definition as it is.
pub fn check(definition: &Value) -> Vec<Cause> {
    let whole = Field::whole(definition);
    let spec = whole.at("spec");
    let mut wrong = Vec::new();
    wrong.extend(approval(&whole));
    wrong.extend(group(&spec.at("group")));
    wrong.extend(required(&spec.at("scope"), "").or_else(|| one_of(&spec.at("scope"), &["Cluster", "Namespaced"])));
    wrong.extend(versions(&spec));
    wrong.extend(names(&spec.at("names")));
    wrong.extend(of_versions(&spec));
    wrong.extend(conversion(&spec.at("conversion")));
    if spec.at("preserveUnknownFields").is_true() {
        wrong.push(spec.at("preserveUnknownFields").invalid(
            "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        ));
    }
    wrong.extend(stored_versions(&whole));
    wrong
}

/// A new definition is named after what it defines.
pub fn check_new(definition: &Value) -> Vec<Cause> {
    let name = Field::of(definition, "metadata.name");
    let names = ["spec.names.plural", "spec.group"].map(|path| Field::of(definition, path).text());
    match !name.is_empty() && name.text() != names.join(".") {
        true => vec![name.invalid("must be spec.names.plural+\".\"+spec.group")],
        false => Vec::new(),
    }
}

/// What a change may not change.
pub fn check_change(definition: &Value, there: &Value) -> Vec<Cause> {
    let established = super::super::conditions::holds(there, "Established");
    let fixed = ["group", "names.plural"].into_iter();
    let fixed = fixed.chain(["scope", "names.kind"].into_iter().filter(|_| established));
    let changed = fixed.filter_map(|path| {
        let path = format!("spec.{path}");
        let (field, before) = (Field::of(definition, &path), Field::of(there, &path));
        (field.value != before.value).then(|| field.invalid("field is immutable"))
    });
    changed.collect()
}

/// True for a group of Kubernetes itself.
pub fn is_protected(group: &str) -> bool {
    ["k8s.io", "kubernetes.io"].iter().any(|own| group == *own || group.ends_with(&format!(".{own}")))
}

/// What somebody said for a group of Kubernetes itself: that it was approved, or that it wasn't.
pub enum Approval<'a> {
    Missing,
    At(&'a str),
    Unapproved(&'a str),
    Neither,
}

impl<'a> Approval<'a> {
    pub fn of(definition: &'a Value) -> Self {
        match definition["metadata"]["annotations"][APPROVED].as_str().unwrap_or_default() {
            "" => Self::Missing,
            text if text.starts_with("unapproved") => Self::Unapproved(text),
            text if text.contains("://") => Self::At(text),
            _ => Self::Neither,
        }
    }
}

fn approval(whole: &Field<'_>) -> Option<Cause> {
    if !is_protected(whole.at("spec").at("group").text()) {
        return None;
    }
    let field = whole.at("metadata").at("annotations").key(APPROVED);
    let see = "see https://github.com/kubernetes/enhancements/pull/1111";
    let needed = format!("protected groups must have approval annotation \"{APPROVED}\"");
    match Approval::of(whole.value) {
        Approval::Missing => Some(field.required(&format!("{needed}, {see}"))),
        Approval::Neither => {
            Some(field.invalid(&format!("{needed} with either a URL or a reason starting with \"unapproved\", {see}")))
        }
        Approval::At(_) | Approval::Unapproved(_) => None,
    }
}

fn group(field: &Field<'_>) -> Option<Cause> {
    let wrong = form::subdomain(field.text());
    match field.text() {
        "" => Some(field.required("")),
        _ if !wrong.is_empty() => Some(field.invalid(&wrong.join(","))),
        text if !text.contains('.') => Some(field.invalid("should be a domain with at least one dot")),
        _ => None,
    }
}

fn versions(spec: &Field<'_>) -> Vec<Cause> {
    let all = spec.at("versions");
    let mut wrong = Vec::new();
    for version in all.items() {
        let name = version.at("name");
        let why = form::label_1035(name.text());
        if !why.is_empty() {
            wrong.push(name.invalid(&why.join(",")));
        }
    }
    let names: Vec<&str> = all.items().map(|version| version.at("name").text()).collect();
    let shown = Value::Array(all.items().map(|version| as_kept(&version)).collect());
    if (1..names.len()).any(|index| names[..index].contains(&names[index])) {
        wrong.push(Cause::invalid(&all.path, &shown, "must contain unique version names"));
    }
    if all.items().filter(|version| version.at("storage").is_true()).count() != 1 {
        wrong.push(Cause::invalid(&all.path, &shown, "must have exactly one version marked as storage version"));
    }
    if let Some(first) = names.first() {
        let why = form::label_1035(first);
        if !why.is_empty() {
            wrong.push(Cause::invalid("spec.version", &json!(first), &why.join(",")));
        }
    }
    wrong
}

/// A version as the server keeps it, without what all versions share.
fn as_kept(version: &Field<'_>) -> Value {
    let flag = |name: &str| version.at(name).is_true();
    json!({
        "Name": version.at("name").text(), "Served": flag("served"), "Storage": flag("storage"), "Deprecated": flag("deprecated"),
        "DeprecationWarning": version.at("deprecationWarning").value, "Schema": null, "Subresources": null,
        "AdditionalPrinterColumns": null, "SelectableFields": null,
    })
}

fn names(names: &Field<'_>) -> Vec<Cause> {
    let mut wrong: Vec<Cause> =
        ["plural", "singular", "kind", "listKind"].iter().filter_map(|name| required(&names.at(name), "")).collect();
    let word = |field: &Field<'_>| {
        let why = form::label_1035(field.text());
        (!field.is_empty() && !why.is_empty()).then(|| field.invalid(&why.join(",")))
    };
    wrong.extend(["plural", "singular"].iter().filter_map(|name| word(&names.at(name))));
    for name in ["kind", "listKind"] {
        let field = names.at(name);
        let why = form::label_1035(&field.text().to_lowercase());
        if !field.is_empty() && !why.is_empty() {
            wrong.push(field.invalid(&format!("may have mixed case, but should otherwise match: {}", why.join(","))));
        }
    }
    wrong.extend(names.at("shortNames").items().filter_map(|name| word(&name)));
    if !names.at("kind").is_empty() && names.at("kind").value == names.at("listKind").value {
        wrong.push(names.at("listKind").invalid("kind and listKind may not be the same"));
    }
    wrong.extend(names.at("categories").items().filter_map(|name| word(&name)));
    wrong
}

/// What each version says for itself. What they all say alike is told as if it was said once.
fn of_versions(spec: &Field<'_>) -> Vec<Cause> {
    let versions: Vec<Field<'_>> = spec.at("versions").items().collect();
    let shared = |name: &str| versions.windows(2).all(|pair| pair[0].at(name).value == pair[1].at(name).value);
    let placed = |name: &str, at: &str| -> Vec<Field<'_>> {
        if shared(name) {
            let first = versions.first().map(|version| version.at(name));
            first.map(|field| Field { path: at.to_owned(), ..field }).into_iter().collect()
        } else {
            versions.iter().map(|version| version.at(name)).collect()
        }
    };
    let mut wrong = Vec::new();
    for version in &versions {
        wrong.extend(
            required(&version.at("schema").at("openAPIV3Schema"), "")
                .filter(|_| !version.at("schema").at("openAPIV3Schema").value.is_object()),
        );
    }
    for schema in placed("schema", "spec.validation") {
        let schema = schema.at("openAPIV3Schema");
        if schema.value.is_object() {
            wrong.extend(schema::check(&schema, Where::Root));
        }
    }
    placed("subresources", "spec.subresources").iter().for_each(|field| wrong.extend(subresources(field)));
    placed("additionalPrinterColumns", "spec.additionalPrinterColumns")
        .iter()
        .for_each(|field| wrong.extend(columns(field)));
    let fields = placed("selectableFields", "spec.selectableFields");
    for (field, version) in fields.iter().zip(&versions) {
        wrong.extend(selectable(field, &Node::read(version.at("schema").at("openAPIV3Schema").value)));
    }
    wrong
}

fn subresources(field: &Field<'_>) -> Vec<Cause> {
    let scale = field.at("scale");
    if !scale.is_set() {
        return Vec::new();
    }
    let path = |name: &str, needed: bool, under: &[&str], words: &str| {
        let field = scale.at(name);
        let text = field.text();
        if text.is_empty() {
            return needed.then(|| field.required(""));
        }
        if !text.starts_with('.') {
            return Some(field.invalid("must be a simple json path starting with ."));
        }
        let below = under.iter().any(|under| text.starts_with(&format!("{under}.")));
        (!below).then(|| field.invalid(&format!("should be a json path under {words}")))
    };
    [
        path("specReplicasPath", true, &[".spec"], ".spec"),
        path("statusReplicasPath", true, &[".status"], ".status"),
        path("labelSelectorPath", false, &[".spec", ".status"], "either .spec or .status"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn columns(field: &Field<'_>) -> Vec<Cause> {
    const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
    const FORMATS: [&str; 8] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
    let mut wrong = Vec::new();
    for column in field.items() {
        wrong.extend(required(&column.at("name"), ""));
        let of = column.at("type");
        let why = format!("must be one of {}", TYPES.join(","));
        wrong.extend(match of.text() {
            "" => Some(of.required(&why)),
            text => (!TYPES.contains(&text)).then(|| of.invalid(&why)),
        });
        let format = column.at("format");
        if !format.is_empty() && !FORMATS.contains(&format.text()) {
            wrong.push(format.invalid(&format!("must be one of {}", FORMATS.join(","))));
        }
        let path = Field { path: column.at("JSONPath").path, ..column.at("jsonPath") };
        wrong.extend(match path.text() {
            "" => Some(path.required("")),
            text => (!text.starts_with('.')).then(|| path.invalid("must be a simple json path starting with .")),
        });
    }
    wrong
}

fn selectable(field: &Field<'_>, schema: &Node) -> Vec<Cause> {
    let mut wrong = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for one in field.items() {
        let path = one.at("jsonPath");
        let text = path.text();
        let why = match text.strip_prefix('.') {
            _ if text.is_empty() => {
                wrong.push(path.required(""));
                continue;
            }
            None => Some(format!("is an invalid path: expected [ or . but got: {}", text.split('.').next().unwrap_or(text))),
            Some(_) if text.contains('[') => Some("is an invalid path: array notation is not allowed".to_owned()),
            Some(inner) => match inner.split('.').try_fold(schema, |node, name| node.properties.get(name)) {
                None => Some("is an invalid path: does not refer to a valid field".to_owned()),
                Some(node) if !matches!(&*node.of, "string" | "boolean" | "integer") => Some(
                    "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.".to_owned(),
                ),
                Some(_) => None,
            },
        };
        wrong.extend(why.map(|why| path.invalid(&why)));
        if seen.contains(&text) {
            wrong.push(path.duplicate());
        }
        seen.push(text);
    }
    wrong
}

fn conversion(field: &Field<'_>) -> Vec<Cause> {
    let strategy = field.at("strategy");
    let webhook = field.at("webhook");
    // The server keeps them one level further up than they are written.
    let kept = |at: &str, name: &str| Field { path: format!("{}.{at}", field.path), ..webhook.at(name) };
    let client = kept("webhookClientConfig", "clientConfig");
    let reviews = kept("conversionReviewVersions", "conversionReviewVersions");
    let mut wrong = Vec::new();
    wrong.extend(required(&strategy, "").or_else(|| one_of(&strategy, &["None", "Webhook"])));
    match strategy.text() {
        "Webhook" => {
            if !client.is_set() {
                wrong.push(client.required("required when strategy is set to Webhook"));
            }
            let url = client.at("url");
            if let Some((scheme, _)) = url.text().split_once("://").filter(|(scheme, _)| *scheme != "https") {
                let why = "'https' is the only allowed URL scheme; desired format: https://host[/path]";
                wrong.push(Cause::invalid(&url.path, &json!(scheme), why));
            }
            let known = |one: Field<'_>| matches!(one.text(), "v1" | "v1beta1");
            match reviews.len() {
                0 => wrong.push(reviews.required("")),
                _ if !reviews.items().any(known) => {
                    wrong.push(reviews.invalid("must include at least one of v1, v1beta1"));
                }
                _ => {}
            }
        }
        _ => {
            let why = "should not be set when strategy is not set to Webhook";
            wrong.extend(
                [&client, &reviews].into_iter().filter(|field| field.is_set()).map(|field| field.forbidden(why)),
            );
        }
    }
    wrong
}

fn stored_versions(whole: &Field<'_>) -> Vec<Cause> {
    let stored = whole.at("status").at("storedVersions");
    if stored.is_empty() {
        return vec![Cause::invalid(&stored.path, &Value::Null, "must have at least one stored version")];
    }
    let mut wrong = Vec::new();
    let versions: Vec<Field<'_>> = whole.at("spec").at("versions").items().collect();
    for version in versions.iter().filter(|version| version.at("storage").is_true()) {
        let name = version.at("name");
        if !stored.items().any(|stored| stored.value == name.value) {
            wrong.push(stored.invalid(&format!("must have the storage version {}", name.text())));
        }
    }
    for one in stored.items().filter(|one| !versions.iter().any(|version| version.at("name").value == one.value)) {
        let name = one.text();
        wrong.push(one.invalid(&format!(
            "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a \
             storage migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
        )));
    }
    wrong
}
