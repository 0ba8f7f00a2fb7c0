//! Patching objects, and their labels and annotations.

use futures::future::BoxFuture;
use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::{Value, json};

use super::{
    given,
    settle::{self, changed},
};
use crate::{
    host::effect::{Effect, digest},
    kubernetes::{
        before::Before,
        change::{Patch, Patching, Validation},
        client::Cluster,
        difference,
        named::Named,
        object::{self, at},
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed, Settled},
        fault::{Fault, Kind},
        values::object::Object,
        values::tree::Tree,
        values::{json as text_of, yaml},
    },
};

#[export_module]
pub mod functions {
    /// Changes some fields of an object.
    #[rhai_fn(global, pure, return_raw)]
    pub fn patch(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        change: Dynamic,
    ) -> Outcome<Object> {
        patch_object(&context, cluster, kind, name, &change, Map::new())
    }

    /// Changes some fields of an object.
    ///
    /// A `merge` patch has the fields as they should be, and `()` for those that should go; lists are replaced whole. A
    /// `strategic` patch, for Kubernetes' own kinds, puts the items of lists together by their names. A `json` patch is a list of
    /// operations: `#{ op: "replace", path: "/spec/replicas", value: 3 }`.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): plural, singular, short name or kind; `Kind.group` or `group/version/Kind` where that is not clear
    /// - `name` (text): the object's name
    /// - `change` (map or list or text): the patch, or its YAML or JSON text
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `type` (text, `merge` or `json` for a list): `merge`, `strategic` or `json`
    /// - `namespace` (text, the context's own): where it is
    /// - `subresource` (text): the part of it that is patched, such as `status`
    /// - `validation` (text, `"strict"`): what becomes of fields that its kind doesn't have: `strict` refuses the patch, `warn` drops
    ///   them and says so, `ignore` drops them
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// The object as it is now.
    ///
    /// # Effect
    /// The object is changed; the run shows which field, from what to what. Doing it twice is the same as doing it once, but for a
    /// `json` patch that adds to lists, moves or removes: of that nobody knows after a crash whether it happened.
    ///
    /// # Faults
    /// - `not_found`: it is not there
    /// - `invalid`: the server refuses the change, or a `test` of a `json` patch does not hold
    /// - `conflict`: the patch names a `metadata.resourceVersion` that it no longer has
    /// - `unsupported`: the cluster has no such kind, or the kind takes no such patch
    /// - `denied`: this user may not do it
    /// - `usage`: the patch is not of its type
    /// - `parse`: the text is neither YAML nor JSON
    /// - `in_doubt`: the connection broke, and nobody knows whether it was patched
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// cluster.patch("deployment", "web", #{ spec: #{ replicas: 3, paused: () } }, #{ namespace: "default" });
    /// cluster.patch("deployment", "web", [#{ op: "replace", path: "/spec/replicas", value: 2 }]);
    /// ```
    #[rhai_fn(global, name = "patch", pure, return_raw)]
    pub fn patch_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        change: Dynamic,
        options: Map,
    ) -> Outcome<Object> {
        patch_object(&context, cluster, kind, name, &change, options)
    }

    /// Sets labels of an object, and removes them.
    #[rhai_fn(global, pure, return_raw)]
    pub fn label(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        labels: Map,
    ) -> Outcome<Object> {
        mark(&context, cluster, &LABELS, kind, name, labels, Map::new())
    }

    /// Sets labels of an object, and removes them.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): plural, singular, short name or kind; `Kind.group` or `group/version/Kind` where that is not clear
    /// - `name` (text): the object's name
    /// - `labels` (map): each label with its value, or with `()` if it should go
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `overwrite` (boolean, `false`): set labels, too, that have another value
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// The object as it is now.
    ///
    /// # Effect
    /// The labels are changed. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `conflict`: a label has another value, and `overwrite` is `false`; the notes say which
    /// - `not_found`: it is not there
    /// - `invalid`: the server refuses a name or a value
    /// - `unsupported`: the cluster has no such kind
    /// - `denied`: this user may not do it
    /// - `usage`: a value is no text
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// cluster.label("namespace", "default", #{ "example.org/stage": "test", "example.org/old": () });
    /// ```
    #[rhai_fn(global, name = "label", pure, return_raw)]
    pub fn label_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        labels: Map,
        options: Map,
    ) -> Outcome<Object> {
        mark(&context, cluster, &LABELS, kind, name, labels, options)
    }

    /// Sets annotations of an object, and removes them.
    #[rhai_fn(global, pure, return_raw)]
    pub fn annotate(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        annotations: Map,
    ) -> Outcome<Object> {
        mark(&context, cluster, &ANNOTATIONS, kind, name, annotations, Map::new())
    }

    /// Sets annotations of an object, and removes them.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): plural, singular, short name or kind; `Kind.group` or `group/version/Kind` where that is not clear
    /// - `name` (text): the object's name
    /// - `annotations` (map): each annotation with its value, or with `()` if it should go
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `overwrite` (boolean, `false`): set annotations, too, that have another value
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// The object as it is now.
    ///
    /// # Effect
    /// The annotations are changed. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `conflict`: an annotation has another value, and `overwrite` is `false`; the notes say which
    /// - `not_found`: it is not there
    /// - `invalid`: the server refuses a name
    /// - `unsupported`: the cluster has no such kind
    /// - `denied`: this user may not do it
    /// - `usage`: a value is no text
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// cluster.annotate("deployment", "web", #{ "kubernetes.io/change-cause": "a new image" }, #{ overwrite: true });
    /// ```
    #[rhai_fn(global, name = "annotate", pure, return_raw)]
    pub fn annotate_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        annotations: Map,
        options: Map,
    ) -> Outcome<Object> {
        mark(&context, cluster, &ANNOTATIONS, kind, name, annotations, options)
    }
}

/// The patch that a script gave, and what it names.
fn read_patch(change: &Dynamic, kind: Option<&str>, validation: Validation) -> Result<(Patch, Named), Fault> {
    let change = match change.clone().into_immutable_string() {
        Ok(text) => yaml::read_one(&text, "the patch")?,
        Err(_) => Tree::from_dynamic(change)?,
    };
    let patching = match (kind, &change) {
        (Some("json"), _) | (None, Tree::List(_)) => Patching::Json,
        (Some("merge") | None, _) => Patching::Merge,
        (Some("strategic"), _) => Patching::Strategic,
        (Some(other), _) => {
            let message = format!("there is no type of patch `{other}`");
            return Err(Fault::new(Kind::Usage, message).hint("write `merge`, `strategic` or `json`"));
        }
    };
    let repeatable = match (patching, &change) {
        (Patching::Json, Tree::List(operations)) => operations.iter().all(is_repeatable),
        (Patching::Merge | Patching::Strategic, Tree::Map(_)) => true,
        (Patching::Json, other) => {
            let message = format!("a `json` patch is a list of operations, and this is {}", other.kind());
            return Err(Fault::new(Kind::Usage, message)
                .hint("write `[#{ op: \"replace\", path: \"/spec/replicas\", value: 3 }]`"));
        }
        (_, other) => {
            let message = format!("a patch of this type is a map of fields, and this is {}", other.kind());
            return Err(Fault::new(Kind::Usage, message).hint("write `#{ spec: #{ replicas: 3 } }`"));
        }
    };
    let named = Named::by_patch(patching, &change);
    Ok((Patch { patching, body: text_of::wire(&change), subresource: None, validation, repeatable }, named))
}

/// True for an operation that finds things as it leaves them: one that adds to a list, moves or removes does not.
fn is_repeatable(operation: &Tree) -> bool {
    let last = object::text(operation, &["path"]).unwrap_or_default().rsplit('/').next().unwrap_or_default();
    match object::text(operation, &["op"]) {
        Some("replace" | "test") => true,
        Some("add") => last != "-" && last.parse::<u64>().is_err(),
        _ => false,
    }
}

fn patch_object(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    name: &str,
    change: &Dynamic,
    options: Map,
) -> Outcome<Object> {
    let options = context.options("k8s::patch", options)?;
    let read = || -> Result<_, Fault> {
        let validation = Validation::read(&options.text("validation").unwrap_or_default())?;
        let given = options.value("type").map(|kind| kind.to_string());
        let (mut patch, named) = read_patch(change, given.as_deref(), validation)?;
        patch.subresource = options.text("subresource");
        Ok((options.deadline("timeout")?, patch, named))
    };
    let (deadline, patch, named) = read().map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    let namespace = given::namespace(&options, &cluster);
    let object = format!("{cluster}: {}", cluster.shown(kind, &namespace, name));
    let effect = Effect {
        verb: "patch".to_owned(),
        digest: digest(&[object.as_bytes(), &patch.body, format!("{:?}", patch.patching).as_bytes()]),
        object,
        repeatable: patch.repeatable,
        destroys: None,
    };
    let target = Target { cluster, kind: kind.to_owned(), namespace, name: name.to_owned() };
    let perform = {
        let (target, patch) = (target.clone(), patch.clone());
        async move { target.patch(&patch, &named).await }
    };
    if patch.repeatable {
        return context.change(Change::repeatable(effect, deadline, perform));
    }
    let recall = {
        let target = target.clone();
        move |_| -> BoxFuture<'static, _> { Box::pin(async move { Ok(target.as_it_is("patched").await?.value) }) }
    };
    let settle = async move {
        let assumed = target.as_it_is("patched").await?;
        let why = "a `json` patch leaves no trace of its own".to_owned();
        Ok(Settled::Unknown { why, assumed })
    };
    context.change(Change {
        effect,
        deadline,
        perform: Box::new(|_| Box::pin(perform)),
        recall: Box::new(recall),
        settle: Box::pin(settle),
    })
}

/// What is patched.
#[derive(Clone)]
struct Target {
    cluster: Cluster,
    kind: String,
    namespace: String,
    name: String,
}

impl Target {
    /// Patches it, and says what that changed.
    async fn patch(&self, patch: &Patch, named: &Named) -> Result<Changed<Object>, Fault> {
        let resource = self.cluster.resolve(&self.kind).await?;
        let before = match patch.subresource {
            // The answer may be of another kind.
            Some(_) => Before::Unreadable,
            None => {
                let named = json!({ "metadata": { "name": self.name } });
                let named = Tree::from_json(named);
                Before::Unread.read(&self.cluster, &resource, &self.namespace, &named).await?
            }
        };
        let after = self.cluster.patch(&resource, &self.namespace, &self.name, patch).await?;
        let Before::Present(before) = before else { return changed(after, "patched") };
        let detail = difference::line(&difference::fields(&before, &named.changed(&before, &after)));
        changed(after, &detail)
    }

    async fn as_it_is(&self, detail: &str) -> Result<Changed<Object>, Fault> {
        let resource = self.cluster.resolve(&self.kind).await?;
        settle::changed(self.cluster.read(&resource, &self.namespace, &self.name).await?, detail)
    }
}

/// What is set on an object by its name.
struct Marks {
    function: &'static str,
    verb: &'static str,
    /// Below `metadata`.
    field: &'static str,
    /// One of them.
    one: &'static str,
}

const LABELS: Marks = Marks { function: "k8s::label", verb: "label", field: "labels", one: "label" };
const ANNOTATIONS: Marks =
    Marks { function: "k8s::annotate", verb: "annotate", field: "annotations", one: "annotation" };

/// How often somebody else's change of the object in between is looked at anew.
const TRIES: usize = 5;

fn mark(
    context: &NativeCallContext,
    cluster: &Cluster,
    marks: &'static Marks,
    kind: &str,
    name: &str,
    given: Map,
    options: Map,
) -> Outcome<Object> {
    let options = context.options(marks.function, options)?;
    let read = || -> Result<_, Fault> { Ok((options.deadline("timeout")?, wanted(marks, given)?)) };
    let (deadline, wanted) = read().map_err(|fault| context.raise(fault))?;
    let overwrite = options.flag("overwrite");
    let cluster = cluster.here();
    let namespace = given::namespace(&options, &cluster);
    let object = format!("{cluster}: {}", cluster.shown(kind, &namespace, name));
    let effect = Effect {
        verb: marks.verb.to_owned(),
        digest: digest(&[
            object.as_bytes(),
            Value::from_iter(wanted.clone()).to_string().as_bytes(),
            &[u8::from(overwrite)],
        ]),
        object,
        repeatable: true,
        destroys: None,
    };
    let target = Target { cluster, kind: kind.to_owned(), namespace, name: name.to_owned() };
    let perform = async move {
        let resource = target.cluster.resolve(&target.kind).await?;
        let mut tries = 0;
        loop {
            let before = target.cluster.read(&resource, &target.namespace, &target.name).await?;
            if !overwrite {
                refuse_to_overwrite(marks, &target, &before, &wanted)?;
            }
            if wanted.iter().all(|(key, value)| found(&before, marks, key) == value.as_str()) {
                return changed(before, "unchanged");
            }
            let version = object::resource_version(&before);
            let change =
                json!({ "metadata": { marks.field: Value::from_iter(wanted.clone()), "resourceVersion": version } });
            match target.cluster.merge_patch(&resource, &target.namespace, &target.name, None, &change).await {
                Err(fault) if fault.kind == Kind::Conflict && tries < TRIES => tries += 1,
                after => {
                    let after = after?;
                    let detail = difference::line(&difference::fields(&before, &after));
                    return changed(after, &detail);
                }
            }
        }
    };
    context.change(Change::repeatable(effect, deadline, perform))
}

/// Each name with its value, null if it should go.
fn wanted(marks: &Marks, given: Map) -> Result<Vec<(String, Value)>, Fault> {
    let value = |(key, value): (rhai::Identifier, Dynamic)| match Tree::from_dynamic(&value)? {
        Tree::Null => Ok((key.to_string(), Value::Null)),
        Tree::Text(text) => Ok((key.to_string(), Value::from(text.as_str()))),
        other => {
            let message = format!("the {} `{key}` is {}, not a text", marks.one, other.kind());
            Err(Fault::new(Kind::Usage, message).hint("write it in quotes, or `()` to remove it"))
        }
    };
    given.into_iter().map(value).collect()
}

fn found<'o>(object: &'o Tree, marks: &Marks, key: &str) -> Option<&'o str> {
    object::text(at(object, &["metadata", marks.field])?, &[key])
}

fn refuse_to_overwrite(marks: &Marks, target: &Target, before: &Tree, wanted: &[(String, Value)]) -> Result<(), Fault> {
    let others: Vec<String> = wanted
        .iter()
        .filter_map(|(key, value)| Some((key, value.as_str()?, found(before, marks, key)?)))
        .filter(|(_, value, found)| value != found)
        .map(|(key, value, found)| format!("`{key}` is `{found}`, not `{value}`"))
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    let object = target.cluster.shown(&target.kind, &target.namespace, &target.name);
    let message = match others.len() {
        1 => format!("a {} of `{object}` in `{}` has another value", marks.one, target.cluster),
        count => format!("{count} {} of `{object}` in `{}` have other values", marks.field, target.cluster),
    };
    Err(Fault::new(Kind::Conflict, message).notes(others).hint("write `#{ overwrite: true }` if that is meant"))
}
