//! Kubeconfigs: read, merged as kubectl merges them, and resolved to one connection. It does no I/O.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::object::{at, entries, flag, items, text};
use crate::{
    host::secrets::Secret,
    script::{
        fault::{Fault, Kind},
        options::nearest,
        values::tree::Tree,
        values::yaml,
    },
};

/// What a kubeconfig that came from no file is called.
pub const TEXT: &str = "text";

/// Several files as one.
#[derive(Debug, Clone, Default)]
pub struct Kubeconfig {
    /// The files it was made of, as far as they were there.
    pub files: Vec<PathBuf>,
    pub current: Option<String>,
    pub contexts: BTreeMap<String, Entry>,
    pub clusters: BTreeMap<String, Entry>,
    pub users: BTreeMap<String, Entry>,
}

/// A cluster, user or context as one of the files has it.
#[derive(Clone)]
pub struct Entry {
    /// The file it came from; relative paths in it are relative to that file's folder.
    pub file: PathBuf,
    /// Where it is in the file: `clusters[0].cluster`.
    place: String,
    fields: Tree,
}

impl std::fmt::Debug for Entry {
    /// Without the fields: they hold tokens and keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in {}", self.place, self.file.display())
    }
}

/// Everything needed to connect, with files still to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    pub context: String,
    pub server: http::Uri,
    pub namespace: String,
    pub authority: Option<Material>,
    pub insecure: bool,
    pub tls_server_name: Option<String>,
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
}

/// Reads files and merges them: of each name the first file's entry stays whole, and the first `current-context` that is
/// set.
///
/// # Errors
/// A `parse` fault that names the file, the place in it, and what to do.
pub fn merge(files: Vec<(PathBuf, String)>) -> Result<Kubeconfig, Fault> {
    let mut merged = Kubeconfig::default();
    for (file, text) in files {
        let read = read(&file, &text)?;
        merged.files.push(file);
        merged.current = merged.current.or(read.current);
        for (into, from) in [
            (&mut merged.contexts, read.contexts),
            (&mut merged.clusters, read.clusters),
            (&mut merged.users, read.users),
        ] {
            for (name, entry) in from {
                into.entry(name).or_insert(entry);
            }
        }
    }
    Ok(merged)
}

fn wrong(file: &Path, why: impl std::fmt::Display) -> Fault {
    Fault::new(Kind::Parse, format!("kubeconfig `{}`: {why}", file.display()))
}

fn read(file: &Path, text: &str) -> Result<Kubeconfig, Fault> {
    let tree = yaml::read_one(text, &file.display().to_string()).map_err(|error| {
        let place = format!("line {} column {}: {}", error.line, error.column, error.message);
        // Without the line itself: it may hold a token.
        wrong(file, place).hint("it must be one YAML document, as `kubectl config view --raw` prints it")
    })?;
    match &tree {
        Tree::Null => return Ok(Kubeconfig::default()),
        Tree::Map(_) => {}
        other => {
            return Err(wrong(file, format!("it holds {}, not a kubeconfig", other.kind()))
                .hint("a kubeconfig is a map with `clusters`, `users`, `contexts` and `current-context`"));
        }
    }
    match at(&tree, &["kind"]) {
        None | Some(Tree::Null) => {}
        Some(Tree::Text(kind)) if kind.as_str() == "Config" || kind.is_empty() => {}
        Some(other) => {
            return Err(wrong(file, format!("its `kind` is `{}`, not `Config`", plain(other)))
                .hint("this is another kind of file; point to a kubeconfig"));
        }
    }
    let current = optional_text(file, "", &tree, "current-context")?.filter(|name| !name.is_empty());
    Ok(Kubeconfig {
        files: Vec::new(),
        current,
        contexts: named(file, &tree, "contexts", "context")?,
        clusters: named(file, &tree, "clusters", "cluster")?,
        users: named(file, &tree, "users", "user")?,
    })
}

/// A list such as `clusters`, by the names of its items.
fn named(file: &Path, tree: &Tree, list: &str, inner: &str) -> Result<BTreeMap<String, Entry>, Fault> {
    match at(tree, &[list]) {
        None | Some(Tree::Null | Tree::List(_)) => {}
        Some(other) => {
            return Err(wrong(file, format!("`{list}` is {}, not a list", other.kind()))
                .hint(format!("write `{list}:` and below it `- name: …` with `{inner}: …`")));
        }
    }
    let mut found = BTreeMap::new();
    for (index, item) in items(tree, &[list]).iter().enumerate() {
        let place = format!("{list}[{index}]");
        let Some(name) = optional_text(file, &place, item, "name")? else {
            return Err(wrong(file, format!("`{place}` has no `name`")).hint("give it one, or remove it"));
        };
        let fields = match at(item, &[inner]) {
            None | Some(Tree::Null) => Tree::Map(std::sync::Arc::default()),
            Some(fields @ Tree::Map(_)) => fields.clone(),
            Some(other) => return Err(wrong(file, format!("`{place}.{inner}` is {}, not a map", other.kind()))),
        };
        let entry = Entry { file: file.to_owned(), place: format!("{place}.{inner}"), fields };
        if found.insert(name.clone(), entry).is_some() {
            return Err(wrong(file, format!("`{list}` has two entries named `{name}`")).hint("rename or remove one"));
        }
    }
    Ok(found)
}

fn plain(tree: &Tree) -> String {
    match tree {
        Tree::Text(text) => text.to_string(),
        other => other.kind().to_owned(),
    }
}

fn optional_text(file: &Path, place: &str, tree: &Tree, name: &str) -> Result<Option<String>, Fault> {
    let shown = if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    match at(tree, &[name]) {
        None | Some(Tree::Null) => Ok(None),
        Some(Tree::Text(text)) => Ok(Some(text.to_string())),
        Some(other) => Err(wrong(file, format!("`{shown}` is {}, not a text", other.kind()))
            .hint(format!("put the value of `{name}` in quotes"))),
    }
}

impl Entry {
    fn text(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok(optional_text(&self.file, &self.place, &self.fields, name)?.filter(|text| !text.is_empty()))
    }

    fn wrong(&self, why: impl std::fmt::Display) -> Fault {
        wrong(&self.file, why)
    }

    /// A field for which `NAME-data` in base64 is the other form.
    fn material(&self, name: &str) -> Result<Option<Material>, Fault> {
        let data_name = format!("{name}-data");
        match (self.text(name)?, self.text(&data_name)?) {
            (Some(_), Some(_)) => Err(self
                .wrong(format!("`{}` has both `{name}` and `{data_name}`", self.place))
                .hint("keep one of them")),
            (Some(path), None) => self.path(&path).map(|path| Some(Material::File(path))),
            (None, Some(data)) => {
                let data: String = data.split_whitespace().collect();
                let bytes = STANDARD.decode(data).map_err(|error| {
                    self.wrong(format!("`{}.{data_name}` is not base64: {error}", self.place))
                        .hint(format!("copy it again, or name the file with `{name}`"))
                })?;
                Ok(Some(Material::Data(bytes)))
            }
            (None, None) => Ok(None),
        }
    }

    fn path(&self, path: &str) -> Result<PathBuf, Fault> {
        let path = Path::new(path);
        match self.file.parent() {
            _ if path.is_absolute() => Ok(path.to_owned()),
            Some(folder) if self.file != Path::new(TEXT) => Ok(folder.join(path)),
            _ => Err(self
                .wrong(format!("`{}` names the file `{}`, relative to no folder", self.place, path.display()))
                .hint("write an absolute path, or put the content into the `-data` field")),
        }
    }
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
        if let Some(proxy) = cluster.text("proxy-url")? {
            return Err(Fault::new(
                Kind::Unsupported,
                format!(
                    "cluster `{cluster_name}` in `{}` is reached through the proxy `{proxy}`",
                    cluster.file.display()
                ),
            )
            .hint("proxies are not supported yet; connect to the server directly, or through a local port-forward"));
        }
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
            tls_server_name: cluster.text("tls-server-name")?,
            identity: None,
            login: Login::Anonymous,
            impersonation: Vec::new(),
        };
        if let Some((user_name, user)) = user {
            target.identity = identity(&user_name, user)?;
            target.login = login(&user_name, user)?;
            target.impersonation = impersonation(user)?;
        }
        Ok(target)
    }

    fn chosen<'c>(&'c self, context: Option<&'c str>) -> Result<&'c str, Fault> {
        let files = self.files.iter().map(|file| format!("`{}`", file.display())).collect::<Vec<_>>().join(", ");
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

fn login(name: &str, user: &Entry) -> Result<Login, Fault> {
    const SUPPORTED: &str = "use a token, a token file, a client certificate, or a username and password: for example \
                             `kubectl create token NAME` and the user's field `token`";
    for (field, what) in [("exec", "a credential plugin (`exec`)"), ("auth-provider", "an `auth-provider`")] {
        if matches!(at(&user.fields, &[field]), Some(tree) if !tree.is_null()) {
            let plugin = text(&user.fields, &[field, "command"]).or(text(&user.fields, &[field, "name"]));
            let plugin = plugin.map(|plugin| format!(", `{plugin}`")).unwrap_or_default();
            let message = format!("user `{name}` in `{}` logs in with {what}{plugin}", user.file.display());
            return Err(Fault::new(Kind::Unsupported, format!("{message}, which is not supported")).hint(SUPPORTED));
        }
    }
    let secret = |field: &str, value: String| Secret::new(format!("kubeconfig:{name}/{field}"), value);
    let token = user.text("token")?.map(|token| secret("token", token));
    let file = user.text("tokenFile")?.map(|path| user.path(&path)).transpose()?;
    match (file, token, user.text("username")?, user.text("password")?) {
        (None, None, None, None) => Ok(Login::Anonymous),
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
