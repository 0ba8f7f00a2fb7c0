//! Sources, releases and Kustomizations, with Flux's own command line.

use super::console::Console;

const FILE: &str = "apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: charts}
spec: {type: oci, insecure: true, interval: 1h, url: 'oci://REGISTRY/charts'}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: shop}
spec: {insecure: true, interval: 1h, url: 'oci://REGISTRY/trees/shop', ref: {tag: v1}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: shop}
spec: {interval: 1h, timeout: 30s, prune: true, targetNamespace: SPACE, sourceRef: {kind: OCIRepository, name: shop}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web}
spec:
  interval: 1h
  timeout: 60s
  releaseName: web
  chart: {spec: {chart: app, version: 1.0.0, sourceRef: {kind: HelmRepository, name: charts}}}
";

/// Puts all of it there, and waits until it is ready.
fn begin(console: &Console) {
    let address = "kubectl get configmap registry -n flux-system -o jsonpath={.data.address}";
    console.until(address, ":");
    let registry = console.quietly(address);
    console.quietly_with("kubectl apply -f -", &console.placed(FILE).replace("REGISTRY", &registry));
    console.quietly("kubectl wait ks/shop hr/web --for=condition=Ready --timeout=60s");
}

fn run_all(console: &Console, lines: &[&str]) {
    lines.iter().for_each(|line| drop(console.run(line)));
}

pub fn flux_says_what_there_is(console: &Console) {
    begin(console);
    run_all(
        console,
        &[
            "flux get all",
            "flux get hr",
            "flux get ks shop",
            "flux get ks nobody",
            "flux get sources all",
            "flux get sources oci",
            "flux get sources helm",
            "flux get sources chart",
            "flux get sources git",
            "flux stats",
            "flux export source oci shop",
            "flux export hr web",
        ],
    );
}

pub fn flux_leads_back_to_where_it_came_from(console: &Console) {
    begin(console);
    run_all(
        console,
        &[
            "flux tree ks shop",
            "flux trace configmap settings",
            "flux trace web --kind Deployment --api-version apps/v1",
            "flux trace nobody --kind Deployment --api-version apps/v1",
            "flux trace configmap kube-root-ca.crt",
        ],
    );
    // Within a second nothing says which event was first.
    console.run_in_any_order("flux events --for HelmRelease/web");
    console.run_in_any_order("flux events --for Kustomization/shop");
}

pub fn flux_reconciles(console: &Console) {
    begin(console);
    run_all(
        console,
        &[
            "flux reconcile ks shop",
            "flux reconcile ks shop --with-source",
            "flux reconcile source oci shop",
            "flux reconcile source helm charts",
            "flux reconcile source chart SPACE-web",
            "flux reconcile hr web",
            "flux reconcile hr web --with-source",
            "flux reconcile hr web --force",
            "flux get hr",
            "flux reconcile hr web --reset",
            "flux reconcile ks nobody",
            "flux reconcile source oci nobody",
        ],
    );
}

pub fn flux_suspends_and_goes_on(console: &Console) {
    begin(console);
    run_all(
        console,
        &[
            "flux suspend hr web",
            "flux suspend ks --all",
            "flux suspend source oci shop",
            "flux get all",
            "flux reconcile hr web",
            "flux resume source oci shop",
            "flux resume hr web",
            "flux resume ks --all --wait",
            "flux get all",
            "flux suspend hr nobody",
            "flux delete hr web --silent",
            "flux delete ks shop --silent",
            "flux get all",
        ],
    );
}

pub fn flux_looks_whether_all_is_well(console: &Console) {
    begin(console);
    run_all(console, &["flux check --pre", "flux check", "flux version", "flux logs"]);
}
