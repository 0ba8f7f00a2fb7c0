//! Why a source could not be fetched, as its controller says.

use super::{Blocker, Checked, Remedy, Scene};
use crate::{
    bindings::flux::{
        kind::{BUCKET, GIT_REPOSITORY, HELM_CHART, HELM_REPOSITORY, OCI_REPOSITORY},
        standing::current,
    },
    kubernetes::object::text,
    script::values::tree::Tree,
};

pub fn failed(scene: &Scene) -> Checked<'_> {
    Box::pin(async move {
        let kinds = [GIT_REPOSITORY, OCI_REPOSITORY, HELM_REPOSITORY, HELM_CHART, BUCKET];
        let Some(failure) = failure(&scene.object).filter(|_| kinds.contains(scene.reference.kind)) else {
            return Ok(None);
        };
        let part = |name: &str| text(failure, &[name]).unwrap_or_default();
        let (kind, sentence) = read(scene, part("reason"), part("message"));
        Ok(Some(Blocker::new(kind, sentence, Remedy::Reconcile(scene.reference.clone())).on(scene)))
    })
}

/// What its controller says of the last attempt. While it tries again it takes back that the source isn't ready, but not
/// what went wrong.
fn failure(object: &Tree) -> Option<&Tree> {
    const SAID: [(&str, &str); 6] = [
        ("Ready", "False"),
        ("FetchFailed", "True"),
        ("IncludeUnavailable", "True"),
        ("SourceVerified", "False"),
        ("BuildFailed", "True"),
        ("StorageOperationFailed", "True"),
    ];
    SAID.iter()
        .find_map(|(name, status)| current(object, name).filter(|found| text(found, &["status"]) == Some(status)))
}

fn read(scene: &Scene, reason: &str, message: &str) -> (&'static str, String) {
    let reference = &scene.reference;
    let says = |any: &[&str]| any.iter().any(|part| message.contains(part));
    let from = |path: &[&str]| text(&scene.object, path).unwrap_or("?").to_owned();
    let url = || from(&["spec", "url"]);
    let chart = || {
        let (kind, name) = (from(&["spec", "sourceRef", "kind"]).to_lowercase(), from(&["spec", "sourceRef", "name"]));
        (from(&["spec", "chart"]), from(&["spec", "version"]), format!("{kind}/{name}"))
    };
    let is_chart = *reference.kind == HELM_CHART;
    match () {
        () if is_chart && says(&["version matching", "no chart version found"]) => {
            let (chart, version, repository) = chart();
            ("chart_version", format!("no version of chart `{chart}` in {repository} matches `{version}`"))
        }
        () if is_chart && says(&["not found", "no chart name found"]) => {
            let (chart, version, repository) = chart();
            ("chart_missing", format!("{repository} has no chart `{chart}` of version `{version}`"))
        }
        () if reason == "VerificationError" || says(&["signature"]) => {
            ("unverified", format!("what {reference} fetched can't be verified: {}", first_line(message)))
        }
        () if says(&["authentication", "unauthorized", "UNAUTHORIZED", "denied"]) => {
            ("credentials_refused", format!("{reference} is not let in at {}", url()))
        }
        () if says(&["connection refused", "no such host", "i/o timeout", "deadline exceeded"]) => {
            ("source_unreachable", format!("{reference} can't reach {}", url()))
        }
        () if *reference.kind == OCI_REPOSITORY && says(&["not found", "MANIFEST_UNKNOWN", "manifest unknown"]) => {
            let which =
                ["tag", "digest", "semver"].into_iter().find_map(|name| text(&scene.object, &["spec", "ref", name]));
            ("artifact_missing", format!("there is no artifact `{}` at {}", which.unwrap_or("latest"), url()))
        }
        () => ("fetch_failed", format!("{reference} can't be fetched: {}", first_line(message))),
    }
}

fn first_line(message: &str) -> &str {
    message.trim().lines().next().unwrap_or("its controller does not say why")
}
