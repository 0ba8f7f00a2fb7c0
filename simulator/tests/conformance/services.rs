//! Services: what they are given, what may not be asked for, what may not change.

use serde_json::{Value, json};

use super::arms::Arm;

const SERVICES: &str = "/api/v1/namespaces/SPACE/services";
const WEB: &str = "/api/v1/namespaces/SPACE/services/web";

bodies! {
    a_service_is_given_an_address
    headless_services_have_no_address
    external_names_have_neither_address_nor_ports
    ports_of_nodes_are_given_to_services
    load_balancers_have_what_they_need
    local_traffic_needs_a_port_for_health
    an_address_can_be_asked_for_once
    a_port_of_nodes_can_be_asked_for_once
    who_only_asks_is_given_what_nobody_has
    ports_that_are_wrong_are_refused
    addresses_that_are_wrong_are_refused
    families_that_the_cluster_has_not_are_refused
    fields_of_other_types_are_refused
    words_that_no_service_has_are_refused
    selectors_are_labels
    clients_stay_with_a_pod_for_a_time
    what_was_given_is_kept_by_who_sends_less
    an_address_does_not_change
    what_a_type_has_goes_with_the_type
    empty_things_vanish
    services_are_found_by_their_fields
    names_of_services_are_labels
}

fn web(spec: Value) -> Value {
    json!({"metadata": {"name": "web"}, "spec": spec})
}

fn each(arm: &Arm, specs: &[Value]) {
    for (index, spec) in specs.iter().enumerate() {
        arm.create(SERVICES, json!({"metadata": {"name": format!("web-{index}")}, "spec": spec}));
    }
}

fn port() -> Value {
    json!([{"port": 80}])
}

fn a_service_is_given_an_address(arm: &Arm) {
    arm.create(SERVICES, web(json!({"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]})));
    arm.get(WEB);
    arm.get(SERVICES);
    arm.delete(WEB);
}

fn headless_services_have_no_address(arm: &Arm) {
    each(
        arm,
        &[
            json!({"clusterIP": "None", "ports": port()}),
            json!({"clusterIP": "None"}),
            json!({"clusterIP": "None", "selector": {"app": "web"}}),
            json!({"clusterIP": "None", "clusterIPs": ["None"], "selector": {"app": "web"}, "ports": port()}),
            json!({"clusterIP": "None", "ipFamilyPolicy": "SingleStack"}),
            json!({"clusterIP": "None", "type": "NodePort", "ports": port()}),
            json!({"clusterIP": "None", "type": "LoadBalancer", "ports": port()}),
            json!({"clusterIP": "None", "ports": port(), "publishNotReadyAddresses": true}),
        ],
    );
}

fn external_names_have_neither_address_nor_ports(arm: &Arm) {
    each(
        arm,
        &[
            json!({"type": "ExternalName", "externalName": "example.com"}),
            json!({"type": "ExternalName", "externalName": "example.com.", "ports": port()}),
            json!({"type": "ExternalName"}),
            json!({"type": "ExternalName", "externalName": "Example.com"}),
            json!({"type": "ExternalName", "externalName": "example.com", "clusterIP": "10.0.0.3"}),
            json!({"type": "ExternalName", "externalName": "example.com", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}),
        ],
    );
}

fn ports_of_nodes_are_given_to_services(arm: &Arm) {
    each(
        arm,
        &[
            json!({"type": "NodePort", "ports": port()}),
            json!({"type": "NodePort", "ports": [{"name": "a", "port": 80}, {"name": "b", "port": 81}]}),
            json!({"type": "NodePort", "externalTrafficPolicy": "Local", "ports": port()}),
            json!({"type": "ClusterIP", "ports": [{"port": 80, "nodePort": 30011}]}),
            json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 29000}]}),
            json!({"type": "NodePort", "ports": [{"name": "a", "port": 80, "nodePort": 30010}, {"name": "b", "port": 81, "nodePort": 30010}]}),
        ],
    );
}

fn load_balancers_have_what_they_need(arm: &Arm) {
    each(
        arm,
        &[
            json!({"type": "LoadBalancer", "ports": port()}),
            json!({"type": "LoadBalancer", "ports": port(), "allocateLoadBalancerNodePorts": false}),
            json!({"type": "LoadBalancer", "ports": port(), "loadBalancerClass": "example.com/own"}),
            json!({"type": "LoadBalancer", "ports": port(), "loadBalancerClass": "not/a/class"}),
            json!({"type": "LoadBalancer", "ports": port(), "loadBalancerSourceRanges": ["10.0.0.0/8"], "loadBalancerIP": "192.0.2.1"}),
            json!({"type": "LoadBalancer", "ports": port(), "loadBalancerSourceRanges": ["10.0.0.0"]}),
        ],
    );
}

fn local_traffic_needs_a_port_for_health(arm: &Arm) {
    arm.create(SERVICES, web(json!({"type": "LoadBalancer", "ports": port(), "externalTrafficPolicy": "Local"})));
    arm.patch(WEB, "merge", json!({"spec": {"healthCheckNodePort": 31999}}));
    arm.patch(WEB, "merge", json!({"spec": {"externalTrafficPolicy": "Cluster"}}));
    arm.get(WEB);
}

fn an_address_can_be_asked_for_once(arm: &Arm) {
    each(
        arm,
        &[
            json!({"clusterIP": "10.0.0.4", "ports": port()}),
            json!({"clusterIP": "10.0.0.4", "ports": port()}),
            json!({"clusterIP": "10.1.0.4", "ports": port()}),
            json!({"clusterIP": "10.0.0.0", "ports": port()}),
            json!({"clusterIP": "10.0.0.1", "ports": port()}),
            json!({"clusterIP": "10.0.0.255", "ports": port()}),
        ],
    );
    arm.delete(&format!("{SERVICES}/web-0"));
    arm.create(SERVICES, web(json!({"clusterIP": "10.0.0.4", "ports": port()})));
}

fn a_port_of_nodes_can_be_asked_for_once(arm: &Arm) {
    each(
        arm,
        &[
            json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30012}]}),
            json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30012}]}),
            json!({"type": "NodePort", "ports": [{"name": "a", "port": 53, "nodePort": 30013}, {"name": "b", "protocol": "UDP", "port": 53, "nodePort": 30013}]}),
            json!({"type": "NodePort", "ports": [{"name": "a", "port": 53, "nodePort": 30014}, {"name": "b", "protocol": "UDP", "port": 53}]}),
        ],
    );
}

fn ports_that_are_wrong_are_refused(arm: &Arm) {
    each(
        arm,
        &[
            json!({}),
            json!({"ports": []}),
            json!({"ports": [{"name": "http"}]}),
            json!({"ports": [{"port": 0}]}),
            json!({"ports": [{"port": 65536}]}),
            json!({"ports": [{"port": -1}]}),
            json!({"ports": [{"port": 80}, {"port": 81}]}),
            json!({"ports": [{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]}),
            json!({"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]}),
            json!({"ports": [{"port": 80, "name": "a"}, {"port": 80, "name": "b", "protocol": "UDP"}]}),
            json!({"ports": [{"port": 80, "name": "A_1"}]}),
            json!({"ports": [{"port": 80, "protocol": "HTTP"}]}),
            json!({"ports": [{"port": 80, "targetPort": "a-very-long-name-of-a-port"}]}),
            json!({"ports": [{"port": 80, "targetPort": "Web"}]}),
            json!({"ports": [{"port": 80, "targetPort": "123"}]}),
            json!({"ports": [{"port": 80, "targetPort": "-a--b"}]}),
            json!({"ports": [{"port": 80, "targetPort": 70000}]}),
            json!({"ports": [{"port": 80, "appProtocol": "kubernetes.io/h2c"}]}),
            json!({"ports": [{"port": 80, "appProtocol": "a/b/c"}]}),
        ],
    );
}

fn addresses_that_are_wrong_are_refused(arm: &Arm) {
    each(
        arm,
        &[
            json!({"ports": port(), "clusterIP": "ten"}),
            json!({"ports": port(), "clusterIPs": ["10.0.0.5"]}),
            json!({"ports": port(), "clusterIP": "10.0.0.5", "clusterIPs": ["10.0.0.6"]}),
            json!({"ports": port(), "clusterIP": "None", "clusterIPs": ["None", "10.0.0.6"]}),
            json!({"ports": port(), "clusterIP": "10.0.0.5", "clusterIPs": ["10.0.0.5", "10.0.0.6"]}),
            json!({"ports": port(), "clusterIP": "10.0.0.5", "clusterIPs": ["10.0.0.5", "fd00::1", "fd00::2"]}),
            json!({"ports": port(), "clusterIP": "10.0.0.5", "clusterIPs": ["10.0.0.5", "fd00::1"]}),
            json!({"ports": port(), "clusterIP": "10.0.0.5", "ipFamilies": ["IPv6"]}),
            json!({"ports": port(), "clusterIP": "fd00::1"}),
            json!({"ports": port(), "externalIPs": ["192.0.2.1"]}),
            json!({"ports": port(), "externalIPs": ["127.0.0.1", "0.0.0.0", "169.254.1.1", "224.0.0.1", "abc"]}),
        ],
    );
}

fn families_that_the_cluster_has_not_are_refused(arm: &Arm) {
    each(
        arm,
        &[
            json!({"ports": port(), "ipFamilyPolicy": "PreferDualStack"}),
            json!({"ports": port(), "ipFamilyPolicy": "RequireDualStack"}),
            json!({"ports": port(), "ipFamilyPolicy": "Both"}),
            json!({"ports": port(), "ipFamilies": ["IPv6"]}),
            json!({"ports": port(), "ipFamilies": ["IPv4", "IPv6"]}),
            json!({"ports": port(), "ipFamilies": ["IPv4", "IPv4"]}),
            json!({"ports": port(), "ipFamilies": ["IPv5"]}),
            json!({"ports": port(), "ipFamilies": ["IPv4"]}),
            json!({"ports": port(), "clusterIP": "None", "ipFamilies": ["IPv6"]}),
        ],
    );
}

fn fields_of_other_types_are_refused(arm: &Arm) {
    each(
        arm,
        &[
            json!({"ports": port(), "allocateLoadBalancerNodePorts": true}),
            json!({"ports": port(), "loadBalancerClass": "example.com/own"}),
            json!({"ports": port(), "loadBalancerSourceRanges": ["10.0.0.0/8"]}),
            json!({"ports": port(), "externalTrafficPolicy": "Local"}),
            json!({"ports": port(), "externalTrafficPolicy": "Local", "externalIPs": ["192.0.2.1"]}),
            json!({"ports": port(), "healthCheckNodePort": 31998}),
            json!({"ports": port(), "externalName": "example.com"}),
        ],
    );
}

fn words_that_no_service_has_are_refused(arm: &Arm) {
    each(
        arm,
        &[
            json!({"ports": port(), "type": "Web"}),
            json!({"ports": port(), "sessionAffinity": "Cookie"}),
            json!({"ports": port(), "internalTrafficPolicy": "Near"}),
            json!({"ports": port(), "type": "NodePort", "externalTrafficPolicy": "Near"}),
            json!({"ports": port(), "trafficDistribution": "PreferClose"}),
            json!({"ports": port(), "trafficDistribution": "Far"}),
        ],
    );
}

fn selectors_are_labels(arm: &Arm) {
    each(
        arm,
        &[
            json!({"ports": port(), "selector": {"a b": "c"}}),
            json!({"ports": port(), "selector": {"app": "a b"}}),
            json!({"ports": port(), "selector": {"example.com/app": "web", "empty": ""}}),
            json!({"ports": port(), "selector": {"Example.com/app": "web"}}),
        ],
    );
}

fn clients_stay_with_a_pod_for_a_time(arm: &Arm) {
    each(
        arm,
        &[
            json!({"ports": port(), "sessionAffinity": "ClientIP"}),
            json!({"ports": port(), "sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}}}),
            json!({"ports": port(), "sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 0}}}),
            json!({"ports": port(), "sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 86401}}}),
            json!({"ports": port(), "sessionAffinity": "None", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 60}}}),
        ],
    );
}

fn what_was_given_is_kept_by_who_sends_less(arm: &Arm) {
    let service = web(json!({"type": "NodePort", "ports": [{"name": "a", "port": 80}]}));
    arm.create(SERVICES, service.clone());
    let there = arm.look(WEB).body;
    let mut again = service;
    again["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"].clone();
    arm.replace(WEB, again.clone());
    again["metadata"].as_object_mut().unwrap().remove("resourceVersion");
    again["spec"]["ports"] = json!([{"name": "a", "port": 8080}]);
    arm.replace(WEB, again);
    let now = arm.look(WEB).body;
    for path in ["/spec/clusterIP", "/spec/ports/0/nodePort"] {
        assert_eq!(there.pointer(path), now.pointer(path), "{path}");
    }
    arm.patch(WEB, "merge", json!({"spec": {"clusterIP": null, "clusterIPs": null}}));
    arm.patch(WEB, "merge", json!({"spec": {"clusterIP": ""}}));
}

fn an_address_does_not_change(arm: &Arm) {
    arm.create(SERVICES, web(json!({"clusterIP": "10.0.0.7", "ports": port()})));
    arm.patch(WEB, "merge", json!({"spec": {"clusterIP": "10.0.0.8"}}));
    arm.patch(WEB, "merge", json!({"spec": {"clusterIP": "10.0.0.8", "clusterIPs": ["10.0.0.8"]}}));
    arm.patch(WEB, "merge", json!({"spec": {"clusterIP": "None"}}));
    arm.patch(WEB, "merge", json!({"spec": {"ipFamilies": ["IPv6"]}}));
    arm.patch(WEB, "merge", json!({"spec": {"ports": [{"port": 81}]}}));
    arm.patch(WEB, "merge", json!({"spec": {"ports": null}}));
    arm.patch(WEB, "merge", json!({"spec": {"type": "LoadBalancer", "loadBalancerClass": "example.com/a"}}));
    arm.patch(WEB, "merge", json!({"spec": {"loadBalancerClass": "example.com/b"}}));
    arm.patch(WEB, "merge", json!({"spec": {"type": "ClusterIP", "loadBalancerClass": "example.com/b"}}));
}

fn what_a_type_has_goes_with_the_type(arm: &Arm) {
    arm.create(SERVICES, web(json!({"ports": port()})));
    for spec in [
        json!({"type": "NodePort"}),
        json!({"type": "LoadBalancer", "externalTrafficPolicy": "Local"}),
        json!({"type": "ClusterIP"}),
        json!({"type": "ExternalName", "externalName": "example.com"}),
        json!({"type": "ClusterIP", "externalName": null}),
        json!({"type": "ExternalName"}),
    ] {
        arm.patch(WEB, "merge", json!({"spec": spec}));
    }
    arm.get(WEB);
}

fn empty_things_vanish(arm: &Arm) {
    let service = json!({
        "metadata": {"name": "web", "labels": null, "annotations": {}, "finalizers": []},
        "spec": {
            "ports": [{"port": 80, "name": "", "nodePort": 0, "targetPort": 0, "protocol": "", "appProtocol": null}], "selector": {},
            "externalIPs": [], "publishNotReadyAddresses": false, "externalName": "", "sessionAffinity": "", "clusterIP": "", "clusterIPs": [],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
    });
    arm.create(SERVICES, service);
}

fn services_are_found_by_their_fields(arm: &Arm) {
    each(arm, &[json!({"ports": port()}), json!({"clusterIP": "None"})]);
    for field in ["spec.type=ClusterIP", "spec.clusterIP=None", "spec.clusterIP!=None", "spec.ports=80"] {
        arm.get(&format!("{SERVICES}?fieldSelector={field}"));
    }
}

fn names_of_services_are_labels(arm: &Arm) {
    for name in
        ["Web", "web.site", "1web", "-web", "a-name-that-is-longer-than-any-label-of-a-name-server-may-ever-be-0"]
    {
        arm.create(SERVICES, json!({"metadata": {"name": name}, "spec": {"ports": port(), "type": "Web"}}));
    }
}

fn who_only_asks_is_given_what_nobody_has(arm: &Arm) {
    let dry = format!("{SERVICES}?dryRun=All");
    arm.create(SERVICES, web(json!({"ports": port()})));
    for spec in [
        json!({"ports": port()}),
        json!({"ports": port(), "type": "NodePort"}),
        json!({"ports": [{"port": 80, "nodePort": 80}], "type": "NodePort"}),
        json!({"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 80, "protocol": "UDP"}, {"name": "c", "port": 81}], "type": "NodePort"}),
        json!({"ports": port(), "type": "LoadBalancer", "externalTrafficPolicy": "Local"}),
    ] {
        arm.create(&dry, json!({"metadata": {"name": "other"}, "spec": spec}));
    }
    arm.create(&dry, json!({"spec": {}}));
    arm.patch(&format!("{WEB}?dryRun=All"), "merge", json!({"spec": {"type": "NodePort"}}));
}
