//! Which objects a script means.

use rhai::{Array, Dynamic, EvalAltResult, NativeCallContext};

use crate::{
    bindings::flux::kind::{FluxKind, Reference},
    duration,
    host::wait::Interrupted,
    kubernetes::client::{Cluster, Selection},
    script::{
        context::Call,
        fault::{Fault, Kind},
        options::Options,
    },
};

/// The namespace that an option names, or the context's own.
pub fn namespace(options: &Options, cluster: &Cluster) -> String {
    options.text("namespace").unwrap_or_else(|| cluster.namespace().to_owned())
}

/// The object of that kind and name.
///
/// # Errors
/// `usage`, if Flux has no such kind.
pub fn one(cluster: &Cluster, kind: &str, name: &str, options: &Options) -> Result<Reference, Fault> {
    Ok(Reference::new(FluxKind::named(kind)?, namespace(options, cluster), name))
}

/// The objects of a kind by their names: a text, or a list of them.
///
/// # Errors
/// `usage`, if Flux has no such kind, or something is no name.
pub fn several(cluster: &Cluster, kind: &str, names: &Dynamic, options: &Options) -> Result<Vec<Reference>, Fault> {
    let text = |name: &Dynamic| {
        let name = name.as_immutable_string_ref().map(|name| name.to_string());
        name.map_err(|kind| Fault::new(Kind::Usage, format!("an object's name is a text, not `{kind}`")))
    };
    let names = match names.read_lock::<Array>() {
        Some(names) => names.iter().map(text).collect::<Result<Vec<_>, _>>()?,
        None => vec![text(names)?],
    };
    if names.is_empty() {
        return Err(Fault::new(Kind::Usage, "the list of names is empty"));
    }
    names.iter().map(|name| one(cluster, kind, name, options)).collect()
}

/// What the options select.
///
/// # Errors
/// `usage`, if they name a namespace beside all of them.
pub fn selected(cluster: &Cluster, options: &Options) -> Result<Selection, Fault> {
    let everywhere = options.flag("all_namespaces");
    if everywhere && options.value("namespace").is_some() {
        let fault = Fault::new(Kind::Usage, "both `namespace` and `all_namespaces` are given");
        return Err(fault.hint("keep one of them"));
    }
    Ok(Selection {
        namespace: (!everywhere).then(|| namespace(options, cluster)),
        labels: options.text("labels"),
        ..Selection::default()
    })
}

/// The fault of a wait that took too long.
pub fn given_up(context: &NativeCallContext, interrupted: Interrupted, notes: Vec<String>) -> Box<EvalAltResult> {
    let Interrupted::TimedOut { what, after, because } = interrupted else { return context.interrupted(interrupted) };
    let fault = Fault::new(Kind::Timeout, format!("gave up waiting for {what} after {}", duration::show(after)));
    context.raise(fault.notes(because.map(|because| format!("last seen: {because}"))).notes(notes))
}
