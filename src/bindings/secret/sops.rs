//! Files that SOPS encrypts for keys of age. What was encrypted in them is a secret here.

use rhai::{Array, Dynamic, Map, NativeCallContext, plugin::*};
use sops::{
    Part, Regex, Rules, Unopened,
    age::{Identity, Recipient},
};

use crate::{
    host::secrets::Secret,
    script::{
        conductor::Outcome,
        context::Call,
        fault::{Fault, Kind},
        options::Options,
        values::tree::Tree,
    },
};

#[export_module]
pub mod functions {
    /// Makes a new key of age, from the operating system's chance.
    ///
    /// The journal doesn't hold the private key: a step whose value it is runs again when the run is resumed, and makes another
    /// one. Write it where it is to be kept within the same step.
    ///
    /// # Returns
    /// A map of `private`, a `Secret` as `age-keygen` writes it, and `public`, the recipient that others encrypt for.
    ///
    /// # Example
    /// ```rhai
    /// step "a key for the secrets" {
    ///     let key = secret::age_key();
    ///     fs::write("keys/age.txt", key.private + "\n");
    ///     print(key.public);
    /// }
    /// ```
    pub fn age_key(context: NativeCallContext) -> Map {
        let host = context.host();
        let key = Identity::new(&mut |bytes| host.entropy.fill(bytes));
        let public = key.recipient().written();
        let private = Secret::new(format!("age key {public}"), key.written().to_string());
        host.secrets.remember(&private);
        [("private".into(), Dynamic::from(private)), ("public".into(), public.into())].into()
    }

    /// Opens a file, YAML or JSON, that SOPS encrypted for a key of age.
    ///
    /// That nothing in it was changed, added or taken away is seen to. Comments are not kept.
    ///
    /// # Parameters
    /// - `path` (file): the file, relative to the runbook's folder
    /// - `key` (secret or text): the private key, as `age-keygen` writes it; several, a line each
    ///
    /// # Returns
    /// An object. What was encrypted is a `Secret` in it, numbers too; it can be applied as it is.
    ///
    /// # Faults
    /// - `file`: the file is missing, not text, or outside of the runbook's folder
    /// - `denied`: the file is for other keys; the notes list their recipients
    /// - `parse`: it is no such file, or was changed; or the key is none
    ///
    /// # Example
    /// ```rhai
    /// step "open the login" {
    ///     let key = secret::age_key();
    ///     fs::write("login.sops.yaml", secret::encrypt(#{ user: "rosa", password: "8d7f" }, [key.public]));
    ///     let login = secret::decrypt("login.sops.yaml", key.private);
    ///     print(login.password);
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn decrypt(context: NativeCallContext, path: &str, key: Dynamic) -> Outcome<Dynamic> {
        let text = context.host().files.read(path).map_err(|error| context.raise(error.into()))?;
        let keys = identities(&key).map_err(|fault| context.raise(fault))?;
        let opened = sops::open(&text, &keys).map_err(|why| context.raise(unopened(path, why)))?;
        let tree = tree(opened.values, &mut Vec::new(), &opened.secret, path);
        context.host().secrets.remember_all(secrets(&tree));
        Ok(tree.to_dynamic())
    }

    /// Encrypts values for keys of age, as a file of SOPS.
    #[rhai_fn(return_raw)]
    pub fn encrypt(context: NativeCallContext, values: Map, recipients: Array) -> Outcome<String> {
        super::encrypted(&context, values, &recipients, Map::new())
    }

    /// Encrypts values for keys of age, as a file of SOPS.
    ///
    /// All values are encrypted, but those below names that end with `_unencrypted`, unless an option says otherwise.
    ///
    /// # Parameters
    /// - `values` (map): names to values, secrets, lists and maps
    /// - `recipients` (list): whoever has a private key of one of these opens it: `age1…`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `encrypted_regex` (text): only what is below such names is encrypted, as in `^(data|stringData)$`
    /// - `unencrypted_regex` (text): what is below such names isn't
    /// - `encrypted_suffix` (text): only what is below names that end so is
    /// - `unencrypted_suffix` (text): what is below names that end so isn't
    ///
    /// # Returns
    /// The text of the file, in YAML, without comments.
    ///
    /// # Faults
    /// - `usage`: a recipient or an expression is none, or there is no recipient
    ///
    /// # Example
    /// ```rhai
    /// let key = secret::age_key();
    /// let object = secret::manifest("login", #{ password: secret::of("8d7f", "password") });
    /// print(secret::encrypt(object, [key.public], #{ encrypted_regex: "^(data|stringData)$" }).contains("8d7f"));
    /// ```
    #[rhai_fn(name = "encrypt", return_raw)]
    pub fn encrypt_with_options(
        context: NativeCallContext,
        values: Map,
        recipients: Array,
        options: Map,
    ) -> Outcome<String> {
        super::encrypted(&context, values, &recipients, options)
    }
}

fn encrypted(context: &NativeCallContext, values: Map, recipients: &Array, options: Map) -> Outcome<String> {
    let options = context.options("secret::encrypt", options)?;
    let (rules, recipients) = rules(&options)
        .and_then(|rules| Ok((rules, self::recipients(recipients)?)))
        .map_err(|fault| context.raise(fault))?;
    let values = Tree::from_dynamic(&values.into()).map_err(|error| context.raise(error.into()))?;
    let host = context.host();
    let moment = host.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    sops::seal(values.wire_json(), &recipients, &rules, &moment, &mut |bytes| host.entropy.fill(bytes))
        .map_err(|why| context.raise(Fault::new(Kind::Usage, why)))
}

fn identities(key: &Dynamic) -> Result<Vec<Identity>, Fault> {
    let secret = key.read_lock::<Secret>().map(|secret| secret.clone());
    let text = secret.map_or_else(|| key.to_string(), |secret| secret.expose().to_owned());
    let keys = Identity::read_all(&text)
        .map_err(|line| Fault::new(Kind::Parse, format!("line {line} of the key is no private key of age")));
    match keys {
        Ok(keys) if keys.is_empty() => Err(Fault::new(Kind::Parse, "there is no private key of age")),
        keys => keys,
    }
    .map_err(|fault| fault.hint("it begins with `AGE-SECRET-KEY-1`"))
}

fn recipients(given: &Array) -> Result<Vec<Recipient>, Fault> {
    if given.is_empty() {
        return Err(Fault::new(Kind::Usage, "there is nobody to encrypt for").hint("give a recipient: `age1…`"));
    }
    let recipient = |given: &Dynamic| {
        let text = given.to_string();
        Recipient::read(&text).ok_or_else(|| {
            Fault::new(Kind::Usage, format!("`{text}` is no recipient of age")).hint("it begins with `age1`")
        })
    };
    given.iter().map(recipient).collect()
}

fn rules(options: &Options) -> Result<Rules, Fault> {
    let expression = |name: &str| {
        let unfit = |_| Fault::new(Kind::Usage, format!("`{name}` is no expression"));
        options.text(name).map(|text| Regex::new(&text).map_err(unfit)).transpose()
    };
    Ok(Rules {
        encrypted_regex: expression("encrypted_regex")?,
        unencrypted_regex: expression("unencrypted_regex")?,
        encrypted_suffix: options.text("encrypted_suffix"),
        unencrypted_suffix: options.text("unencrypted_suffix"),
        mac_only_encrypted: false,
    })
}

fn unopened(path: &str, why: Unopened) -> Fault {
    let message = format!("{path}: {why}");
    match why {
        Unopened::OtherKeys(recipients) => Fault::new(Kind::Denied, message)
            .notes(recipients.iter().map(|recipient| format!("it is for {recipient}")))
            .hint("give the private key of one of them"),
        _ => Fault::new(Kind::Parse, message),
    }
}

/// The values, with secrets where they were encrypted.
fn tree(value: serde_json::Value, way: &mut Vec<Part>, secret: &[Vec<Part>], path: &str) -> Tree {
    let mut step = |part: Part, value| {
        way.push(part);
        let tree = tree(value, way, secret, path);
        way.pop();
        tree
    };
    match value {
        serde_json::Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name.as_str().into(), step(Part::Name(name), value))).collect()
        }
        serde_json::Value::Array(items) => {
            items.into_iter().enumerate().map(|(index, item)| step(Part::Index(index), item)).collect()
        }
        leaf if secret.contains(way) => {
            let names: Vec<String> = way
                .iter()
                .map(|part| match part {
                    Part::Name(name) => name.clone(),
                    Part::Index(index) => index.to_string(),
                })
                .collect();
            let text = leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned);
            Tree::Secret(Secret::new(format!("sops:{path} {}", names.join(".")), text).into())
        }
        leaf => Tree::from_json(leaf),
    }
}

fn secrets(tree: &Tree) -> Vec<Secret> {
    match tree {
        Tree::Secret(secret) => vec![(**secret).clone()],
        Tree::List(items) => items.iter().flat_map(secrets).collect(),
        Tree::Map(fields) => fields.iter().flat_map(|(_, value)| secrets(value)).collect(),
        _ => Vec::new(),
    }
}
