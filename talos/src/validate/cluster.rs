//! The cluster that the machine is to be a part of.

use serde_json::Value;

use super::{Findings, entries, items, network, on, text, texts};
use crate::configuration::Url;

pub fn check(cluster: &Value, control_plane: bool, found: &mut Findings) {
    if cluster.is_null() {
        return found.error("cluster instructions are required");
    }
    let Some(endpoint) = cluster["controlPlane"]["endpoint"].as_str() else {
        return found.error("cluster controlplane endpoint is required");
    };
    if let Err(why) = Url::read(endpoint).and_then(|url| url.as_endpoint()) {
        found.error(format!("invalid controlplane endpoint: {why}"));
    }
    let domain = text(&cluster["network"]["dnsDomain"]);
    if !domain.is_empty() && !is_domain(domain) {
        found.error(format!("{domain:?} is not a valid DNS name"));
    }
    cloud_provider(&cluster["externalCloudProvider"], found);
    let etcd = &cluster["etcd"];
    match (etcd.is_null(), control_plane) {
        (true, _) => {}
        (false, true) => check_etcd(etcd, found),
        (false, false) => found.error("etcd config is only allowed on control plane machines"),
    }
    if !control_plane && !text(&cluster["ca"]["key"]).is_empty() {
        found.error("cluster CA key is not allowed on non-controlplane nodes (.cluster.ca)");
    }
    manifests(&cluster["inlineManifests"], found);
    discovery(cluster, found);
    found.check(api_server(&cluster["apiServer"]));
    for (part, name) in [("controllerManager", "controller-manager"), ("scheduler", "scheduler")] {
        found.check(resources(&cluster[part]["resources"], name));
    }
}

fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    };
    let whole = name.strip_suffix(['.', '_']).filter(|rest| !rest.is_empty()).unwrap_or(name);
    name.len() - name.matches('.').count() <= 255 && (whole.split('.').all(label) || name.split('.').all(label))
}

pub fn check_cni(cni: &Value, found: &mut Findings) {
    let name = if cni.is_null() { "flannel" } else { text(&cni["name"]) };
    let (urls, arguments) = (items(&cni["urls"]), items(&cni["flannel"]["extraArgs"]));
    if !["flannel", "custom", "none"].contains(&name) {
        return found.error("cni name should be one of [\"flannel\", \"custom\", \"none\"]");
    }
    if name != "custom" && !urls.is_empty() {
        found.error(format!("\"urls\" field should be empty for {name:?} CNI"));
    }
    if name == "custom" && urls.is_empty() {
        found.warnings.push(format!("\"urls\" field should not be empty for {name:?} CNI"));
    }
    if name != "flannel" && !arguments.is_empty() {
        found.error(format!("\"flanneldExtraArgs\" field should be empty for {name:?} CNI"));
    }
    if name == "custom" {
        for url in texts(&cni["urls"]) {
            found.check(Url::read(url).and_then(|url| url.as_endpoint()));
        }
    }
}

fn cloud_provider(provider: &Value, found: &mut Findings) {
    if !on(&provider["enabled"]) {
        if !items(&provider["manifests"]).is_empty() {
            found.error("external cloud provider is disabled, but manifests are provided");
        }
        return;
    }
    for url in texts(&provider["manifests"]) {
        if let Err(why) = Url::read(url).and_then(|url| url.as_endpoint()) {
            found.error(format!("invalid external cloud provider manifest url {url:?}: {why}"));
        }
    }
}

fn check_etcd(etcd: &Value, found: &mut Findings) {
    if etcd["ca"].is_null() {
        found.error("key/cert combination should not be empty");
    }
    let (subnet, advertised) = (text(&etcd["subnet"]), &etcd["advertisedSubnets"]);
    if !subnet.is_empty() && !items(advertised).is_empty() {
        found.error("etcd subnet can't be set when advertised subnets are set");
    }
    if items(advertised).is_empty() && !subnet.is_empty() {
        network::subnets(&Value::from(vec![subnet]), "etcd advertised subnet", found);
    }
    network::subnets(advertised, "etcd advertised subnet", found);
    let listen = &etcd["listenSubnets"];
    let listen = if items(listen).is_empty() { advertised } else { listen };
    network::subnets(listen, "etcd listen subnet", found);
}

fn manifests(manifests: &Value, found: &mut Findings) {
    let names: Vec<&str> = items(manifests).iter().map(|manifest| text(&manifest["name"])).collect();
    for (index, name) in names.iter().enumerate() {
        if name.trim().is_empty() {
            found.error("inline manifest name can't be empty");
        }
        if names[..index].contains(name) {
            found.error(format!("inline manifest name {name:?} is duplicate"));
        }
    }
}

fn discovery(cluster: &Value, found: &mut Findings) {
    let discovery = &cluster["discovery"];
    let service = &discovery["registries"]["service"];
    if !on(&discovery["enabled"]) || on(&service["disabled"]) {
        return;
    }
    let endpoint = text(&service["endpoint"]);
    if !endpoint.is_empty() {
        let absolute = |url: &Url| !url.scheme.is_empty() || url.path.starts_with('/');
        match Url::read(endpoint) {
            Ok(url) if absolute(&url) => {
                if !["", "/"].contains(&url.path.as_str()) {
                    found.error("cluster discovery service path should be empty");
                }
            }
            Ok(_) => found.error(format!(
                "cluster discovery service registry endpoint is invalid: parse {endpoint:?}: invalid URI for request"
            )),
            Err(why) => found.error(format!("cluster discovery service registry endpoint is invalid: {why}")),
        }
    }
    for field in ["id", "secret"].iter().filter(|field| text(&cluster[field]).is_empty()) {
        found.error(format!("cluster discovery service requires .cluster.{field}"));
    }
}

fn api_server(server: &Value) -> Result<(), String> {
    let authorizers = &server["authorizationConfig"];
    if !authorizers.is_null() {
        for (name, _) in entries(&server["extraArgs"]) {
            if name == "authorization-mode" {
                return Err("authorization-mode cannot be used in conjunction with AuthorizationConfig, \
                            use eitherr AuthorizationConfig or authorization-mode"
                    .to_owned());
            }
            if name.starts_with("authorization-webhook-") {
                return Err("authorization-webhook-* flags cannot be used in conjunction with AuthorizationConfig, \
                            use either AuthorizationConfig or authorization-webhook-* flags"
                    .to_owned());
            }
        }
    }
    for authorizer in items(authorizers) {
        let failed = |why: &str| Err(format!("apiserver authorization config validation failed: {why}"));
        match (text(&authorizer["type"]), text(&authorizer["name"])) {
            ("", _) => return failed("authorizer type must be set"),
            (_, "") => return failed("authorizer name must be set"),
            ("Node" | "RBAC" | "Webhook", _) => {}
            (kind, _) => {
                return failed(&format!(
                    "authorizer type {kind} is not allowed, allowed types are [Node RBAC Webhook]"
                ));
            }
        }
    }
    resources(&server["resources"], "apiserver")
}

fn resources(resources: &Value, name: &str) -> Result<(), String> {
    for part in ["requests", "limits"] {
        for (resource, _) in entries(&resources[part]) {
            if !["cpu", "memory"].contains(&resource) {
                return Err(format!("{name} resource validation failed: unsupported pod resource {resource:?}"));
            }
        }
    }
    Ok(())
}
