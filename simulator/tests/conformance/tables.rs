//! Tables of every kind: what `kubectl get` shows of it, column by column.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    lists::define_with,
    representations::TABLE,
    settled::{Scene as _, template},
};

const MAPS: &str = "/api/v1/namespaces/SPACE/configmaps";
const PODS: &str = "/api/v1/namespaces/SPACE/pods";
const SERVICES: &str = "/api/v1/namespaces/SPACE/services";
const NETWORKING: &str = "/apis/networking.k8s.io/v1";
const STORAGE: &str = "/apis/storage.k8s.io/v1";

bodies! {
    config_maps_secrets_and_accounts_have_a_table
    services_show_where_they_are_reached
    endpoints_show_the_first_few
    slices_show_the_first_few
    pods_show_how_far_they_are
    pods_show_what_keeps_them
    pods_show_how_their_first_containers_do
    pods_show_where_they_are
    pods_that_are_over_say_so
    workloads_show_how_many_there_are
    jobs_show_how_far_they_are
    cron_jobs_show_when_they_run
    revisions_show_who_has_them
    ingresses_show_hosts_and_ports
    policies_show_whom_they_select
    claims_and_volumes_show_what_they_hold
    classes_of_storage_show_the_default
    drivers_show_what_they_can
    events_show_when_what_was_seen
    autoscalers_show_what_they_look_at
    budgets_show_what_may_go
    quotas_show_what_is_used
    roles_show_to_whom_they_are_bound
    priorities_and_runtimes_have_a_table
    webhooks_and_policies_are_counted
    leases_show_their_holder
    flows_show_their_level
    services_of_groups_show_whether_they_are_there
    definitions_say_their_own_columns
    columns_lead_anywhere
    columns_of_a_type_show_only_that
    kinds_that_are_not_there_have_columns
}

/// The table of what is there, with nothing but its rows; the columns of each kind are held against each other elsewhere.
fn table(arm: &Arm, path: &str) {
    let mark = if path.contains('?') { '&' } else { '?' };
    arm.get_as(&format!("{path}{mark}includeObject=None"), TABLE);
}

fn ours(path: &str) -> String {
    format!("{path}?labelSelector=of%3DSPACE")
}

/// An object without a namespace, that others can tell from theirs.
fn marked(name: &str, rest: Value) -> Value {
    let mut object = rest;
    object["metadata"]["name"] = json!(format!("{name}-SPACE"));
    object["metadata"]["labels"]["of"] = json!("SPACE");
    object
}

fn config_maps_secrets_and_accounts_have_a_table(arm: &Arm) {
    arm.make(MAPS, json!({"metadata": {"name": "a"}, "data": {"b": "c"}, "binaryData": {"d": "Yg=="}}));
    table(arm, &format!("{MAPS}/a"));
    for (name, data) in [("a", json!({})), ("b", json!({"key": "Yg=="}))] {
        arm.make(
            "/api/v1/namespaces/SPACE/secrets",
            json!({"metadata": {"name": name}, "data": data, "type": "example.com/own"}),
        );
    }
    table(arm, "/api/v1/namespaces/SPACE/secrets");
    arm.make("/api/v1/namespaces/SPACE/serviceaccounts", json!({"metadata": {"name": "robot"}}));
    table(arm, "/api/v1/namespaces/SPACE/serviceaccounts/robot");
    arm.make("/api/v1/namespaces/SPACE/limitranges", json!({"metadata": {"name": "sizes"}, "spec": {"limits": []}}));
    table(arm, "/api/v1/namespaces/SPACE/limitranges");
    table(arm, "/api/v1/namespaces/SPACE");
}

fn services_show_where_they_are_reached(arm: &Arm) {
    let ports = json!([{"port": 80, "name": "http"}, {"port": 53, "name": "dns", "protocol": "UDP"}]);
    for (name, spec) in [
        ("a", json!({"ports": ports, "selector": {"app": "web", "tier": "front"}})),
        ("b", json!({"ports": ports, "clusterIP": "None"})),
        ("c", json!({"clusterIP": "None"})),
        ("d", json!({"ports": ports, "externalIPs": ["192.0.2.1", "192.0.2.2"]})),
        ("e", json!({"type": "ExternalName", "externalName": "example.com"})),
        ("f", json!({"type": "LoadBalancer", "ports": ports, "allocateLoadBalancerNodePorts": false})),
        (
            "g",
            json!({"type": "LoadBalancer", "ports": ports, "allocateLoadBalancerNodePorts": false, "externalIPs": ["192.0.2.1"]}),
        ),
    ] {
        arm.make(SERVICES, json!({"metadata": {"name": name}, "spec": spec}));
    }
    for name in ["b", "c", "e"] {
        table(arm, &format!("{SERVICES}/{name}"));
    }
    for name in ["a", "d", "f", "g"] {
        // Which address a cluster gives is its own business.
        let mut cells = arm.look_as(&format!("{SERVICES}/{name}"), TABLE).body["rows"][0]["cells"].clone();
        cells[2] = json!("ADDRESS");
        cells[5] = json!("AGE");
        arm.note(name, cells);
    }
}

fn endpoints_show_the_first_few(arm: &Arm) {
    let path = "/api/v1/namespaces/SPACE/endpoints";
    let addresses = |count: u8| (1..=count).map(|at| json!({"ip": format!("192.0.2.{at}")})).collect::<Vec<_>>();
    for (name, subsets) in [
        ("a", json!([])),
        ("b", json!([{"addresses": addresses(2), "ports": [{"port": 80}]}])),
        ("c", json!([{"addresses": addresses(2), "ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "b"}]}])),
        ("d", json!([{"addresses": addresses(4)}])),
        ("e", json!([{"notReadyAddresses": addresses(1), "ports": [{"port": 80}]}])),
        ("f", json!([{"addresses": [{"ip": "2001:db8::1"}], "ports": [{"port": 80}]}])),
        (
            "g",
            json!([{"addresses": addresses(1), "ports": [{"port": 80}]}, {"addresses": addresses(3), "ports": [{"port": 90}]}]),
        ),
    ] {
        arm.make(path, json!({"metadata": {"name": name}, "subsets": subsets}));
    }
    table(arm, path);
}

fn slices_show_the_first_few(arm: &Arm) {
    let path = "/apis/discovery.k8s.io/v1/namespaces/SPACE/endpointslices";
    let endpoints =
        |count: u8| (1..=count).map(|at| json!({"addresses": [format!("192.0.2.{at}")]})).collect::<Vec<_>>();
    for (name, endpoints, ports) in [
        ("a", json!([]), json!([])),
        (
            "b",
            json!(endpoints(3)),
            json!([{"port": 80, "name": "a"}, {"port": 81, "name": "b"}, {"port": 82, "name": "c"}, {"port": 83, "name": "d"}]),
        ),
        ("c", json!(endpoints(5)), json!([{"name": "any"}])),
    ] {
        arm.make(
            path,
            json!({"metadata": {"name": name}, "addressType": "IPv4", "endpoints": endpoints, "ports": ports}),
        );
    }
    table(arm, path);
}

/// A pod that nobody schedules, with whatever its status is said to be.
fn pod(arm: &Arm, name: &str, spec: Value, status: Value) {
    let mut object = json!({
        "metadata": {"name": name},
        "spec": {"schedulerName": "nobody", "containers": [{"name": "main", "image": "image:1"}]},
    });
    for (field, value) in spec.as_object().into_iter().flatten() {
        object["spec"][field] = value.clone();
    }
    arm.make(PODS, object);
    if !status.is_null() {
        arm.adjust(&format!("{PODS}/{name}/status"), json!({"status": status}));
    }
}

fn container(name: &str, state: Value) -> Value {
    json!({"name": name, "image": "image:1", "imageID": "", "ready": state.get("running").is_some(), "restartCount": 0, "state": state})
}

fn main_is(state: Value) -> Value {
    json!({"phase": "Running", "containerStatuses": [container("main", state)]})
}

fn pods_show_how_far_they_are(arm: &Arm) {
    let two = json!({"containers": [{"name": "main", "image": "image:1"}, {"name": "side", "image": "image:1"}]});
    let running = json!({"running": {}});
    pod(arm, "a", json!({}), Value::Null);
    pod(arm, "b", json!({}), main_is(running.clone()));
    pod(
        arm,
        "c",
        two.clone(),
        json!({"phase": "Running", "containerStatuses": [
            container("main", running.clone()), container("side", json!({"terminated": {"exitCode": 0, "reason": "Completed"}})),
        ]}),
    );
    pod(
        arm,
        "d",
        two.clone(),
        json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [
            container("main", json!({"terminated": {"exitCode": 0, "reason": "Completed"}})), container("side", running.clone()),
        ]}),
    );
    pod(
        arm,
        "e",
        two,
        json!({"phase": "Running", "containerStatuses": [
            container("main", json!({"terminated": {"exitCode": 0, "reason": "Completed"}})), container("side", running),
        ]}),
    );
    pod(arm, "f", json!({"schedulingGates": [{"name": "example.com/gate"}]}), Value::Null);
    table(arm, PODS);
}

fn pods_show_what_keeps_them(arm: &Arm) {
    for (name, state) in [
        ("a", json!({"waiting": {"reason": "ImagePullBackOff"}})),
        ("b", json!({"waiting": {}})),
        ("c", json!({"terminated": {"exitCode": 3}})),
        ("d", json!({"terminated": {"exitCode": 137, "signal": 9}})),
        ("e", json!({"terminated": {"exitCode": 1, "reason": "Error"}})),
    ] {
        pod(arm, name, json!({}), main_is(state));
    }
    pod(arm, "f", json!({}), json!({"phase": "Failed", "reason": "Evicted"}));
    let mut again = container("main", json!({"waiting": {"reason": "CrashLoopBackOff"}}));
    again["restartCount"] = json!(4);
    pod(arm, "g", json!({}), json!({"phase": "Running", "containerStatuses": [again]}));
    again["lastState"] = json!({"terminated": {"exitCode": 1, "finishedAt": "2025-01-01T00:00:00Z"}});
    pod(arm, "h", json!({}), json!({"phase": "Running", "containerStatuses": [again]}));
    pod(arm, "i", json!({}), json!({"phase": "Unknown", "reason": "NodeLost"}));
    table(arm, PODS);
}

fn pods_show_how_their_first_containers_do(arm: &Arm) {
    let first = json!({"initContainers": [
        {"name": "one", "image": "image:1"},
        {"name": "two", "image": "image:1", "restartPolicy": "Always"},
        {"name": "three", "image": "image:1"},
    ]});
    let done = || container("one", json!({"terminated": {"exitCode": 0, "reason": "Completed"}}));
    let mut beside = container("two", json!({"running": {}}));
    beside["started"] = json!(true);
    beside["restartCount"] = json!(2);
    for (name, statuses) in [
        ("a", json!([])),
        ("b", json!([container("one", json!({"waiting": {"reason": "PodInitializing"}}))])),
        ("c", json!([container("one", json!({"waiting": {"reason": "ErrImagePull"}}))])),
        ("d", json!([container("one", json!({"terminated": {"exitCode": 2}}))])),
        ("e", json!([container("one", json!({"terminated": {"exitCode": 2, "signal": 9}}))])),
        ("f", json!([container("one", json!({"terminated": {"exitCode": 2, "reason": "Error"}}))])),
        ("g", json!([done(), container("two", json!({"running": {}}))])),
        ("h", json!([done(), beside.clone(), container("three", json!({"running": {}}))])),
        ("i", json!([done(), beside, container("three", json!({"terminated": {"exitCode": 0}}))])),
    ] {
        pod(arm, name, first.clone(), json!({"phase": "Pending", "initContainerStatuses": statuses}));
    }
    let mut status = json!({"phase": "Running", "conditions": [{"type": "Initialized", "status": "True"}]});
    status["initContainerStatuses"] = json!([container("one", json!({"running": {}}))]);
    status["containerStatuses"] = json!([container("main", json!({"running": {}}))]);
    pod(arm, "j", first, status);
    table(arm, PODS);
}

fn pods_show_where_they_are(arm: &Arm) {
    let gates = json!({"readinessGates": [{"conditionType": "example.com/a"}, {"conditionType": "example.com/b"}]});
    let conditions = json!([{"type": "example.com/a", "status": "True"}, {"type": "example.com/b", "status": "False"}]);
    pod(
        arm,
        "a",
        gates.clone(),
        json!({"podIP": "192.0.2.1", "podIPs": [{"ip": "192.0.2.1"}], "conditions": conditions}),
    );
    pod(arm, "b", gates, json!({"nominatedNodeName": "node-9"}));
    table(arm, PODS);
}

fn pods_that_are_over_say_so(arm: &Arm) {
    pod(
        arm,
        "a",
        json!({}),
        json!({"phase": "Succeeded", "containerStatuses": [container("main", json!({"terminated": {"exitCode": 0, "reason": "Completed"}}))]}),
    );
    pod(arm, "b", json!({}), json!({"phase": "Failed", "reason": "DeadlineExceeded"}));
    table(arm, PODS);
    arm.adjust(&format!("{PODS}/b"), json!({"metadata": {"finalizers": ["example.com/hold"]}}));
    arm.drop(&format!("{PODS}/b?gracePeriodSeconds=0"));
    pod(arm, "c", json!({}), json!({"phase": "Running"}));
    arm.adjust(&format!("{PODS}/c"), json!({"metadata": {"finalizers": ["example.com/hold"]}}));
    arm.drop(&format!("{PODS}/c?gracePeriodSeconds=0"));
    table(arm, PODS);
    for name in ["b", "c"] {
        arm.adjust(&format!("{PODS}/{name}"), json!({"metadata": {"finalizers": null}}));
    }
}

/// Two containers that run nowhere.
fn nowhere() -> Value {
    let mut template = template("web");
    template["spec"]["schedulerName"] = json!("nobody");
    template["spec"]["containers"] =
        json!([{"name": "main", "image": "image:1"}, {"name": "side", "image": "other:2"}]);
    template
}

fn workloads_show_how_many_there_are(arm: &Arm) {
    let apps = "/apis/apps/v1/namespaces/SPACE";
    let selector = json!({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["b", "a"]}]});
    for (kind, path) in [("deployments", apps), ("replicasets", apps), ("statefulsets", apps)] {
        let path = format!("{path}/{kind}");
        let spec = json!({"replicas": 2, "selector": selector, "template": nowhere()});
        arm.make(&path, json!({"metadata": {"name": "web"}, "spec": spec}));
        let is_seen = |object: &Value| {
            object["status"]["observedGeneration"] == 1 && object["status"]["replicas"].as_i64() >= Some(1)
        };
        arm.look_until(&format!("{path}/web"), |answer| {
            is_seen(&answer.body) && (kind == "statefulsets" || answer.body["status"]["replicas"] == 2)
        });
        table(arm, &format!("{path}/web"));
    }
    let mut template = nowhere();
    template["spec"]["nodeSelector"] = json!({"none": "such", "disk": "fast"});
    let sets = format!("{apps}/daemonsets");
    arm.make(&sets, json!({"metadata": {"name": "web"}, "spec": {"selector": selector, "template": template}}));
    arm.look_until(&format!("{sets}/web"), |answer| answer.body["status"]["observedGeneration"] == 1);
    table(arm, &sets);
    let controllers = "/api/v1/namespaces/SPACE/replicationcontrollers";
    arm.make(controllers, json!({"metadata": {"name": "old"}, "spec": {"replicas": 0, "selector": {"b": "c", "app": "old"}, "template": {
        "metadata": {"labels": {"app": "old", "b": "c"}}, "spec": {"containers": [{"name": "main", "image": "image:1"}]},
    }}}));
    arm.look_until(&format!("{controllers}/old"), |answer| answer.body["status"]["observedGeneration"] == 1);
    table(arm, controllers);
    let templates = "/api/v1/namespaces/SPACE/podtemplates";
    arm.make(templates, json!({"metadata": {"name": "web"}, "template": nowhere()}));
    table(arm, templates);
}

fn jobs_show_how_far_they_are(arm: &Arm) {
    let jobs = "/apis/batch/v1/namespaces/SPACE/jobs";
    let mut template = nowhere();
    template["spec"]["restartPolicy"] = json!("Never");
    for (name, spec, status) in [
        ("a", json!({}), json!({})),
        ("b", json!({"completions": 5}), json!({"succeeded": 2, "startTime": "2026-01-01T08:00:00Z"})),
        (
            "c",
            json!({"completions": null, "parallelism": 3}),
            json!({"succeeded": 1, "startTime": "2026-01-01T08:00:00Z"}),
        ),
        ("d", json!({"completions": null}), json!({})),
        ("e", json!({"suspend": true}), json!({"conditions": [{"type": "Suspended", "status": "True"}]})),
    ] {
        let mut object =
            json!({"metadata": {"name": name}, "spec": {"managedBy": "example.com/nobody", "template": template}});
        for (field, value) in spec.as_object().into_iter().flatten() {
            object["spec"][field] = value.clone();
        }
        arm.make(jobs, object);
        if status != json!({}) {
            arm.adjust(&format!("{jobs}/{name}/status"), json!({"status": status}));
        }
    }
    // Which pods a job selects is its own business.
    for row in arm.look_as(jobs, TABLE).body["rows"].as_array().unwrap() {
        let cells = &row["cells"];
        let shown = json!([cells[0], cells[1], cells[2], cells[3] == "", cells[5], cells[6]]);
        arm.note("job", shown);
    }
}

fn cron_jobs_show_when_they_run(arm: &Arm) {
    let jobs = "/apis/batch/v1/namespaces/SPACE/cronjobs";
    let mut template = nowhere();
    template["spec"]["restartPolicy"] = json!("Never");
    for (name, zone, suspend) in [("a", Value::Null, true), ("b", json!("Europe/Berlin"), false)] {
        arm.make(jobs, json!({"metadata": {"name": name}, "spec": {
            "schedule": "0 0 31 2 *", "timeZone": zone, "suspend": suspend, "jobTemplate": {"spec": {"template": template}},
        }}));
    }
    arm.adjust(&format!("{jobs}/a/status"), json!({"status": {"lastScheduleTime": "2026-01-01T08:00:00Z"}}));
    table(arm, &format!("{jobs}/a"));
    table(arm, &format!("{jobs}/b"));
}

fn revisions_show_who_has_them(arm: &Arm) {
    let revisions = "/apis/apps/v1/namespaces/SPACE/controllerrevisions";
    let owner = json!([{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "web", "uid": "00000000-0000-4000-8000-000000000000", "controller": true, "blockOwnerDeletion": false}]);
    arm.make(revisions, json!({"metadata": {"name": "a"}, "revision": 3, "data": {}}));
    table(arm, revisions);
    arm.make(revisions, json!({"metadata": {"name": "b", "ownerReferences": owner}, "revision": 4, "data": {}}));
    // What its owner doesn't have, the collector takes.
    let answer = arm.look_as(&format!("{revisions}/b"), TABLE);
    if answer.code == 200 {
        assert_eq!(answer.body["rows"][0]["cells"][1], "daemonset.apps/web");
    }
}

fn ingresses_show_hosts_and_ports(arm: &Arm) {
    let path = format!("{NETWORKING}/namespaces/SPACE/ingresses");
    let rule = |host: &str| {
        let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
        json!({"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}})
    };
    let many = ["a", "b", "c", "d", "e"].map(|name| rule(&format!("{name}.example.com")));
    for (name, spec) in [
        ("a", json!({"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}})),
        (
            "b",
            json!({"ingressClassName": "nginx-SPACE", "rules": [rule("a.example.com"), rule("b.example.com")], "tls": [{"hosts": ["a.example.com"]}]}),
        ),
        ("c", json!({"rules": many})),
        ("d", json!({"rules": [rule("")]})),
    ] {
        arm.make(&path, json!({"metadata": {"name": name}, "spec": spec}));
    }
    let ingress = json!([{"hostname": "lb.example.com"}, {"ip": "192.0.2.1"}]);
    arm.adjust(&format!("{path}/b/status"), json!({"status": {"loadBalancer": {"ingress": ingress}}}));
    table(arm, &path);
    let classes = format!("{NETWORKING}/ingressclasses");
    let parameters = |group: Value, namespace: Value, scope: &str| json!({"kind": "Settings", "name": "web", "apiGroup": group, "namespace": namespace, "scope": scope});
    arm.make(&classes, marked("a", json!({"spec": {"controller": "example.com/a"}})));
    arm.make(&classes, marked("b", json!({"spec": {"controller": "example.com/b", "parameters": parameters(json!("example.com"), Value::Null, "Cluster")}})));
    arm.make(&classes, marked("c", json!({"spec": {"controller": "example.com/c", "parameters": parameters(Value::Null, json!("web"), "Namespace")}})));
    table(arm, &ours(&classes));
    arm.drop(&ours(&classes));
}

fn policies_show_whom_they_select(arm: &Arm) {
    let path = format!("{NETWORKING}/namespaces/SPACE/networkpolicies");
    for (name, selector) in [
        ("a", json!({})),
        ("b", json!({"matchLabels": {"b": "c", "app": "web"}})),
        (
            "c",
            json!({"matchExpressions": [{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "DoesNotExist"}, {"key": "c", "operator": "In", "values": ["e", "d"]}]}),
        ),
    ] {
        arm.make(&path, json!({"metadata": {"name": name}, "spec": {"podSelector": selector}}));
    }
    table(arm, &path);
}

fn claims_and_volumes_show_what_they_hold(arm: &Arm) {
    let claims = "/api/v1/namespaces/SPACE/persistentvolumeclaims";
    let volumes = "/api/v1/persistentvolumes";
    let wanted = json!({"requests": {"storage": "1Gi"}});
    arm.make(claims, json!({"metadata": {"name": "a"}, "spec": {"accessModes": ["ReadWriteMany", "ReadWriteOnce"], "resources": wanted, "storageClassName": "none-SPACE"}}));
    arm.make(
        claims,
        json!({"metadata": {"name": "b", "annotations": {"volume.beta.kubernetes.io/storage-class": "older"}}, "spec": {
            "accessModes": ["ReadWriteOncePod"], "resources": wanted, "volumeMode": "Block", "storageClassName": "",
        }}),
    );
    arm.look_until(&format!("{claims}/b"), |answer| answer.body["status"]["phase"] == "Pending");
    table(arm, claims);
    arm.make(volumes, marked("a", json!({"spec": {"capacity": {"storage": "1024Mi"}, "accessModes": ["ReadOnlyMany", "ReadWriteOnce"], "hostPath": {"path": "/tmp/none"}, "storageClassName": "other-SPACE"}})));
    arm.make(volumes, marked("b", json!({"spec": {"capacity": {"storage": "5G"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/tmp/none"}, "volumeMode": "Block", "persistentVolumeReclaimPolicy": "Retain", "storageClassName": "other-SPACE"}})));
    for name in ["a", "b"] {
        arm.look_until(&format!("{volumes}/{name}-SPACE"), |answer| answer.body["status"]["phase"] == "Available");
    }
    table(arm, &ours(volumes));
    arm.make(claims, json!({"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": wanted, "storageClassName": "other-SPACE", "volumeName": "a-SPACE"}}));
    arm.look_until(&format!("{claims}/c"), |answer| answer.body["status"]["phase"] == "Bound");
    table(arm, &format!("{claims}/c"));
    table(arm, &format!("{volumes}/a-SPACE"));
    arm.drop(&ours(volumes));
}

fn classes_of_storage_show_the_default(arm: &Arm) {
    let classes = format!("{STORAGE}/storageclasses");
    arm.make(&classes, marked("a", json!({"provisioner": "example.com/a"})));
    arm.make(&classes, marked("b", json!({"provisioner": "example.com/b", "reclaimPolicy": "Retain", "volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": true})));
    table(arm, &ours(&classes));
    arm.drop(&ours(&classes));
}

fn drivers_show_what_they_can(arm: &Arm) {
    let drivers = format!("{STORAGE}/csidrivers");
    arm.make(&drivers, marked("a", json!({"spec": {}})));
    arm.make(&drivers, marked("b", json!({"spec": {
        "attachRequired": false, "podInfoOnMount": true, "storageCapacity": true, "requiresRepublish": true,
        "tokenRequests": [{"audience": "a"}, {"audience": "b", "expirationSeconds": 3600}], "volumeLifecycleModes": ["Persistent", "Ephemeral"],
    }})));
    table(arm, &ours(&drivers));
    arm.drop(&ours(&drivers));
    let attachments = format!("{STORAGE}/volumeattachments");
    arm.make(&attachments, marked("a", json!({"spec": {"attacher": "a.example.com", "nodeName": "none-SPACE", "source": {"persistentVolumeName": "none-SPACE"}}})));
    table(arm, &ours(&attachments));
    arm.drop(&ours(&attachments));
}

fn events_show_when_what_was_seen(arm: &Arm) {
    let path = "/api/v1/namespaces/SPACE/events";
    let about = json!({"kind": "Pod", "name": "web", "namespace": "SPACE", "fieldPath": "spec.containers{main}"});
    for (name, event) in [
        (
            "a",
            json!({"involvedObject": about, "reason": "Pulled", "type": "Normal", "message": " text \n", "count": 3, "source": {"component": "kubelet", "host": "node-1"},
            "firstTimestamp": "2026-01-01T08:00:00Z", "lastTimestamp": "2026-01-01T08:30:00Z"}),
        ),
        (
            "b",
            json!({"involvedObject": {"kind": "Node", "namespace": "SPACE"}, "reason": "Odd", "type": "Warning", "message": "m"}),
        ),
        (
            "c",
            json!({"involvedObject": about, "reason": "Seen", "action": "Look", "type": "Normal", "message": "m", "reportingComponent": "example.com/eye", "reportingInstance": "eye-1",
            "eventTime": "2026-01-01T08:00:00.000000Z", "series": {"count": 7, "lastObservedTime": "2026-01-01T08:10:00.000000Z"}}),
        ),
        (
            "d",
            json!({"involvedObject": about, "reason": "Seen", "action": "Look", "type": "Normal", "message": "m", "reportingComponent": "example.com/eye", "reportingInstance": "eye-1",
            "eventTime": "2026-01-01T08:00:00.000000Z"}),
        ),
    ] {
        let mut event = event;
        event["metadata"]["name"] = json!(name);
        arm.make(path, event);
        table(arm, &format!("{path}/{name}"));
    }
    table(arm, "/apis/events.k8s.io/v1/namespaces/SPACE/events/a");
}

fn autoscalers_show_what_they_look_at(arm: &Arm) {
    let path = "/apis/autoscaling/v2/namespaces/SPACE/horizontalpodautoscalers";
    let target = |field: &str, value: Value| {
        let of = match field {
            "averageUtilization" => "Utilization",
            "averageValue" => "AverageValue",
            _ => "Value",
        };
        json!({"type": of, field: value})
    };
    let resource =
        |name: &str, target: Value| json!({"type": "Resource", "resource": {"name": name, "target": target}});
    let metric = json!({"name": "hits"});
    let object = json!({"kind": "Service", "name": "web", "apiVersion": "v1"});
    for (name, metrics) in [
        ("a", json!([])),
        (
            "b",
            json!([
                resource("cpu", target("averageUtilization", json!(70))),
                resource("memory", target("averageValue", json!("1Gi")))
            ]),
        ),
        (
            "c",
            json!([
                {"type": "Pods", "pods": {"metric": metric, "target": target("averageValue", json!("500m"))}},
                {"type": "Object", "object": {"metric": metric, "describedObject": object, "target": target("value", json!("10"))}},
            ]),
        ),
        (
            "d",
            json!([
                {"type": "External", "external": {"metric": metric, "target": target("averageValue", json!("5"))}},
                {"type": "External", "external": {"metric": metric, "target": target("value", json!("2k"))}},
            ]),
        ),
        (
            "e",
            json!([
                {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "main", "target": target("averageUtilization", json!(50))}},
                {"type": "Object", "object": {"metric": metric, "describedObject": object, "target": target("averageValue", json!("10"))}},
                resource("cpu", target("averageUtilization", json!(70))),
            ]),
        ),
    ] {
        arm.make(path, json!({"metadata": {"name": name}, "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "none"}, "maxReplicas": 3, "metrics": metrics,
        }}));
    }
    table(arm, path);
    table(arm, &format!("{}/a", path.replace("v2", "v1")));
}

fn budgets_show_what_may_go(arm: &Arm) {
    let path = "/apis/policy/v1/namespaces/SPACE/poddisruptionbudgets";
    for (name, spec) in [("a", json!({"minAvailable": 1})), ("b", json!({"maxUnavailable": "50%"})), ("c", json!({}))] {
        let mut spec = spec;
        spec["selector"] = json!({"matchLabels": {"app": "none"}});
        arm.make(path, json!({"metadata": {"name": name}, "spec": spec}));
    }
    table(arm, path);
}

fn quotas_show_what_is_used(arm: &Arm) {
    let path = "/api/v1/namespaces/SPACE/resourcequotas";
    let hard = json!({"limits.cpu": "2", "limits.memory": "1024Mi", "pods": "3", "requests.cpu": "500m", "count/leases.coordination.k8s.io": "7"});
    arm.make(path, json!({"metadata": {"name": "all"}, "spec": {"hard": hard}}));
    arm.look_until(&format!("{path}/all"), |answer| answer.body["status"]["used"]["pods"] == "0");
    table(arm, path);
    arm.make(path, json!({"metadata": {"name": "none"}, "spec": {}}));
    table(arm, &format!("{path}/none"));
}

fn roles_show_to_whom_they_are_bound(arm: &Arm) {
    let group = "/apis/rbac.authorization.k8s.io/v1";
    let space = format!("{group}/namespaces/SPACE");
    arm.make(&format!("{space}/roles"), json!({"metadata": {"name": "reader"}, "rules": []}));
    table(arm, &format!("{space}/roles"));
    let user = |kind: &str, name: &str| json!({"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"});
    let subjects = json!([
        user("User", "ada"), user("User", "bob"), user("Group", "staff"),
        {"kind": "ServiceAccount", "name": "robot", "namespace": "SPACE"}, {"kind": "ServiceAccount", "name": "other", "namespace": "default"},
    ]);
    let role = |kind: &str| json!({"kind": kind, "name": "reader", "apiGroup": "rbac.authorization.k8s.io"});
    arm.make(
        &format!("{space}/rolebindings"),
        json!({"metadata": {"name": "a"}, "roleRef": role("Role"), "subjects": subjects}),
    );
    arm.make(&format!("{space}/rolebindings"), json!({"metadata": {"name": "b"}, "roleRef": role("Role")}));
    table(arm, &format!("{space}/rolebindings"));
    let bindings = format!("{group}/clusterrolebindings");
    arm.make(&bindings, marked("a", json!({"roleRef": role("ClusterRole"), "subjects": subjects})));
    table(arm, &ours(&bindings));
    arm.drop(&ours(&bindings));
}

fn priorities_and_runtimes_have_a_table(arm: &Arm) {
    let priorities = "/apis/scheduling.k8s.io/v1/priorityclasses";
    arm.make(priorities, marked("a", json!({"value": 7})));
    arm.make(priorities, marked("b", json!({"value": -7, "preemptionPolicy": "Never"})));
    table(arm, &ours(priorities));
    arm.drop(&ours(priorities));
    let runtimes = "/apis/node.k8s.io/v1/runtimeclasses";
    arm.make(runtimes, marked("a", json!({"handler": "runc"})));
    table(arm, &ours(runtimes));
    arm.drop(&ours(runtimes));
}

fn webhooks_and_policies_are_counted(arm: &Arm) {
    let group = "/apis/admissionregistration.k8s.io/v1";
    let hook = json!({
        "name": "none.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "clientConfig": {"url": "https://localhost:1/none"},
        "rules": [{"operations": ["CREATE"], "apiGroups": ["none.example.com"], "apiVersions": ["v1"], "resources": ["none"]}],
    });
    for kind in ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"] {
        let path = format!("{group}/{kind}");
        arm.make(&path, marked("a", json!({"webhooks": [hook]})));
        arm.make(&path, marked("b", json!({})));
        table(arm, &ours(&path));
        arm.drop(&ours(&path));
    }
    let policies = format!("{group}/validatingadmissionpolicies");
    let rules = json!({"resourceRules": [{"operations": ["CREATE"], "apiGroups": ["none.example.com"], "apiVersions": ["v1"], "resources": ["none"]}]});
    arm.make(&policies, marked("a", json!({"spec": {"matchConstraints": rules, "validations": [{"expression": "true"}, {"expression": "1 < 2"}]}})));
    arm.make(&policies, marked("b", json!({"spec": {"paramKind": {"apiVersion": "example.com/v1", "kind": "Limit"}, "matchConstraints": rules, "validations": [{"expression": "true"}]}})));
    table(arm, &ours(&policies));
    arm.drop(&ours(&policies));
    let bindings = format!("{group}/validatingadmissionpolicybindings");
    for (name, parameters) in [
        ("a", Value::Null),
        ("b", json!({"name": "limit", "parameterNotFoundAction": "Deny"})),
        ("c", json!({"name": "limit", "namespace": "web", "parameterNotFoundAction": "Deny"})),
        ("d", json!({"selector": {"matchLabels": {"app": "web"}}, "parameterNotFoundAction": "Deny"})),
    ] {
        arm.make(
            &bindings,
            marked(
                name,
                json!({"spec": {"policyName": "none-SPACE", "paramRef": parameters, "validationActions": ["Deny"]}}),
            ),
        );
    }
    table(arm, &ours(&bindings));
    arm.drop(&ours(&bindings));
}

fn leases_show_their_holder(arm: &Arm) {
    let path = "/apis/coordination.k8s.io/v1/namespaces/SPACE/leases";
    arm.make(path, json!({"metadata": {"name": "a"}, "spec": {"holderIdentity": "node-1"}}));
    arm.make(path, json!({"metadata": {"name": "b"}}));
    table(arm, path);
}

fn flows_show_their_level(arm: &Arm) {
    let group = "/apis/flowcontrol.apiserver.k8s.io/v1";
    let levels = format!("{group}/prioritylevelconfigurations");
    arm.make(&levels, marked("a", json!({"spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 5, "limitResponse": {"type": "Reject"}}}})));
    arm.make(
        &levels,
        marked(
            "b",
            json!({"spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 7, "limitResponse": {
                "type": "Queue", "queuing": {"queues": 16, "handSize": 4, "queueLengthLimit": 50},
            }}}}),
        ),
    );
    table(arm, &ours(&levels));
    arm.drop(&ours(&levels));
}

fn services_of_groups_show_whether_they_are_there(arm: &Arm) {
    table(arm, "/apis/apiregistration.k8s.io/v1/apiservices/v1.apps");
}

/// The kind `Top` with columns of this type for each path, and objects of it.
fn tops(arm: &Arm, group: &str, columns: &[(&str, &str)], objects: &[Value]) -> String {
    let columns: Vec<Value> = columns
        .iter()
        .enumerate()
        .map(|(at, (of, path))| json!({"name": format!("C{at}"), "type": of, "jsonPath": path, "priority": at % 2}))
        .collect();
    let group = format!("{group}.SPACE.com");
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }});
    let names = json!({"kind": "Top", "plural": "tops", "singular": "top", "listKind": "TopList"});
    define_with(arm, &group, names, schema, &columns);
    let path = format!("/apis/{group}/v1/namespaces/SPACE/tops");
    for (at, spec) in objects.iter().enumerate() {
        let object = json!({"apiVersion": format!("{group}/v1"), "kind": "Top", "metadata": {"name": format!("top-{at}")}, "spec": spec});
        arm.make(&path, arm.placed_in(&object));
    }
    path
}

fn undefine(arm: &Arm, group: &str) {
    arm.drop(&format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tops.{group}.SPACE.com"));
}

fn definitions_say_their_own_columns(arm: &Arm) {
    let columns = [
        json!({"name": "Size", "type": "integer", "jsonPath": ".spec.replicas", "description": "how many", "format": "int32"}),
        json!({"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"}),
        json!({"name": "Since", "type": "date", "jsonPath": ".metadata.creationTimestamp", "priority": 1}),
    ];
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let names = json!({"kind": "Top", "plural": "tops", "singular": "top", "listKind": "TopList"});
    define_with(arm, "own.SPACE.com", names, schema, &columns);
    let path = "/apis/own.SPACE.com/v1/namespaces/SPACE/tops";
    arm.make(path, json!({"apiVersion": arm.placed("own.SPACE.com/v1"), "kind": "Top", "metadata": {"name": "a"}, "spec": {"replicas": 3}}));
    arm.adjust(
        &format!("{path}/a/status"),
        json!({"status": {"conditions": [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]}}),
    );
    table(arm, path);
    arm.get_as(&format!("{path}/a"), TABLE);
    undefine(arm, "own");
    table(arm, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?fieldSelector=metadata.name%3Dnone");
}

fn columns_lead_anywhere(arm: &Arm) {
    let paths = [
        ".spec.items[*].name",
        ".spec.items[0].name",
        ".spec.items[1].name",
        ".spec.items[-1].name",
        ".spec.items[-1:].name",
        ".spec.items[0:1].name",
        ".spec.items[9].name",
        ".spec['replicas']",
        ".spec.labels.app\\.kubernetes\\.io/name",
        ".spec.labels['app\\.kubernetes\\.io/name']",
        ".spec.items[?(@.size>1)].name",
        ".spec.items[?(@.size<=1)].name",
        ".spec.items[?(@.name!=\"a\")].size",
        ".spec.items[?(@.name==\"z\")].size",
        ".spec.none.at.all",
        ".spec.items",
        ".spec.labels",
        ".spec.items[?(@.on==true)].name",
        ".metadata.name",
        ".spec.items[0,1].name",
    ];
    let columns: Vec<(&str, &str)> = paths.iter().map(|path| ("string", *path)).collect();
    let labels = json!({"app.kubernetes.io/name": "web"});
    let items = json!([{"name": "a", "size": 1}, {"name": "b", "size": 2, "on": true}, {"name": "c", "size": 3}]);
    let objects = [json!({"replicas": 3, "labels": labels, "items": items}), json!({"items": []}), json!({})];
    let path = tops(arm, "paths", &columns, &objects);
    table(arm, &path);
    undefine(arm, "paths");
}

fn columns_of_a_type_show_only_that(arm: &Arm) {
    let columns = ["string", "integer", "number", "boolean", "date"].map(|of| (of, ".spec.value"));
    let values = [
        json!("text"),
        json!(7),
        json!(1.5),
        json!(-2.0),
        json!(true),
        json!(false),
        json!({"b": 1, "a": [null, "x"]}),
        json!([]),
        json!(""),
        json!("2020-01-01T00:00:00Z"),
        json!("never"),
        json!(1_000_000),
        json!("7"),
    ];
    let objects: Vec<Value> = values.iter().map(|value| json!({"value": value})).collect();
    let path = tops(arm, "types", &columns, &objects);
    table(arm, &path);
    undefine(arm, "types");
}

fn kinds_that_are_not_there_have_columns(arm: &Arm) {
    for path in [
        "/api/v1/namespaces/none-SPACE/pods",
        "/api/v1/namespaces/none-SPACE/events",
        "/api/v1/namespaces/none-SPACE/persistentvolumeclaims",
        "/apis/apps/v1/namespaces/none-SPACE/deployments",
        "/apis/autoscaling/v1/namespaces/none-SPACE/horizontalpodautoscalers",
        "/apis/resource.k8s.io/v1/namespaces/none-SPACE/resourceclaims",
        "/apis/storage.k8s.io/v1/namespaces/none-SPACE/csistoragecapacities",
        "/apis/certificates.k8s.io/v1/certificatesigningrequests?labelSelector=none%3Dsuch",
        "/apis/networking.k8s.io/v1/servicecidrs?labelSelector=none%3Dsuch",
        "/apis/events.k8s.io/v1/namespaces/none-SPACE/events",
    ] {
        table(arm, path);
    }
}
