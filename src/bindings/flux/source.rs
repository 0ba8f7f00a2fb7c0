//! Where an object gets what it applies from.

use super::kind::{FluxKind, HELM_CHART, HELM_RELEASE, Reference};
use crate::{
    kubernetes::object::{at, text},
    script::values::tree::Tree,
};

/// The source that an object names: a HelmRelease's chart, and a chart's repository, among them.
pub fn of(reference: &Reference, object: &Tree) -> Option<Reference> {
    if *reference.kind == HELM_RELEASE && at(object, &["spec", "chart"]).is_some() {
        return Some(chart_of(reference, object));
    }
    let named = at(object, &["spec", "sourceRef"]).or(at(object, &["spec", "chartRef"]))?;
    let kind = FluxKind::exactly(text(named, &["kind"])?)?;
    let namespace = text(named, &["namespace"]).unwrap_or(&reference.namespace);
    Some(Reference::new(kind, namespace, text(named, &["name"])?))
}

/// The chart that helm-controller makes for a release lies beside its repository.
fn chart_of(reference: &Reference, release: &Tree) -> Reference {
    let repository = ["spec", "chart", "spec", "sourceRef", "namespace"];
    let namespace = text(release, &repository).unwrap_or(&reference.namespace);
    Reference::new(&HELM_CHART, namespace, format!("{}-{}", reference.namespace, reference.name))
}
