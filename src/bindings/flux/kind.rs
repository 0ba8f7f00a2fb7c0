//! The kinds of Flux, by any of the names that people write.

use std::fmt;

use crate::{
    kubernetes::{client::Cluster, discovery::Resource},
    script::{
        fault::{Fault, Kind},
        options::nearest,
        values::tree::Tree,
    },
};

/// A kind of Flux. Its version is whichever the cluster serves.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FluxKind {
    pub name: &'static str,
    plural: &'static str,
    short: &'static str,
    group: &'static str,
}

const SOURCE: &str = "source.toolkit.fluxcd.io";
const IMAGE: &str = "image.toolkit.fluxcd.io";
const OPERATOR: &str = "fluxcd.controlplane.io";

pub const GIT_REPOSITORY: FluxKind =
    FluxKind { name: "GitRepository", plural: "gitrepositories", short: "gitrepo", group: SOURCE };
pub const OCI_REPOSITORY: FluxKind =
    FluxKind { name: "OCIRepository", plural: "ocirepositories", short: "ocirepo", group: SOURCE };
pub const HELM_REPOSITORY: FluxKind =
    FluxKind { name: "HelmRepository", plural: "helmrepositories", short: "helmrepo", group: SOURCE };
pub const HELM_CHART: FluxKind = FluxKind { name: "HelmChart", plural: "helmcharts", short: "hc", group: SOURCE };
pub const BUCKET: FluxKind = FluxKind { name: "Bucket", plural: "buckets", short: "bucket", group: SOURCE };
pub const EXTERNAL_ARTIFACT: FluxKind =
    FluxKind { name: "ExternalArtifact", plural: "externalartifacts", short: "ea", group: SOURCE };
pub const KUSTOMIZATION: FluxKind =
    FluxKind { name: "Kustomization", plural: "kustomizations", short: "ks", group: "kustomize.toolkit.fluxcd.io" };
pub const HELM_RELEASE: FluxKind =
    FluxKind { name: "HelmRelease", plural: "helmreleases", short: "hr", group: "helm.toolkit.fluxcd.io" };
const IMAGE_REPOSITORY: FluxKind =
    FluxKind { name: "ImageRepository", plural: "imagerepositories", short: "imgrepo", group: IMAGE };
const IMAGE_POLICY: FluxKind = FluxKind { name: "ImagePolicy", plural: "imagepolicies", short: "imgpol", group: IMAGE };
const IMAGE_UPDATE: FluxKind =
    FluxKind { name: "ImageUpdateAutomation", plural: "imageupdateautomations", short: "iua", group: IMAGE };
const RECEIVER: FluxKind =
    FluxKind { name: "Receiver", plural: "receivers", short: "receiver", group: "notification.toolkit.fluxcd.io" };
pub const FLUX_INSTANCE: FluxKind =
    FluxKind { name: "FluxInstance", plural: "fluxinstances", short: "fluxinstance", group: OPERATOR };
const RESOURCE_SET: FluxKind = FluxKind { name: "ResourceSet", plural: "resourcesets", short: "rset", group: OPERATOR };

/// All that can be asked for; those that others are made from come first.
pub const KINDS: [&FluxKind; 14] = [
    &GIT_REPOSITORY,
    &OCI_REPOSITORY,
    &HELM_REPOSITORY,
    &HELM_CHART,
    &BUCKET,
    &EXTERNAL_ARTIFACT,
    &KUSTOMIZATION,
    &HELM_RELEASE,
    &IMAGE_REPOSITORY,
    &IMAGE_POLICY,
    &IMAGE_UPDATE,
    &RECEIVER,
    &FLUX_INSTANCE,
    &RESOURCE_SET,
];

impl FluxKind {
    /// The kind of that name: singular, plural, short, in any case, with its group or without.
    ///
    /// # Errors
    /// `usage`, with the nearest name.
    pub fn named(word: &str) -> Result<&'static Self, Fault> {
        let (bare, group) = word.split_once('.').map_or((word, None), |(bare, group)| (bare, Some(group)));
        let answers = |kind: &FluxKind| {
            [kind.name, kind.plural, kind.short].iter().any(|name| name.eq_ignore_ascii_case(bare))
                && group.is_none_or(|group| group == kind.group)
        };
        if let Some(kind) = KINDS.into_iter().find(|kind| answers(kind)) {
            return Ok(kind);
        }
        let fault = Fault::new(Kind::Usage, format!("`{word}` is no kind of Flux"));
        let words: Vec<String> = KINDS.iter().map(|kind| kind.word()).collect();
        Err(match nearest(bare, words.iter().map(String::as_str)) {
            Some(near) => fault.hint(format!("did you mean `{near}`?")),
            None => fault.hint(format!("there are {}", words.join(", "))),
        })
    }

    /// The kind that an object's reference names, as Kubernetes writes it.
    pub fn exactly(name: &str) -> Option<&'static Self> {
        KINDS.into_iter().find(|kind| kind.name == name)
    }

    pub fn group(&self) -> &'static str {
        self.group
    }

    /// True for what Flux's own controllers look after, and not the operator that keeps Flux.
    pub fn is_of_controllers(&self) -> bool {
        self.group != OPERATOR
    }

    pub fn is_release(&self) -> bool {
        *self == HELM_RELEASE
    }

    /// `helmrelease`
    pub fn word(&self) -> String {
        self.name.to_lowercase()
    }

    /// `helmreleases.helm.toolkit.fluxcd.io`: no other kind has that name.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.plural, self.group)
    }

    /// # Errors
    /// `unsupported`, if the cluster doesn't have it.
    pub async fn resolve(&self, cluster: &Cluster) -> Result<Resource, Fault> {
        cluster.resolve(&self.full_name()).await.map_err(|fault| match fault.kind {
            Kind::Unsupported => {
                let message = format!("`{cluster}` has no kind `{}`", self.name);
                Fault::new(Kind::Unsupported, message).hint("is Flux installed there? `flux::check` tells")
            }
            _ => fault,
        })
    }
}

/// An object of Flux.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    pub kind: &'static FluxKind,
    pub namespace: String,
    pub name: String,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} in {}", self.kind.word(), self.name, self.namespace)
    }
}

impl Reference {
    pub fn new(kind: &'static FluxKind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }

    /// # Errors
    /// `not_found` and the like.
    pub async fn read(&self, cluster: &Cluster) -> Result<Tree, Fault> {
        cluster.read(&self.kind.resolve(cluster).await?, &self.namespace, &self.name).await
    }

    /// # Errors
    /// As for [`Reference::read`], but for `not_found`.
    pub async fn find(&self, cluster: &Cluster) -> Result<Option<Tree>, Fault> {
        cluster.find(&self.kind.resolve(cluster).await?, &self.namespace, &self.name).await
    }
}
