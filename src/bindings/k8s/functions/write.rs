//! Changing what is there: apply, create, delete, scale.

use std::time::Duration;

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::{Value, json};

use super::given;
use crate::{
    bindings::k8s::{
        apply::{self, Applied, Manner},
        blast,
        client::{Cluster, Deleted, Deletion, MANAGER, Selection},
        discovery::Resource,
        explain::shown,
        object::{self, items, text},
        secrets,
        wait::{Until, Verdict},
        watch::{Observer, Seen},
    },
    event::WaitEnd,
    host::{
        effect::{Effect, digest},
        wait::Waiting,
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed, Settled},
        fault::{Fault, Kind},
        values::json as text_of,
        values::object::Object,
        values::tree::Tree,
    },
};

#[export_module]
pub mod functions {
    /// Applies objects server-side.
    #[rhai_fn(global, pure, return_raw)]
    pub fn apply(context: NativeCallContext, cluster: &mut Cluster, objects: Dynamic) -> Outcome<Dynamic> {
        apply_objects(&context, cluster, &objects, Map::new())
    }

    /// Applies objects server-side: makes those that are not there, and sets the given fields of those that are.
    ///
    /// Of many, namespaces and definitions of kinds come first, and each definition is waited for; the rest is applied all at
    /// once, webhook configurations last. One that fails does not keep the others from being applied. Fields are owned by the
    /// manager `cozyscript`; fields that another manager owns are a conflict, unless `force` takes them over.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `objects` (map or text or list): an object, YAML text with any number of documents, or a list of these
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where objects go that name no namespace
    /// - `force` (boolean, `false`): take over fields that others own
    /// - `timeout` (duration, `2m`): how long all of it may take
    ///
    /// # Returns
    /// The object as it is now; a list of them, if there were several.
    ///
    /// # Effect
    /// The objects are made or changed. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `conflict`: others own some of the fields; the notes say which, and who
    /// - `invalid`: the server refuses an object; the notes say which field and why
    /// - `not_found`: the namespace is not there
    /// - `unsupported`: the cluster has no such kind
    /// - `denied`: this user may not do it
    /// - `usage`: something given is no Kubernetes object
    /// - `parse`: the text is no YAML
    /// - `failed`: a definition is not accepted, since another has its names
    /// - `timeout`: it was not done in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// cluster.apply(#{
    ///     apiVersion: "v1", kind: "ConfigMap",
    ///     metadata: #{ name: "motd", namespace: "default" },
    ///     data: #{ text: "hello" },
    /// });
    /// ```
    #[rhai_fn(global, name = "apply", pure, return_raw)]
    pub fn apply_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        objects: Dynamic,
        options: Map,
    ) -> Outcome<Dynamic> {
        apply_objects(&context, cluster, &objects, options)
    }

    /// Creates an object, which must not be there yet.
    #[rhai_fn(global, pure, return_raw)]
    pub fn create(context: NativeCallContext, cluster: &mut Cluster, object: Dynamic) -> Outcome<Object> {
        create_object(&context, cluster, &object, Map::new())
    }

    /// Creates an object, which must not be there yet.
    ///
    /// With `metadata.generateName` in place of a name the server chooses one that is free.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `object` (map or text): an object, or YAML text with one
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it goes if it names no namespace
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// The object as it is now.
    ///
    /// # Effect
    /// The object is made. After a crash the run looks whether it is there before it makes it again.
    ///
    /// # Faults
    /// - `already_exists`: an object of that name is there
    /// - `invalid`: the server refuses it; the notes say which field and why
    /// - `not_found`: the namespace is not there
    /// - `unsupported`: the cluster has no such kind
    /// - `denied`: this user may not do it
    /// - `usage`: what is given is no Kubernetes object, or several
    /// - `in_doubt`: the connection broke, and nobody knows whether it was made
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// let note = cluster.create(#{
    ///     apiVersion: "v1", kind: "ConfigMap",
    ///     metadata: #{ generateName: "note-", namespace: "default" },
    /// });
    /// print(note.metadata.name);
    /// ```
    #[rhai_fn(global, name = "create", pure, return_raw)]
    pub fn create_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        object: Dynamic,
        options: Map,
    ) -> Outcome<Object> {
        create_object(&context, cluster, &object, options)
    }

    /// Deletes an object and waits until it is gone.
    #[rhai_fn(global, pure, return_raw)]
    pub fn delete(context: NativeCallContext, cluster: &mut Cluster, kind: &str, name: &str) -> Outcome<bool> {
        delete_object(&context, cluster, kind, name, Map::new())
    }

    /// Deletes an object and waits until it is gone.
    ///
    /// That it was not there in the first place is fine: what is wanted is that it is gone.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): plural, singular, short name or kind; `Kind.group` or `group/version/Kind` where that is not clear
    /// - `name` (text): the object's name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `propagation` (text, `"background"`): what becomes of what it owns: `background`, `foreground` (it goes last) or `orphan`
    /// - `grace` (duration): how long its processes may take to end, instead of what it says itself
    /// - `missing_ok` (boolean, `true`): it is fine if it is not there
    /// - `wait` (boolean, `true`): wait until this very object is gone
    /// - `timeout` (duration, `5m`): how long all of it may take
    ///
    /// # Returns
    /// `true` if it was deleted, `false` if it was not there.
    ///
    /// # Effect
    /// The object goes, and what it owns. Of a namespace, a definition or a volume it is shown beforehand what dies with it.
    ///
    /// # Faults
    /// - `not_found`: it is not there, and `missing_ok` is `false`
    /// - `denied`: this user may not do it
    /// - `unsupported`: the cluster has no such kind
    /// - `timeout`: it is still there; the note says what holds it
    /// - `usage`: an option can't be used
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// if !cluster.delete("configmap", "motd", #{ namespace: "default" }) {
    ///     print("there was none");
    /// }
    /// ```
    #[rhai_fn(global, name = "delete", pure, return_raw)]
    pub fn delete_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        options: Map,
    ) -> Outcome<bool> {
        delete_object(&context, cluster, kind, name, options)
    }

    /// Sets how many replicas a workload has.
    #[rhai_fn(global, pure, return_raw)]
    pub fn scale(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        replicas: i64,
    ) -> Outcome<Object> {
        scale_object(&context, cluster, kind, name, replicas, Map::new())
    }

    /// Sets how many replicas a workload has. It does not wait for them; `wait` does.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `kind` (text): anything that can be scaled: `deployment`, `statefulset`, `replicaset` …
    /// - `name` (text): its name
    /// - `replicas` (integer): how many
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// The workload's `Scale`: `spec.replicas` and `status.replicas`.
    ///
    /// # Effect
    /// The number of replicas is changed. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `not_found`: it is not there
    /// - `unsupported`: it can't be scaled
    /// - `denied`: this user may not do it
    /// - `invalid`: the number is below zero
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// cluster.scale("deployment", "web", 2, #{ namespace: "default" });
    /// ```
    #[rhai_fn(global, name = "scale", pure, return_raw)]
    pub fn scale_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        kind: &str,
        name: &str,
        replicas: i64,
        options: Map,
    ) -> Outcome<Object> {
        scale_object(&context, cluster, kind, name, replicas, options)
    }
}

/// What an effect is about: `testbed: configmap/motd in default`.
fn about(cluster: &Cluster, document: &Tree) -> String {
    let name = text(document, &["metadata", "name"]).or(text(document, &["metadata", "generateName"]));
    let mut about = format!("{cluster}: {}/{}", object::kind(document).to_lowercase(), name.unwrap_or_default());
    if let Some(namespace) = object::namespace(document) {
        about.push_str(&format!(" in {namespace}"));
    }
    about
}

fn apply_objects(context: &NativeCallContext, cluster: &Cluster, given: &Dynamic, options: Map) -> Outcome<Dynamic> {
    let options = context.options("k8s::apply", options)?;
    let read = || -> Result<_, Fault> {
        let timeout = options.deadline("timeout")?;
        let documents = apply::documents(given::trees(given)?)?;
        if documents.is_empty() {
            return Err(
                Fault::new(Kind::Usage, "there is no object to apply").hint("is the file empty, or all comments?")
            );
        }
        Ok((timeout, documents))
    };
    let (timeout, documents) = read().map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    remember(&cluster, &documents);
    let manner = Manner { force: options.flag("force"), namespace: given::namespace(&options, &cluster) };
    let shown: Vec<String> = documents.iter().map(text_of::write).collect();
    let manner_shown = format!("{} {} {}", cluster.context(), manner.namespace, manner.force);
    let parts = (shown.iter().map(String::as_bytes)).chain([manner_shown.as_bytes()]).collect::<Vec<_>>();
    let effect = Effect {
        verb: "apply".to_owned(),
        object: match documents.as_slice() {
            [one] => about(&cluster, one),
            many => format!(
                "{cluster}: {} objects, from {} on",
                many.len(),
                about(&cluster, &many[0]).replace(&format!("{cluster}: "), "")
            ),
        },
        digest: digest(&parts),
        repeatable: true,
        destroys: None,
    };
    let many = documents.len() > 1;
    let perform = async move {
        let ended = apply::apply(&cluster, &documents, &manner).await;
        let applied = apply::together(&documents, ended)?;
        let created = applied.iter().filter(|applied| applied.created).count();
        let detail = match (many, created) {
            (false, 0) => "applied".to_owned(),
            (false, _) => "created".to_owned(),
            (true, 0) => "applied".to_owned(),
            (true, created) if created == applied.len() => "created".to_owned(),
            (true, created) => format!("{created} created, {} applied", applied.len() - created),
        };
        Ok(Changed { value: applied, kept: Value::Null, detail: Some(detail) })
    };
    let applied: Vec<Applied> = context.change(Change::repeatable(effect, timeout, perform))?;
    let mut objects: Vec<Dynamic> = applied.iter().map(|applied| applied.object.to_dynamic()).collect();
    match many {
        false => Ok(objects.remove(0)),
        true => Ok(objects.into()),
    }
}

/// What is sent in Secrets is as secret as what is read from them.
fn remember(cluster: &Cluster, documents: &[Tree]) {
    let is_secret = |document: &&Tree| object::kind(document) == "Secret" && object::api_version(document) == "v1";
    for document in documents.iter().filter(is_secret) {
        secrets::remember(&cluster.host().secrets, std::slice::from_ref(document));
    }
}

fn create_object(context: &NativeCallContext, cluster: &Cluster, given: &Dynamic, options: Map) -> Outcome<Object> {
    let options = context.options("k8s::create", options)?;
    let read = || -> Result<_, Fault> {
        let mut documents = apply::documents(given::trees(given)?)?;
        if documents.len() != 1 {
            let message = format!("`create` takes one object, and was given {}", documents.len());
            return Err(Fault::new(Kind::Usage, message).hint("`apply` takes many"));
        }
        Ok((options.deadline("timeout")?, documents.remove(0)))
    };
    let (deadline, document) = read().map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    remember(&cluster, std::slice::from_ref(&document));
    let namespace = match object::namespace(&document) {
        Some(namespace) => namespace.to_owned(),
        None => given::namespace(&options, &cluster),
    };
    let effect = Effect {
        verb: "create".to_owned(),
        object: about(&cluster, &document),
        digest: digest(&[text_of::write(&document).as_bytes(), cluster.context().as_bytes(), namespace.as_bytes()]),
        repeatable: false,
        destroys: None,
    };
    let kind = format!("{}/{}", object::api_version(&document), object::kind(&document));
    let perform = {
        let (cluster, kind, namespace, document) = (cluster.clone(), kind.clone(), namespace.clone(), document.clone());
        async move {
            let resource = cluster.resolve(&kind).await?;
            created(cluster.create(&resource, &namespace, &document).await?, "created")
        }
    };
    let recall = {
        let (cluster, kind, namespace, document) = (cluster.clone(), kind.clone(), namespace.clone(), document.clone());
        move |kept: Value| -> futures::future::BoxFuture<'static, _> {
            Box::pin(async move {
                let name = kept["name"].as_str().unwrap_or_default().to_owned();
                let resource = cluster.resolve(&kind).await?;
                // It was made, and may have been deleted since by what the step did next.
                let mut tree = cluster.find(&resource, &namespace, &name).await?.unwrap_or(document);
                object::strip_managed_fields(&mut tree);
                object::whole(tree)
            })
        }
    };
    let settle = async move {
        let resource = cluster.resolve(&kind).await?;
        let name = object::name(&document).to_owned();
        if name.is_empty() {
            let why = "the server was to choose its name, so it can't be looked for".to_owned();
            return Ok(Settled::Unknown { why, assumed: created(document, "created")? });
        }
        let Some(found) = cluster.find(&resource, &namespace, &name).await? else { return Ok(Settled::DidNot) };
        match is_ours(&found) && holds(&found, &document) {
            true => Ok(Settled::Happened(created(found, "created")?)),
            false => {
                let why = format!("{} is there, but is not what was sent", shown(&resource, &namespace, &name));
                Ok(Settled::Unknown { why, assumed: created(found, "there")? })
            }
        }
    };
    context.change(Change {
        effect,
        deadline,
        perform: Box::new(|_| Box::pin(perform)),
        recall: Box::new(recall),
        settle: Box::pin(settle),
    })
}

fn created(mut tree: Tree, detail: &str) -> Result<Changed<Object>, Fault> {
    object::strip_managed_fields(&mut tree);
    let kept = json!({ "name": object::name(&tree) });
    Ok(Changed { value: object::whole(tree)?, kept, detail: Some(detail.to_owned()) })
}

/// True if we have written the object at least once.
fn is_ours(object: &Tree) -> bool {
    let managers = items(object, &["metadata", "managedFields"]);
    managers.iter().any(|entry| text(entry, &["manager"]) == Some(MANAGER))
}

/// True if an object has all that was sent; what the server adds is fine.
fn holds(found: &Tree, sent: &Tree) -> bool {
    match (found, sent) {
        (Tree::Map(found), Tree::Map(sent)) => sent.iter().all(|(name, sent)| match found.get(name) {
            Some(found) => holds(found, sent),
            // It is written only: the server moves it to `data`.
            None => sent.is_null() || name.as_str() == "stringData",
        }),
        (Tree::List(found), Tree::List(sent)) => {
            found.len() == sent.len() && found.iter().zip(sent.iter()).all(|(found, sent)| holds(found, sent))
        }
        (found, Tree::Secret(sent)) => *found == Tree::Text(sent.expose().into()),
        (found, sent) => found.equals(sent),
    }
}

fn delete_object(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    name: &str,
    options: Map,
) -> Outcome<bool> {
    let options = context.options("k8s::delete", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let deletion = deletion(&options).map_err(raise)?;
    let cluster = cluster.here();
    let host = cluster.host().clone();
    let namespace = given::namespace(&options, &cluster);
    let (kind, name) = (kind.to_owned(), name.to_owned());

    let asked = Waiting::request(format!("what dies with {kind}/{name} of {cluster}"), timeout);
    let (resource, destroys) = {
        let (cluster, name, namespace) = (cluster.clone(), name.clone(), namespace.clone());
        context.wait(asked, |_| async move {
            let resource = cluster.resolve(&kind).await?;
            let dies = blast::radius(&cluster, &resource, &namespace, &name).await?;
            Ok((resource, dies))
        })?
    };
    let object = shown(&resource, &namespace, &name);
    let effect = Effect {
        verb: "delete".to_owned(),
        object: format!("{cluster}: {object}"),
        digest: digest(&[cluster.context().as_bytes(), object.as_bytes(), format!("{deletion:?}").as_bytes()]),
        repeatable: true,
        destroys,
    };
    let perform = {
        let (cluster, resource, namespace, name) = (cluster.clone(), resource.clone(), namespace.clone(), name.clone());
        async move {
            let deleted = cluster.delete(&resource, &namespace, &name, &deletion).await?;
            let (uid, detail) = match &deleted {
                Deleted::Missing => (None, "not there"),
                Deleted::Accepted(tree) => {
                    let uid = object::uid(tree).or(text(tree, &["details", "uid"]));
                    (Some(uid.unwrap_or_default().to_owned()), "deleted")
                }
            };
            Ok(Changed { value: uid, kept: Value::Null, detail: Some(detail.to_owned()) })
        }
    };
    let begun = host.clock.elapsed();
    let Some(uid) = context.change(Change::repeatable(effect, timeout, perform))? else {
        if options.flag("missing_ok") {
            return Ok(false);
        }
        let fault = Fault::new(Kind::NotFound, format!("`{object}` is not in `{cluster}`"));
        return Err(raise(fault.hint("`missing_ok: true` takes that for done")));
    };
    if options.flag("wait") {
        let left = timeout.saturating_sub(host.clock.elapsed().saturating_sub(begun));
        wait_until_gone(context, &cluster, &resource, &namespace, &name, &uid, left)?;
    }
    Ok(true)
}

fn deletion(options: &crate::script::options::Options) -> Result<Deletion, Fault> {
    let propagation = match options.text("propagation").unwrap_or_default().to_lowercase().as_str() {
        "background" => "Background",
        "foreground" => "Foreground",
        "orphan" => "Orphan",
        other => {
            let message = format!("`{other}` is no way to delete what an object owns");
            return Err(Fault::new(Kind::Usage, message).hint("write `background`, `foreground` or `orphan`"));
        }
    };
    let grace = options.duration("grace")?.map(|grace| grace.as_secs());
    Ok(Deletion { propagation: Some(propagation.to_owned()), grace, uid: None })
}

fn wait_until_gone(
    context: &NativeCallContext,
    cluster: &Cluster,
    resource: &Resource,
    namespace: &str,
    name: &str,
    uid: &str,
    deadline: Duration,
) -> Outcome<()> {
    let host = context.host();
    let mut wait = host.begin(Waiting::until(format!("{} to be gone", shown(resource, namespace, name)), deadline));
    let progress = wait.progress();
    let kind = format!("{}/{}", resource.api_version(), resource.kind);
    let selection = Selection {
        namespace: resource.namespaced.then(|| namespace.to_owned()),
        fields: Some(format!("metadata.name={name}")),
        ..Selection::default()
    };
    let mut observer = Observer::new(cluster.clone(), kind, selection);
    let uid = uid.to_owned();
    context.drive(&mut wait, async move {
        loop {
            match observer.next().await? {
                Seen::Absent => return Ok(()),
                Seen::Object(object) if object::uid(&object) != Some(&uid) => return Ok(()),
                Seen::Object(object) => {
                    if let Verdict::Waiting(because) = Until::Deleted.judge(&object) {
                        progress.because(because);
                    }
                }
                // With the definition of its kind it is gone as well.
                Seen::NotYet(why) if why.contains("has no kind") => return Ok(()),
                Seen::NotYet(why) => progress.because(why),
            }
        }
    })?;
    wait.end(WaitEnd::Met);
    Ok(())
}

fn scale_object(
    context: &NativeCallContext,
    cluster: &Cluster,
    kind: &str,
    name: &str,
    replicas: i64,
    options: Map,
) -> Outcome<Object> {
    let options = context.options("k8s::scale", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    let namespace = given::namespace(&options, &cluster);
    let (kind, name) = (kind.to_owned(), name.to_owned());
    let object = format!("{cluster}: {} to {replicas}", cluster.shown(&kind, &namespace, &name));
    let effect = Effect {
        verb: "scale".to_owned(),
        digest: digest(&[object.as_bytes()]),
        object,
        repeatable: true,
        destroys: None,
    };
    let perform = async move {
        let resource = cluster.resolve(&kind).await?;
        let patch = json!({ "spec": { "replicas": replicas } });
        let mut scale = cluster.merge_patch(&resource, &namespace, &name, Some("scale"), &patch).await?;
        object::strip_managed_fields(&mut scale);
        Ok(Changed { value: object::whole(scale)?, kept: Value::Null, detail: None })
    };
    context.change(Change::repeatable(effect, timeout, perform))
}
