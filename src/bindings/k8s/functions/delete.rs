//! Deleting: one object, those that are selected, or those that a manifest made.

use std::time::Duration;

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::Value;

use super::given;
use crate::{
    event::WaitEnd,
    host::{
        effect::{Effect, digest},
        wait::Waiting,
    },
    kubernetes::{
        before::{self, Before},
        blast,
        change::Deletion,
        client::{Cluster, Selection},
        manifest, object,
        removal::{self, Doomed},
        report,
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        fault::{Fault, Kind},
        options::Options,
        values::tree::Tree,
    },
};

#[export_module]
pub mod functions {
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

    /// Deletes several objects and waits until all are gone.
    #[rhai_fn(global, pure, return_raw)]
    pub fn delete_all(context: NativeCallContext, cluster: &mut Cluster, what: Dynamic) -> Outcome<Array> {
        delete_several(&context, cluster, &what, Map::new())
    }

    /// Deletes several objects and waits until all are gone.
    ///
    /// What goes is shown beforehand. It goes in the opposite order of its making: workloads before their configuration,
    /// namespaces and definitions last. That some are not there in the first place is fine.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `what` (text or list): a kind, of which `names`, `labels`, `fields` or `all` choose some, or a list of objects, as
    ///   `k8s::manifests` reads them
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where they are
    /// - `all_namespaces` (boolean, `false`): choose from all namespaces
    /// - `names` (list): these
    /// - `labels` (text or map): those with these labels: `app=web,tier!=db`, or `#{ app: "web" }`
    /// - `fields` (text or map): those with these fields: `status.phase=Failed`
    /// - `all` (boolean, `false`): all of the kind
    /// - `propagation` (text, `"background"`): what becomes of what they own: `background`, `foreground` (they go last) or `orphan`
    /// - `grace` (duration): how long their processes may take to end, instead of what they say themselves
    /// - `wait` (boolean, `true`): wait until these very objects are gone
    /// - `timeout` (duration, `5m`): how long all of it may take
    ///
    /// # Returns
    /// A list of what was deleted: `#{ kind, namespace, name }`.
    ///
    /// # Effect
    /// The objects go, and what they own. It is shown beforehand which.
    ///
    /// # Faults
    /// - `denied`: this user may not do it
    /// - `unsupported`: the cluster has no such kind
    /// - `timeout`: some are still there; the note says what holds one of them
    /// - `usage`: nothing is chosen, or an option can't be used
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// let gone = cluster.delete_all("pod", #{ namespace: "default", labels: "job=import", fields: "status.phase=Succeeded" });
    /// print(`${gone.len()} pods are gone`);
    /// ```
    #[rhai_fn(global, name = "delete_all", pure, return_raw)]
    pub fn delete_all_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        what: Dynamic,
        options: Map,
    ) -> Outcome<Array> {
        delete_several(&context, cluster, &what, options)
    }
}

/// Objects that are about to be removed.
pub struct Removing {
    pub verb: &'static str,
    /// What an effect is about: `testbed: pod/web in shop`.
    pub what: String,
    pub doomed: Vec<Doomed>,
    /// True if it is shown what goes; otherwise only what dies with it for good.
    pub listed: bool,
    pub deletion: Deletion,
    /// Wait until they are gone.
    pub wait: bool,
    pub timeout: Duration,
}

/// Shows what dies, removes it, and waits until it is gone. Gives what was there.
pub fn remove(context: &NativeCallContext, cluster: &Cluster, removing: Removing) -> Outcome<Vec<Doomed>> {
    let Removing { verb, what, doomed, listed, deletion, wait, timeout } = removing;
    let asked = Waiting::request(format!("what dies with {what}"), timeout);
    let destroys = {
        let (cluster, doomed) = (cluster.clone(), doomed.clone());
        context.wait(asked, |_| async move { radius(&cluster, &doomed, listed).await })?
    };
    let named: Vec<String> =
        doomed.iter().map(|one| format!("{one} {}", one.uid.as_deref().unwrap_or_default())).collect();
    let effect = Effect {
        verb: verb.to_owned(),
        digest: digest(&[
            cluster.context().as_bytes(),
            named.join("\n").as_bytes(),
            format!("{deletion:?}").as_bytes(),
        ]),
        object: what.clone(),
        repeatable: true,
        destroys,
    };
    let perform = {
        let (cluster, doomed) = (cluster.clone(), doomed.clone());
        async move {
            let removed = removal::remove(&cluster, &doomed, &deletion).await?;
            let detail = match (removed.len(), doomed.len()) {
                (0, _) => "not there".to_owned(),
                (_, 1) => "deleted".to_owned(),
                (removed, _) => format!("{removed} deleted"),
            };
            Ok(Changed { value: removed, kept: Value::Null, detail: Some(detail) })
        }
    };
    let host = context.host();
    let begun = host.clock.elapsed();
    let removed = context.change(Change::repeatable(effect, timeout, perform))?;
    if wait && !removed.is_empty() {
        let left = timeout.saturating_sub(host.clock.elapsed().saturating_sub(begun));
        let awaited = match removed.as_slice() {
            [one] => format!("{one} to be gone"),
            several => format!("{} objects to be gone", several.len()),
        };
        let mut wait = host.begin(Waiting::until(awaited, left));
        let progress = wait.progress();
        let (cluster, going) = (cluster.clone(), removed.clone());
        context.drive(&mut wait, async move { removal::gone(&cluster, &going, &progress).await })?;
        wait.end(WaitEnd::Met);
    }
    Ok(removed)
}

/// What is taken away for good, a line each; none for what can be made again from its manifest.
async fn radius(cluster: &Cluster, doomed: &[Doomed], listed: bool) -> Result<Option<Vec<String>>, Fault> {
    let mut lines = Vec::new();
    let mut any = listed;
    for one in doomed {
        let dies = blast::radius(cluster, &one.resource, &one.namespace, &one.name).await?;
        any |= dies.is_some();
        if listed {
            lines.push(one.to_string());
        }
        let indent = if listed { "  " } else { "" };
        lines.extend(dies.into_iter().flatten().map(|line| format!("{indent}{line}")));
    }
    Ok(any.then_some(lines))
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
    let namespace = given::namespace(&options, &cluster);
    let asked = Waiting::request(format!("which kind `{kind}` is in {cluster}"), timeout);
    let resource = {
        let (cluster, kind) = (cluster.clone(), kind.to_owned());
        context.wait(asked, |_| async move { cluster.resolve(&kind).await })?
    };
    let one = Doomed { resource, namespace, name: name.to_owned(), uid: None };
    let (object, wait) = (one.to_string(), options.flag("wait"));
    let what = format!("{cluster}: {object}");
    let removing = Removing { verb: "delete", what, doomed: vec![one], listed: false, deletion, wait, timeout };
    let was_there = !remove(context, &cluster, removing)?.is_empty();
    if !was_there && !options.flag("missing_ok") {
        let fault = Fault::new(Kind::NotFound, format!("`{object}` is not in `{cluster}`"));
        return Err(raise(fault.hint("`missing_ok: true` takes that for done")));
    }
    Ok(was_there)
}

fn delete_several(context: &NativeCallContext, cluster: &Cluster, given: &Dynamic, options: Map) -> Outcome<Array> {
    let options = context.options("k8s::delete_all", options)?;
    let raise = |fault: Fault| context.raise(fault);
    let timeout = options.deadline("timeout").map_err(raise)?;
    let deletion = deletion(&options).map_err(raise)?;
    let cluster = cluster.here();
    let namespace = given::namespace(&options, &cluster);
    let asked = Waiting::request(format!("what there is to delete in {cluster}"), timeout);
    let (what, doomed) = match given.clone().into_immutable_string() {
        Ok(kind) => {
            let choice = choice(&options, &cluster).map_err(raise)?;
            let (cluster, own) = (cluster.clone(), cluster.clone());
            let doomed = context.wait(asked, |_| async move { chosen(&cluster, &kind, choice).await })?;
            let kind = doomed.first().map_or("object".to_owned(), |one| one.resource.full_name());
            (format!("{own}: {} {kind}", doomed.len()), doomed)
        }
        Err(_) => {
            let documents = manifest::given(given).and_then(manifest::documents).map_err(raise)?;
            let own = cluster.clone();
            let doomed = context.wait(asked, |_| async move { there(&own, &documents, &namespace).await })?;
            (format!("{cluster}: {} objects", doomed.len()), doomed)
        }
    };
    if doomed.is_empty() {
        return Ok(Array::new());
    }
    let wait = options.flag("wait");
    let removing = Removing { verb: "delete", what, doomed, listed: true, deletion, wait, timeout };
    let removed = remove(context, &cluster, removing)?;
    Ok(removed.iter().map(|one| report::doomed(one).to_dynamic()).collect())
}

/// Which objects of a kind.
enum Choice {
    Named(String, Vec<String>),
    Selected(Selection),
}

fn choice(options: &Options, cluster: &Cluster) -> Result<Choice, Fault> {
    let everywhere = options.flag("all_namespaces");
    let namespace = given::namespace(options, cluster);
    let names = given::names(options, "names")?;
    let selection = Selection {
        namespace: (!everywhere).then(|| namespace.clone()),
        labels: given::selector(options, "labels")?,
        fields: given::selector(options, "fields")?,
        ..Selection::default()
    };
    let selects = selection.labels.is_some() || selection.fields.is_some();
    match (names.is_empty(), selects, options.flag("all")) {
        (false, false, false) if !everywhere => Ok(Choice::Named(namespace, names)),
        (true, true, false) | (true, false, true) => Ok(Choice::Selected(selection)),
        (true, false, false) => Err(Fault::new(Kind::Usage, "it is not said which objects are to be deleted")
            .hint("choose some with `names`, `labels` or `fields`, or write `all: true`")),
        _ => Err(Fault::new(Kind::Usage, "it is said in more than one way which objects are to be deleted")
            .hint("use `names` in one namespace, or `labels` and `fields`, or `all`")),
    }
}

async fn chosen(cluster: &Cluster, kind: &str, choice: Choice) -> Result<Vec<Doomed>, Fault> {
    let resource = cluster.resolve(kind).await?;
    match choice {
        Choice::Selected(selection) => {
            let objects = cluster.list(&resource, &selection).await?.objects;
            Ok(objects.iter().map(|object| Doomed::of(&resource, object)).collect())
        }
        Choice::Named(namespace, names) => {
            let mut found = Vec::new();
            for name in names {
                if let Some(object) = cluster.find(&resource, &namespace, &name).await? {
                    found.push(Doomed::of(&resource, &object));
                }
            }
            Ok(found)
        }
    }
}

/// Those of the documents that are there.
async fn there(cluster: &Cluster, documents: &[Tree], namespace: &str) -> Result<Vec<Doomed>, Fault> {
    let all: Vec<&Tree> = documents.iter().collect();
    let known = before::look(cluster, &all, namespace).await;
    let mut found = Vec::new();
    for (document, known) in documents.iter().zip(known) {
        let kind = format!("{}/{}", object::api_version(document), object::kind(document));
        let resource = match cluster.resolve(&kind).await {
            // What the cluster doesn't know it doesn't have.
            Err(fault) if fault.kind == Kind::Unsupported => continue,
            resource => resource?,
        };
        let place = object::namespace(document).unwrap_or(namespace);
        match known.read(cluster, &resource, place, document).await? {
            Before::Present(object) => found.push(Doomed::of(&resource, &object)),
            Before::Unreadable => found.push(Doomed { namespace: place.to_owned(), ..Doomed::of(&resource, document) }),
            Before::Absent | Before::Unread => {}
        }
    }
    Ok(found)
}

fn deletion(options: &Options) -> Result<Deletion, Fault> {
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
