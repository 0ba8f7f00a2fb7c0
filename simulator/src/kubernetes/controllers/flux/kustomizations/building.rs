//! What a Kustomization adds up to: kustomize's build of its folder, with secrets decrypted and variables filled in.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kustomize::{Unread, flux};
use serde_json::{Value, json};
use sops::age::Identity;

use super::{
    super::{
        super::{
            Name,
            fields::{self, Fields},
        },
        progress::Work,
        releases::text_of,
    },
    Failed,
};
use crate::kubernetes::repositories::Revision;

/// What a Secret has.
const SECRET: [&str; 6] = ["apiVersion", "data", "immutable", "kind", "metadata", "type"];
/// How long the lines are in which it is told why something isn't decrypted.
const LINE: usize = 60;

/// The objects, and whose they are.
pub fn build(work: &Work<'_>, revision: &Revision) -> Result<Vec<Value>, Failed> {
    let failed = |why: String| ("BuildFailed", why);
    let keys = keys(work).map_err(failed)?;
    let paths: Vec<&str> = revision.files.keys().map(String::as_str).collect();
    let read = |path: &str| revision.files.get(path).map(|text| text.clone().into_bytes()).ok_or(Unread::Absent);
    let built = flux::build(work.object.text("/spec/path"), work.object.at("/spec"), &paths, &read);
    let mut objects = built.map_err(|refusal| failed(format!("kustomize build failed: {refusal}")))?;
    for object in &mut objects {
        let shown = identity(object);
        if let Some(keys) = &keys {
            decrypt(object, keys).map_err(|why| failed(format!("decryption failed for '{shown}': {why}")))?;
        }
        let filled = variables(work).and_then(|variables| {
            flux::substituted(object, &variables).map_err(|why| format!("envsubst error: {why}"))
        });
        *object = filled.map_err(|why| failed(format!("post build failed for '{shown}': {why}")))?;
        own(work, object);
        if object.text("/kind") == "Secret" && object.text("/apiVersion") == "v1" {
            be_plain(object);
        }
    }
    Ok(objects)
}

/// `Deployment.v1.apps/web`, `ConfigMap.v1.[noGrp]/settings`
fn identity(object: &Value) -> String {
    let api_version = object.text("/apiVersion");
    let (group, version) = api_version.split_once('/').unwrap_or(("[noGrp]", api_version));
    format!("{}.{version}.{group}/{}", object.text("/kind"), object.name())
}

/// What secrets are decrypted with; none, if they are left alone.
fn keys(work: &Work<'_>) -> Result<Option<Vec<Identity>>, String> {
    if !work.object.has("/spec/decryption") {
        return Ok(None);
    }
    let mut keys = Vec::new();
    let name = work.object.text("/spec/decryption/secretRef/name");
    if !name.is_empty() {
        let namespace = work.object.namespace();
        let there = Name { namespace: namespace.to_owned(), name: name.to_owned() };
        let secret = work.tools.there("secrets", &there).ok_or_else(|| format!("secrets {name:?} not found"))?;
        for entry in secret.at("/data").as_object().into_iter().flat_map(|data| data.keys()) {
            let text = text_of(&secret, entry).unwrap_or_default();
            match entry.rsplit_once('.') {
                Some((_, "agekey")) => keys.extend(Identity::read_all(&text).map_err(|line| {
                    let is_one = text.lines().nth(line - 1).is_some_and(|line| line.starts_with("AGE-SECRET-KEY-1"));
                    let why = if is_one { "malformed secret key: invalid checksum" } else { "unknown identity type" };
                    format!(
                        "failed to import '{entry}' data from sops decryption Secret '{namespace}/{name}': failed to parse \
                         and add to age identities: {why}"
                    )
                })?),
                Some((_, "asc")) => return Err("a rehearsal has no model of keys of PGP".to_owned()),
                _ => {}
            }
        }
    }
    Ok(Some(keys))
}

/// Decrypts what SOPS encrypted. That nothing in it was changed can't be seen any more: kustomize may have.
fn decrypt(object: &mut Value, keys: &[Identity]) -> Result<(), String> {
    if !object.has("/sops") {
        let data = object.at("/data").as_object().into_iter().flatten();
        let texts = data.filter_map(|(_, text)| STANDARD.decode(text.as_str()?).ok());
        let marks: [&[u8]; 2] = [b"\nsops:", b"\"sops\":"];
        let is_sealed = |text: Vec<u8>| marks.iter().any(|mark| text.windows(mark.len()).any(|part| part == *mark));
        return match object.text("/kind") == "Secret" && texts.into_iter().any(is_sealed) {
            true => Err("a rehearsal has no model of encrypted files in generators".to_owned()),
            false => Ok(()),
        };
    }
    let of = format!("{}/{}", object.namespace(), object.name());
    let wrong = |why: String| format!("failed to decrypt and format '{of}' {} data: {why}", object.text("/kind"));
    let why = match sops::open_changed(object.clone(), keys) {
        Ok(opened) => {
            *object = opened.values;
            return Ok(());
        }
        Err(sops::Unopened::OtherKeys(_)) if keys.is_empty() => {
            "a rehearsal has no model of keys of age but in the secret".to_owned()
        }
        Err(sops::Unopened::OtherKeys(recipients)) => format!(
            "cannot get sops data key: Failed to get the data key required to decrypt the SOPS file.\n\nGroup 0: FAILED\n{}\
             \nRecovery failed because no master key was able to decrypt the file. In\norder for SOPS to recover the file, at \
             least one key has to be successful,\nbut none were.",
            recipients.iter().map(|recipient| unopened(recipient)).collect::<String>()
        ),
        Err(why) => format!("error decrypting sops tree: {why}"),
    };
    Err(wrong(why))
}

/// What is told of one recipient whose key nobody has.
fn unopened(recipient: &str) -> String {
    let why = "failed to create reader for decrypting sops data key with age: identity did not match any of the recipients: \
               incorrect identity for recipient block";
    let mut lines = vec![String::new()];
    for word in why.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= LINE => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    format!("  {recipient}: FAILED\n    - | {}\n", lines.join("\n      | "))
}

/// What is filled in: what is said here above what is said elsewhere.
fn variables(work: &Work<'_>) -> Result<BTreeMap<String, String>, String> {
    let given = work.object.at("/spec/postBuild");
    let mut variables = BTreeMap::new();
    for reference in given.list("/substituteFrom") {
        let (kind, name) = (reference.text("/kind"), reference.text("/name"));
        let plural = format!("{}s", kind.to_lowercase());
        let there = Name { namespace: work.object.namespace().to_owned(), name: name.to_owned() };
        match work.tools.there(&plural, &there) {
            Some(there) => {
                let keys = there.at("/data").as_object().into_iter().flat_map(|data| data.keys());
                variables.extend(keys.filter_map(|key| Some((key.clone(), text_of(&there, key)?))));
            }
            None if reference.flag("/optional") => {}
            None => return Err(format!("substitute from '{kind}/{name}' error: {plural} {name:?} not found")),
        }
    }
    let own = given.at("/substitute").as_object().into_iter().flatten();
    variables.extend(own.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())));
    variables.values_mut().for_each(|text| text.retain(|letter| letter != '\n'));
    Ok(variables)
}

/// Gives it what all have, and says whose it is.
fn own(work: &Work<'_>, object: &mut Value) {
    for marks in ["labels", "annotations"] {
        if let Some(shared) = work.object.at("/spec/commonMetadata").get(marks).and_then(Value::as_object) {
            fields::map(&mut object["metadata"], marks).extend(shared.clone());
        }
    }
    let (namespace, name) = work.place();
    let labels = fields::map(&mut object["metadata"], "labels");
    labels.insert("kustomize.toolkit.fluxcd.io/name".to_owned(), json!(name));
    labels.insert("kustomize.toolkit.fluxcd.io/namespace".to_owned(), json!(namespace));
}

/// Puts the texts of a Secret where they are kept, and leaves out what no Secret has: of one that nobody decrypted, too.
fn be_plain(secret: &mut Value) {
    let texts = secret.at("/stringData").as_object().cloned().unwrap_or_default();
    for (key, text) in texts {
        let bytes = STANDARD.encode(text.as_str().unwrap_or_default());
        fields::map(secret, "data").insert(key, json!(bytes));
    }
    if let Some(own) = secret.as_object_mut() {
        own.retain(|field, _| SECRET.contains(&field.as_str()));
    }
}
