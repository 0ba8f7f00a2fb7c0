//! Creating objects.

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::Value;

use super::{
    given,
    settle::{changed, holds, is_ours},
};
use crate::{
    host::effect::{Effect, digest},
    kubernetes::{apply, change::Validation, client::Cluster, explain::shown, object},
    script::{
        conductor::Outcome,
        context::{Call, Change, Settled},
        fault::Fault,
        values::json as text_of,
        values::object::Object,
    },
};

#[export_module]
pub mod functions {
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
    /// - `validation` (text, `"strict"`): what becomes of fields that its kind doesn't have: `strict` refuses the object, `warn` drops
    ///   them and says so, `ignore` drops them
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
}

fn create_object(context: &NativeCallContext, cluster: &Cluster, given: &Dynamic, options: Map) -> Outcome<Object> {
    let options = context.options("k8s::create", options)?;
    let read = || -> Result<_, Fault> {
        let validation = Validation::read(&options.text("validation").unwrap_or_default())?;
        Ok((options.deadline("timeout")?, validation, given::one(given, "create")?))
    };
    let (deadline, validation, document) = read().map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    given::remember(&cluster, std::slice::from_ref(&document));
    let namespace = match object::namespace(&document) {
        Some(namespace) => namespace.to_owned(),
        None => given::namespace(&options, &cluster),
    };
    let effect = Effect {
        verb: "create".to_owned(),
        object: format!("{cluster}: {}", apply::shown(&document)),
        digest: digest(&[text_of::write(&document).as_bytes(), cluster.context().as_bytes(), namespace.as_bytes()]),
        repeatable: false,
        destroys: None,
    };
    let kind = format!("{}/{}", object::api_version(&document), object::kind(&document));
    let perform = {
        let (cluster, kind, namespace, document) = (cluster.clone(), kind.clone(), namespace.clone(), document.clone());
        async move {
            let resource = cluster.resolve(&kind).await?;
            changed(cluster.create(&resource, &namespace, &document, validation).await?, "created")
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
            return Ok(Settled::Unknown { why, assumed: changed(document, "created")? });
        }
        let Some(found) = cluster.find(&resource, &namespace, &name).await? else { return Ok(Settled::DidNot) };
        match is_ours(&found) && holds(&found, &document) {
            true => Ok(Settled::Happened(changed(found, "created")?)),
            false => {
                let why = format!("{} is there, but is not what was sent", shown(&resource, &namespace, &name));
                Ok(Settled::Unknown { why, assumed: changed(found, "there")? })
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
