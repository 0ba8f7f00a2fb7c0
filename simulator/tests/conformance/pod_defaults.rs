//! What pods are if nobody says.

use serde_json::{Value, json};

use super::arms::Arm;

const NEW: &str = "/api/v1/namespaces/SPACE/pods?dryRun=All";

bodies! {
    a_pod_of_one_container_is_filled_in
    images_say_when_they_are_pulled
    what_is_empty_vanishes_or_stays
    probes_have_their_numbers
    volumes_have_their_modes
    a_volume_of_nothing_is_an_empty_directory
    variables_refer_to_what_the_server_knows
    limits_are_requests_and_amounts_have_one_form
    the_quality_of_a_pod_follows_from_its_resources
    ports_of_the_host_are_those_of_the_container
    accounts_have_two_names
    the_token_is_mounted_once
    tolerations_are_added_unless_there_are_some
    priorities_come_from_classes
    gates_hold_a_pod
    init_and_ephemeral_containers_are_filled_in
    hooks_have_paths_and_schemes
    whole_pods_have_resources_too
}

/// Pods need an account, which controllers give to new namespaces.
pub fn account(arm: &Arm) {
    let place = format!("/api/v1/namespaces/{}/serviceaccounts", arm.space);
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}});
    arm.exchange("POST", &place, "application/json", &account);
}

fn pod(spec: Value) -> Value {
    json!({"metadata": {"name": "web"}, "spec": spec})
}

/// A pod with a container that has this besides its name and image.
fn with(container: Value) -> Value {
    let mut whole = json!({"name": "web", "image": "nginx:1"});
    for (name, value) in container.as_object().into_iter().flatten() {
        whole[name] = value.clone();
    }
    pod(json!({"containers": [whole]}))
}

fn a_pod_of_one_container_is_filled_in(arm: &Arm) {
    account(arm);
    let created = arm.create(NEW, with(json!({})));
    assert_eq!(created.code, 201, "{}", created.body);
    assert_eq!(created.body["status"]["qosClass"], "BestEffort");
}

fn images_say_when_they_are_pulled(arm: &Arm) {
    account(arm);
    let images = [
        "nginx",
        "nginx:latest",
        "nginx:1.27",
        "registry.example.com:5000/team/web",
        "registry.example.com:5000/team/web:2",
        "nginx@sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "nginx:latest@sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "Upper/Case",
        "localhost/web",
        "not an image",
    ];
    let containers = images.iter().enumerate().map(|(at, image)| json!({"name": format!("c{at}"), "image": image}));
    arm.create(NEW, pod(json!({"containers": containers.collect::<Vec<_>>()})));
}

fn what_is_empty_vanishes_or_stays(arm: &Arm) {
    account(arm);
    let container = json!({
        "name": "web", "image": "nginx:1", "command": [], "args": null, "env": [], "ports": [], "resources": {"limits": {}},
        "securityContext": {}, "stdin": false, "tty": false, "workingDir": "", "imagePullPolicy": "", "lifecycle": {},
    });
    arm.create(
        NEW,
        json!({
            "metadata": {"name": "web", "labels": {}, "annotations": {}, "finalizers": [], "creationTimestamp": null},
            "spec": {
                "containers": [container], "nodeSelector": {}, "hostNetwork": false, "tolerations": [], "volumes": [],
                "restartPolicy": "", "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": false,
                "affinity": {}, "securityContext": {"runAsNonRoot": false, "fsGroup": 0}, "dnsConfig": {}, "hostname": "",
            },
            "status": {"phase": "Running"},
        }),
    );
}

fn probes_have_their_numbers(arm: &Arm) {
    account(arm);
    arm.create(
        NEW,
        with(json!({
            "livenessProbe": {"httpGet": {"port": 80}},
            "readinessProbe": {"tcpSocket": {"port": "http"}, "periodSeconds": 3},
            "startupProbe": {"exec": {"command": ["true"]}, "failureThreshold": 30},
            "ports": [{"containerPort": 80, "name": "http"}],
        })),
    );
    arm.create(
        NEW,
        with(json!({
            "livenessProbe": {"grpc": {"port": 80}, "timeoutSeconds": 0},
            "readinessProbe": {"httpGet": {"port": 80, "path": "", "scheme": "HTTPS", "host": "a"}},
        })),
    );
}

fn volumes_have_their_modes(arm: &Arm) {
    account(arm);
    let volumes = json!([
        {"name": "secret", "secret": {"secretName": "a"}},
        {"name": "map", "configMap": {"name": "a", "items": [{"key": "a", "path": "b"}]}},
        {"name": "api", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {"name": "all", "projected": {"sources": [
            {"secret": {"name": "a"}},
            {"configMap": {"name": "a"}},
            {"serviceAccountToken": {"path": "token"}},
            {"downwardAPI": {"items": [
                {"path": "cpu", "resourceFieldRef": {"containerName": "web", "resource": "limits.cpu"}},
            ]}},
        ]}},
        {"name": "host", "hostPath": {"path": "/var"}},
        {"name": "modes", "secret": {"secretName": "a", "defaultMode": 0}},
        {"name": "image", "image": {"reference": "nginx"}},
        {"name": "claim", "persistentVolumeClaim": {"claimName": "a"}},
        {"name": "brought", "ephemeral": {"volumeClaimTemplate": {"spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}},
        }}}},
        {"name": "driver", "csi": {"driver": "a.example.com"}},
        {"name": "shared", "nfs": {"server": "a", "path": "/"}},
        {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": "1024Ki"}},
    ]);
    arm.create(NEW, pod(json!({"containers": [{"name": "web", "image": "a:1"}], "volumes": volumes})));
}

fn a_volume_of_nothing_is_an_empty_directory(arm: &Arm) {
    account(arm);
    let volumes = json!([{"name": "a"}, {"name": "b", "emptyDir": {}}]);
    arm.create(NEW, pod(json!({"containers": [{"name": "web", "image": "a:1"}], "volumes": volumes})));
}

fn variables_refer_to_what_the_server_knows(arm: &Arm) {
    account(arm);
    arm.create(
        NEW,
        with(json!({
            "env": [
                {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
                {"name": "SHARE", "valueFrom": {"resourceFieldRef": {"resource": "requests.cpu", "divisor": "1000m"}}},
                {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b", "optional": false}}},
                {"name": "PLAIN", "value": ""},
                {"name": "OTHER", "value": "$(PLAIN)"},
            ],
            "envFrom": [{"configMapRef": {"name": "a"}}, {"prefix": "P_", "secretRef": {"name": "b"}}],
        })),
    );
}

fn limits_are_requests_and_amounts_have_one_form(arm: &Arm) {
    account(arm);
    let amounts = [
        json!({"limits": {"cpu": "1000m", "memory": "1024Mi"}}),
        json!({"limits": {"cpu": 2, "memory": "1G"}, "requests": {"cpu": 0.5}}),
        json!({"requests": {"cpu": "0.1m", "memory": "1500Ki", "ephemeral-storage": "1e3"}}),
        json!({"requests": {"cpu": "1.5", "memory": "128974848"}}),
        json!({"requests": {"cpu": ".5", "memory": "1.5Gi"}}),
        json!({"requests": {"cpu": "+1", "memory": "1000Ki"}}),
        json!({"requests": {"cpu": "0", "memory": "0.5Ki"}}),
        json!({"limits": {"example.com/device": "2"}}),
        json!({"requests": {"memory": "12E", "cpu": "1k"}}),
        json!({"requests": {"memory": "1e3", "cpu": "1u"}}),
    ];
    let containers = amounts
        .iter()
        .enumerate()
        .map(|(at, amounts)| json!({"name": format!("c{at}"), "image": "a:1", "resources": amounts}));
    arm.create(NEW, pod(json!({"containers": containers.collect::<Vec<_>>()})));
}

fn the_quality_of_a_pod_follows_from_its_resources(arm: &Arm) {
    account(arm);
    let some = [
        json!([{"limits": {"cpu": "1", "memory": "1Gi"}}]),
        json!([{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}]),
        json!([{"limits": {"cpu": "1", "memory": "1Gi"}}, {}]),
        json!([{"limits": {"cpu": "1", "memory": "1Gi"}}, {"limits": {"cpu": "1", "memory": "1Gi"}}]),
        json!([{"requests": {"cpu": "1"}}]),
        json!([{"limits": {"cpu": "1"}}]),
        json!([{"requests": {"cpu": "0"}}]),
        json!([{"requests": {"ephemeral-storage": "1Gi"}}]),
    ];
    for resources in some {
        let containers = resources.as_array().into_iter().flatten().enumerate();
        let containers =
            containers.map(|(at, resources)| json!({"name": format!("c{at}"), "image": "a:1", "resources": resources}));
        arm.create(NEW, pod(json!({"containers": containers.collect::<Vec<_>>()})));
    }
}

fn ports_of_the_host_are_those_of_the_container(arm: &Arm) {
    account(arm);
    let containers = json!([{"name": "web", "image": "a:1", "ports": [{"containerPort": 80}]}]);
    arm.create(NEW, pod(json!({"containers": containers, "hostNetwork": true})));
    arm.create(NEW, pod(json!({"containers": containers, "hostNetwork": false})));
}

fn accounts_have_two_names(arm: &Arm) {
    account(arm);
    let place = format!("/api/v1/namespaces/{}/serviceaccounts", arm.space);
    for name in ["one", "two"] {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
        arm.exchange("POST", &place, "application/json", &account);
    }
    let containers = json!([{"name": "web", "image": "a:1"}]);
    arm.create(NEW, pod(json!({"containers": containers, "serviceAccount": "one"})));
    arm.create(NEW, pod(json!({"containers": containers, "serviceAccountName": "one"})));
    arm.create(NEW, pod(json!({"containers": containers, "serviceAccountName": "one", "serviceAccount": "two"})));
}

fn the_token_is_mounted_once(arm: &Arm) {
    account(arm);
    let mounted = json!([{"name": "other", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]);
    let containers = json!([
        {"name": "web", "image": "a:1"},
        {"name": "own", "image": "a:1", "volumeMounts": mounted},
    ]);
    let volumes = json!([{"name": "other"}]);
    arm.create(NEW, pod(json!({"containers": containers, "volumes": volumes})));
    arm.create(NEW, pod(json!({"containers": [containers[1]], "volumes": volumes})));
    arm.create(NEW, pod(json!({"containers": [containers[0]], "automountServiceAccountToken": false})));
    let volumes = json!([{"name": "kube-api-access-mine", "emptyDir": {}}]);
    arm.create(NEW, pod(json!({"containers": [containers[0]], "volumes": volumes})));
}

fn tolerations_are_added_unless_there_are_some(arm: &Arm) {
    account(arm);
    let some = [
        json!([{"operator": "Exists"}]),
        json!([{"key": "node.kubernetes.io/not-ready", "operator": "Exists"}]),
        json!([{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoSchedule"}]),
        json!([{"key": "mine", "value": "a", "effect": "NoSchedule"}]),
    ];
    for tolerations in some {
        arm.create(NEW, pod(json!({"containers": [{"name": "web", "image": "a:1"}], "tolerations": tolerations})));
    }
}

fn priorities_come_from_classes(arm: &Arm) {
    account(arm);
    let containers = json!([{"name": "web", "image": "a:1"}]);
    for class in ["system-node-critical", "system-cluster-critical", "nobody-SPACE"] {
        arm.create(NEW, pod(json!({"containers": containers, "priorityClassName": class})));
    }
    arm.create(NEW, pod(json!({"containers": containers, "priority": 0})));
    arm.create(NEW, pod(json!({"containers": containers, "priority": 5})));
    arm.create(NEW, pod(json!({"containers": containers, "preemptionPolicy": "Never"})));
}

fn gates_hold_a_pod(arm: &Arm) {
    account(arm);
    let containers = json!([{"name": "web", "image": "a:1"}]);
    arm.create(NEW, pod(json!({"containers": containers, "schedulingGates": [{"name": "example.com/wait"}]})));
}

fn init_and_ephemeral_containers_are_filled_in(arm: &Arm) {
    account(arm);
    arm.create(
        NEW,
        pod(json!({
            "initContainers": [
                {"name": "first", "image": "a", "resources": {"limits": {"cpu": "1"}}},
                {"name": "beside", "image": "a:1", "restartPolicy": "Always", "startupProbe": {"tcpSocket": {"port": 80}}},
            ],
            "containers": [{"name": "web", "image": "a:1"}],
        })),
    );
    arm.create(
        NEW,
        pod(json!({
            "containers": [{"name": "web", "image": "a:1"}],
            "ephemeralContainers": [{"name": "look", "image": "a:1"}],
        })),
    );
}

fn hooks_have_paths_and_schemes(arm: &Arm) {
    account(arm);
    arm.create(
        NEW,
        with(json!({"lifecycle": {
            "postStart": {"httpGet": {"port": 80}},
            "preStop": {"exec": {"command": ["true"]}},
        }})),
    );
    arm.create(NEW, with(json!({"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}})));
}

fn whole_pods_have_resources_too(arm: &Arm) {
    account(arm);
    let containers = json!([{"name": "web", "image": "a:1", "resources": {"requests": {"cpu": "100m"}}}]);
    for resources in [
        json!({"limits": {"cpu": "1", "memory": "1Gi"}}),
        json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}}),
        json!({"requests": {"cpu": "1"}}),
        json!({}),
    ] {
        arm.create(NEW, pod(json!({"containers": containers, "resources": resources})));
    }
}
