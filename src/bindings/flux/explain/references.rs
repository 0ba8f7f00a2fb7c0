//! What an object names of the cluster's own: values, keys, credentials, namespaces.

use super::{Blocker, Checked, Remedy, Scene};
use crate::{
    bindings::flux::kind::{HELM_RELEASE, KUSTOMIZATION},
    kubernetes::object::{at, flag, items, text},
    script::{
        fault::{Fault, Kind},
        values::tree::Tree,
    },
};

/// A release's values come from a ConfigMap or Secret that is not there, or lacks the key.
pub fn values(scene: &Scene) -> Checked<'_> {
    Box::pin(async move {
        for named in items(&scene.object, &["spec", "valuesFrom"]) {
            let key = text(named, &["valuesKey"]).unwrap_or("values.yaml");
            let Some(missing) = missing(scene, named, Some(key)).await? else { continue };
            let sentence = format!("{} takes values from {missing}", scene.reference);
            let remedy = Remedy::Mend("create it, correct `valuesFrom`, or make it optional".to_owned());
            return Ok(Some(Blocker::new("values_missing", sentence, remedy).on(scene)));
        }
        Ok(None)
    })
}

/// What is put into manifests comes from a ConfigMap or Secret that is not there.
pub fn substitutes(scene: &Scene) -> Checked<'_> {
    Box::pin(async move {
        for named in items(&scene.object, &["spec", "postBuild", "substituteFrom"]) {
            let Some(missing) = missing(scene, named, None).await? else { continue };
            let sentence = format!("{} fills its manifests in from {missing}", scene.reference);
            let remedy = Remedy::Mend("create it, correct `substituteFrom`, or make it optional".to_owned());
            return Ok(Some(Blocker::new("substitutes_missing", sentence, remedy).on(scene)));
        }
        Ok(None)
    })
}

/// The key to another cluster is not there.
pub fn kubeconfig(scene: &Scene) -> Checked<'_> {
    Box::pin(async move {
        let Some(named) = at(&scene.object, &["spec", "kubeConfig", "secretRef"]) else { return Ok(None) };
        let Some(missing) = missing(scene, named, text(named, &["key"])).await? else { return Ok(None) };
        let sentence = format!("{} reaches its cluster by {missing}", scene.reference);
        let remedy = Remedy::Mend("create it, or correct `kubeConfig`".to_owned());
        Ok(Some(Blocker::new("kubeconfig_missing", sentence, remedy).on(scene)))
    })
}

/// What a source logs in with, or is verified by, is not there; nor is what manifests are decrypted with.
pub fn credentials(scene: &Scene) -> Checked<'_> {
    Box::pin(async move {
        const NAMED: [&[&str]; 5] = [
            &["spec", "secretRef"],
            &["spec", "certSecretRef"],
            &["spec", "proxySecretRef"],
            &["spec", "verify", "secretRef"],
            &["spec", "decryption", "secretRef"],
        ];
        for path in NAMED {
            let Some(named) = at(&scene.object, path) else { continue };
            let Some(missing) = missing(scene, named, None).await? else { continue };
            let field = path[1..].join(".");
            let sentence = format!("{} needs {missing} (`{field}`)", scene.reference);
            let remedy = Remedy::Mend(format!("create it, or correct `{field}`"));
            return Ok(Some(Blocker::new("credentials_missing", sentence, remedy).on(scene)));
        }
        Ok(None)
    })
}

/// The namespace that it brings its objects to is not there.
pub fn namespace(scene: &Scene) -> Checked<'_> {
    Box::pin(async move {
        let brings = [HELM_RELEASE, KUSTOMIZATION].contains(scene.reference.kind);
        let elsewhere = at(&scene.object, &["spec", "kubeConfig"]).is_some();
        let made = flag(&scene.object, &["spec", "install", "createNamespace"]);
        // What brings its own namespace says so by failing in no namespace.
        let failed = scene.complaints().contains("not found");
        let Some(target) = text(&scene.object, &["spec", "targetNamespace"]) else { return Ok(None) };
        if !brings || elsewhere || made || !failed {
            return Ok(None);
        }
        let namespaces = scene.cluster.resolve("namespaces").await?;
        if scene.cluster.find(&namespaces, "", target).await?.is_some() {
            return Ok(None);
        }
        let sentence = format!("{} brings its objects to namespace `{target}`, which is not there", scene.reference);
        let remedy = Remedy::Mend("create the namespace, or set `install.createNamespace` for a release".to_owned());
        Ok(Some(Blocker::new("namespace_missing", sentence, remedy).on(scene)))
    })
}

/// Says that a ConfigMap or Secret is not there, or lacks a key; what is optional may.
async fn missing(scene: &Scene, named: &Tree, key: Option<&str>) -> Result<Option<String>, Fault> {
    let Some(name) = text(named, &["name"]) else { return Ok(None) };
    if flag(named, &["optional"]) {
        return Ok(None);
    }
    let kind = text(named, &["kind"]).unwrap_or("Secret");
    let shown = format!("{}/{name}", kind.to_lowercase());
    let resource = scene.cluster.resolve(kind).await?;
    let found = match scene.cluster.find(&resource, &scene.reference.namespace, name).await {
        Ok(found) => found,
        // Who may not look has to believe what the controllers say.
        Err(fault) if fault.kind == Kind::Denied => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let Some(found) = found else { return Ok(Some(format!("{shown}, which is not there"))) };
    Ok(key.and_then(|key| {
        let holds = ["data", "binaryData"].iter().any(|part| at(&found, &[part, key]).is_some());
        (!holds).then(|| format!("{shown}, which has no key `{key}`"))
    }))
}
