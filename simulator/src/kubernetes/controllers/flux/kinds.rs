//! The kinds of Flux.

use serde_json::Value;

use super::super::fields::Fields;
use crate::kubernetes::client::Place;

#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    pub name: &'static str,
    pub api_version: &'static str,
    pub plural: &'static str,
    /// The plural with its group, as the store has it.
    pub stored: &'static str,
}

macro_rules! kinds {
    ($($constant:ident $name:literal $group:literal $version:literal $plural:literal)*) => {
        $(pub static $constant: Kind = Kind {
            name: $name,
            api_version: concat!($group, "/", $version),
            plural: $plural,
            stored: concat!($plural, ".", $group),
        };)*

        static ALL: &[&Kind] = &[$(&$constant),*];
    };
}

kinds! {
    BUCKET "Bucket" "source.toolkit.fluxcd.io" "v1" "buckets"
    GIT_REPOSITORY "GitRepository" "source.toolkit.fluxcd.io" "v1" "gitrepositories"
    HELM_CHART "HelmChart" "source.toolkit.fluxcd.io" "v1" "helmcharts"
    HELM_RELEASE "HelmRelease" "helm.toolkit.fluxcd.io" "v2" "helmreleases"
    HELM_REPOSITORY "HelmRepository" "source.toolkit.fluxcd.io" "v1" "helmrepositories"
    KUSTOMIZATION "Kustomization" "kustomize.toolkit.fluxcd.io" "v1" "kustomizations"
    OCI_REPOSITORY "OCIRepository" "source.toolkit.fluxcd.io" "v1" "ocirepositories"
}

impl Kind {
    pub fn of(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|kind| kind.name == name).copied()
    }

    pub fn place<'p>(&self, namespace: &'p str) -> Place<'p> {
        Place { api_version: self.api_version, resource: self.plural, namespace }
    }

    pub fn group(&self) -> &'static str {
        self.api_version.split('/').next().unwrap_or_default()
    }
}

/// What an object is made from, as `spec` refers to it.
pub struct Source {
    pub kind: String,
    pub namespace: String,
    pub name: String,
}

impl Source {
    /// What a reference of this object means.
    pub fn of(object: &Value, reference: &Value) -> Option<Self> {
        let text = |path: &str| reference.text(path).to_owned();
        let namespace = if reference.has("/namespace") { text("/namespace") } else { object.namespace().to_owned() };
        reference.has("/name").then(|| Self { kind: text("/kind"), namespace, name: text("/name") })
    }
}
