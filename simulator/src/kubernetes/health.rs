//! How the server is: alive, ready, and why not.

/// The checks of a server, in their order. The simulated one passes them all while it answers.
const CHECKS: [&str; 32] = [
    "ping",
    "log",
    "etcd",
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/max-in-flight-filter",
    "poststarthook/storage-object-count-tracker-hook",
    "poststarthook/start-apiextensions-informers",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/crd-informer-synced",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/peer-endpoint-reconciler-controller",
    "poststarthook/start-cluster-authentication-info-controller",
    "poststarthook/start-kube-apiserver-identity-lease-controller",
    "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
    "poststarthook/storage-readiness",
    "poststarthook/start-legacy-token-tracking-controller",
    "poststarthook/start-service-ip-repair-controllers",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/priority-and-fairness-config-producer",
    "poststarthook/bootstrap-controller",
    "poststarthook/start-kubernetes-service-cidr-controller",
    "poststarthook/start-kube-aggregator-informers",
    "poststarthook/apiservice-status-local-available-controller",
    "poststarthook/apiservice-status-remote-available-controller",
    "poststarthook/apiservice-registration-controller",
    "poststarthook/apiservice-discovery-controller",
    "poststarthook/kube-apiserver-autoregistration",
    "autoregister-completion",
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
];

/// What a path of health says; nothing, if it is none. `verbose` names each check.
pub fn answer(path: &str, verbose: bool) -> Option<String> {
    let (endpoint, check) = match path.trim_matches('/').split_once('/') {
        Some((endpoint, check)) => (endpoint, Some(check)),
        None => (path.trim_matches('/'), None),
    };
    if !matches!(endpoint, "healthz" | "livez" | "readyz") {
        return None;
    }
    if let Some(check) = check {
        return checks(endpoint).contains(&check).then(|| "ok".to_owned());
    }
    if !verbose {
        return Some("ok".to_owned());
    }
    let mut told: String = checks(endpoint).iter().map(|check| format!("[+]{check} ok\n")).collect();
    told.push_str(&format!("{endpoint} check passed\n"));
    Some(told)
}

fn checks(endpoint: &str) -> Vec<&'static str> {
    let mut checks = CHECKS.to_vec();
    if endpoint == "readyz" {
        checks.splice(3..3, ["etcd-readiness", "informer-sync"]);
        checks.push("shutdown");
    } else {
        checks.insert(2, "loopback-serving-certificate");
    }
    checks
}
