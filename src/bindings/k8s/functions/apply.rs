//! Applying: what is wanted, from maps, texts, files and folders; and what it would change.

use std::{collections::BTreeSet, time::Duration};

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::Value;

use super::{
    delete::{self, Removing},
    given,
};
use crate::{
    event::What,
    host::{
        effect::{Effect, digest},
        frame,
        wait::{Progress, Waiting},
    },
    kubernetes::{
        apply::{self, Applied, Manner},
        change::{Deletion, Validation},
        client::{Cluster, MANAGER},
        inventory::{self, Inventory},
        manifest, object,
        removal::Doomed,
        report,
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        fault::{Fault, Kind},
        options::Options,
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
    /// What others need comes first: namespaces and definitions of kinds (each is waited for until it is served), then classes,
    /// rights and accounts, then configuration, then workloads, then all else, and webhook configurations last. What doesn't
    /// need each other is applied at once. One that fails does not keep the others from being applied.
    ///
    /// Fields are owned by the manager `cozyscript`; fields that another manager owns are a conflict, unless `force` takes them
    /// over. A field that is no longer given is removed, if nobody else owns it. An object that is owned and is as it is wanted
    /// is not sent at all. A webhook that is not up yet, or an API server that goes away in between, is waited for.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `objects` (map or text or list): an object, YAML text with any number of documents, or a list of these; `k8s::manifests`
    ///   reads them from a file or a folder
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where objects go that name no namespace
    /// - `force` (boolean, `false`): take over fields that others own
    /// - `validation` (text, `"strict"`): what becomes of fields that a kind doesn't have: `strict` refuses the object, `warn` leaves
    ///   them out and says so, `ignore` leaves them out
    /// - `prune` (text): the name of an inventory, such as `web`, or a label of your own, such as `example.org/set=web`; all objects
    ///   get the label (`app.kubernetes.io/managed-set` for a name), and what has it and is no longer given is deleted, after it was
    ///   shown
    /// - `prune_kinds` (list, none): kinds to look for leftovers of, besides those of the given objects
    /// - `concurrency` (integer, `128`): how many requests are under way at once
    /// - `timeout` (duration, `2m`): how long all of it may take; the deletion of leftovers has the same time again
    ///
    /// # Returns
    /// For one object (a map, or a text with one document) the object as it is now. For a list, and for several documents, a
    /// report: `objects` (as they are now, in the order given), `created`, `changed`, `unchanged` and `pruned`: lists of
    /// `#{ kind, namespace, name }`; those of `changed` have `fields`, too, a list of `#{ path, before, after }`, unless this user
    /// may not read what was there.
    ///
    /// # Effect
    /// The objects are made or changed. Doing it twice is the same as doing it once. The run shows of each whether it was created,
    /// changed (which field, from what to what) or unchanged. What is pruned is a change of its own, which shows what goes;
    /// nothing is, if an object could not be applied.
    ///
    /// # Faults
    /// - `conflict`: others own some of the fields; the notes say which, and who
    /// - `invalid`: the server refuses an object; the notes say which field and why
    /// - `not_found`: the namespace is not there
    /// - `unsupported`: the cluster has no such kind
    /// - `denied`: this user may not do it
    /// - `usage`: something given is no Kubernetes object
    /// - `parse`: the text is no YAML
    /// - `failed`: a definition is not accepted, since another has its names; or the run was stopped in between
    /// - `timeout`: it was not done in time
    /// - `unavailable`: a webhook did not come up in time, or the server is overloaded
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// cluster.apply(#{
    ///     apiVersion: "v1", kind: "ConfigMap",
    ///     metadata: #{ name: "motd", namespace: "default" },
    ///     data: #{ text: "hello" },
    /// });
    ///
    /// let report = cluster.apply(["{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"], #{ prune: "shop" });
    /// for changed in report.changed {
    ///     for field in changed.fields { print(`${changed.name}: ${field.path} was ${field.before}`); }
    /// }
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

    /// Says what applying objects would change, without changing anything.
    #[rhai_fn(global, pure, return_raw)]
    pub fn diff(context: NativeCallContext, cluster: &mut Cluster, objects: Dynamic) -> Outcome<Object> {
        compare_objects(&context, cluster, &objects, Map::new())
    }

    /// Says what applying objects would change, without changing anything.
    ///
    /// The server applies them and keeps nothing, so its defaults, its checks and its admission count. What stands in a Secret
    /// is not shown.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `objects` (map or text or list): as `apply` takes them
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where objects go that name no namespace
    /// - `force` (boolean, `false`): as if fields that others own were taken over
    /// - `validation` (text, `"strict"`): what becomes of fields that a kind doesn't have, as for `apply`
    /// - `prune` (text): the inventory, as for `apply`; tells what would be deleted
    /// - `prune_kinds` (list, none): kinds to look for leftovers of, besides those of the given objects
    /// - `concurrency` (integer, `128`): how many requests are under way at once
    /// - `timeout` (duration, `2m`): how long all of it may take
    ///
    /// # Returns
    /// An object with `created`, `changed`, `unchanged` and `pruned`, as the report of `apply` has them, and `text`: the
    /// differences as lines, where those with `-` are there now and those with `+` would be; empty if nothing would change.
    ///
    /// # Faults
    /// - `conflict`: others own some of the fields; the notes say which, and who
    /// - `invalid`: the server refuses an object; the notes say which field and why
    /// - `not_found`: a namespace is not there, and none of the objects makes it
    /// - `unsupported`: the cluster has no such kind, and none of the objects defines it
    /// - `denied`: this user may not apply it
    /// - `usage`: something given is no Kubernetes object
    /// - `parse`: the text is no YAML
    /// - `timeout`: it was not done in time
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// let difference = cluster.diff(#{
    ///     apiVersion: "v1", kind: "ConfigMap",
    ///     metadata: #{ name: "motd", namespace: "default" },
    ///     data: #{ text: "good evening" },
    /// });
    /// if difference.text != "" { print(difference.text); }
    /// ```
    #[rhai_fn(global, name = "diff", pure, return_raw)]
    pub fn diff_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        objects: Dynamic,
        options: Map,
    ) -> Outcome<Object> {
        compare_objects(&context, cluster, &objects, options)
    }

    /// Reads the objects of a file, or of a folder.
    #[rhai_fn(return_raw)]
    pub fn manifests(context: NativeCallContext, path: &str) -> Outcome<Array> {
        load(&context, path, Map::new())
    }

    /// Reads the objects of a file, or of the files of a folder in the order of their names.
    ///
    /// Of a folder, files that end in `.yaml`, `.yml` or `.json` are read. A file may have several documents; empty ones are
    /// left out, and lists (`kind: List`) are taken apart. A resumed run does the step again if a file was edited, came or went.
    ///
    /// # Parameters
    /// - `path` (file): the file or the folder, relative to the runbook's folder
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `recursive` (boolean, `false`): read the folders in the folder, too
    ///
    /// # Returns
    /// A list of objects, for `cluster.apply`, `cluster.diff` and `cluster.delete_all`.
    ///
    /// # Faults
    /// - `file`: it is missing, not text, or outside of the runbook's folder
    /// - `parse`: a file is no YAML; the message has the place
    /// - `usage`: a document is no Kubernetes object; the message has the file and the document's number
    ///
    /// # Example
    /// ```rhai
    /// if fs::exists("manifests") {
    ///     for object in k8s::manifests("manifests", #{ recursive: true }) {
    ///         print(`${object.kind} ${object.metadata.name}`);
    ///     }
    /// }
    /// ```
    #[rhai_fn(name = "manifests", return_raw)]
    pub fn manifests_with_options(context: NativeCallContext, path: &str, options: Map) -> Outcome<Array> {
        load(&context, path, options)
    }
}

fn load(context: &NativeCallContext, path: &str, options: Map) -> Outcome<Array> {
    let options = context.options("k8s::manifests", options)?;
    let host = context.host();
    let (objects, odd) =
        manifest::load(&host.files, path, options.flag("recursive")).map_err(|fault| context.raise(fault))?;
    odd.into_iter().for_each(|text| host.events.emit(What::Warned { text }));
    Ok(objects.iter().map(Tree::to_dynamic).collect())
}

/// What is applied, and how, as a script gave it.
struct Asked {
    cluster: Cluster,
    documents: Vec<Tree>,
    /// True if the script gave one object, and wants it back.
    single: bool,
    inventory: Option<Inventory>,
    prune_kinds: Vec<String>,
    manner: Manner,
    timeout: Duration,
}

fn asked(context: &NativeCallContext, cluster: &Cluster, given: &Dynamic, options: &Options) -> Result<Asked, Fault> {
    let timeout = options.deadline("timeout")?;
    let inventory = options.text("prune").map(|text| Inventory::read(&text)).transpose()?;
    let documents = manifest::documents(manifest::given(given)?)?;
    if documents.is_empty() {
        return Err(Fault::new(Kind::Usage, "there is no object to apply").hint("is the file empty, or all comments?"));
    }
    let documents: Vec<Tree> = match &inventory {
        Some(inventory) => documents.iter().map(|document| inventory.mark(document)).collect(),
        None => documents,
    };
    let at_once = options.integer("concurrency").and_then(|at_once| usize::try_from(at_once).ok()).unwrap_or(0);
    if at_once == 0 {
        return Err(Fault::new(Kind::Usage, "`concurrency` is the number of requests under way at once, from 1 on"));
    }
    let cluster = cluster.here();
    given::remember(&cluster, &documents);
    // What is tried again ends a little before the time is up, so that each object can say what became of it.
    let patience = timeout.mul_f64(0.95);
    let manner = Manner {
        force: options.flag("force"),
        dry: false,
        manager: MANAGER,
        validation: Validation::read(&options.text("validation").unwrap_or_default())?,
        namespace: given::namespace(options, &cluster),
        at_once,
        until: context.host().clock.elapsed() + patience,
        cancel: frame::current().cancel,
    };
    let single = documents.len() == 1 && !given.is_array();
    let prune_kinds = given::names(options, "prune_kinds")?;
    Ok(Asked { cluster, documents, single, inventory, prune_kinds, manner, timeout })
}

fn apply_objects(context: &NativeCallContext, cluster: &Cluster, given: &Dynamic, options: Map) -> Outcome<Dynamic> {
    let options = context.options("k8s::apply", options)?;
    let asked = asked(context, cluster, given, &options).map_err(|fault| context.raise(fault))?;
    let effect = effect(&asked);
    let perform = {
        let (cluster, documents, manner) = (asked.cluster.clone(), asked.documents.clone(), asked.manner.clone());
        move |progress: Progress| async move {
            let ended = apply::apply(&cluster, &documents, &manner, &progress).await;
            let applied = apply::together(&documents, ended)?;
            let detail = Some(report::line(&applied));
            Ok(Changed { value: applied, kept: Value::Null, detail })
        }
    };
    let applied: Vec<Applied> = context.change(Change::repeatable_telling(effect, asked.timeout, perform))?;
    if applied.len() > 1 {
        let events = context.host().events;
        report::lines(&applied).for_each(|text| events.emit(What::Noted { text, minor: true }));
    }
    let pruned = match &asked.inventory {
        Some(inventory) => prune(context, &asked, inventory, &applied)?,
        None => Vec::new(),
    };
    Ok(match applied.as_slice() {
        [one] if asked.single => one.object.to_dynamic(),
        several => Dynamic::from(report::report(several, &pruned)),
    })
}

fn effect(asked: &Asked) -> Effect {
    let Asked { cluster, documents, manner, .. } = asked;
    let shown: Vec<String> = documents.iter().map(text_of::write).collect();
    let manner = format!("{} {} {}", cluster.context(), manner.namespace, manner.force);
    let parts: Vec<&[u8]> = shown.iter().map(String::as_bytes).chain([manner.as_bytes()]).collect();
    let object = match documents.as_slice() {
        [one] => format!("{cluster}: {}", apply::shown(one)),
        many => format!("{cluster}: {} objects, from {} on", many.len(), apply::shown(&many[0])),
    };
    Effect { verb: "apply".to_owned(), object, digest: digest(&parts), repeatable: true, destroys: None }
}

/// Deletes what the inventory has and the set no longer does.
fn prune(
    context: &NativeCallContext,
    asked: &Asked,
    inventory: &Inventory,
    applied: &[Applied],
) -> Outcome<Vec<Doomed>> {
    let looked = Waiting::request(format!("what is left over of {inventory} in {}", asked.cluster), asked.timeout);
    let work = leftovers(asked, inventory.clone(), applied.iter().map(|one| one.object.clone()).collect());
    let doomed = context.wait(looked, |_| work)?;
    if doomed.is_empty() {
        return Ok(doomed);
    }
    let deletion = Deletion { propagation: Some("Background".to_owned()), ..Deletion::default() };
    let what = format!("{}: what is left over of {inventory}", asked.cluster);
    let timeout = asked.timeout;
    let removing = Removing { verb: "prune", what, doomed, listed: true, deletion, wait: true, timeout };
    delete::remove(context, &asked.cluster, removing)
}

fn leftovers(
    asked: &Asked,
    inventory: Inventory,
    kept: Vec<Tree>,
) -> impl Future<Output = Result<Vec<Doomed>, Fault>> + Send + 'static {
    let (cluster, names) = (asked.cluster.clone(), asked.prune_kinds.clone());
    let own = asked.manner.namespace.clone();
    async move {
        let mut kinds = Vec::new();
        let mut identities = BTreeSet::new();
        let mut namespaces = BTreeSet::from([own]);
        for object in &kept {
            let kind = format!("{}/{}", object::api_version(object), object::kind(object));
            // What a dry run would only define has no objects yet.
            let Ok(resource) = cluster.resolve(&kind).await else { continue };
            identities.insert(inventory::identity(&resource, object));
            namespaces.extend(object::namespace(object).map(str::to_owned));
            if !kinds.contains(&resource) {
                kinds.push(resource);
            }
        }
        for name in names {
            let resource = cluster.resolve(&name).await?;
            if !kinds.contains(&resource) {
                kinds.push(resource);
            }
        }
        inventory.leftovers(&cluster, &kinds, &namespaces, &identities).await
    }
}

fn compare_objects(context: &NativeCallContext, cluster: &Cluster, given: &Dynamic, options: Map) -> Outcome<Object> {
    let options = context.options("k8s::diff", options)?;
    let mut asked = asked(context, cluster, given, &options).map_err(|fault| context.raise(fault))?;
    asked.manner.dry = true;
    let waiting = Waiting::request(format!("what applying would change in {}", asked.cluster), asked.timeout);
    context.wait(waiting, |progress| async move {
        let ended = apply::apply(&asked.cluster, &asked.documents, &asked.manner, &progress).await;
        let applied = apply::together(&asked.documents, ended)?;
        let kept = applied.iter().map(|one| one.object.clone()).collect();
        let pruned = match asked.inventory.clone() {
            Some(inventory) => leftovers(&asked, inventory, kept).await?,
            None => Vec::new(),
        };
        Ok(report::comparison(&applied, &pruned))
    })
}
