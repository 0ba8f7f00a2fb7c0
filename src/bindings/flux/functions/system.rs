//! Flux itself: whether it is well, and installing it.

use std::time::Duration;

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::Value;

use crate::{
    bindings::flux::{
        kind::{FLUX_INSTANCE, FluxKind, KUSTOMIZATION, Reference},
        system::{self, is_part},
    },
    host::{
        effect::{Effect, digest},
        frame,
        wait::{Progress, Waiting},
    },
    kubernetes::{
        apply::{self, Manner},
        change::Validation,
        client::{Cluster, MANAGER, Selection},
        manifest,
        object::{self, text},
        report,
        wait::{Until, Verdict},
        watch::{Observer, Seen},
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        fault::{Fault, Kind},
        values::{json as text_of, tree::Tree},
    },
};

/// How long a look takes at most that has no options.
const LOOK: Duration = Duration::from_secs(30);

/// How many requests are under way at once while it is installed.
const AT_ONCE: usize = 16;

#[export_module]
pub mod functions {
    /// Looks whether Flux itself is well on a cluster: which of its kinds are served, and how its controllers stand.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    ///
    /// # Returns
    /// An object with `healthy` (there are kinds, and nothing of Flux is unready), `version` (of Flux, as its parts say) and
    /// `kubernetes`, `kinds` (a map of each kind to the version that is served), `definitions`, a list of objects with `name`,
    /// `served` and `stored` (versions), `ready` and `because`, and `controllers`, a list of objects with `namespace`, `name`,
    /// `version`, `images`, `ready` and `because`.
    ///
    /// # Faults
    /// - `denied`: this user may not read definitions or list deployments
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// let flux = flux::check(cluster);
    /// for controller in flux.controllers { print(`${controller.name} ${controller.because}`); }
    /// ```
    #[rhai_fn(pure, return_raw)]
    pub fn check(context: NativeCallContext, cluster: &mut Cluster) -> Outcome<Dynamic> {
        let cluster = cluster.here();
        let asked = Waiting::request(format!("how Flux stands on {cluster}"), LOOK);
        context.wait(asked, |_| async move { Ok(Tree::from_json(system::checked(&cluster).await?).to_dynamic()) })
    }

    /// Installs Flux from its manifests, or brings it to their version.
    #[rhai_fn(pure, return_raw)]
    pub fn install(context: NativeCallContext, cluster: &mut Cluster, manifests: Dynamic) -> Outcome<Dynamic> {
        install_from(&context, cluster, &manifests, Map::new())
    }

    /// Installs Flux from its manifests, or brings it to their version, and waits until its controllers are ready.
    ///
    /// Namespaces and definitions come first, and each definition is waited for until it is served. A file is read by
    /// `k8s::manifests`, what is on a server by `http::get`.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `manifests` (text or list): YAML text, as `flux install --export` writes it and each release of Flux has it in
    ///   `install.yaml`, or a list of objects
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `force` (boolean, `false`): also where Flux is kept by its own repository, or by an operator
    /// - `timeout` (duration, `5m`): how long it may take until all is made, and then until the controllers are ready
    ///
    /// # Returns
    /// How Flux stands then, as `flux::check` gives it.
    ///
    /// # Effect
    /// The objects are made or changed. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `usage`: these are not the manifests of Flux
    /// - `refused`: Flux is kept by its own repository, or by an operator, which would take it back
    /// - `failed`: a controller can't become ready
    /// - `timeout`: it was not ready in time
    /// - `denied`: this user may not do it
    /// - `unreachable`: no connection
    ///
    /// # Example
    /// ```rhai cluster
    /// step "install Flux" {
    ///     let release = "https://github.com/fluxcd/flux2/releases/download/v2.9.5/install.yaml";
    ///     let flux = flux::install(cluster, http::get(release).text());
    ///     print(`Flux ${flux.version}`);
    /// }
    /// ```
    #[rhai_fn(name = "install", pure, return_raw)]
    pub fn install_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        manifests: Dynamic,
        options: Map,
    ) -> Outcome<Dynamic> {
        install_from(&context, cluster, &manifests, options)
    }
}

fn install_from(context: &NativeCallContext, cluster: &Cluster, given: &Dynamic, options: Map) -> Outcome<Dynamic> {
    let raise = |fault| context.raise(fault);
    let options = context.options("flux::install", options)?;
    let timeout = options.deadline("timeout").map_err(raise)?;
    let documents = manifest::given(given).and_then(manifest::documents).map_err(raise)?;
    let controllers: Vec<Tree> = documents.iter().filter(|one| is_controller(one)).cloned().collect();
    if controllers.is_empty() {
        let fault = Fault::new(Kind::Usage, "there is no controller of Flux in the manifests");
        let hint = format!("they are Deployments with the label `{}: {}`", system::PART.0, system::PART.1);
        return Err(raise(fault.hint(hint)));
    }
    let cluster = cluster.here();
    if !options.flag("force") {
        let asked = Waiting::request(format!("who keeps Flux on {cluster}"), LOOK);
        let looked = cluster.clone();
        context.wait(asked, |_| async move { refuse_what_is_kept(&looked).await })?;
    }
    apply_all(context, &cluster, documents, timeout)?;
    for controller in controllers {
        let awaited = Waiting::until(format!("{} to be ready", apply::shown(&controller)), timeout);
        let cluster = cluster.clone();
        context.wait(awaited, |progress| async move { ready(&cluster, &controller, &progress).await })?;
    }
    let asked = Waiting::request(format!("how Flux stands on {cluster}"), LOOK);
    context.wait(asked, |_| async move { Ok(Tree::from_json(system::checked(&cluster).await?).to_dynamic()) })
}

fn is_controller(object: &Tree) -> bool {
    object::kind(object) == "Deployment" && is_part(object)
}

/// Refuses to install what somebody else would take back.
async fn refuse_what_is_kept(cluster: &Cluster) -> Result<(), Fault> {
    if let Some(instance) = first(cluster, &FLUX_INSTANCE, |_| true).await? {
        let fault = Fault::new(Kind::Refused, format!("Flux is kept by {instance} on `{cluster}`"));
        return Err(fault.hint("change its `spec.distribution`; `force: true` installs all the same"));
    }
    // What was bootstrapped brings itself.
    let brings_itself = |found: &Tree| {
        text(found, &["metadata", "labels", &format!("{}/name", KUSTOMIZATION.group())]) == Some(object::name(found))
    };
    match first(cluster, &KUSTOMIZATION, brings_itself).await? {
        Some(own) => {
            let fault =
                Fault::new(Kind::Refused, format!("Flux is kept by {own} on `{cluster}`, from its own repository"));
            Err(fault.hint("change its manifests there; `force: true` installs all the same"))
        }
        None => Ok(()),
    }
}

async fn first(
    cluster: &Cluster,
    kind: &'static FluxKind,
    is_it: impl Fn(&Tree) -> bool,
) -> Result<Option<Reference>, Fault> {
    let resource = match kind.resolve(cluster).await {
        Err(fault) if fault.kind == Kind::Unsupported => return Ok(None),
        resource => resource?,
    };
    let found = cluster.list(&resource, &Selection::default()).await?.objects;
    let named = |found: &Tree| Reference::new(kind, object::namespace(found).unwrap_or_default(), object::name(found));
    Ok(found.iter().find(|found| is_it(found)).map(named))
}

fn apply_all(context: &NativeCallContext, cluster: &Cluster, documents: Vec<Tree>, timeout: Duration) -> Outcome<()> {
    let written: Vec<String> = documents.iter().map(text_of::write).collect();
    let parts: Vec<&[u8]> = written.iter().map(String::as_bytes).chain([cluster.context().as_bytes()]).collect();
    let effect = Effect {
        verb: "install".to_owned(),
        object: format!("{cluster}: Flux, {} objects", documents.len()),
        digest: digest(&parts),
        repeatable: true,
        destroys: None,
    };
    let manner = Manner {
        force: true,
        dry: false,
        manager: MANAGER,
        validation: Validation::Strict,
        namespace: cluster.namespace().to_owned(),
        at_once: AT_ONCE,
        until: context.host().clock.elapsed() + timeout.mul_f64(0.95),
        cancel: frame::current().cancel,
    };
    let cluster = cluster.clone();
    let perform = move |progress: Progress| async move {
        let applied = apply::together(&documents, apply::apply(&cluster, &documents, &manner, &progress).await)?;
        Ok(Changed { value: (), kept: Value::Null, detail: Some(report::line(&applied)) })
    };
    context.change(Change::repeatable_telling(effect, timeout, perform))
}

/// Watches a controller until it is ready.
async fn ready(cluster: &Cluster, controller: &Tree, progress: &Progress) -> Result<(), Fault> {
    let selection = Selection {
        namespace: object::namespace(controller).map(str::to_owned),
        fields: Some(format!("metadata.name={}", object::name(controller))),
        ..Selection::default()
    };
    let kind = format!("{}/{}", object::api_version(controller), object::kind(controller));
    let mut observer = Observer::new(cluster.clone(), kind, selection);
    loop {
        match observer.next().await? {
            Seen::Object(object) => match Until::Ready.judge(&object) {
                Verdict::Met => return Ok(()),
                Verdict::Waiting(because) => progress.because(because),
                Verdict::Hopeless(because) => {
                    let message = format!("{} is not ready: {because}", apply::shown(controller));
                    return Err(Fault::new(Kind::Failed, message));
                }
            },
            Seen::Gone(_) | Seen::Absent => progress.because("it is not there"),
            Seen::NoKind(because) | Seen::NotYet(because) => progress.because(because),
            Seen::Current => {}
        }
    }
}
