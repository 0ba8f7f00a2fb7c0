//! A file of SOPS: its values, and below `sops` for whom they are encrypted, by which rules, and the sum of them all.

use documents::yaml;
use ring::digest::{Context, SHA512};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::{
    Random, Rules,
    age::{self, Identity, Recipient},
    cipher,
};

/// Why a file isn't opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    #[error("{0}")]
    Malformed(String),
    #[error("none of the keys opens it: it is for {}", .0.join(", "))]
    OtherKeys(Vec<String>),
    #[error("`{0}`: {1}")]
    Value(String, String),
    #[error("its sum is another: a value was changed, added or taken away")]
    Changed,
}

/// What was in a file.
#[derive(Debug)]
pub struct Opened {
    pub values: Value,
    /// Where the values stand that were encrypted.
    pub secret: Vec<Vec<Part>>,
}

/// A part of a way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Name(String),
    Index(usize),
}

/// What the sum begins with if only encrypted values count.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b, 0x97, 0x5b,
    0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// The version whose format this is.
const VERSION: &str = "3.11.0";

/// Opens a file of YAML or JSON.
///
/// # Errors
/// It is none, is for others, or was changed.
pub fn open(text: &str, identities: &[Identity]) -> Result<Opened, Unopened> {
    let malformed = |why: &str| Unopened::Malformed(why.to_owned());
    let documents = yaml::read(text).map_err(|why| Unopened::Malformed(why.to_string()))?;
    let [document] = documents.as_slice() else { return Err(malformed("it is not one document")) };
    let (opened, is_whole) = opened(document.value(), identities)?;
    if is_whole { Ok(opened) } else { Err(Unopened::Changed) }
}

/// Opens what was a file and has been changed since where it isn't encrypted, as by kustomize: its sum is not asked for.
///
/// # Errors
/// It was none, or is for others.
pub fn open_changed(values: Value, identities: &[Identity]) -> Result<Opened, Unopened> {
    opened(values, identities).map(|(opened, _)| opened)
}

/// What was in it, and whether its sum is that of what is in it.
fn opened(mut values: Value, identities: &[Identity]) -> Result<(Opened, bool), Unopened> {
    let malformed = |why: &str| Unopened::Malformed(why.to_owned());
    let metadata = values.as_object_mut().and_then(|fields| fields.shift_remove("sops"));
    let metadata = metadata.ok_or(malformed("it has no `sops`: it isn't encrypted"))?;
    if metadata.get("key_groups").is_some() {
        return Err(malformed("`key_groups` is not supported"));
    }
    let rules = Rules::read(&metadata).map_err(Unopened::Malformed)?;
    let key = key(&metadata, identities)?;
    let mut walk = Walk::new(&rules, |value, path| {
        let text = value.as_str().ok_or("it isn't encrypted, and has to be")?;
        cipher::decrypt(text, &key, path)
    });
    walk.value(&mut values)?;
    let (secret, sum) = walk.finish();
    let text = |name: &str| metadata.get(name).and_then(Value::as_str).unwrap_or_default();
    let told = cipher::decrypt(text("mac"), &key, text("lastmodified"));
    Ok((Opened { values, secret }, told.is_ok_and(|told| told == sum)))
}

/// The key of the values, which lies in a file of age for each recipient.
fn key(metadata: &Value, identities: &[Identity]) -> Result<Zeroizing<[u8; 32]>, Unopened> {
    let boxes = metadata.get("age").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut recipients = Vec::new();
    for one in boxes {
        let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
        match age::open(text("enc"), identities) {
            Ok(key) => {
                let key =
                    key.as_slice().try_into().map_err(|_| Unopened::Malformed("its key has another length".into()))?;
                return Ok(Zeroizing::new(key));
            }
            Err(age::Unopened::OtherKeys) => recipients.push(text("recipient").to_owned()),
            Err(why @ age::Unopened::Malformed(_)) => {
                return Err(Unopened::Malformed(format!("the key for `{}`: {why}", text("recipient"))));
            }
        }
    }
    match recipients.is_empty() {
        true => Err(Unopened::Malformed("it is encrypted for nobody with a key of age".to_owned())),
        false => Err(Unopened::OtherKeys(recipients)),
    }
}

/// The text of a file, in YAML, that the recipients open. The moment is written as RFC 3339 says, in seconds.
///
/// # Errors
/// The values are no map, or have a field `sops`.
pub fn seal(
    mut values: Value,
    recipients: &[Recipient],
    rules: &Rules,
    moment: &str,
    random: &mut Random,
) -> Result<String, String> {
    match values.as_object() {
        None => return Err("what is encrypted is a map".to_owned()),
        Some(fields) if fields.contains_key("sops") => return Err("`sops` is where SOPS writes its own".to_owned()),
        Some(_) => {}
    }
    let rules = rules.clone().or_default();
    let mut key = Zeroizing::new([0; 32]);
    random(&mut *key);
    let mut walk = Walk::new(&rules, |value, path| Ok(cipher::encrypt(value, &key, path, random).into()));
    walk.is_sealing = true;
    walk.value(&mut values).map_err(|why| why.to_string())?;
    let (_, sum) = walk.finish();
    let sum = cipher::encrypt(&sum.into(), &key, moment, random);
    let boxes: Vec<Value> = recipients
        .iter()
        .map(|recipient| json!({"recipient": recipient.written(), "enc": age::seal(&*key, recipient, random)}))
        .collect();
    let mut metadata = Map::from_iter([
        ("age".to_owned(), boxes.into()),
        ("lastmodified".to_owned(), moment.into()),
        ("mac".to_owned(), sum.into()),
    ]);
    rules.write(&mut metadata);
    metadata.insert("version".to_owned(), VERSION.into());
    values["sops"] = metadata.into();
    Ok(yaml::write(&[values]))
}

/// What is done to a value, which is bound to the names on the way to it.
type Change<'c> = dyn FnMut(&Value, &str) -> Result<Value, String> + 'c;

/// A way through all values, in their order.
struct Walk<'w> {
    rules: &'w Rules,
    change: Box<Change<'w>>,
    is_sealing: bool,
    way: Vec<Part>,
    secret: Vec<Vec<Part>>,
    sum: Context,
}

impl<'w> Walk<'w> {
    fn new(rules: &'w Rules, change: impl FnMut(&Value, &str) -> Result<Value, String> + 'w) -> Self {
        let mut sum = Context::new(&SHA512);
        if rules.mac_only_encrypted {
            sum.update(&ONLY_ENCRYPTED);
        }
        Self { rules, change: Box::new(change), is_sealing: false, way: Vec::new(), secret: Vec::new(), sum }
    }

    fn value(&mut self, value: &mut Value) -> Result<(), Unopened> {
        match value {
            Value::Null => Ok(()),
            Value::Array(items) => {
                items.iter_mut().enumerate().try_for_each(|(index, item)| self.step(Part::Index(index), item))
            }
            Value::Object(fields) => {
                fields.iter_mut().try_for_each(|(name, field)| self.step(Part::Name(name.clone()), field))
            }
            leaf => self.leaf(leaf),
        }
    }

    fn step(&mut self, part: Part, value: &mut Value) -> Result<(), Unopened> {
        self.way.push(part);
        let done = self.value(value);
        self.way.pop();
        done
    }

    fn leaf(&mut self, value: &mut Value) -> Result<(), Unopened> {
        let names: Vec<&str> = self
            .way
            .iter()
            .filter_map(|part| match part {
                Part::Name(name) => Some(name.as_str()),
                Part::Index(_) => None,
            })
            .collect();
        let is_secret = self.rules.encrypt(&names);
        let before = value.clone();
        if is_secret {
            let path = names.join(":") + ":";
            *value = (self.change)(value, &path).map_err(|why| Unopened::Value(names.join("."), why))?;
            self.secret.push(self.way.clone());
        }
        if is_secret || !self.rules.mac_only_encrypted {
            let plain = if self.is_sealing { &before } else { &*value };
            self.sum.update(cipher::plain(plain).as_bytes());
        }
        Ok(())
    }

    fn finish(self) -> (Vec<Vec<Part>>, String) {
        let sum = self.sum.finish();
        (self.secret, sum.as_ref().iter().map(|byte| format!("{byte:02X}")).collect())
    }
}
