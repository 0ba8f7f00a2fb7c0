//! What repositories give, and what the source-controller says where they give nothing.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    super::{Name, Tools, fields::Fields},
    Kind, kinds, versions,
};
use crate::kubernetes::{
    charts::Chart,
    repositories::{Holds, Repository, Revision, digest, host},
};

/// Something that was fetched.
pub struct Artifact {
    pub revision: String,
    /// The file that it is kept in.
    pub file: String,
    pub digest: String,
    pub size: usize,
    /// What is known of it, besides: annotations of an image.
    pub metadata: Value,
    /// What is told when it is new.
    pub told: String,
}

/// Why nothing was, by a word and in a sentence.
pub struct Failed {
    pub reason: &'static str,
    pub message: String,
    /// Nothing but a change helps.
    pub stalls: bool,
}

fn failed(reason: &'static str, message: String) -> Failed {
    Failed { reason, message, stalls: false }
}

/// Fetches what a source is about.
pub fn fetch(tools: &Tools, kind: &Kind, object: &Value) -> Result<Artifact, Failed> {
    let keyed = has_key(tools, kind, object)?;
    match kind {
        kind if *kind == kinds::GIT_REPOSITORY => git(tools, object, keyed),
        kind if *kind == kinds::OCI_REPOSITORY => registry(tools, object, keyed),
        _ => index(tools, object, keyed),
    }
}

/// Whether it says who it is, to a repository that asks.
fn has_key(tools: &Tools, kind: &Kind, object: &Value) -> Result<bool, Failed> {
    let name = object.text("/spec/secretRef/name");
    if name.is_empty() {
        return Ok(false);
    }
    let secret = Name { namespace: object.namespace().to_owned(), name: name.to_owned() };
    if tools.there("secrets", &secret).is_some() {
        return Ok(true);
    }
    let of = format!("{}/{name}", secret.namespace);
    let missing = format!("secrets \"{name}\" not found");
    let message = match kind {
        kind if *kind == kinds::GIT_REPOSITORY => {
            format!("failed to get secret '{of}': failed to get secret '{of}': {missing}")
        }
        kind if *kind == kinds::OCI_REPOSITORY => {
            format!("failed to get credential: failed to get secret '{of}': {missing}")
        }
        _ => format!("failed to get authentication secret '{of}': {missing}"),
    };
    Err(failed("AuthenticationFailed", message))
}

fn git(tools: &Tools, object: &Value, keyed: bool) -> Result<Artifact, Failed> {
    let url = object.text("/spec/url");
    let wrong =
        |what: String| failed("GitOperationFailed", format!("failed to checkout and determine revision: {what}"));
    let unable = |what: String| wrong(format!("unable to clone '{url}': {what}"));
    let asked = format!("{url}/info/refs?service=git-upload-pack");
    let repository = reached(tools, url).map_err(|why| unable(format!("Get \"{asked}\": {why}")))?;
    let Some(repository) = repository else { return Err(unable("repository not found: ".to_owned())) };
    if repository.login && !keyed {
        return Err(unable("authentication required: ".to_owned()));
    }
    let (text, commit) = (|key: &str| object.text(&format!("/spec/ref/{key}")), object.text("/spec/ref/commit"));
    let (name, reference) = match (text("semver"), text("tag"), text("branch"), text("name")) {
        ("", "", "", "") => ("master".to_owned(), "refs/heads/master".to_owned()),
        ("", "", "", name) => (name.rsplit('/').next().unwrap_or_default().to_owned(), name.to_owned()),
        ("", "", branch, _) => (branch.to_owned(), format!("refs/heads/{branch}")),
        ("", tag, ..) => (tag.to_owned(), format!("refs/tags/{tag}")),
        (range, ..) => {
            let found =
                highest(&repository, range).ok_or_else(|| wrong(format!("no match found for semver: {range}")))?;
            (found.clone(), found)
        }
    };
    let is_it = |revision: &&Revision| match commit {
        "" => revision.names.contains(&name),
        commit => revision.commit() == commit,
    };
    let mut all = repository.revisions();
    let revision = all.find(is_it).ok_or_else(|| unable(format!("couldn't find remote ref \"{reference}\"")))?;
    let sha = revision.commit();
    Ok(Artifact {
        revision: format!("{name}@sha1:{sha}"),
        file: format!("{sha}.tar.gz"),
        told: format!("stored artifact for commit '{}'", revision.message),
        ..packed(revision)
    })
}

fn registry(tools: &Tools, object: &Value, keyed: bool) -> Result<Artifact, Failed> {
    let url = object.text("/spec/url");
    let wrong = |what: String| failed("OCIArtifactPullFailed", format!("failed to determine artifact digest: {what}"));
    let (host, path) = (host(url), url.splitn(4, '/').nth(3).unwrap_or_default());
    let insecure = object.flag("/spec/insecure");
    let found = at_registry(tools, url).map_err(|why| {
        let tried = |scheme: &str| format!("Get \"{scheme}://{host}/v2/\": {why}");
        wrong(if insecure { format!("{}; {}", tried("https"), tried("http")) } else { tried("https") })
    })?;
    let base = format!("{}://{host}/v2/{path}", if insecure { "http" } else { "https" });
    if found.as_ref().is_some_and(|(repository, _)| repository.login) && !keyed {
        return Err(wrong(format!("GET {base}/manifests/latest: UNAUTHORIZED: authentication required")));
    }
    let tag = |key: &str| object.text(&format!("/spec/ref/{key}"));
    let tags: Vec<String> = match &found {
        Some((_, Some(chart))) => {
            tools.client.cluster().charts.versions(chart).iter().map(|one| one.version.clone()).collect()
        }
        Some((repository, None)) => repository.revisions().flat_map(|revision| revision.names.clone()).collect(),
        None => Vec::new(),
    };
    let tag = match (tag("semver"), tag("tag")) {
        ("", "") => "latest",
        ("", tag) => tag,
        (range, _) => versions::highest(tags.iter().map(String::as_str), range).ok_or_else(|| {
            let message =
                format!("failed to determine the artifact tag for '{url}': no match found for semver: {range}");
            failed("ReadOperationFailed", message)
        })?,
    };
    let unknown =
        || wrong(format!("GET {base}/manifests/{tag}: MANIFEST_UNKNOWN: manifest unknown; unknown tag={tag}"));
    let (repository, chart) = found.ok_or_else(unknown)?;
    let mut artifact = match chart {
        Some(chart) => {
            let chart = tools.client.cluster().charts.find(&chart, Some(tag)).map_err(|_| unknown())?;
            let metadata = json!({"org.opencontainers.image.title": chart.name, "org.opencontainers.image.version": chart.version});
            Artifact { metadata, ..packed_chart(&chart) }
        }
        None => {
            let mut all = repository.revisions();
            let revision = all.find(|revision| revision.names.iter().any(|name| name == tag)).ok_or_else(unknown)?;
            let metadata = json!({
                "org.opencontainers.image.revision": format!("{tag}@sha1:{}", revision.commit()),
                "org.opencontainers.image.source": url,
            });
            Artifact { metadata, ..packed(revision) }
        }
    };
    artifact.file = format!("sha256:{}.tar.gz", artifact.digest);
    artifact.revision = format!("{tag}@sha256:{}", artifact.digest);
    artifact.told = format!("stored artifact with revision '{}' from '{url}'", artifact.revision);
    if let Some(origin) = artifact.metadata.get("org.opencontainers.image.revision").and_then(Value::as_str) {
        let source = artifact.metadata.text("/org.opencontainers.image.source").to_owned();
        artifact.told = format!("{}, origin source '{source}', origin revision '{origin}'", artifact.told);
    }
    Ok(artifact)
}

fn index(tools: &Tools, object: &Value, keyed: bool) -> Result<Artifact, Failed> {
    let url = object.text("/spec/url").trim_end_matches('/');
    let wrong = |what: String| {
        failed(
            "Failed",
            format!("failed to fetch Helm repository index: failed to cache index to temporary file: {what}"),
        )
    };
    let asked = format!("{url}/index.yaml");
    let repository = reached(tools, url).map_err(|why| wrong(format!("Get \"{asked}\": {why}")))?;
    let names = match repository.as_deref() {
        Some(Repository { login: true, .. }) if !keyed => {
            return Err(wrong(format!("failed to fetch {asked} : 401 Unauthorized")));
        }
        Some(Repository { holds: Holds::Charts(names), .. }) => names,
        _ => return Err(wrong(format!("failed to fetch {asked} : 404 Not Found"))),
    };
    let charts = &tools.client.cluster().charts;
    let text = format!("{:?}", names.iter().map(|name| charts.versions(name)).collect::<Vec<_>>());
    let digest = digest(&text);
    Ok(Artifact {
        revision: format!("sha256:{digest}"),
        file: format!("index-{digest}.yaml"),
        told: format!("stored fetched index of size {}B from '{url}'", text.len()),
        size: text.len(),
        digest,
        metadata: Value::Null,
    })
}

/// Pulls the chart that a HelmChart wants from its repository.
pub fn chart(tools: &Tools, object: &Value, repository: &Value) -> Result<Arc<Chart>, Failed> {
    let (name, range) = (object.text("/spec/chart"), object.text("/spec/version"));
    let url = repository.text("/spec/url").trim_end_matches('/');
    let range = if range.is_empty() { "*" } else { range };
    let all = match reached(tools, url).ok().flatten().as_deref() {
        Some(Repository { holds: Holds::Charts(names), .. }) if names.iter().any(|known| known == name) => {
            tools.client.cluster().charts.versions(name)
        }
        _ => Vec::new(),
    };
    let found = versions::highest(all.iter().map(|chart| chart.version.as_str()), range);
    if let Some(chart) = found.and_then(|version| all.iter().find(|chart| chart.version == version)) {
        return Ok(chart.clone());
    }
    if repository.text("/spec/type") != "oci" {
        let what = match all.is_empty() {
            true => "no chart name found".to_owned(),
            false => format!("no '{name}' chart with version matching '{range}' found"),
        };
        let message = format!("invalid chart reference: failed to get chart version for remote reference: {what}");
        return Err(Failed { reason: "InvalidChartReference", message, stalls: true });
    }
    let base = url.trim_start_matches("oci://");
    let what = match (versions::is_exact(range), reached(tools, url)) {
        (true, found) => {
            let why = found.err().map_or_else(
                || "not found".to_owned(),
                |why| format!("Head \"https://{}/v2/{name}/manifests/{range}\": {why}", host(url)),
            );
            format!(
                "failed to download chart for remote reference: failed to get '{url}/{name}:{range}': failed to perform \
                 \"FetchReference\" on source: {base}/{name}:{range}: {why}"
            )
        }
        (false, Ok(_)) if !all.is_empty() => {
            format!(
                "failed to get chart version for remote reference: could not locate a version matching provided version string {range}"
            )
        }
        (false, found) => {
            let scheme = if repository.flag("/spec/insecure") { "http" } else { "https" };
            let (host, path) = base.split_once('/').unwrap_or((base, ""));
            let asked = format!("\"{scheme}://{host}/v2/{path}/{name}/tags/list\"");
            let why = found.err().map_or_else(
                || format!("GET {asked}: response status code 404: name unknown: repository name not known to registry: map[name:{path}/{name}]"),
                |why| format!("Get {asked}: {why}"),
            );
            format!(
                "failed to get chart version for remote reference: could not get tags for \"{name}\": could not fetch tags for \"{url}/{name}\": {why}"
            )
        }
    };
    Err(failed("ChartPullError", format!("chart pull error: {what}")))
}

/// A repository, and the chart in it that is meant, if it holds charts.
type Held = (Arc<Repository>, Option<String>);

/// What a registry has at an address.
fn at_registry(tools: &Tools, url: &str) -> Result<Option<Held>, String> {
    if let Some(repository) = reached(tools, url)? {
        return Ok(Some((repository, None)));
    }
    let Some((above, name)) = url.rsplit_once('/') else { return Ok(None) };
    let Some(repository) = reached(tools, above)? else { return Ok(None) };
    let has = matches!(&repository.holds, Holds::Charts(names) if names.iter().any(|known| known == name));
    Ok(has.then(|| (repository, Some(name.to_owned()))))
}

/// What is at an address, or why its server can't be reached.
fn reached(tools: &Tools, url: &str) -> Result<Option<Arc<Repository>>, String> {
    let repositories = &tools.client.cluster().repositories;
    let host = host(url);
    let (name, port) = host.rsplit_once(':').unwrap_or((host, if url.starts_with("http:") { "80" } else { "443" }));
    let refused = || format!("dial tcp {name}:{port}: connect: connection refused");
    match repositories.at(url) {
        Some(repository) if repository.is_down() => Err(refused()),
        Some(repository) => Ok(Some(repository)),
        None if repositories.has_host(host) => Ok(None),
        None if name.parse::<std::net::IpAddr>().is_ok() => Err(refused()),
        None => Err(format!("dial tcp: lookup {name}: no such host")),
    }
}

fn highest(repository: &Repository, range: &str) -> Option<String> {
    let names: Vec<&str> =
        repository.revisions().flat_map(|revision| revision.names.iter().map(String::as_str)).collect();
    versions::highest(names.into_iter(), range).map(str::to_owned)
}

fn packed(revision: &Revision) -> Artifact {
    let digest = revision.digest();
    let size = format!("{:?}", revision.files).len();
    Artifact { revision: String::new(), file: String::new(), digest, size, metadata: Value::Null, told: String::new() }
}

/// A chart as an artifact.
pub fn packed_chart(chart: &Chart) -> Artifact {
    let text = format!("{chart:?}");
    Artifact {
        revision: chart.version.clone(),
        file: format!("{}-{}.tgz", chart.name, chart.version),
        digest: digest(&text),
        size: text.len(),
        metadata: Value::Null,
        told: format!("pulled '{}' chart with version '{}'", chart.name, chart.version),
    }
}

/// The revision that a source has fetched.
pub fn revision_of(tools: &Tools, kind: &Kind, source: &Value) -> Option<Revision> {
    let repository = tools.client.cluster().repositories.at(source.text("/spec/url"))?;
    let fetched = source.text("/status/artifact/revision");
    let is_it = |revision: &&Revision| {
        let name = if *kind == kinds::GIT_REPOSITORY { revision.commit() } else { revision.digest() };
        fetched.ends_with(&name)
    };
    repository.revisions().find(is_it).cloned()
}
