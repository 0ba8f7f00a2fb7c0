//! Tokens of service accounts: JSON web tokens (RFC 7519) that the cluster signs, bound to what they were made for.
//!
//! Signed with Ed25519, whose signatures depend on nothing but the key and the text, so that equal worlds give equal tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jiff::Timestamp;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::kubernetes::{cluster::Cluster, store::Key, user::User};

/// Who issues tokens, and for whom if nobody says.
pub const ISSUER: &str = "https://kubernetes.default.svc";

/// Who issues tokens that are kept in secrets; they are for the API server, and say so by saying nothing.
const KEPT: &str = "kubernetes/serviceaccount";

/// With what a cluster signs.
pub struct Signer {
    key: Ed25519KeyPair,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(Value);

/// What a token is made for besides its account: a pod, a secret or a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    pub kind: String,
    pub name: String,
    pub uid: String,
}

impl Signer {
    /// # Panics
    /// Never: every seed is a key.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { key: Ed25519KeyPair::from_seed_unchecked(&seed).expect("a seed of 32 bytes is a key") }
    }

    /// The public half, as a set of JSON web keys (RFC 8037).
    pub fn key_set(&self) -> Value {
        let key = BASE64.encode(self.key.public_key().as_ref());
        json!({"keys": [{"use": "sig", "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": key}]})
    }

    pub fn sign(&self, claims: &Claims) -> String {
        let header = json!({"alg": "EdDSA", "typ": "JWT"});
        let text = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.0.to_string()));
        let signature = BASE64.encode(self.key.sign(text.as_bytes()));
        format!("{text}.{signature}")
    }

    /// What a token says, if it was signed here.
    pub fn verify(&self, token: &str) -> Option<Claims> {
        let (text, signature) = token.rsplit_once('.')?;
        let key = UnparsedPublicKey::new(&ED25519, self.key.public_key().as_ref());
        key.verify(text.as_bytes(), &BASE64.decode(signature).ok()?).ok()?;
        let (_, claims) = text.split_once('.')?;
        Some(Claims(serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()?))
    }
}

impl Claims {
    /// What a new token for an account says.
    pub fn of(
        account: &Value,
        audiences: &[String],
        bound: Option<&Bound>,
        (from, until): (Timestamp, Timestamp),
        number: &str,
    ) -> Self {
        let text = |field: &str| account["metadata"][field].as_str().unwrap_or_default();
        let (namespace, name) = (text("namespace"), text("name"));
        let mut private = json!({"namespace": namespace, "serviceaccount": {"name": name, "uid": text("uid")}});
        if let Some(Bound { kind, name, uid }) = bound {
            private[kind.to_lowercase()] = json!({"name": name, "uid": uid});
        }
        Self(json!({
            "aud": audiences, "exp": until.as_second(), "iat": from.as_second(), "iss": ISSUER, "jti": number,
            "kubernetes.io": private, "nbf": from.as_second(),
            "sub": format!("system:serviceaccount:{namespace}:{name}"),
        }))
    }

    /// What a token says that is kept in a secret, and lasts as long as that.
    pub fn kept_in(secret: &Value, account: &Value) -> Self {
        let text = |object: &Value, field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (text(account, "namespace"), text(account, "name"));
        Self(json!({
            "iss": KEPT,
            "kubernetes.io/serviceaccount/namespace": namespace,
            "kubernetes.io/serviceaccount/secret.name": text(secret, "name"),
            "kubernetes.io/serviceaccount/service-account.name": name,
            "kubernetes.io/serviceaccount/service-account.uid": text(account, "uid"),
            "sub": format!("system:serviceaccount:{namespace}:{name}"),
        }))
    }

    fn is_kept_in_a_secret(&self) -> bool {
        self.0["iss"] == KEPT
    }

    /// Whom a token stands for that is kept in a secret.
    fn user_of_secret(&self, cluster: &Cluster) -> Option<User> {
        let said = |part: &str| self.0[format!("kubernetes.io/serviceaccount/{part}")].as_str();
        let (namespace, name) = (said("namespace")?, said("service-account.name")?);
        let there = |resource: &str, name: &str| {
            let key = Key { resource: resource.into(), namespace: namespace.to_owned(), name: name.to_owned() };
            cluster.store.get(&key)
        };
        there("secrets", said("secret.name")?)?;
        let uid = said("service-account.uid")?;
        there("serviceaccounts", name).filter(|account| account["metadata"]["uid"] == uid)?;
        Some(User { uid: uid.to_owned(), ..User::service_account(namespace, name) })
    }

    pub fn audiences(&self) -> Vec<String> {
        if self.is_kept_in_a_secret() {
            return vec![ISSUER.to_owned()];
        }
        let audiences = self.0["aud"].as_array().into_iter().flatten();
        audiences.filter_map(|audience| Some(audience.as_str()?.to_owned())).collect()
    }

    /// Whom it stands for; nobody, if it has expired, or its account or what it is bound to is gone.
    pub fn user(&self, cluster: &Cluster) -> Option<User> {
        if self.is_kept_in_a_secret() {
            return self.user_of_secret(cluster);
        }
        let now = cluster.calendar.now().as_second();
        let private = &self.0["kubernetes.io"];
        let namespace = private["namespace"].as_str()?;
        let valid = self.0["nbf"].as_i64()? <= now && now < self.0["exp"].as_i64()?;
        let there = |resource: &str, namespace: &str, what: &Value| {
            let name = what["name"].as_str().unwrap_or_default().to_owned();
            let key = Key { resource: resource.into(), namespace: namespace.to_owned(), name };
            cluster.store.get(&key).is_some_and(|object| object["metadata"]["uid"] == what["uid"])
        };
        let account = &private["serviceaccount"];
        let bound = ["pod", "secret", "node"].into_iter().all(|kind| {
            let namespace = if kind == "node" { "" } else { namespace };
            private.get(kind).is_none_or(|what| there(&format!("{kind}s"), namespace, what))
        });
        if !valid || !bound || !there("serviceaccounts", namespace, account) {
            return None;
        }
        let mut user = User::service_account(namespace, account["name"].as_str()?);
        user.uid = account["uid"].as_str()?.to_owned();
        let mut note = |key: &str, value: String| {
            user.extra.insert(format!("authentication.kubernetes.io/{key}"), vec![value]);
        };
        note("credential-id", format!("JTI={}", self.0["jti"].as_str()?));
        for kind in ["pod", "node"] {
            if let Some(bound) = private.get(kind) {
                note(&format!("{kind}-name"), bound["name"].as_str()?.to_owned());
                note(&format!("{kind}-uid"), bound["uid"].as_str()?.to_owned());
            }
        }
        Some(user)
    }
}
