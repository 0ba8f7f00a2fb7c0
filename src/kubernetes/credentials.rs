//! Who asks: what is added to each request, and fetched anew when it has expired or the server no longer takes it.

use std::{io, path::Path, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::plugin;
use crate::{
    host::{Host, secrets::Secret},
    kubeconfig::{Login, Material, Target},
    script::fault::{Fault, Kind},
};

/// How long a token that was read from a file is taken for fresh.
const TOKEN_FRESH: Duration = Duration::from_secs(60);

/// The credentials of one connection.
pub struct Credentials {
    host: Host,
    target: Target,
    impersonation: Vec<(HeaderName, HeaderValue)>,
    /// The last ones that were fetched. Whoever fetches holds it, so that it is done once for all.
    last: Mutex<Option<Credential>>,
}

/// What a request is sent with.
#[derive(Debug, Clone, PartialEq)]
pub struct Credential {
    authorization: Option<HeaderValue>,
    /// Certificate and key of the client, where they come together with the rest.
    pub identity: Option<(Material, Material)>,
    fresh: Fresh,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fresh {
    Always,
    /// By the clock of the run.
    Until(Duration),
    /// By the clock on the wall, on which whoever issued it said so.
    UntilMoment(Timestamp),
}

impl Credentials {
    /// The credentials of a target. What stands in files is read once, so that a mistake shows at once; a plugin is not asked.
    ///
    /// # Errors
    /// A `file` or `parse` fault about tokens and headers.
    pub fn open(host: &Host, target: &Target) -> Result<Self, Fault> {
        let impersonation = target.impersonation.iter().map(|(name, value)| {
            let name = HeaderName::try_from(name.as_str()).map_err(|_| unfit(target, "an impersonation key"))?;
            let value = HeaderValue::try_from(value.as_str()).map_err(|_| unfit(target, "an impersonated name"))?;
            Ok((name, value))
        });
        let impersonation = impersonation.collect::<Result<_, Fault>>()?;
        let last = match &target.login {
            Login::Plugin(_) => None,
            _ => Some(read(host, target, None)?),
        };
        Ok(Self { host: host.clone(), target: target.clone(), impersonation, last: Mutex::new(last) })
    }

    /// What to ask with now.
    ///
    /// # Errors
    /// Why there is nothing to ask with.
    pub async fn current(&self) -> Result<Credential, Fault> {
        let mut last = self.last.lock().await;
        match &*last {
            Some(credential) if credential.is_fresh(&self.host) => Ok(credential.clone()),
            _ => self.fetch(&mut last).await,
        }
    }

    /// What to ask with after the server did not take `refused`; none, if there is nothing else.
    ///
    /// # Errors
    /// As for [`Credentials::current`].
    pub async fn after(&self, refused: &Credential) -> Result<Option<Credential>, Fault> {
        if refused.fresh == Fresh::Always && !matches!(self.target.login, Login::Plugin(_)) {
            return Ok(None);
        }
        let mut last = self.last.lock().await;
        // Somebody else may have fetched others meanwhile.
        let other = match &*last {
            Some(credential) if credential != refused => credential.clone(),
            _ => self.fetch(&mut last).await?,
        };
        let differs = other.authorization != refused.authorization || other.identity != refused.identity;
        Ok(differs.then_some(other))
    }

    async fn fetch(&self, last: &mut Option<Credential>) -> Result<Credential, Fault> {
        let fetched = match &self.target.login {
            Login::Plugin(plugin) => issued(&self.target, plugin::ask(&self.host, &self.target, plugin).await?)?,
            _ => read(&self.host, &self.target, last.as_ref())?,
        };
        *last = Some(fetched.clone());
        Ok(fetched)
    }

    /// Adds what says who asks.
    pub fn sign(&self, credential: &Credential, headers: &mut HeaderMap) {
        if let Some(authorization) = &credential.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        for (name, value) in &self.impersonation {
            headers.append(name, value.clone());
        }
    }
}

impl Credential {
    fn new(authorization: Option<HeaderValue>, fresh: Fresh) -> Self {
        Self { authorization, identity: None, fresh }
    }

    fn is_fresh(&self, host: &Host) -> bool {
        match self.fresh {
            Fresh::Always => true,
            Fresh::Until(end) => host.clock.elapsed() < end,
            Fresh::UntilMoment(end) => host.clock.now() < end,
        }
    }
}

/// What stands in the kubeconfig, or in a file that it names.
fn read(host: &Host, target: &Target, last: Option<&Credential>) -> Result<Credential, Fault> {
    match &target.login {
        Login::Anonymous | Login::Plugin(_) => Ok(Credential::new(None, Fresh::Always)),
        Login::Token(token) => {
            host.secrets.remember(token);
            Ok(Credential::new(Some(bearer(target, token)?), Fresh::Always))
        }
        Login::Password { username, password } => {
            host.secrets.remember(password);
            let pair = STANDARD.encode(format!("{username}:{}", password.expose()));
            Ok(Credential::new(Some(sensitive(target, &format!("Basic {pair}"))?), Fresh::Always))
        }
        Login::TokenFile { path, fallback } => {
            let fresh = Fresh::Until(host.clock.elapsed() + TOKEN_FRESH);
            let token = match (token_in(host, path), last, fallback) {
                (Ok(token), ..) => token,
                // Whoever rotates it may be about to write it.
                (Err(_), Some(last), _) => return Ok(Credential { fresh, ..last.clone() }),
                (Err(_), None, Some(fallback)) => {
                    host.secrets.remember(fallback);
                    fallback.clone()
                }
                (Err(error), None, None) => {
                    let context = &target.context;
                    let message = format!("can't read the token of `{context}`, `{}`: {error}", path.display());
                    return Err(Fault::new(Kind::File, message)
                        .hint("the kubeconfig names this file with `tokenFile`: put it there, or correct the path"));
                }
            };
            Ok(Credential::new(Some(bearer(target, &token)?), fresh))
        }
    }
}

/// What a plugin has given.
fn issued(target: &Target, issued: plugin::Issued) -> Result<Credential, Fault> {
    let plugin::Issued { token, identity, expires } = issued;
    let authorization = token.map(|token| bearer(target, &token)).transpose()?;
    let fresh = expires.map_or(Fresh::Always, Fresh::UntilMoment);
    Ok(Credential { authorization, identity, fresh })
}

fn token_in(host: &Host, path: &Path) -> io::Result<Secret> {
    let text = host.files.read_personal(path)?;
    let token = Secret::new(format!("file:{}", path.display()), text.trim().to_owned());
    host.secrets.remember(&token);
    Ok(token)
}

fn bearer(target: &Target, token: &Secret) -> Result<HeaderValue, Fault> {
    sensitive(target, &format!("Bearer {}", token.expose().trim()))
}

fn sensitive(target: &Target, text: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::try_from(text).map_err(|_| unfit(target, "the token, or the password,"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn unfit(target: &Target, what: &str) -> Fault {
    Fault::new(Kind::Parse, format!("{what} of `{}` has characters that no request can carry", target.context))
        .hint("look for line breaks and letters beyond ASCII in it")
}
