//! Replacing objects.

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};

use super::{
    given,
    settle::{changed, holds, is_ours},
};
use crate::{
    host::effect::{Effect, digest},
    kubernetes::{apply, change::Validation, client::Cluster, discovery::Resource, object},
    script::{
        conductor::Outcome,
        context::{Call, Change, Settled},
        fault::{Fault, Kind},
        values::json as text_of,
        values::object::Object,
        values::tree::Tree,
    },
};

#[export_module]
pub mod functions {
    /// Replaces an object by the one that is given, unless it was changed since it was read.
    #[rhai_fn(global, pure, return_raw)]
    pub fn replace(context: NativeCallContext, cluster: &mut Cluster, object: Dynamic) -> Outcome<Object> {
        replace_object(&context, cluster, &object, Map::new())
    }

    /// Replaces an object by the one that is given, unless it was changed since it was read.
    ///
    /// It is for what was read and changed: its `metadata.resourceVersion` says which state it comes from. What the given
    /// object lacks is lost, other than with `apply`.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `object` (map or text): an object, or YAML text with one
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it is if it names no namespace
    /// - `force` (boolean, `false`): replace whatever state is there; then the object needs no `metadata.resourceVersion`
    /// - `validation` (text, `"strict"`): what becomes of fields that its kind doesn't have: `strict` refuses the object, `warn` drops
    ///   them and says so, `ignore` drops them
    /// - `timeout` (duration, `30s`): how long it may take
    ///
    /// # Returns
    /// The object as it is now.
    ///
    /// # Effect
    /// The object is replaced. After a crash the run looks whether it was before it does it again; with `force` it does it again.
    ///
    /// # Faults
    /// - `conflict`: it was changed since it was read
    /// - `not_found`: it is not there
    /// - `invalid`: the server refuses it; the notes say which field and why
    /// - `unsupported`: the cluster has no such kind
    /// - `denied`: this user may not do it
    /// - `usage`: what is given is no Kubernetes object, or several, or lacks its `metadata.resourceVersion`
    /// - `in_doubt`: the connection broke, and nobody knows whether it was replaced
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// let space = cluster.get("namespace", "default");
    /// space.metadata.annotations = #{ "example.org/owner": "the shop" };
    /// cluster.replace(space);
    /// ```
    #[rhai_fn(global, name = "replace", pure, return_raw)]
    pub fn replace_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        object: Dynamic,
        options: Map,
    ) -> Outcome<Object> {
        replace_object(&context, cluster, &object, options)
    }
}

/// How often a forced replacement meets somebody else's change in between.
const REPLACINGS: usize = 5;

fn replace_object(context: &NativeCallContext, cluster: &Cluster, given: &Dynamic, options: Map) -> Outcome<Object> {
    let options = context.options("k8s::replace", options)?;
    let force = options.flag("force");
    let read = || -> Result<_, Fault> {
        let document = given::one(given, "replace")?;
        if !force && object::resource_version(&document).is_none() {
            let message =
                format!("{} has no `metadata.resourceVersion`, which says what it replaces", apply::shown(&document));
            return Err(Fault::new(Kind::Usage, message)
                .hint("read it with `get` and change that, or write `#{ force: true }` to replace whatever is there"));
        }
        let validation = Validation::read(&options.text("validation").unwrap_or_default())?;
        Ok((options.deadline("timeout")?, validation, document))
    };
    let (deadline, validation, document) = read().map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    given::remember(&cluster, std::slice::from_ref(&document));
    let namespace = match object::namespace(&document) {
        Some(namespace) => namespace.to_owned(),
        None => given::namespace(&options, &cluster),
    };
    let effect = Effect {
        verb: "replace".to_owned(),
        object: format!("{cluster}: {}", apply::shown(&document)),
        digest: digest(&[text_of::write(&document).as_bytes(), cluster.context().as_bytes(), namespace.as_bytes()]),
        repeatable: force,
        destroys: None,
    };
    let kind = format!("{}/{}", object::api_version(&document), object::kind(&document));
    let place = Place { cluster, kind, namespace, name: object::name(&document).to_owned() };
    if force {
        let perform = async move {
            let mut tries = 0;
            loop {
                let (resource, found) = place.read().await?;
                let mut document = document.clone();
                object::set_resource_version(&mut document, object::resource_version(&found));
                match place.cluster.replace(&resource, &place.namespace, &document, validation).await {
                    Err(fault) if fault.kind == Kind::Conflict && tries < REPLACINGS => tries += 1,
                    replaced => return changed(replaced?, "replaced"),
                }
            }
        };
        return context.change(Change::repeatable(effect, deadline, perform));
    }
    let perform = {
        let (place, document) = (place.clone(), document.clone());
        async move {
            let resource = place.cluster.resolve(&place.kind).await?;
            changed(place.cluster.replace(&resource, &place.namespace, &document, validation).await?, "replaced")
        }
    };
    let recall = {
        let place = place.clone();
        move |_| -> futures::future::BoxFuture<'static, _> {
            Box::pin(async move { Ok(changed(place.read().await?.1, "replaced")?.value) })
        }
    };
    let settle = async move {
        let (_, found) = place.read().await?;
        if object::resource_version(&found) == object::resource_version(&document) {
            return Ok(Settled::DidNot);
        }
        let mut sent = document.clone();
        object::set_resource_version(&mut sent, None);
        match is_ours(&found) && holds(&found, &sent) {
            true => Ok(Settled::Happened(changed(found, "replaced")?)),
            false => {
                let why = format!("{} was changed, but is not what was sent", apply::shown(&document));
                Ok(Settled::Unknown { why, assumed: changed(found, "replaced")? })
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

/// Where an object is.
#[derive(Clone)]
struct Place {
    cluster: Cluster,
    kind: String,
    namespace: String,
    name: String,
}

impl Place {
    async fn read(&self) -> Result<(Resource, Tree), Fault> {
        let resource = self.cluster.resolve(&self.kind).await?;
        let found = self.cluster.read(&resource, &self.namespace, &self.name).await?;
        Ok((resource, found))
    }
}
