//! Credentials for Git servers.

use std::{collections::BTreeMap, time::Duration};

use rhai::{Dynamic, Map, NativeCallContext, plugin::*};
use serde_json::Value;

use super::target;
use crate::{
    bindings::flux::credentials::{
        BEARER_TOKEN, CA, Host, IDENTITY, IDENTITY_PUB, KNOWN_HOSTS, PASSWORD, Server, USERNAME, manifest, present,
        reference,
    },
    host::{
        effect::{Effect, digest},
        keys::Algorithm,
        secrets::Secret,
        wait::Waiting,
    },
    kubernetes::{change::Applying, client::Cluster, secrets},
    script::{
        conductor::Outcome,
        context::{Call, Change, Changed},
        fault::{Fault, Kind},
        options::Options,
    },
    ssh::{pair, public::Public},
    wire::authority::Authority,
};

type Values = BTreeMap<&'static str, Secret>;

#[export_module]
pub mod functions {
    /// Makes the Secret that a GitRepository logs in with by SSH, and a key for it.
    #[rhai_fn(pure, return_raw)]
    pub fn create_secret_git(
        context: NativeCallContext,
        cluster: &mut Cluster,
        name: &str,
        url: &str,
    ) -> Outcome<Dynamic> {
        create(&context, cluster, name, url, Map::new())
    }

    /// Makes the Secret that a GitRepository logs in with, as `flux create secret git` does.
    ///
    /// By SSH a key is made for it, whose public half has to be told to the Git server, and the server is asked for its own key,
    /// which from then on is the one that Flux trusts. A key that is in the Secret already stays, and so does what is known of
    /// the server, so that doing it again doesn't shut Flux out. By HTTPS a user and a password are needed, or a token.
    ///
    /// # Parameters
    /// - `cluster` (cluster): the cluster
    /// - `name` (text): the Secret's name
    /// - `url` (text): where the repository is: `ssh://git@git.example.org/team/fleet`, `https://git.example.org/team/fleet`
    /// - `options` (map): see below
    ///
    /// # Options
    /// - `namespace` (text, the context's own): where it goes
    /// - `algorithm` (text, `ecdsa-p384`): of the key: or `ecdsa-p256`, `ed25519`, `rsa-2048`, `rsa-3072` or `rsa-4096`
    /// - `private_key` (secret or text): a key that there is already, as a file holds it, without a passphrase
    /// - `renew` (boolean, `false`): make a new key, and ask the server anew, whatever is in the Secret
    /// - `known_hosts` (text): the lines by which the server is known; it is not asked then
    /// - `fingerprint` (text): what the key of the server that is asked has to be, such as `SHA256:…`
    /// - `username` (text): for HTTPS
    /// - `password` (secret or text): for HTTPS
    /// - `bearer_token` (secret or text): for HTTPS, in place of a user
    /// - `ca` (text): for HTTPS, the authority that vouches for the server, in PEM
    /// - `timeout` (duration, `30s`): how long each request may take
    ///
    /// # Returns
    /// A map of `kind`, `namespace` and `name`; by SSH also `public_key`, the line that the Git server has to be told, its
    /// `fingerprint`, and `known_hosts`.
    ///
    /// # Effect
    /// The Secret is made, or gets these values. Doing it twice is the same as doing it once, but with `renew` there is one
    /// more key.
    ///
    /// # Faults
    /// - `usage`: the address is none that Flux fetches from, or the options don't go with it
    /// - `parse`: the private key can't be read
    /// - `refused`: the server has another key than `fingerprint` says
    /// - `unreachable`: no connection to the cluster, or to the server
    /// - `denied`: this user may not read or write Secrets
    /// - `timeout`: no answer in time
    ///
    /// # Example
    /// ```rhai cluster
    /// step "a deploy key" {
    ///     let login = flux::create_secret_git(cluster, "fleet", "ssh://git@git.example.org/team/fleet", #{
    ///         namespace: "flux-system",
    ///         known_hosts: "git.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBkYp2T0nCkS9VH8z1Zf9m4mJ9Zc0y0q5uGv4Gx4o0oD",
    ///     });
    ///     print(login.public_key);
    /// }
    /// ```
    #[rhai_fn(name = "create_secret_git", pure, return_raw)]
    pub fn create_secret_git_with_options(
        context: NativeCallContext,
        cluster: &mut Cluster,
        name: &str,
        url: &str,
        options: Map,
    ) -> Outcome<Dynamic> {
        create(&context, cluster, name, url, options)
    }
}

fn create(context: &NativeCallContext, cluster: &Cluster, name: &str, url: &str, options: Map) -> Outcome<Dynamic> {
    let options = context.options("flux::create_secret_git", options)?;
    let timeout = options.deadline("timeout").map_err(|fault| context.raise(fault))?;
    let server = Server::of(url).map_err(|fault| context.raise(fault))?;
    let cluster = cluster.here();
    let place = Place { namespace: target::namespace(&options, &cluster), name: name.to_owned() };
    let (values, public) = match &server {
        Server::Ssh(server) => {
            let (values, public) = by_ssh(context, &cluster, &place, server, &options, timeout)?;
            (values, Some(public))
        }
        Server::Http => (by_http(&options).map_err(|fault| context.raise(fault))?, None),
    };
    write(context, &cluster, &place, &values, timeout)?;
    let mut told: Map = [("kind".into(), "Secret".into()), ("namespace".into(), place.namespace.into())].into();
    told.insert("name".into(), place.name.into());
    if let Some(public) = public {
        told.insert("public_key".into(), public.line().into());
        told.insert("fingerprint".into(), public.fingerprint().into());
        told.insert("known_hosts".into(), values[KNOWN_HOSTS].expose().into());
    }
    Ok(told.into())
}

/// Where the Secret is.
#[derive(Clone)]
struct Place {
    namespace: String,
    name: String,
}

impl Place {
    fn secret(&self, key: &str, value: String) -> Secret {
        Secret::new(reference(&self.namespace, &self.name, key), value)
    }
}

fn by_ssh(
    context: &NativeCallContext,
    cluster: &Cluster,
    place: &Place,
    server: &Authority,
    options: &Options,
    timeout: Duration,
) -> Outcome<(Values, Public)> {
    let raise = |fault| context.raise(fault);
    only(options, "ssh", &["username", "password", "bearer_token", "ca"]).map_err(raise)?;
    let algorithm = algorithm(options).map_err(raise)?;
    let asked =
        Waiting::request(format!("secret/{} in {} and the key of `{server}`", place.name, place.namespace), timeout);
    let (given, fingerprint) = (options.text("known_hosts"), options.text("fingerprint"));
    let renew = options.flag("renew");
    let looked = {
        let (cluster, place, server) = (cluster.clone(), place.clone(), server.clone());
        async move {
            let mut there =
                if renew { BTreeMap::new() } else { present(&cluster, &place.namespace, &place.name).await? };
            let kept = there.remove(KNOWN_HOSTS).map(|lines| lines.expose().to_owned());
            let host = match given.or(kept.filter(|_| fingerprint.is_none())) {
                Some(lines) => Host::Given(lines),
                None => Host::Asked(fingerprint),
            };
            Ok((there.remove(IDENTITY), host.lines(&cluster, &server, timeout).await?))
        }
    };
    let (kept, lines) = context.wait(asked, |_| looked)?;
    let (private, public) = match options.secret("private_key").or(kept) {
        Some(private) => {
            let public = pair::public_of(private.expose()).map_err(|why| {
                raise(Fault::new(Kind::Parse, format!("the private key for `{server}` can't be read: {why}")))
            })?;
            (private, public)
        }
        None => {
            let made = pair::make(&context.host(), algorithm);
            (place.secret(IDENTITY, made.private.to_string()), made.public)
        }
    };
    context.host().secrets.remember(&private);
    let values = [
        (IDENTITY, private),
        (IDENTITY_PUB, place.secret(IDENTITY_PUB, format!("{}\n", public.line()))),
        (KNOWN_HOSTS, place.secret(KNOWN_HOSTS, lines.trim().to_owned())),
    ];
    Ok((values.into(), public))
}

fn by_http(options: &Options) -> Result<Values, Fault> {
    only(options, "http", &["algorithm", "private_key", "renew", "known_hosts", "fingerprint"])?;
    let secret = |option| options.secret(option);
    let mut values: Values = match (secret("username"), secret("password"), secret("bearer_token")) {
        (Some(user), Some(password), None) => [(USERNAME, user), (PASSWORD, password)].into(),
        (None, None, Some(token)) => [(BEARER_TOKEN, token)].into(),
        _ => {
            let fault = Fault::new(Kind::Usage, "it takes `username` and `password`, or `bearer_token` in their place");
            return Err(fault.hint("a server that needs neither needs no Secret"));
        }
    };
    values.extend(secret("ca").map(|ca| (CA, ca)));
    Ok(values)
}

/// Refuses options that go with the other kind of address.
fn only(options: &Options, scheme: &str, others: &[&str]) -> Result<(), Fault> {
    match others.iter().find(|option| options.value(option).is_some()) {
        Some(option) => {
            Err(Fault::new(Kind::Usage, format!("option `{option}` does not go with an address of {scheme}")))
        }
        None => Ok(()),
    }
}

fn algorithm(options: &Options) -> Result<Algorithm, Fault> {
    match options.text("algorithm").unwrap_or_default().as_str() {
        "ecdsa-p256" => Ok(Algorithm::EcdsaP256),
        "ecdsa-p384" => Ok(Algorithm::EcdsaP384),
        "ed25519" => Ok(Algorithm::Ed25519),
        "rsa-2048" => Ok(Algorithm::Rsa(2048)),
        "rsa-3072" => Ok(Algorithm::Rsa(3072)),
        "rsa-4096" => Ok(Algorithm::Rsa(4096)),
        other => Err(Fault::new(Kind::Usage, format!("there is no algorithm `{other}`"))
            .hint("it is `ecdsa-p256`, `ecdsa-p384`, `ed25519`, `rsa-2048`, `rsa-3072` or `rsa-4096`")),
    }
}

fn write(
    context: &NativeCallContext,
    cluster: &Cluster,
    place: &Place,
    values: &Values,
    timeout: Duration,
) -> Outcome<()> {
    let Place { namespace, name } = place.clone();
    let wanted = manifest(&namespace, &name, values);
    secrets::remember(&context.host().secrets, std::slice::from_ref(&wanted));
    let object = format!("{cluster}: secret/{name} in {namespace}");
    let effect = Effect {
        verb: "apply".to_owned(),
        digest: digest(&[b"create_secret_git", object.as_bytes()]),
        object,
        repeatable: true,
        destroys: None,
    };
    let cluster = cluster.clone();
    let perform = async move {
        let resource = cluster.resolve("secrets").await?;
        let applying = Applying { force: true, ..Applying::default() };
        let (_, is_new) = cluster.apply(&resource, &namespace, &wanted, applying).await?;
        let detail = if is_new { "created" } else { "applied" };
        Ok(Changed { value: (), kept: Value::Null, detail: Some(detail.to_owned()) })
    };
    context.change(Change::repeatable(effect, timeout, perform))
}
