//! Who shows what: the tokens that the world gave out, tokens of service accounts, and acting for somebody else.

use std::collections::BTreeMap;

use http::{HeaderMap, header};
use rustls::pki_types::CertificateDer;

use super::{Attributes, allowed};
use crate::kubernetes::{answer::Refusal, cluster::Cluster, request::Request, user::User};

/// The users of a cluster by their tokens.
#[derive(Debug, Clone, Default)]
pub struct Identities {
    tokens: BTreeMap<String, User>,
    shown: Option<fn(&CertificateDer<'_>) -> User>,
}

impl Identities {
    /// Knows this user by the token, too.
    #[must_use]
    pub fn with(mut self, token: &str, user: User) -> Self {
        self.tokens.insert(token.to_owned(), user);
        self
    }

    /// Knows whoever shows a certificate, too.
    #[must_use]
    pub fn shown_by(mut self, user: fn(&CertificateDer<'_>) -> User) -> Self {
        self.shown = Some(user);
        self
    }

    /// Whose certificate this is, which was found to be good.
    pub fn of(&self, certificate: &CertificateDer<'_>) -> Option<User> {
        self.shown.map(|user| user(certificate))
    }

    /// Who sends this. A certificate that was shown comes first, as its user.
    ///
    /// # Errors
    /// If what is shown is worth nothing.
    pub fn who(&self, cluster: &Cluster, headers: &HeaderMap, certificate: Option<User>) -> Result<User, Refusal> {
        if let Some(user) = certificate {
            return Ok(user);
        }
        let Some(shown) = headers.get(header::AUTHORIZATION) else { return Ok(User::anonymous()) };
        let token = shown.to_str().ok().and_then(|shown| shown.strip_prefix("Bearer "));
        token.and_then(|token| self.holder(cluster, token)).ok_or_else(Refusal::unauthorized)
    }

    fn holder(&self, cluster: &Cluster, token: &str) -> Option<User> {
        let known = self.tokens.get(token).cloned();
        known.or_else(|| {
            let claims = cluster.signer.verify(token)?;
            let for_us = claims.audiences().iter().any(|audience| audience == super::tokens::ISSUER);
            claims.user(cluster).filter(|_| for_us)
        })
    }
}

/// Whom the headers ask to act for, if they do and the user may.
///
/// # Errors
/// If the user may not, or the headers name groups of nobody.
pub fn acting_for(cluster: &Cluster, request: &Request) -> Result<Option<User>, Refusal> {
    let all = |name: &str| -> Vec<String> {
        let values = request.headers.get_all(name).iter();
        values.filter_map(|value| Some(value.to_str().ok()?.to_owned())).collect()
    };
    let (names, groups) = (all("impersonate-user"), all("impersonate-group"));
    let Some(name) = names.first() else {
        return match groups.as_slice() {
            [] => Ok(None),
            groups => {
                let groups: Vec<String> = groups.iter().map(|group| format!("\"{group}\"")).collect();
                let who = format!(
                    "&user.DefaultInfo{{Name:\"\", UID:\"\", Groups:[]string{{{}}}, Extra:map[string][]string(nil)}}",
                    groups.join(", ")
                );
                Err(Refusal::bad_request(format!("requested {who} without impersonating a user name")))
            }
        };
    };
    let may = |resource: &str, name: &str| {
        let (resource, name) = (resource.to_owned(), name.to_owned());
        let wanted = Attributes { verb: "impersonate".to_owned(), resource, name, ..Attributes::default() };
        allowed(cluster, &request.user, &wanted).allows()
    };
    if !may("users", name) || !groups.iter().all(|group| may("groups", group)) {
        let mut wanted = Attributes::of(request);
        wanted.verb = format!("impersonate-on:user-info:{}", wanted.verb);
        return Err(wanted.forbidden(&request.user, ""));
    }
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    Ok(Some(User::named(name, &groups)))
}
