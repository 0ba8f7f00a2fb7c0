//! Flux itself: installed, looked at and taken off, beside what Flux's own program does.

use std::process::Command;

use cozyscript::script::fault::Kind;

use crate::real::{Bed, Scripts, alone};

/// What a release of Flux has in its `install.yaml`, with one controller, which needs not do anything.
fn manifests() -> String {
    let part = "labels: {app.kubernetes.io/part-of: flux, app.kubernetes.io/version: v2.9.5}";
    let definition = |kind: &str, plural: &str, group: &str, version: &str| {
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {plural}.{group}, {part}}}\n\
             spec:\n  group: {group}\n  scope: Namespaced\n  names: {{kind: {kind}, plural: {plural}, singular: {}}}\n  \
             versions: [{{name: {version}, served: true, storage: true, subresources: {{status: {{}}}}, schema: \
             {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}}}]\n---\n",
            kind.to_lowercase()
        )
    };
    [
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: helm-controller, namespace: flux-system, ".to_owned(),
        format!("{part}}}\nspec:\n  selector: {{matchLabels: {{app: helm-controller}}}}\n  template:\n    metadata: "),
        "{labels: {app: helm-controller}}\n    spec: {serviceAccountName: helm-controller, containers: [{name: ".to_owned(),
        "manager, image: 'ghcr.io/fluxcd/helm-controller:v1.6.4'}]}\n---\n".to_owned(),
        format!("{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: helm-controller, namespace: flux-system, {part}}}}}\n---\n"),
        format!("{{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {{name: flux-view, {part}}}, rules: []}}\n---\n"),
        format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: flux-system, {part}}}}}\n---\n"),
        definition("GitRepository", "gitrepositories", "source.toolkit.fluxcd.io", "v1"),
        definition("HelmRelease", "helmreleases", "helm.toolkit.fluxcd.io", "v2"),
        definition("Kustomization", "kustomizations", "kustomize.toolkit.fluxcd.io", "v1"),
    ]
    .concat()
}

/// A release with what it brought, as its controller would have it.
const RELEASE: &str = "{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: web, namespace: shop-of-flux, \
                       finalizers: [finalizers.fluxcd.io]}}\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: web, \
                       namespace: shop-of-flux, labels: {helm.toolkit.fluxcd.io/name: web, \
                       helm.toolkit.fluxcd.io/namespace: shop-of-flux}}}\n";

const BROUGHT: &str = r#"{"status": {"inventory": {"entries": [{"id": "shop-of-flux_web__ConfigMap", "v": "v1"}]}}}"#;

fn bring(bed: &Bed) {
    bed.kubectl_with(&["apply"], RELEASE);
    let patch = ["patch", "hr.helm.toolkit.fluxcd.io", "web", "--subresource=status", "--type=merge", "-p", BROUGHT];
    let patch = patch.map(|word| if word.starts_with("hr.") { "helmreleases.helm.toolkit.fluxcd.io" } else { word });
    bed.kubectl(&[&["-n", "shop-of-flux"], &patch[..]].concat());
}

/// Everything that Flux's manifests or its objects are, by name.
fn there(bed: &Bed) -> String {
    let of_flux = ["get", "crd,clusterrole,namespace,deployment,serviceaccount", "-A", "-o", "name"];
    let label = ["-l", "app.kubernetes.io/part-of=flux"];
    [
        bed.kubectl(&[&of_flux[..], &label].concat()),
        bed.kubectl(&["-n", "shop-of-flux", "get", "configmap/web", "-o", "name"]),
    ]
    .concat()
}

fn flux(bed: &Bed, arguments: &[&str]) -> String {
    let mut command = Command::new(bed.programs().join("flux"));
    let output = command.args(arguments).env("KUBECONFIG", bed.kubeconfig()).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "flux {arguments:?}: {said}");
    said
}

#[test]
fn it_is_installed_looked_at_and_taken_off_as_flux_does_it_itself() {
    let Some(bed) = alone() else { return };
    let script = bed.script();
    std::fs::write(bed.folder.join("install.yaml"), manifests()).unwrap();
    bed.space("shop-of-flux");
    let install = r#"
        let flux = flux::install(k8s::connect(), k8s::manifests("install.yaml"), #{ timeout: "1m" });
        let one = flux.controllers[0];
        let lines = "";
        for part in flux.definitions { lines += "\n" + `${part.name} ${part.served} ${part.stored}${part.because}` }
        `${flux.healthy} ${flux.version} ${one.namespace}/${one.name} ${one.version} ${one.images[0]} ${one.ready}${lines}`
    "#;
    insta::assert_snapshot!(script.value::<String>(install), @r#"
    true v2.9.5 flux-system/helm-controller v2.9.5 ghcr.io/fluxcd/helm-controller:v1.6.4 true
    gitrepositories.source.toolkit.fluxcd.io ["v1"] ["v1"]
    kustomizations.kustomize.toolkit.fluxcd.io ["v1"] ["v1"]
    helmreleases.helm.toolkit.fluxcd.io ["v2"] ["v2"]
    "#);
    let theirs = flux(&bed, &["check", "--components=helm-controller", "--components-extra="]);
    assert!(theirs.contains("helm-controller: deployment ready") && theirs.contains("helmreleases"), "{theirs}");
    script.value::<String>(install);
    let detail = |place: usize| script.recorded.effects.lock().unwrap()[place].1.clone().unwrap().2.unwrap();
    assert_eq!((detail(0).as_str(), detail(1).as_str()), ("created", "unchanged"));

    bring(&bed);
    let uninstall = r#"
        let gone = flux::uninstall(k8s::connect(), #{ timeout: "1m" });
        `${gone.removed.len()} ${gone.left}`
    "#;
    insta::assert_snapshot!(script.value::<String>(uninstall), @r#"8 ["configmap/web in shop-of-flux"]"#);
    let ours = there(&bed);
    let destroyed = script.recorded.effects.lock().unwrap().pop().unwrap().0.destroys.unwrap().join("\n");
    assert!(
        destroyed.contains("helmrelease/web in shop-of-flux") && destroyed.contains("namespace/flux-system"),
        "{destroyed}"
    );
    insta::assert_snapshot!(script.value::<String>(uninstall), @"0 []");

    script.value::<String>(install);
    bring(&bed);
    flux(&bed, &["uninstall", "--silent"]);
    bed.kubectl(&["wait", "--for=delete", "namespace/flux-system", "--timeout=60s"]);
    assert_eq!(ours, there(&bed));
    assert_eq!(ours, "configmap/web\n");
}

#[test]
fn what_it_brought_is_not_taken_with_it_and_what_keeps_it_is_left_to_do_so() {
    let Some(bed) = alone() else { return };
    let script = bed.script();
    bed.space("shop-of-flux-too");
    let own = manifests();
    let fault = |text: &str| script.fault(text);
    assert_eq!(
        fault("flux::install(k8s::connect(), \"{apiVersion: v1, kind: Namespace, metadata: {name: a}}\")").kind,
        Kind::Usage
    );
    let install = format!("flux::install(k8s::connect(), `{own}`, #{{ timeout: \"1m\", force: true }}).healthy");
    assert!(script.value::<bool>(&install));
    let holds = RELEASE.replace("namespace: shop-of-flux", "namespace: flux-system");
    bed.kubectl_with(&["apply"], &holds);
    let brought = BROUGHT.replace("shop-of-flux_", "flux-system_");
    let release =
        ["patch", "helmreleases.helm.toolkit.fluxcd.io", "web", "--subresource=status", "--type=merge", "-p", &brought];
    bed.kubectl(&[&["-n", "flux-system"], &release[..]].concat());

    let itself = "{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: flux-system, namespace: \
                  flux-system, labels: {kustomize.toolkit.fluxcd.io/name: flux-system, \
                  kustomize.toolkit.fluxcd.io/namespace: flux-system}}}";
    bed.kubectl_with(&["apply"], itself);
    let kept = fault(&format!("flux::install(k8s::connect(), `{own}`)"));
    assert_eq!(kept.kind, Kind::Refused);
    insta::assert_snapshot!(kept.message, @"Flux is kept by kustomization/flux-system in flux-system on `testbed`, from its own repository");

    let instances = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: \
                     fluxinstances.fluxcd.controlplane.io}\nspec:\n  group: fluxcd.controlplane.io\n  scope: Namespaced\n  names: \
                     {kind: FluxInstance, plural: fluxinstances, singular: fluxinstance}\n  versions: [{name: v1, served: true, \
                     storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]\n";
    bed.kubectl_with(&["apply"], instances);
    bed.kubectl(&["wait", "crd/fluxinstances.fluxcd.controlplane.io", "--for=condition=Established", "--timeout=30s"]);
    let instance = "{apiVersion: fluxcd.controlplane.io/v1, kind: FluxInstance, metadata: {name: flux, namespace: flux-system, \
                    labels: {kustomize.toolkit.fluxcd.io/name: flux-system, kustomize.toolkit.fluxcd.io/namespace: flux-system}}, \
                    spec: {distribution: {version: 2.x}, sync: {kind: GitRepository, url: 'https://git.example.org/fleet', \
                    ref: refs/heads/main, path: ./}}, status: {observedGeneration: 1, conditions: [{type: Ready, status: 'True', \
                    reason: ReconciliationSucceeded, message: all is well, observedGeneration: 1}]}}";
    bed.kubectl_with(&["apply"], instance);
    let told = r#"
        let it = flux::instance(k8s::connect());
        `${it.namespace}/${it.name} ${it.state} ${it.version} ${it.sync}` + "\n" + it.hazards[0]
    "#;
    insta::assert_snapshot!(script.value::<String>(told), @r#"
    flux-system/flux ready 2.x {"kind":"GitRepository","path":"./","ref":"refs/heads/main","url":"https://git.example.org/fleet"}
    kustomization/flux-system in flux-system deletes it, and Flux with it, once its folder no longer has it: annotate it there with `kustomize.toolkit.fluxcd.io/prune: disabled`
    "#);
    let sync = r#"
        let it = flux::set_sync(k8s::connect(), #{ url: "ssh://git@git.example.org/fleet", pull_secret: "fleet" }, #{ wait: false });
        `${it.sync}`
    "#;
    insta::assert_snapshot!(script.value::<String>(sync), @r#"{"kind":"GitRepository","path":"./","pull_secret":"fleet","ref":"refs/heads/main","url":"ssh://git@git.example.org/fleet"}"#);
    let other = fault("flux::set_sync(k8s::connect(), #{ branch: \"main\" })");
    assert_eq!((other.kind, other.message.as_str()), (Kind::Usage, "`branch` can't be said of the repository"));
    assert_eq!(fault("flux::uninstall(k8s::connect())").kind, Kind::Refused);
    bed.kubectl(&["delete", "crd", "fluxinstances.fluxcd.controlplane.io"]);
    assert_eq!(fault("flux::instance(k8s::connect())").kind, Kind::Unsupported);

    let left: String = script.value("flux::uninstall(k8s::connect(), #{ timeout: \"1m\" }).left.to_string()");
    assert_eq!(left, "[\"configmap/web in flux-system\"]");
    assert_eq!(bed.kubectl(&["-n", "flux-system", "get", "configmap/web", "-o", "name"]), "configmap/web\n");
    bed.kubectl(&["delete", "namespace", "flux-system"]);
}
