//! What a context means: everything that a connection needs.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    plugin::{Plugin, plugin},
    read::{Entry, Kubeconfig, plain},
};
use crate::{
    host::secrets::Secret,
    script::{
        fault::{Fault, Kind},
        options::nearest,
        values::{
            at::{at, entries, flag, items, text},
            tree::Tree,
        },
    },
};

/// Everything needed to connect, with files still to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    pub context: String,
    pub server: http::Uri,
    pub namespace: String,
    pub authority: Option<Material>,
    pub insecure: bool,
    /// Where to connect to instead of the server's own address, which stays the name that is asked for.
    pub resolve: Option<String>,
    pub tls_server_name: Option<String>,
    /// The proxy's URL; if there is none, the environment may name one.
    pub proxy: Option<String>,
    /// Certificate and key.
    pub identity: Option<(Material, Material)>,
    pub login: Login,
    pub impersonation: Vec<(String, String)>,
}

/// Something that stands in the kubeconfig itself or in a file beside it.
#[derive(Clone, PartialEq)]
pub enum Material {
    Data(Vec<u8>),
    File(PathBuf),
}

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Material::Data(data) => write!(f, "{} bytes", data.len()),
            Material::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// How the server learns who asks, apart from a client certificate.
#[derive(Debug, Clone, PartialEq)]
pub enum Login {
    Anonymous,
    Token(Secret),
    /// Read again from time to time, since whoever issues it rotates it.
    TokenFile {
        path: PathBuf,
        fallback: Option<Secret>,
    },
    Password {
        username: String,
        password: Secret,
    },
    Plugin(Box<Plugin>),
}

impl Kubeconfig {
    /// Resolves a context, or the current one.
    ///
    /// # Errors
    /// A `parse` or `not_found` fault that names the file and what to do; `unsupported` for what can't be used here.
    pub fn target(&self, context: Option<&str>) -> Result<Target, Fault> {
        let name = self.chosen(context)?;
        let entry = &self.contexts[name];
        let (cluster_name, cluster) = self.referred(name, entry, "cluster", &self.clusters)?.ok_or_else(|| {
            entry.wrong(format!("context `{name}` names no cluster")).hint("set its `cluster` to a name in `clusters`")
        })?;
        let user = self.referred(name, entry, "user", &self.users)?;

        let server = server(&cluster_name, cluster)?;
        let insecure = flag(&cluster.fields, &["insecure-skip-tls-verify"]);
        let authority = cluster.material("certificate-authority")?;
        if insecure && authority.is_some() {
            return Err(cluster
                .wrong(format!("cluster `{cluster_name}` has `insecure-skip-tls-verify` and a certificate authority"))
                .hint("remove `insecure-skip-tls-verify`: the authority is what makes the connection safe"));
        }
        let namespace = entry.text("namespace")?.unwrap_or_else(|| "default".to_owned());
        let mut target = Target {
            context: name.to_owned(),
            server,
            namespace,
            authority,
            insecure,
            resolve: None,
            tls_server_name: cluster.text("tls-server-name")?,
            proxy: proxy(&cluster_name, cluster)?,
            identity: None,
            login: Login::Anonymous,
            impersonation: Vec::new(),
        };
        if let Some((user_name, user)) = user {
            target.identity = identity(&user_name, user)?;
            target.login = login(&user_name, user, cluster)?;
            target.impersonation = impersonation(user)?;
        }
        Ok(target)
    }

    fn chosen<'c>(&'c self, context: Option<&'c str>) -> Result<&'c str, Fault> {
        let files = self.sources.iter().map(|source| format!("`{source}`")).collect::<Vec<_>>().join(", ");
        let names: Vec<&str> = self.contexts.keys().map(String::as_str).collect();
        let there = match names.is_empty() {
            true => "it has no contexts at all".to_owned(),
            false => format!("its contexts are {}", names.join(", ")),
        };
        let (name, asked) = match (context, &self.current) {
            (Some(name), _) => (name, true),
            (None, Some(name)) => (name.as_str(), false),
            (None, None) => {
                let fault = Fault::new(Kind::Parse, format!("no context is current in kubeconfig {files}"));
                return Err(fault.hint(format!("name one with the option `context`; {there}")));
            }
        };
        if self.contexts.contains_key(name) {
            return Ok(name);
        }
        let which = if asked { "context" } else { "`current-context`" };
        let fault = Fault::new(Kind::NotFound, format!("{which} `{name}` is not in kubeconfig {files}"));
        Err(match nearest(name, names.iter().copied()) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint(there),
        })
    }

    /// The cluster or user that a context names.
    fn referred<'c>(
        &self,
        context: &str,
        entry: &Entry,
        field: &str,
        entries: &'c BTreeMap<String, Entry>,
    ) -> Result<Option<(String, &'c Entry)>, Fault> {
        let Some(name) = entry.text(field)? else { return Ok(None) };
        match entries.get(&name) {
            Some(found) => Ok(Some((name, found))),
            None => {
                let fault = entry.wrong(format!("context `{context}` names the {field} `{name}`, which is not there"));
                Err(match nearest(&name, entries.keys().map(String::as_str)) {
                    Some(near) => fault.hint(format!("did you mean `{near}`?")),
                    None => fault.hint(format!("add `{name}` to `{field}s`, or name another {field} in the context")),
                })
            }
        }
    }
}

fn server(name: &str, cluster: &Entry) -> Result<http::Uri, Fault> {
    let Some(text) = cluster.text("server")? else {
        return Err(cluster
            .wrong(format!("cluster `{name}` has no `server`"))
            .hint("set it to the API server's URL, such as `https://10.0.0.1:6443`"));
    };
    let refuse = |why: String| {
        cluster
            .wrong(format!("`{text}`, the `server` of cluster `{name}`, {why}"))
            .hint("write it like `https://10.0.0.1:6443`")
    };
    // client-go takes a bare `host:port` as http.
    let full = if text.contains("://") { text.clone() } else { format!("http://{text}") };
    let uri: http::Uri = full.parse().map_err(|error| refuse(format!("is not a URL: {error}")))?;
    let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let after_host = authority.rsplit_once(']').map_or(authority, |(_, rest)| rest);
    if let Some((_, port)) = after_host.rsplit_once(':')
        && port.parse::<u16>().is_err()
    {
        return Err(refuse(format!("is not a URL: there is no port `{port}`")));
    }
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => Ok(uri),
        (Some("http" | "https"), _) => Err(refuse("names no host".to_owned())),
        (scheme, _) => Err(refuse(format!("begins with `{}`, not `https`", scheme.unwrap_or_default()))),
    }
}

fn proxy(name: &str, cluster: &Entry) -> Result<Option<String>, Fault> {
    let Some(url) = cluster.text("proxy-url")? else { return Ok(None) };
    // The URL may hold a password: it is not shown.
    match url.split_once("://") {
        Some(("http" | "https" | "socks5" | "socks5h", _)) => Ok(Some(url)),
        _ => Err(cluster
            .wrong(format!(
                "the `proxy-url` of cluster `{name}` begins with neither `http://`, `https://` nor `socks5://`"
            ))
            .hint("write it like `http://proxy.example.org:3128` or `socks5://127.0.0.1:1080`")),
    }
}

fn identity(name: &str, user: &Entry) -> Result<Option<(Material, Material)>, Fault> {
    match (user.material("client-certificate")?, user.material("client-key")?) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(user
            .wrong(format!("user `{name}` has a client certificate without its key"))
            .hint("add `client-key` or `client-key-data`")),
        (None, Some(_)) => Err(user
            .wrong(format!("user `{name}` has a client key without its certificate"))
            .hint("add `client-certificate` or `client-certificate-data`")),
    }
}

fn login(name: &str, user: &Entry, cluster: &Entry) -> Result<Login, Fault> {
    if let Some(provider) = user.inner("auth-provider")? {
        let which = text(&provider.fields, &["name"]).map(|which| format!(", `{which}`")).unwrap_or_default();
        let message = format!("user `{name}` in `{}` logs in with an `auth-provider`{which}", user.source);
        return Err(Fault::new(Kind::Unsupported, format!("{message}, which Kubernetes gave up in 1.26")).hint(
            "get a new kubeconfig from your provider: its credential plugin (`exec`) took the place of `auth-provider`",
        ));
    }
    let secret = |field: &str, value: String| Secret::new(format!("kubeconfig:{name}/{field}"), value);
    let token = user.text("token")?.map(|token| secret("token", token));
    let file = user.text("tokenFile")?.map(|path| user.path(&path)).transpose()?;
    match (file, token, user.text("username")?, user.text("password")?) {
        // As for kubectl, a plugin is asked only by those who have nothing else to show.
        (None, None, None, None) => {
            Ok(plugin(name, user, cluster)?.map_or(Login::Anonymous, |plugin| Login::Plugin(Box::new(plugin))))
        }
        (Some(path), fallback, None, None) => Ok(Login::TokenFile { path, fallback }),
        (None, Some(token), None, None) => Ok(Login::Token(token)),
        (None, None, Some(username), password) => {
            Ok(Login::Password { username, password: secret("password", password.unwrap_or_default()) })
        }
        (None, None, None, Some(_)) => {
            Err(user.wrong(format!("user `{name}` has a password and no `username`")).hint("add the `username`"))
        }
        (..) => Err(user
            .wrong(format!("user `{name}` has both a token and a username or password"))
            .hint("keep one of them: the server can take only one")),
    }
}

fn impersonation(user: &Entry) -> Result<Vec<(String, String)>, Fault> {
    let mut headers = Vec::new();
    for (field, header) in [("as", "Impersonate-User"), ("as-uid", "Impersonate-Uid")] {
        headers.extend(user.text(field)?.map(|value| (header.to_owned(), value)));
    }
    let texts = |tree: &Tree| items(tree, &[]).iter().map(plain).collect::<Vec<_>>();
    if let Some(groups) = at(&user.fields, &["as-groups"]) {
        headers.extend(texts(groups).into_iter().map(|group| ("Impersonate-Group".to_owned(), group)));
    }
    for (key, values) in entries(&user.fields, &["as-user-extra"]) {
        let key = percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC);
        headers.extend(texts(values).into_iter().map(|value| (format!("Impersonate-Extra-{key}"), value)));
    }
    Ok(headers)
}
