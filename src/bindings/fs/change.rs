//! Writing, copying and removing.

use std::{sync::Arc, time::Duration};

use rhai::{Blob, Dynamic, ImmutableString, Map, NativeCallContext, plugin::*};
use serde_json::Value;

use crate::{
    host::{
        effect::Effect,
        files::{self, FileError, Files, GONE, SECRET_MODE},
        secrets::Secret,
    },
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed, Settled},
        fault::{Fault, Kind},
        options::Options,
    },
};

/// A disk that takes longer is broken.
const DEADLINE: Duration = Duration::from_secs(300);

/// How many of the files that die are named.
const NAMED: usize = 20;

#[export_module]
pub mod functions {
    /// Writes a file, in place of what was in it.
    #[rhai_fn(return_raw)]
    pub fn write(context: NativeCallContext, path: &str, content: Dynamic) -> Outcome<()> {
        write_file(&context, path, &content, Map::new())
    }

    /// Writes a file, in place of what was in it. Folders on the way are made.
    ///
    /// Whoever reads it meanwhile sees the old content or the new one, and nothing between. A file that is there keeps its mode,
    /// unless it is given one or the content is a secret.
    ///
    /// # Parameters
    /// - `path` (text): the file, relative to the runbook's folder
    /// - `content` (text or secret or bytes): what is to be in it; of a secret, its value
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `mode` (text, as the file has it): who may do what with it, such as `0640`; `0600` for a secret
    ///
    /// # Effect
    /// The file is made or changed. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `file`: it is outside of the runbook's folder, or can't be written
    /// - `usage`: the content is none of these, or the mode is not one
    ///
    /// # Example
    /// ```rhai
    /// step "write the settings" {
    ///     fs::write("generated/app.yaml", yaml::write(#{ replicas: 3 }));
    ///     fs::write("generated/token", secret::of("8d7f-11c2", "token"), #{ mode: "0600" });
    /// }
    /// ```
    #[rhai_fn(name = "write", return_raw)]
    pub fn write_with_options(context: NativeCallContext, path: &str, content: Dynamic, options: Map) -> Outcome<()> {
        write_file(&context, path, &content, options)
    }

    /// Puts a text behind what is in a file.
    #[rhai_fn(return_raw)]
    pub fn append(context: NativeCallContext, path: &str, content: Dynamic) -> Outcome<()> {
        append_to_file(&context, path, &content, Map::new())
    }

    /// Puts a text behind what is in a file; a file that is not there is made.
    ///
    /// # Parameters
    /// - `path` (text): the file, relative to the runbook's folder
    /// - `content` (text or secret or bytes): what is to come at its end, with a line break if it is to be a line
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `mode` (text, as the file has it): who may do what with it, such as `0640`; `0600` for a secret
    ///
    /// # Effect
    /// The file is made or changed. After a crash the run looks whether the text is there before it puts it there again; if it
    /// is, and may have been there before, a person is asked.
    ///
    /// # Faults
    /// - `file`: it is outside of the runbook's folder, or can't be read or written
    /// - `usage`: the content is none of these, or the mode is not one
    ///
    /// # Example
    /// ```rhai
    /// step "take a note" {
    ///     fs::append("diary.txt", "drained worker-2\n");
    /// }
    /// ```
    #[rhai_fn(name = "append", return_raw)]
    pub fn append_with_options(context: NativeCallContext, path: &str, content: Dynamic, options: Map) -> Outcome<()> {
        append_to_file(&context, path, &content, options)
    }

    /// Copies a file, or a folder with all that is in it. Modes are kept, and folders on the way are made.
    ///
    /// What is there already is overwritten; what else is in a folder stays.
    ///
    /// # Parameters
    /// - `from` (text): the file or folder, relative to the runbook's folder
    /// - `to` (text): the path of the copy, not the folder for it
    ///
    /// # Effect
    /// The copy is made or changed. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `file`: one of them is outside of the runbook's folder, the first is missing, or the copy can't be written
    ///
    /// # Example
    /// ```rhai
    /// step "keep the old settings" {
    ///     fs::copy("app.yaml", "before/app.yaml");
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn copy(context: NativeCallContext, from: &str, to: &str) -> Outcome<()> {
        let files = context.host().files;
        let raise = |error: FileError| context.raise(error.into());
        let content = copied(&files, from).map_err(raise)?;
        let effect = effect("copy", files.name(to), content);
        let (from, to) = (from.to_owned(), to.to_owned());
        let perform = async move { Ok(done(files.copy(&from, &to)?.word())) };
        context.change(Change::repeatable(effect, DEADLINE, perform))
    }

    /// Removes a file, or a folder with all that is in it. Of a link, the link is removed and not what it leads to.
    ///
    /// # Parameters
    /// - `path` (text): the file or folder, relative to the runbook's folder
    ///
    /// # Effect
    /// It is gone for good; the files that die with it are shown first. What is not there is not missed.
    ///
    /// # Faults
    /// - `file`: it is outside of the runbook's folder, is that folder itself, or can't be removed
    /// - `refused`: a person or the run's rules did not allow it
    ///
    /// # Example
    /// ```rhai
    /// step "tidy up" {
    ///     fs::remove("generated");
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn remove(context: NativeCallContext, path: &str) -> Outcome<()> {
        let files = context.host().files;
        let dying = files.all_in(path).map_err(|error| context.raise(error.into()))?;
        let effect = Effect { destroys: Some(named(dying)), ..effect("remove", files.name(path), GONE.to_owned()) };
        let path = path.to_owned();
        let perform = async move { Ok(done(if files.remove(&path)? { "removed" } else { "unchanged" })) };
        context.change(Change::repeatable(effect, DEADLINE, perform))
    }

    /// Makes a folder, and those on the way to it.
    ///
    /// # Parameters
    /// - `path` (text): the folder, relative to the runbook's folder
    ///
    /// # Effect
    /// The folder is there. Doing it twice is the same as doing it once.
    ///
    /// # Faults
    /// - `file`: it is outside of the runbook's folder, or can't be made
    ///
    /// # Example
    /// ```rhai
    /// step "make room" {
    ///     fs::make_folder("generated/charts");
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn make_folder(context: NativeCallContext, path: &str) -> Outcome<()> {
        let files = context.host().files;
        let effect = effect("make folder", files.name(path), String::new());
        let path = path.to_owned();
        let perform = async move { Ok(done(if files.make_folder(&path)? { "created" } else { "unchanged" })) };
        context.change(Change::repeatable(effect, DEADLINE, perform))
    }
}

fn write_file(context: &NativeCallContext, path: &str, content: &Dynamic, options: Map) -> Outcome<()> {
    let options = context.options("fs::write", options)?;
    let Content { bytes, digest, mode } = content_of(content, &options).map_err(|fault| context.raise(fault))?;
    let files = context.host().files;
    let effect = effect("write", files.name(path), digest);
    let path = path.to_owned();
    let perform = async move { Ok(done(files.write(&path, &bytes, mode)?.word())) };
    context.change(Change::repeatable(effect, DEADLINE, perform))
}

fn append_to_file(context: &NativeCallContext, path: &str, content: &Dynamic, options: Map) -> Outcome<()> {
    let options = context.options("fs::append", options)?;
    let Content { bytes, digest, mode } = content_of(content, &options).map_err(|fault| context.raise(fault))?;
    let files = context.host().files;
    let effect = Effect { repeatable: false, ..effect("append to", files.name(path), digest) };
    let path: Arc<str> = path.into();
    let bytes: Arc<[u8]> = bytes.into();
    let settle = {
        let (files, path, bytes) = (files.clone(), path.clone(), bytes.clone());
        Box::pin(async move {
            if !files.ends_with(&path, &bytes)? {
                return Ok(Settled::DidNot);
            }
            let why = format!("`{path}` ends with it, and may have done so before");
            Ok(Settled::Unknown { why, assumed: done("appended") })
        })
    };
    context.change(Change {
        effect,
        deadline: DEADLINE,
        perform: Box::new(move |_| {
            Box::pin(async move {
                files.append(&path, &bytes, mode)?;
                Ok(Changed { kept: Value::String(files.digest_of(&path)), ..done("appended") })
            })
        }),
        recall: Box::new(|_| Box::pin(async { Ok(()) })),
        settle,
    })
}

/// An effect on a file, which may be repeated. Its digest is that of the file after it, so that a run knows what it has
/// written itself from what somebody else has edited.
fn effect(verb: &str, object: String, digest: String) -> Effect {
    Effect { verb: verb.to_owned(), object, digest, repeatable: true, destroys: None }
}

fn done(detail: &str) -> Changed<()> {
    Changed { value: (), kept: Value::Null, detail: Some(detail.to_owned()) }
}

struct Content {
    bytes: Vec<u8>,
    /// Of a secret, that of its reference: a digest of a short one would give it away.
    digest: String,
    mode: Option<u32>,
}

fn content_of(content: &Dynamic, options: &Options) -> Result<Content, Fault> {
    let mode = options.text("mode").map(|text| mode_of(&text)).transpose()?;
    let plain = |bytes: &[u8]| Content { bytes: bytes.to_vec(), digest: files::digest(bytes), mode };
    if let Some(secret) = content.read_lock::<Secret>() {
        let digest = files::digest(format!("{:?}", *secret).as_bytes());
        let bytes = secret.expose().as_bytes().to_vec();
        return Ok(Content { bytes, digest, mode: mode.or(Some(SECRET_MODE)) });
    }
    if let Some(bytes) = content.read_lock::<Blob>() {
        return Ok(plain(&bytes));
    }
    match content.read_lock::<ImmutableString>() {
        Some(text) => Ok(plain(text.as_bytes())),
        None => {
            let kind = content.type_name().rsplit("::").next().unwrap_or_default().to_owned();
            Err(Fault::new(Kind::Usage, format!("a file holds text, bytes or a secret, and was given a `{kind}`"))
                .hint("write data with `yaml::write(…)` or `json::pretty(…)` around it"))
        }
    }
}

fn mode_of(text: &str) -> Result<u32, Fault> {
    let octal = text.len() >= 3 && text.len() <= 4 && text.chars().all(|digit| digit.is_digit(8));
    match u32::from_str_radix(text, 8) {
        Ok(mode) if octal => Ok(mode),
        _ => Err(Fault::new(Kind::Usage, format!("`{text}` is not the mode of a file"))
            .hint("write it as a text of octal digits: `\"0640\"`")),
    }
}

/// What a copy will be, as a digest: that of the file, or of all names and files of a folder.
fn copied(files: &Files, from: &str) -> Result<String, FileError> {
    let all = files.all_in(from)?;
    if all == [from] {
        return Ok(files::digest(&files.read_bytes(from)?));
    }
    let mut whole = Vec::new();
    for path in &all {
        whole.extend_from_slice(path.as_bytes());
        whole.push(0);
        // A link may lead anywhere; the copy has it as it is.
        whole.extend_from_slice(files.digest_of(path).as_bytes());
    }
    Ok(files::digest(&whole))
}

fn named(mut dying: Vec<String>) -> Vec<String> {
    let more = dying.len().saturating_sub(NAMED);
    dying.truncate(NAMED);
    if more > 0 {
        dying.push(format!("and {more} more"));
    }
    dying
}
