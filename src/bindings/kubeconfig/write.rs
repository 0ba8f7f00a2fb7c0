//! Changing kubeconfigs.

use std::{path::PathBuf, time::Duration};

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::Value;

use super::{look::files, save::save};
use crate::{
    host::{
        Host,
        effect::{Effect, digest},
        secrets::Secret,
    },
    kubeconfig::{Changing, Clash, Kubeconfig, Source, Wish, named, read},
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        fault::{Fault, Kind},
        options::Options,
        values::{tree::Tree, yaml},
    },
};

/// Reading, locking and writing.
const DEADLINE: Duration = Duration::from_secs(10);

#[export_module]
pub mod functions {
    /// Lays a kubeconfig into the one that kubectl uses.
    #[rhai_fn(return_raw)]
    pub fn merge(context: NativeCallContext, source: Dynamic) -> Outcome<Dynamic> {
        merged(&context, &source, Map::new())
    }

    /// Lays a kubeconfig into the one that kubectl uses, or into a file.
    ///
    /// Contexts come with the clusters and users that they mean, and with the certificates and keys in the files that these
    /// name. What is there already is not added twice. Comments and whatever else stands in the file stay. Where no context
    /// is current yet, the one that is current in what is laid in becomes it.
    ///
    /// # Parameters
    /// - `source` (text or secret or map): a file, relative to the runbook's folder; or the kubeconfig itself, as a secret, a map
    ///   or a text of several lines
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `kubeconfig` (text, the files in `KUBECONFIG`, else `~/.kube/config`): the file to lay it into, relative to the
    ///   runbook's folder; of several files, new entries go into the first one that is there
    /// - `context` (text, all of them): lay in this context only
    /// - `name` (text, its own): what the context is called there
    /// - `clash` (text, `rename`): what becomes of an entry whose name another one has: `rename` calls it `NAME-1`, `refuse`
    ///   ends with a fault, `replace` takes the other's place
    /// - `current` (boolean, `false`): make it the current context
    ///
    /// # Returns
    /// An object with `contexts` (the names that the contexts have there) and `files` (those that were written; none, if all was
    /// there already).
    ///
    /// # Effect
    /// The file is changed, or made; a new one is its owner's alone. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `file`: a file can't be read or written
    /// - `parse`: one of the two is no kubeconfig; the message says where
    /// - `not_found`: there is no context of that name
    /// - `already_exists`: another entry has the name, and `clash` is `refuse`
    /// - `conflict`: somebody else keeps the file locked
    ///
    /// # Example
    /// ```rhai
    /// let merged = kubeconfig::merge("lab.kubeconfig", #{ kubeconfig: "all.kubeconfig", context: "lab", name: "admin@lab" });
    /// print(merged.contexts);
    /// ```
    #[rhai_fn(name = "merge", return_raw)]
    pub fn merge_with_options(context: NativeCallContext, source: Dynamic, options: Map) -> Outcome<Dynamic> {
        merged(&context, &source, options)
    }

    /// Makes a context the current one.
    #[rhai_fn(name = "use", return_raw)]
    pub fn choose(context: NativeCallContext, name: &str) -> Outcome<()> {
        chosen(&context, name, Map::new())
    }

    /// Makes a context the current one, which kubectl uses where none is named.
    ///
    /// # Parameters
    /// - `name` (text): the context
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `kubeconfig` (text, the files in `KUBECONFIG`, else `~/.kube/config`): a file, relative to the runbook's folder
    ///
    /// # Effect
    /// The file is changed. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `file`: a file can't be read or written
    /// - `parse`: it is no kubeconfig; the message says where
    /// - `not_found`: there is no context of that name
    /// - `conflict`: somebody else keeps the file locked
    ///
    /// # Example
    /// ```rhai
    /// kubeconfig::use("viewer", #{ kubeconfig: "lab.kubeconfig" });
    /// ```
    #[rhai_fn(name = "use", return_raw)]
    pub fn choose_with_options(context: NativeCallContext, name: &str, options: Map) -> Outcome<()> {
        chosen(&context, name, options)
    }

    /// Gives a context another name.
    #[rhai_fn(return_raw)]
    pub fn rename(context: NativeCallContext, name: &str, to: &str) -> Outcome<()> {
        renamed(&context, name, to, Map::new())
    }

    /// Gives a context another name; if it is the current one, it stays so.
    ///
    /// # Parameters
    /// - `name` (text): the context
    /// - `to` (text): its new name
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `kubeconfig` (text, the files in `KUBECONFIG`, else `~/.kube/config`): a file, relative to the runbook's folder
    ///
    /// # Effect
    /// The file is changed. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `file`: a file can't be read or written
    /// - `parse`: it is no kubeconfig; the message says where
    /// - `not_found`: there is no context of that name
    /// - `already_exists`: another context has the new name
    /// - `conflict`: somebody else keeps the file locked
    ///
    /// # Example
    /// ```rhai
    /// kubeconfig::rename("lab", "admin@lab", #{ kubeconfig: "lab.kubeconfig" });
    /// ```
    #[rhai_fn(name = "rename", return_raw)]
    pub fn rename_with_options(context: NativeCallContext, name: &str, to: &str, options: Map) -> Outcome<()> {
        renamed(&context, name, to, options)
    }

    /// Takes out a context, and its cluster and user unless others need them.
    #[rhai_fn(return_raw)]
    pub fn remove(context: NativeCallContext, name: &str) -> Outcome<bool> {
        removed(&context, name, Map::new())
    }

    /// Takes out a context, and its cluster and user unless another context means them, too.
    ///
    /// If it was the current context, none is current any more.
    ///
    /// # Parameters
    /// - `name` (text): the context
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `kubeconfig` (text, the files in `KUBECONFIG`, else `~/.kube/config`): a file, relative to the runbook's folder
    /// - `missing_ok` (boolean, `true`): it is fine if it is not there
    ///
    /// # Returns
    /// `true` if it was taken out, `false` if it was not there.
    ///
    /// # Effect
    /// The file is changed, and credentials in it are gone for good. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `file`: a file can't be read or written
    /// - `parse`: it is no kubeconfig; the message says where
    /// - `not_found`: there is no context of that name, and `missing_ok` is `false`
    /// - `conflict`: somebody else keeps the file locked
    ///
    /// # Example
    /// ```rhai
    /// kubeconfig::remove("viewer", #{ kubeconfig: "lab.kubeconfig" });
    /// ```
    #[rhai_fn(name = "remove", return_raw)]
    pub fn remove_with_options(context: NativeCallContext, name: &str, options: Map) -> Outcome<bool> {
        removed(&context, name, options)
    }
}

fn merged(context: &NativeCallContext, source: &Dynamic, options: Map) -> Outcome<Dynamic> {
    let options = context.options("kubeconfig::merge", options)?;
    let host = context.host();
    let prepared = (|| {
        let (incoming, text) = incoming(&host, source)?;
        Ok((incoming, text, wish(&options)?, files(&host, &options)?))
    })();
    let (incoming, text, wish, paths) = prepared.map_err(|fault| context.raise(fault))?;
    let target = Changing::read(&host, &paths).map_err(|fault| context.raise(fault))?.target().to_owned();
    let names: Vec<&str> = match &wish.context {
        Some(name) => vec![name],
        None => incoming.contexts.keys().map(String::as_str).collect(),
    };
    let effect =
        effect("merge", format!("{} into {}", names.join(", "), target.display()), &[&text, &format!("{wish:?}")]);
    changed(context, effect, paths, move |changing| changing.merge(&host, &incoming, &wish)).map(
        |(contexts, written)| {
            let texts = |texts: Vec<String>| texts.into_iter().map(|text| Tree::Text(text.into())).collect::<Tree>();
            let written = written.into_iter().map(|path| path.display().to_string()).collect();
            let fields = [("contexts", texts(contexts)), ("files", texts(written))];
            fields.into_iter().map(|(name, tree)| (name.into(), tree)).collect::<Tree>().to_dynamic()
        },
    )
}

fn chosen(context: &NativeCallContext, name: &str, options: Map) -> Outcome<()> {
    let options = context.options("kubeconfig::use", options)?;
    let paths = files(&context.host(), &options).map_err(|fault| context.raise(fault))?;
    let effect = effect("use", format!("{name} in {}", shown(&paths)), &[name]);
    let name = name.to_owned();
    changed(context, effect, paths, move |changing| changing.make_current(&name)).map(|_| ())
}

fn renamed(context: &NativeCallContext, name: &str, to: &str, options: Map) -> Outcome<()> {
    let options = context.options("kubeconfig::rename", options)?;
    let paths = files(&context.host(), &options).map_err(|fault| context.raise(fault))?;
    let effect = effect("rename", format!("{name} to {to} in {}", shown(&paths)), &[name, to]);
    let (name, to) = (name.to_owned(), to.to_owned());
    changed(context, effect, paths, move |changing| changing.rename(&name, &to)).map(|_| ())
}

fn removed(context: &NativeCallContext, name: &str, options: Map) -> Outcome<bool> {
    let options = context.options("kubeconfig::remove", options)?;
    let host = context.host();
    let looked = files(&host, &options).and_then(|paths| {
        let mut changing = Changing::read(&host, &paths)?;
        if !options.flag("missing_ok") {
            changing.known(name)?;
        }
        Ok((changing.remove(name)?, paths))
    });
    let (dies, paths) = looked.map_err(|fault| context.raise(fault))?;
    if dies.is_empty() {
        return Ok(false);
    }
    let mut effect = effect("remove", format!("{name} from {}", shown(&paths)), &[name]);
    effect.destroys = Some(dies);
    let name = name.to_owned();
    changed(context, effect, paths, move |changing| changing.remove(&name)).map(|(gone, _)| !gone.is_empty())
}

/// Announces a change of kubeconfigs and makes it; gives which files were written, too.
fn changed<T: Send + 'static>(
    context: &NativeCallContext,
    effect: Effect,
    paths: Vec<PathBuf>,
    change: impl FnMut(&mut Changing) -> Result<T, Fault> + Send + 'static,
) -> Outcome<(T, Vec<PathBuf>)> {
    let host = context.host();
    context.change(Change::repeatable_telling(effect, DEADLINE, move |progress| async move {
        let (value, written) = save(&host, &paths, &progress, change).await?;
        let detail = if written.is_empty() { "unchanged" } else { "changed" };
        Ok(Changed { value: (value, written), kept: Value::Null, detail: Some(detail.to_owned()) })
    }))
}

fn effect(verb: &str, what: String, parts: &[&str]) -> Effect {
    let parts: Vec<&[u8]> = [what.as_bytes()].into_iter().chain(parts.iter().map(|part| part.as_bytes())).collect();
    Effect {
        verb: verb.to_owned(),
        object: format!("kubeconfig: {what}"),
        digest: digest(&parts),
        repeatable: true,
        destroys: None,
    }
}

fn shown(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn wish(options: &Options) -> Result<Wish, Fault> {
    let clash = match options.text("clash").as_deref() {
        None | Some("rename") => Clash::Rename,
        Some("refuse") => Clash::Refuse,
        Some("replace") => Clash::Replace,
        Some(other) => {
            return Err(Fault::new(Kind::Usage, format!("`clash` is `{other}`"))
                .hint("it is one of `rename`, `refuse` and `replace`"));
        }
    };
    Ok(Wish { context: options.text("context"), name: options.text("name"), clash, current: options.flag("current") })
}

/// What is to be laid in, and its text.
fn incoming(host: &Host, source: &Dynamic) -> Result<(Kubeconfig, String), Fault> {
    let from_text = |text: String| (Source::Text("text".to_owned()), text);
    let (source, text) = if let Some(secret) = source.clone().try_cast::<Secret>() {
        from_text(secret.expose().to_owned())
    } else if let Ok(text) = source.clone().into_immutable_string() {
        if text.contains('\n') { from_text(text.into()) } else { named(host, &text)? }
    } else {
        from_text(yaml::wire(&Tree::from_dynamic(source)?))
    };
    Ok((read(vec![(source, text.clone())])?, text))
}
