//! What is wrong with pods.

use serde_json::{Value, json};

use super::{arms::Arm, pod_defaults::account};

const NEW: &str = "/api/v1/namespaces/SPACE/pods?dryRun=All";

bodies! {
    pods_need_containers
    names_of_containers_are_labels_and_differ
    images_are_named
    ports_are_in_their_range
    ports_of_the_host_are_taken_once
    variables_have_names_and_one_source
    fields_that_variables_can_have_are_few
    amounts_that_variables_can_have_are_few
    sources_of_variables_are_one
    keys_of_variables_are_keys
    volumes_are_of_one_kind
    names_of_volumes_differ
    files_in_volumes_stay_in_them
    volumes_need_what_they_are_made_of
    projected_volumes_have_parts
    claims_that_pods_bring_are_checked
    mounts_refer_to_volumes
    mounts_below_stay_below
    devices_are_claims
    probes_do_one_thing
    numbers_of_probes_are_none_below_zero
    hooks_do_one_thing
    requests_are_within_limits
    resources_are_known
    extended_resources_are_whole
    policies_are_words
    users_and_groups_are_numbers
    profiles_have_types
    init_containers_have_no_probes
    containers_beside_may_have_them
    affinities_have_weights_and_keys
    tolerations_fit_together
    spreads_are_positive
    gates_have_names
    names_of_a_pod_are_labels
    name_servers_are_addresses
    aliases_are_addresses
    shared_namespaces_contradict
    whole_pods_ask_for_what_is_in_them
    names_of_pods_are_subdomains
    costs_of_deletion_are_numbers
    operating_systems_are_known
}

fn refused(arm: &Arm, specs: impl IntoIterator<Item = Value>) {
    account(arm);
    for spec in specs {
        let mut spec = spec;
        if spec["containers"].is_null() {
            spec["containers"] = json!([{"name": "web", "image": "nginx:1"}]);
        }
        arm.create(NEW, json!({"metadata": {"name": "web"}, "spec": spec}));
    }
}

/// Pods of a container that has this besides its name and image.
fn containers(arm: &Arm, containers: impl IntoIterator<Item = Value>) {
    let specs = containers.into_iter().map(|more| {
        let mut container = json!({"name": "web", "image": "nginx:1"});
        for (name, value) in more.as_object().into_iter().flatten() {
            container[name] = value.clone();
        }
        json!({"containers": [container], "volumes": [{"name": "a"}, {"name": "b", "persistentVolumeClaim": {"claimName": "b"}}]})
    });
    refused(arm, specs);
}

fn pods_need_containers(arm: &Arm) {
    account(arm);
    arm.create(NEW, json!({"metadata": {"name": "web"}, "spec": {}}));
    arm.create(NEW, json!({"metadata": {"name": "web"}, "spec": {"containers": []}}));
    arm.create(NEW, json!({"metadata": {"name": "web"}}));
}

fn names_of_containers_are_labels_and_differ(arm: &Arm) {
    refused(
        arm,
        [
            json!({"containers": [{"image": "a"}]}),
            json!({"containers": [{"name": "Web", "image": "a"}]}),
            json!({"containers": [{"name": "a.b", "image": "a"}]}),
            json!({"containers": [{"name": "a".repeat(64), "image": "a"}]}),
            json!({"containers": [{"name": "a", "image": "a"}, {"name": "a", "image": "b"}]}),
            json!({"containers": [{"name": "a", "image": "a"}], "initContainers": [{"name": "a", "image": "a"}]}),
        ],
    );
}

fn images_are_named(arm: &Arm) {
    refused(
        arm,
        [
            json!({"containers": [{"name": "a"}]}),
            json!({"containers": [{"name": "a", "image": ""}]}),
            json!({"containers": [{"name": "a", "image": " a"}]}),
        ],
    );
}

fn ports_are_in_their_range(arm: &Arm) {
    containers(
        arm,
        [
            json!({"ports": [{"containerPort": 0}]}),
            json!({"ports": [{}]}),
            json!({"ports": [{"containerPort": 70000}]}),
            json!({"ports": [{"containerPort": -1}]}),
            json!({"ports": [{"containerPort": 80, "hostPort": 70000}]}),
            json!({"ports": [{"containerPort": 80, "protocol": "http"}]}),
            json!({"ports": [{"containerPort": 80, "name": "HTTP"}]}),
            json!({"ports": [{"containerPort": 80, "name": "much-too-long-a-name"}]}),
            json!({"ports": [{"containerPort": 80, "name": "1"}]}),
            json!({"ports": [{"containerPort": 80, "name": "a--b"}]}),
            json!({"ports": [{"containerPort": 80, "name": "a"}, {"containerPort": 81, "name": "a"}]}),
        ],
    );
}

fn ports_of_the_host_are_taken_once(arm: &Arm) {
    let port = |number: u16| json!([{"containerPort": number, "hostPort": 8080}]);
    refused(
        arm,
        [
            json!({"containers": [{"name": "a", "image": "a", "ports": port(80)}, {"name": "b", "image": "a", "ports": port(81)}]}),
            json!({"containers": [{"name": "a", "image": "a", "ports": port(80)}], "hostNetwork": true}),
            json!({"initContainers": [{"name": "a", "image": "a", "ports": [port(80)[0], port(81)[0]]}]}),
        ],
    );
}

fn variables_have_names_and_one_source(arm: &Arm) {
    containers(
        arm,
        [
            json!({"env": [{"value": "a"}]}),
            json!({"env": [{"name": "A=B", "value": "a"}]}),
            json!({"env": [{"name": "1.a b", "value": "a"}]}),
            json!({"env": [{"name": "\u{e9}", "value": "a"}]}),
            json!({"env": [{"name": "A", "valueFrom": {}}]}),
            json!({"env": [{"name": "A", "value": "a", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}),
            json!({"env": [{"name": "A", "valueFrom": {
                "fieldRef": {"fieldPath": "metadata.name"}, "secretKeyRef": {"name": "a", "key": "b"},
            }}]}),
        ],
    );
}

fn fields_that_variables_can_have_are_few(arm: &Arm) {
    let paths = [
        "",
        "metadata.name",
        "metadata.labels",
        "metadata.labels['app']",
        "metadata.labels['not a key']",
        "metadata.annotations['example.com/A']",
        "metadata.name['a']",
        "spec.restartPolicy",
        "spec.replicas",
        "status.phase",
        "nothing",
    ];
    containers(arm, paths.map(|path| json!({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": path}}}]})));
}

fn amounts_that_variables_can_have_are_few(arm: &Arm) {
    let amounts = [
        json!({}),
        json!({"resource": "cpu"}),
        json!({"resource": "limits.cpu", "divisor": "2"}),
        json!({"resource": "limits.memory", "divisor": "1m"}),
        json!({"resource": "requests.memory", "divisor": "1Mi"}),
        json!({"resource": "limits.ephemeral-storage", "divisor": "3"}),
        json!({"resource": "limits.hugepages-2Mi"}),
    ];
    containers(arm, amounts.map(|of| json!({"env": [{"name": "A", "valueFrom": {"resourceFieldRef": of}}]})));
}

fn sources_of_variables_are_one(arm: &Arm) {
    containers(
        arm,
        [
            json!({"envFrom": [{}]}),
            json!({"envFrom": [{"configMapRef": {"name": "a"}, "secretRef": {"name": "a"}}]}),
            json!({"envFrom": [{"configMapRef": {}}]}),
            json!({"envFrom": [{"secretRef": {"name": "A"}}]}),
            json!({"envFrom": [{"prefix": "a=", "secretRef": {"name": "a"}}]}),
        ],
    );
}

fn keys_of_variables_are_keys(arm: &Arm) {
    containers(
        arm,
        [
            json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "a"}}}]}),
            json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"key": "a"}}}]}),
            json!({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "a b"}}}]}),
            json!({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "A", "key": ".."}}}]}),
        ],
    );
}

fn volumes_are_of_one_kind(arm: &Arm) {
    refused(
        arm,
        [
            json!({"volumes": [{"name": "a", "emptyDir": {}, "hostPath": {"path": "/"}}]}),
            json!({"volumes": [{"name": "a", "secret": {"secretName": "a"}, "configMap": {"name": "b"}}]}),
            json!({"volumes": [{"name": "a", "emptyDir": {"sizeLimit": "-1"}}]}),
        ],
    );
}

fn names_of_volumes_differ(arm: &Arm) {
    refused(
        arm,
        [
            json!({"volumes": [{"emptyDir": {}}]}),
            json!({"volumes": [{"name": "A"}]}),
            json!({"volumes": [{"name": "a.b"}]}),
            json!({"volumes": [{"name": "a"}, {"name": "a"}]}),
        ],
    );
}

fn files_in_volumes_stay_in_them(arm: &Arm) {
    let items = [
        json!([{"path": "a"}]),
        json!([{"key": "a"}]),
        json!([{"key": "a", "path": "/a"}]),
        json!([{"key": "a", "path": "../a"}]),
        json!([{"key": "a", "path": "..a"}]),
        json!([{"key": "a", "path": "a/../b"}]),
        json!([{"key": "a", "path": "a", "mode": 512}]),
    ];
    refused(arm, items.map(|items| json!({"volumes": [{"name": "a", "configMap": {"name": "a", "items": items}}]})));
}

fn volumes_need_what_they_are_made_of(arm: &Arm) {
    let sources = [
        json!({"secret": {}}),
        json!({"secret": {"secretName": "a", "defaultMode": 1000}}),
        json!({"configMap": {}}),
        json!({"hostPath": {}}),
        json!({"hostPath": {"path": "/a/../b"}}),
        json!({"hostPath": {"path": "/a", "type": "Any"}}),
        json!({"persistentVolumeClaim": {}}),
        json!({"nfs": {}}),
        json!({"nfs": {"server": "a", "path": "b"}}),
        json!({"csi": {}}),
        json!({"csi": {"driver": "not a driver"}}),
        json!({"downwardAPI": {"items": [{"path": "a"}]}}),
        json!({"downwardAPI": {"items": [{"path": "a", "fieldRef": {"fieldPath": "spec.nodeName"}}]}}),
        json!({"downwardAPI": {"items": [{"path": "a", "resourceFieldRef": {"resource": "limits.cpu"}}]}}),
        json!({"image": {}}),
        json!({"image": {"reference": "a", "pullPolicy": "Sometimes"}}),
        json!({"gitRepo": {}}),
        json!({"iscsi": {"targetPortal": "a"}}),
    ];
    refused(
        arm,
        sources.map(|mut volume| {
            volume["name"] = json!("a");
            json!({"volumes": [volume]})
        }),
    );
}

fn projected_volumes_have_parts(arm: &Arm) {
    let sources = [
        json!([{"secret": {"name": "a"}, "configMap": {"name": "b"}}]),
        json!([{"secret": {}}]),
        json!([{"serviceAccountToken": {"path": "a", "expirationSeconds": 10}}]),
        json!([{"serviceAccountToken": {}}]),
        json!([{"configMap": {"name": "a", "items": [{"key": "a", "path": "a"}]}}, {"secret": {"name": "b", "items": [{"key": "a", "path": "a"}]}}]),
    ];
    refused(arm, sources.map(|sources| json!({"volumes": [{"name": "a", "projected": {"sources": sources}}]})));
}

fn claims_that_pods_bring_are_checked(arm: &Arm) {
    let specs = [
        json!({}),
        json!({"volumeClaimTemplate": {"spec": {}}}),
        json!({"volumeClaimTemplate": {"spec": {"accessModes": ["Any"], "resources": {"requests": {"storage": "0"}}}}}),
        json!({"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce", "ReadWriteOncePod"], "resources": {"requests": {"storage": "1"}}}}}),
    ];
    refused(arm, specs.map(|ephemeral| json!({"volumes": [{"name": "a", "ephemeral": ephemeral}]})));
}

fn mounts_refer_to_volumes(arm: &Arm) {
    containers(
        arm,
        [
            json!({"volumeMounts": [{"mountPath": "/a"}]}),
            json!({"volumeMounts": [{"name": "nothing", "mountPath": "/a"}]}),
            json!({"volumeMounts": [{"name": "a"}]}),
            json!({"volumeMounts": [{"name": "a", "mountPath": "/a"}, {"name": "b", "mountPath": "/a"}]}),
            json!({"volumeMounts": [{"name": "a", "mountPath": "/a", "mountPropagation": "Bidirectional"}]}),
            json!({"volumeMounts": [{"name": "a", "mountPath": "/a", "mountPropagation": "Any"}]}),
            json!({"volumeMounts": [{"name": "a", "mountPath": "/a", "recursiveReadOnly": "Enabled"}]}),
        ],
    );
}

fn mounts_below_stay_below(arm: &Arm) {
    containers(
        arm,
        [
            json!({"volumeMounts": [{"name": "a", "mountPath": "/a", "subPath": "/b"}]}),
            json!({"volumeMounts": [{"name": "a", "mountPath": "/a", "subPath": "b/../c"}]}),
            json!({"volumeMounts": [{"name": "a", "mountPath": "/a", "subPath": "b", "subPathExpr": "c"}]}),
        ],
    );
}

fn devices_are_claims(arm: &Arm) {
    containers(
        arm,
        [
            json!({"volumeDevices": [{"name": "a", "devicePath": "/dev/a"}]}),
            json!({"volumeDevices": [{"name": "nothing", "devicePath": "/dev/a"}]}),
            json!({"volumeDevices": [{"name": "b"}]}),
            json!({"volumeDevices": [{"name": "b", "devicePath": "/dev/../a"}]}),
            json!({"volumeDevices": [{"name": "b", "devicePath": "/b"}], "volumeMounts": [{"name": "b", "mountPath": "/c"}]}),
            json!({"volumeDevices": [{"name": "b", "devicePath": "/b"}]}),
        ],
    );
}

fn probes_do_one_thing(arm: &Arm) {
    containers(
        arm,
        [
            json!({"livenessProbe": {}}),
            json!({"livenessProbe": {"httpGet": {"port": 80}, "tcpSocket": {"port": 80}}}),
            json!({"readinessProbe": {"exec": {}}}),
            json!({"readinessProbe": {"httpGet": {}}}),
            json!({"readinessProbe": {"httpGet": {"port": "HTTP"}}}),
            json!({"readinessProbe": {"httpGet": {"port": 80, "scheme": "http"}}}),
            json!({"readinessProbe": {"httpGet": {"port": 80, "httpHeaders": [{"name": "a b", "value": "c"}]}}}),
            json!({"startupProbe": {"tcpSocket": {"port": 70000}}}),
            json!({"startupProbe": {"grpc": {}}}),
        ],
    );
}

fn numbers_of_probes_are_none_below_zero(arm: &Arm) {
    let get = json!({"port": 80});
    containers(
        arm,
        [
            json!({"livenessProbe": {"httpGet": get, "initialDelaySeconds": -1}}),
            json!({"livenessProbe": {"httpGet": get, "periodSeconds": -1, "timeoutSeconds": -1, "failureThreshold": -1}}),
            json!({"livenessProbe": {"httpGet": get, "successThreshold": 2}}),
            json!({"startupProbe": {"httpGet": get, "successThreshold": 2}}),
            json!({"readinessProbe": {"httpGet": get, "successThreshold": 2}}),
            json!({"readinessProbe": {"httpGet": get, "terminationGracePeriodSeconds": 3}}),
            json!({"livenessProbe": {"httpGet": get, "terminationGracePeriodSeconds": 0}}),
        ],
    );
}

fn hooks_do_one_thing(arm: &Arm) {
    containers(
        arm,
        [
            json!({"lifecycle": {"postStart": {}}}),
            json!({"lifecycle": {"preStop": {"exec": {"command": ["a"]}, "httpGet": {"port": 80}}}}),
            json!({"lifecycle": {"preStop": {"sleep": {"seconds": 31}}}}),
            json!({"lifecycle": {"preStop": {"sleep": {"seconds": -1}}}}),
        ],
    );
}

fn requests_are_within_limits(arm: &Arm) {
    containers(
        arm,
        [
            json!({"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}),
            json!({"resources": {"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}}),
            json!({"resources": {"requests": {"cpu": "-1"}}}),
            json!({"resources": {"limits": {"memory": "-1Gi"}}}),
        ],
    );
}

fn resources_are_known(arm: &Arm) {
    containers(
        arm,
        [
            json!({"resources": {"limits": {"ram": "1"}}}),
            json!({"resources": {"limits": {"storage": "1"}}}),
            json!({"resources": {"limits": {"not a name": "1"}}}),
            json!({"resources": {"limits": {"hugepages-2Mi": "2Mi"}}}),
            json!({"resources": {"claims": [{"name": "nothing"}]}}),
        ],
    );
}

fn extended_resources_are_whole(arm: &Arm) {
    containers(
        arm,
        [
            json!({"resources": {"limits": {"example.com/device": "500m"}}}),
            json!({"resources": {"requests": {"example.com/device": "1"}}}),
            json!({"resources": {"requests": {"example.com/device": "1"}, "limits": {"example.com/device": "2"}}}),
        ],
    );
}

fn policies_are_words(arm: &Arm) {
    refused(
        arm,
        [
            json!({"restartPolicy": "Sometimes"}),
            json!({"dnsPolicy": "Any"}),
            json!({"preemptionPolicy": "Any"}),
            json!({"containers": [{"name": "a", "image": "a", "imagePullPolicy": "Sometimes"}]}),
            json!({"containers": [{"name": "a", "image": "a", "terminationMessagePolicy": "Any"}]}),
            json!({"containers": [{"name": "a", "image": "a", "resizePolicy": [{"resourceName": "disk", "restartPolicy": "Any"}]}]}),
            json!({"containers": [{"name": "a", "image": "a", "restartPolicy": "Any"}]}),
        ],
    );
}

fn users_and_groups_are_numbers(arm: &Arm) {
    refused(
        arm,
        [
            json!({"securityContext": {"runAsUser": -1}}),
            json!({"securityContext": {"fsGroup": -1, "runAsGroup": -1}}),
            json!({"securityContext": {"supplementalGroups": [1, -1]}}),
            json!({"securityContext": {"fsGroupChangePolicy": "Any"}}),
            json!({"securityContext": {"supplementalGroupsPolicy": "Any"}}),
            json!({"securityContext": {"sysctls": [{"name": "a b", "value": "1"}]}}),
            json!({"securityContext": {"sysctls": [{"name": "net.core.somaxconn", "value": "1"}, {"name": "net.core.somaxconn", "value": "1"}]}}),
            json!({"containers": [{"name": "a", "image": "a", "securityContext": {"runAsUser": -1}}]}),
            json!({"containers": [{"name": "a", "image": "a", "securityContext": {"procMount": "Any"}}]}),
            json!({"containers": [{"name": "a", "image": "a", "securityContext": {"procMount": "Unmasked"}}]}),
        ],
    );
}

fn profiles_have_types(arm: &Arm) {
    refused(
        arm,
        [
            json!({"securityContext": {"seccompProfile": {}}}),
            json!({"securityContext": {"seccompProfile": {"type": "Any"}}}),
            json!({"securityContext": {"seccompProfile": {"type": "Localhost"}}}),
            json!({"securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "/a"}}}),
            json!({"securityContext": {"appArmorProfile": {}}}),
            json!({"securityContext": {"appArmorProfile": {"type": "Localhost"}}}),
            json!({"securityContext": {"appArmorProfile": {"type": "Any"}}}),
        ],
    );
}

fn init_containers_have_no_probes(arm: &Arm) {
    let get = json!({"httpGet": {"port": 80}});
    let more = [
        json!({"livenessProbe": get}),
        json!({"readinessProbe": get, "startupProbe": get}),
        json!({"lifecycle": {"postStart": get}}),
        json!({"restartPolicy": "Any"}),
    ];
    refused(
        arm,
        more.map(|mut container| {
            container["name"] = json!("first");
            container["image"] = json!("a");
            json!({"initContainers": [container]})
        }),
    );
}

fn containers_beside_may_have_them(arm: &Arm) {
    let get = json!({"httpGet": {"port": 80}});
    let more = [json!({"livenessProbe": get, "lifecycle": {"preStop": get}}), json!({"startupProbe": {}})];
    refused(
        arm,
        more.map(|mut container| {
            container["name"] = json!("beside");
            container["image"] = json!("a");
            container["restartPolicy"] = json!("Always");
            json!({"initContainers": [container]})
        }),
    );
}

fn affinities_have_weights_and_keys(arm: &Arm) {
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    let expression = |operator: &str, values: Value| json!({"matchExpressions": [{"key": "a", "operator": operator, "values": values}]});
    refused(
        arm,
        [
            json!({"affinity": {"nodeAffinity": {required: {"nodeSelectorTerms": []}}}}),
            json!({"affinity": {"nodeAffinity": {required: {"nodeSelectorTerms": [expression("In", json!([]))]}}}}),
            json!({"affinity": {"nodeAffinity": {required: {"nodeSelectorTerms": [expression("Exists", json!(["a"]))]}}}}),
            json!({"affinity": {"nodeAffinity": {required: {"nodeSelectorTerms": [expression("Gt", json!(["1", "2"]))]}}}}),
            json!({"affinity": {"nodeAffinity": {required: {"nodeSelectorTerms": [expression("Any", json!(["1"]))]}}}}),
            json!({"affinity": {"nodeAffinity": {required: {"nodeSelectorTerms": [{"matchFields": [{"key": "spec.a", "operator": "In", "values": ["a"]}]}]}}}}),
            json!({"affinity": {"nodeAffinity": {preferred: [{"weight": 0, "preference": expression("In", json!(["a"]))}]}}}),
            json!({"affinity": {"podAffinity": {required: [{"labelSelector": {"matchLabels": {"a": "b"}}}]}}}),
            json!({"affinity": {"podAntiAffinity": {preferred: [{"weight": 101, "podAffinityTerm": {"topologyKey": "a b"}}]}}}),
            json!({"affinity": {"podAntiAffinity": {required: [{"topologyKey": "zone", "namespaces": ["A"]}]}}}),
            json!({"affinity": {"podAffinity": {required: [{"topologyKey": "zone", "matchLabelKeys": ["a"]}]}}}),
            json!({"nodeSelector": {"not a key": "a"}}),
            json!({"nodeSelector": {"a": "not a value"}}),
        ],
    );
}

fn tolerations_fit_together(arm: &Arm) {
    refused(
        arm,
        [
            json!({"tolerations": [{"value": "a"}]}),
            json!({"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}),
            json!({"tolerations": [{"key": "a", "operator": "Any"}]}),
            json!({"tolerations": [{"key": "a", "effect": "Any"}]}),
            json!({"tolerations": [{"key": "a", "tolerationSeconds": 3}]}),
            json!({"tolerations": [{"key": "a", "effect": "NoSchedule", "tolerationSeconds": 3}]}),
            json!({"tolerations": [{"key": "not a key", "operator": "Exists"}]}),
            json!({"tolerations": [{"key": "a", "value": "not a value"}]}),
        ],
    );
}

fn spreads_are_positive(arm: &Arm) {
    let one = json!({"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"});
    refused(
        arm,
        [
            json!({"topologySpreadConstraints": [{}]}),
            json!({"topologySpreadConstraints": [one, one]}),
            json!({"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "zone", "whenUnsatisfiable": "Any"}]}),
            json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 2}]}),
            json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": "Any"}]}),
        ],
    );
}

fn gates_have_names(arm: &Arm) {
    refused(
        arm,
        [
            json!({"schedulingGates": [{"name": "a b"}]}),
            json!({"schedulingGates": [{"name": "a"}, {"name": "a"}]}),
            json!({"schedulingGates": [{"name": "a"}], "nodeName": "node-1"}),
            json!({"readinessGates": [{"conditionType": "a b"}]}),
        ],
    );
}

fn names_of_a_pod_are_labels(arm: &Arm) {
    refused(
        arm,
        [
            json!({"hostname": "a.b"}),
            json!({"subdomain": "A"}),
            json!({"nodeName": "A"}),
            json!({"activeDeadlineSeconds": 0}),
            json!({"hostnameOverride": "a_b"}),
            json!({"hostnameOverride": "a".repeat(65)}),
        ],
    );
}

fn name_servers_are_addresses(arm: &Arm) {
    refused(
        arm,
        [
            json!({"dnsPolicy": "None"}),
            json!({"dnsPolicy": "None", "dnsConfig": {}}),
            json!({"dnsConfig": {"nameservers": ["a"]}}),
            json!({"dnsConfig": {"nameservers": ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"]}}),
            json!({"dnsConfig": {"searches": ["a b"]}}),
            json!({"dnsConfig": {"searches": ["_a.example.com.", "."]}}),
            json!({"dnsConfig": {"options": [{"value": "a"}]}}),
        ],
    );
}

fn aliases_are_addresses(arm: &Arm) {
    refused(
        arm,
        [json!({"hostAliases": [{"ip": "a"}]}), json!({"hostAliases": [{"ip": "1.1.1.1", "hostnames": ["a b"]}]})],
    );
}

fn shared_namespaces_contradict(arm: &Arm) {
    refused(
        arm,
        [
            json!({"shareProcessNamespace": true, "hostPID": true}),
            json!({"hostUsers": false, "hostPID": true}),
            json!({"hostUsers": false, "hostIPC": true, "hostNetwork": true}),
            json!({"setHostnameAsFQDN": true, "hostnameOverride": "a"}),
        ],
    );
}

fn whole_pods_ask_for_what_is_in_them(arm: &Arm) {
    let container = |resources: Value| json!([{"name": "a", "image": "a", "resources": resources}]);
    refused(
        arm,
        [
            json!({"containers": container(json!({"requests": {"cpu": "2"}})), "resources": {"requests": {"cpu": "1"}}}),
            json!({"containers": container(json!({"limits": {"cpu": "2"}})), "resources": {"limits": {"cpu": "1"}}}),
            json!({"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}),
            json!({"resources": {"requests": {"ephemeral-storage": "2"}}}),
        ],
    );
}

fn names_of_pods_are_subdomains(arm: &Arm) {
    account(arm);
    for name in ["Web", "a_b", "a..b", "-a"] {
        arm.create(NEW, json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "a", "image": "a"}]}}));
    }
}

fn costs_of_deletion_are_numbers(arm: &Arm) {
    account(arm);
    for cost in ["a", "1", "-1", "+1", "01", "3000000000"] {
        let annotations = json!({"controller.kubernetes.io/pod-deletion-cost": cost});
        arm.create(NEW, json!({"metadata": {"name": "web", "annotations": annotations}, "spec": {"containers": [{"name": "a", "image": "a"}]}}));
    }
}

fn operating_systems_are_known(arm: &Arm) {
    refused(arm, [json!({"os": {}}), json!({"os": {"name": "plan9"}}), json!({"os": {"name": "linux"}})]);
}
