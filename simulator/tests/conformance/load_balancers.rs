//! Addresses of load balancers out of MetalLB's pools.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    settled::{each, fields, items},
};

const SERVICES: &str = "/api/v1/namespaces/SPACE/services";
const POOLS: &str = "/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

bodies! {
    services_get_addresses_in_the_order_in_which_they_ask
    a_service_that_was_early_waits_for_a_pool
    a_released_address_is_given_to_who_waits
    the_lowest_free_address_comes_first
    ranges_are_given_out_in_their_order
    an_address_can_be_asked_for
    addresses_that_can_not_be_had_are_refused
    an_address_can_be_exchanged_for_another
    a_pool_can_be_asked_for
    a_pool_that_is_not_automatic_waits_to_be_asked_for
    services_share_an_address_if_they_say_so
    those_who_do_not_share_are_refused
    pools_are_for_whom_they_say
    a_pool_that_shrinks_takes_addresses_back
    a_pool_that_goes_takes_its_addresses_along
    a_service_of_another_type_gives_its_address_back
    a_service_of_another_class_gets_no_address
    addresses_that_confuse_are_left_out
    pools_that_are_wrong_change_nothing
    the_older_annotations_are_read_too
    less_comes_first_and_nothing_last
    pools_of_the_same_priority_are_used_up_one_after_the_other
    a_field_that_asks_for_an_address_may_change
    who_shares_an_address_may_leave_it
    a_stranger_takes_the_next_address_and_gives_it_back
    a_service_that_no_longer_fits_its_pool_moves
}

/// What MetalLB defines of its pools, as far as they are used here.
fn definition() -> Value {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let selectors = json!({"type": "array", "items": {
        "type": "object",
        "properties": {"matchLabels": {"type": "object", "additionalProperties": {"type": "string"}}},
    }});
    let number = json!({"type": "integer", "format": "int64"});
    let counts = ["assignedIPv4", "assignedIPv6", "availableIPv4", "availableIPv6"];
    let schema = json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object", "required": ["addresses"], "properties": {
            "addresses": texts,
            "autoAssign": {"type": "boolean", "default": true},
            "avoidBuggyIPs": {"type": "boolean", "default": false},
            "serviceAllocation": {"type": "object", "properties": {
                "priority": {"type": "integer"},
                "namespaces": texts,
                "namespaceSelectors": selectors,
                "serviceSelectors": selectors,
            }},
        }},
        "status": {"type": "object", "properties": counts.map(|count| (count.to_owned(), number.clone())).into_iter().collect::<Value>()},
    }});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "ipaddresspools.metallb.io"},
        "spec": {
            "group": "metallb.io",
            "names": {"kind": "IPAddressPool", "listKind": "IPAddressPoolList", "plural": "ipaddresspools", "singular": "ipaddresspool"},
            "scope": "Namespaced",
            "versions": [{
                "name": "v1beta1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}},
            }],
        },
    })
}

/// Lets a body play in a cluster with MetalLB in which there are no pools before it and after it.
fn balanced(arm: &Arm, body: impl Fn(&Arm)) {
    if arm.look(&format!("{DEFINITIONS}/ipaddresspools.metallb.io")).code == 404 {
        exchange(arm, "POST", DEFINITIONS, definition());
        exchange(arm, "POST", "/api/v1/namespaces", json!({"metadata": {"name": "metallb-system"}}));
        arm.look_until(POOLS, |answer| answer.code == 200);
    }
    let empty = |path: &str| {
        for object in items(&arm.look(path).body) {
            let name = object["metadata"]["name"].as_str().expect("objects have names");
            arm.exchange("DELETE", &arm.placed(&format!("{path}/{name}")), "", &Value::Null);
        }
        arm.look_until(path, |answer| items(&answer.body).is_empty());
    };
    empty(POOLS);
    body(arm);
    empty(SERVICES);
    empty(POOLS);
}

fn exchange(arm: &Arm, method: &str, path: &str, body: Value) {
    let content = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let answer = arm.exchange(method, &arm.placed(path), content, &arm.placed_in(&body));
    assert!(answer.code < 300, "{method} {path}: {:#}", answer.body);
}

fn pool(arm: &Arm, name: &str, addresses: &[&str], more: Value) {
    let mut pool = json!({
        "apiVersion": "metallb.io/v1beta1",
        "kind": "IPAddressPool",
        "metadata": {"name": name},
        "spec": {"addresses": addresses},
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        pool["spec"][field] = value.clone();
    }
    exchange(arm, "POST", POOLS, pool);
}

/// Waits until so many addresses of each pool are taken.
fn taken(arm: &Arm, name: &str, taken: u64) {
    arm.settle(&format!("{POOLS}/{name}"), |pool| {
        (pool["status"]["assignedIPv4"] == taken).then(|| fields(pool, &["/status"]))
    });
}

fn service(arm: &Arm, name: &str, annotations: Value, spec: Value) {
    let mut service = json!({
        "metadata": {"name": name, "labels": {"app": name}, "annotations": annotations},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": name}},
    });
    for (field, value) in spec.as_object().into_iter().flatten() {
        service["spec"][field] = value.clone();
    }
    exchange(arm, "POST", SERVICES, service);
}

fn plain(arm: &Arm, name: &str) {
    service(arm, name, json!({}), json!({}));
}

/// Waits until a service has this address.
#[track_caller]
fn has(arm: &Arm, name: &str, address: &str) {
    arm.settle(&format!("{SERVICES}/{name}"), |service| {
        (service["status"]["loadBalancer"]["ingress"][0]["ip"] == address)
            .then(|| fields(service, &["/metadata/annotations", "/status"]))
    });
}

/// Waits until a service has no address, and for the last that is told of it.
#[track_caller]
fn has_none(arm: &Arm, name: &str, reason: &str) {
    told(arm, name, reason);
    arm.settle(&format!("{SERVICES}/{name}"), |service| {
        service["status"]["loadBalancer"]["ingress"]
            .is_null()
            .then(|| fields(service, &["/metadata/annotations", "/status"]))
    });
}

/// Waits until something with this reason is told of a service, and writes down all that is. How often it was is the real
/// controller's luck.
#[track_caller]
fn told(arm: &Arm, name: &str, reason: &str) {
    arm.settle(&format!("/api/v1/namespaces/SPACE/events?fieldSelector=involvedObject.name={name}"), |list| {
        let said = |event: &Value| fields(event, &["/type", "/reason", "/message", "/source", "/reportingComponent"]);
        items(list).iter().any(|event| event["reason"] == reason).then(|| each(list, said))
    });
}

fn change(arm: &Arm, path: &str, patch: Value) {
    exchange(arm, "PATCH", path, patch);
}

fn services_get_addresses_in_the_order_in_which_they_ask(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10-192.0.2.13"], json!({}));
        for (name, address) in [("a", "192.0.2.10"), ("b", "192.0.2.11"), ("c", "192.0.2.12")] {
            plain(arm, name);
            has(arm, name, address);
            told(arm, name, "IPAllocated");
        }
        taken(arm, "one", 3);
        arm.settle(&format!("{SERVICES}/a"), |service| {
            let managers = service["metadata"]["managedFields"].as_array()?;
            let own = managers.iter().find(|entry| entry["manager"] == "metallb-controller")?;
            Some(fields(own, &["/operation", "/subresource", "/fieldsV1"]))
        });
    });
}

fn a_service_that_was_early_waits_for_a_pool(arm: &Arm) {
    balanced(arm, |arm| {
        plain(arm, "early");
        pool(arm, "one", &["192.0.2.10/32"], json!({}));
        has(arm, "early", "192.0.2.10");
        told(arm, "early", "IPAllocated");
        taken(arm, "one", 1);
    });
}

fn a_released_address_is_given_to_who_waits(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10/32"], json!({}));
        plain(arm, "a");
        has(arm, "a", "192.0.2.10");
        plain(arm, "b");
        has_none(arm, "b", "AllocationFailed");
        exchange(arm, "DELETE", &format!("{SERVICES}/a"), Value::Null);
        has(arm, "b", "192.0.2.10");
        told(arm, "b", "IPAllocated");
        taken(arm, "one", 1);
    });
}

fn the_lowest_free_address_comes_first(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.8/29"], json!({}));
        for (name, address) in [("a", "192.0.2.8"), ("b", "192.0.2.9"), ("c", "192.0.2.10")] {
            plain(arm, name);
            has(arm, name, address);
        }
        exchange(arm, "DELETE", &format!("{SERVICES}/b"), Value::Null);
        taken(arm, "one", 2);
        plain(arm, "d");
        has(arm, "d", "192.0.2.9");
    });
}

fn ranges_are_given_out_in_their_order(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["203.0.113.7-203.0.113.7", "192.0.2.10-192.0.2.10", "198.51.100.0/31"], json!({}));
        let addresses = ["203.0.113.7", "192.0.2.10", "198.51.100.0", "198.51.100.1"];
        for (name, address) in ["a", "b", "c", "d"].into_iter().zip(addresses) {
            plain(arm, name);
            has(arm, name, address);
        }
        taken(arm, "one", 4);
    });
}

fn an_address_can_be_asked_for(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10-192.0.2.20"], json!({}));
        service(arm, "a", json!({"metallb.io/loadBalancerIPs": "192.0.2.15"}), json!({}));
        has(arm, "a", "192.0.2.15");
        service(arm, "b", json!({}), json!({"loadBalancerIP": "192.0.2.17"}));
        has(arm, "b", "192.0.2.17");
        service(
            arm,
            "c",
            json!({"metallb.io/loadBalancerIPs": "192.0.2.18", "metallb.io/address-pool": "one"}),
            json!({}),
        );
        has(arm, "c", "192.0.2.18");
        taken(arm, "one", 3);
    });
}

fn addresses_that_can_not_be_had_are_refused(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10-192.0.2.20"], json!({}));
        pool(arm, "two", &["203.0.113.0/30"], json!({"autoAssign": false}));
        service(arm, "holder", json!({"metallb.io/loadBalancerIPs": "192.0.2.10"}), json!({}));
        has(arm, "holder", "192.0.2.10");
        for (name, asked) in
            [("used", "192.0.2.10"), ("outside", "198.51.100.1"), ("nonsense", "abc"), ("newer", "::1")]
        {
            service(arm, name, json!({"metallb.io/loadBalancerIPs": asked}), json!({}));
            has_none(arm, name, "AllocationFailed");
        }
        service(
            arm,
            "both",
            json!({"metallb.io/loadBalancerIPs": "192.0.2.11"}),
            json!({"loadBalancerIP": "192.0.2.12"}),
        );
        has_none(arm, "both", "AllocationFailed");
        let apart = json!({"metallb.io/loadBalancerIPs": "192.0.2.11", "metallb.io/address-pool": "two"});
        service(arm, "apart", apart, json!({}));
        has_none(arm, "apart", "AllocationFailed");
        taken(arm, "one", 1);
    });
}

fn an_address_can_be_exchanged_for_another(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10-192.0.2.20"], json!({}));
        plain(arm, "a");
        has(arm, "a", "192.0.2.10");
        change(
            arm,
            &format!("{SERVICES}/a"),
            json!({"metadata": {"annotations": {"metallb.io/loadBalancerIPs": "192.0.2.13"}}}),
        );
        has(arm, "a", "192.0.2.13");
        told(arm, "a", "IPAllocated");
        plain(arm, "b");
        has(arm, "b", "192.0.2.10");
    });
}

fn a_pool_can_be_asked_for(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10/32"], json!({}));
        pool(arm, "two", &["203.0.113.4/31"], json!({}));
        for (name, address) in [("a", "203.0.113.4"), ("b", "203.0.113.5")] {
            service(arm, name, json!({"metallb.io/address-pool": "two"}), json!({}));
            has(arm, name, address);
        }
        for (name, pool) in [("full", "two"), ("unknown", "three")] {
            service(arm, name, json!({"metallb.io/address-pool": pool}), json!({}));
            has_none(arm, name, "AllocationFailed");
        }
        change(arm, &format!("{SERVICES}/a"), json!({"metadata": {"annotations": {"metallb.io/address-pool": "one"}}}));
        has(arm, "a", "192.0.2.10");
        taken(arm, "one", 1);
    });
}

fn a_pool_that_is_not_automatic_waits_to_be_asked_for(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "kept", &["192.0.2.10/31"], json!({"autoAssign": false}));
        plain(arm, "a");
        has_none(arm, "a", "AllocationFailed");
        service(arm, "b", json!({"metallb.io/address-pool": "kept"}), json!({}));
        has(arm, "b", "192.0.2.10");
        service(arm, "c", json!({"metallb.io/loadBalancerIPs": "192.0.2.11"}), json!({}));
        has(arm, "c", "192.0.2.11");
        taken(arm, "kept", 2);
    });
}

fn services_share_an_address_if_they_say_so(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10-192.0.2.12"], json!({}));
        let sharing = json!({"metallb.io/allow-shared-ip": "key"});
        service(arm, "a", sharing.clone(), json!({}));
        has(arm, "a", "192.0.2.10");
        service(arm, "b", sharing.clone(), json!({"ports": [{"port": 81}]}));
        has(arm, "b", "192.0.2.10");
        // The port is taken there, so it gets an address of its own.
        service(arm, "c", sharing, json!({"ports": [{"port": 81}]}));
        has(arm, "c", "192.0.2.11");
        plain(arm, "d");
        has(arm, "d", "192.0.2.12");
        taken(arm, "one", 3);
    });
}

fn those_who_do_not_share_are_refused(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10/32"], json!({}));
        let asking = |key: &str| json!({"metallb.io/allow-shared-ip": key, "metallb.io/loadBalancerIPs": "192.0.2.10"});
        service(arm, "a", asking("key"), json!({}));
        has(arm, "a", "192.0.2.10");
        service(arm, "same-port", asking("key"), json!({}));
        has_none(arm, "same-port", "AllocationFailed");
        service(arm, "other-key", asking("other"), json!({"ports": [{"port": 81}]}));
        has_none(arm, "other-key", "AllocationFailed");
        service(arm, "local", asking("key"), json!({"ports": [{"port": 82}], "externalTrafficPolicy": "Local"}));
        has_none(arm, "local", "AllocationFailed");
        service(arm, "datagrams", asking("key"), json!({"ports": [{"port": 80, "protocol": "UDP"}]}));
        has(arm, "datagrams", "192.0.2.10");
        taken(arm, "one", 1);
    });
}

fn pools_are_for_whom_they_say(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "all", &["192.0.2.20/32"], json!({}));
        pool(
            arm,
            "second",
            &["192.0.2.30/32"],
            json!({"serviceAllocation": {"priority": 50, "namespaces": ["SPACE"]}}),
        );
        let chosen = json!({
            "priority": 10,
            "namespaceSelectors": [{"matchLabels": {"kubernetes.io/metadata.name": "SPACE"}}],
            "serviceSelectors": [{"matchLabels": {"app": "chosen"}}],
        });
        pool(arm, "first", &["192.0.2.40/32"], json!({"serviceAllocation": chosen}));
        pool(arm, "others", &["192.0.2.50/32"], json!({"serviceAllocation": {"namespaces": ["default"]}}));
        plain(arm, "chosen");
        has(arm, "chosen", "192.0.2.40");
        plain(arm, "a");
        has(arm, "a", "192.0.2.30");
        plain(arm, "b");
        has(arm, "b", "192.0.2.20");
        for annotation in
            [json!({"metallb.io/address-pool": "others"}), json!({"metallb.io/loadBalancerIPs": "192.0.2.50"})]
        {
            let name = if annotation["metallb.io/address-pool"].is_null() { "by-address" } else { "by-pool" };
            service(arm, name, annotation, json!({}));
            has_none(arm, name, "AllocationFailed");
        }
    });
}

fn a_pool_that_shrinks_takes_addresses_back(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10-192.0.2.11"], json!({}));
        for (name, address) in [("a", "192.0.2.10"), ("b", "192.0.2.11")] {
            plain(arm, name);
            has(arm, name, address);
        }
        change(arm, &format!("{POOLS}/one"), json!({"spec": {"addresses": ["192.0.2.11-192.0.2.12"]}}));
        has(arm, "a", "192.0.2.12");
        told(arm, "a", "ClearAssignment");
        has(arm, "b", "192.0.2.11");
        taken(arm, "one", 2);
    });
}

fn a_pool_that_goes_takes_its_addresses_along(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10/32"], json!({}));
        plain(arm, "a");
        has(arm, "a", "192.0.2.10");
        exchange(arm, "DELETE", &format!("{POOLS}/one"), Value::Null);
        has_none(arm, "a", "IPAllocated");
    });
}

fn a_service_of_another_type_gives_its_address_back(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10/32"], json!({}));
        plain(arm, "a");
        has(arm, "a", "192.0.2.10");
        taken(arm, "one", 1);
        change(arm, &format!("{SERVICES}/a"), json!({"spec": {"type": "ClusterIP"}}));
        arm.settle(&format!("{SERVICES}/a"), |service| {
            service["metadata"]["annotations"].is_null().then(|| fields(service, &["/metadata/annotations", "/status"]))
        });
        taken(arm, "one", 0);
    });
}

fn a_service_of_another_class_gets_no_address(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10-192.0.2.11"], json!({}));
        service(arm, "a", json!({}), json!({"loadBalancerClass": "example.com/other"}));
        plain(arm, "b");
        has(arm, "b", "192.0.2.10");
        arm.get(&format!("{SERVICES}/a/status"));
        taken(arm, "one", 1);
    });
}

fn addresses_that_confuse_are_left_out(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.0/31", "192.0.2.254-192.0.3.1"], json!({"avoidBuggyIPs": true}));
        for (name, address) in [("a", "192.0.2.1"), ("b", "192.0.2.254"), ("c", "192.0.3.1")] {
            plain(arm, name);
            has(arm, name, address);
        }
        plain(arm, "d");
        has_none(arm, "d", "AllocationFailed");
        taken(arm, "one", 3);
    });
}

fn pools_that_are_wrong_change_nothing(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10-192.0.2.11"], json!({}));
        plain(arm, "a");
        has(arm, "a", "192.0.2.10");
        pool(arm, "nonsense", &["nonsense"], json!({}));
        pool(arm, "overlapping", &["192.0.2.0/24"], json!({}));
        plain(arm, "b");
        has(arm, "b", "192.0.2.11");
        plain(arm, "c");
        has_none(arm, "c", "AllocationFailed");
        arm.settle(&format!("{POOLS}/overlapping"), |pool| Some(fields(pool, &["/status"])));
        for wrong in ["nonsense", "overlapping"] {
            exchange(arm, "DELETE", &format!("{POOLS}/{wrong}"), Value::Null);
        }
    });
}

fn the_older_annotations_are_read_too(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10-192.0.2.11"], json!({}));
        service(arm, "a", json!({"metallb.universe.tf/loadBalancerIPs": "192.0.2.11"}), json!({}));
        has(arm, "a", "192.0.2.11");
        service(arm, "b", json!({"metallb.universe.tf/address-pool": "one"}), json!({}));
        has(arm, "b", "192.0.2.10");
    });
}

fn less_comes_first_and_nothing_last(arm: &Arm) {
    balanced(arm, |arm| {
        let for_here = |priority: Value| {
            let mut allocation = json!({"namespaces": ["SPACE"]});
            if !priority.is_null() {
                allocation["priority"] = priority;
            }
            json!({"serviceAllocation": allocation})
        };
        pool(arm, "unranked", &["192.0.2.10/32"], for_here(Value::Null));
        pool(arm, "ninth", &["192.0.2.20/32"], for_here(json!(9)));
        pool(arm, "first", &["192.0.2.30/32"], for_here(json!(1)));
        pool(arm, "open", &["192.0.2.40/32"], json!({}));
        for (name, address) in ["a", "b", "c", "d"].into_iter().zip(["30", "20", "10", "40"]) {
            plain(arm, name);
            has(arm, name, &format!("192.0.2.{address}"));
        }
        plain(arm, "e");
        has_none(arm, "e", "AllocationFailed");
    });
}

fn pools_of_the_same_priority_are_used_up_one_after_the_other(arm: &Arm) {
    balanced(arm, |arm| {
        let labelled = |app: &str| json!({"serviceAllocation": {"serviceSelectors": [{"matchLabels": {"app": app}}]}});
        pool(arm, "for-a", &["192.0.2.10/32"], labelled("a"));
        pool(arm, "for-b", &["192.0.2.20-192.0.2.21"], labelled("b"));
        plain(arm, "b");
        has(arm, "b", "192.0.2.20");
        plain(arm, "a");
        has(arm, "a", "192.0.2.10");
        plain(arm, "c");
        has_none(arm, "c", "AllocationFailed");
        taken(arm, "for-a", 1);
        taken(arm, "for-b", 1);
    });
}

fn a_field_that_asks_for_an_address_may_change(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10-192.0.2.12"], json!({}));
        service(arm, "a", json!({}), json!({"loadBalancerIP": "192.0.2.12"}));
        has(arm, "a", "192.0.2.12");
        change(arm, &format!("{SERVICES}/a"), json!({"spec": {"loadBalancerIP": "192.0.2.11"}}));
        has(arm, "a", "192.0.2.11");
        told(arm, "a", "IPAllocated");
        change(arm, &format!("{SERVICES}/a"), json!({"spec": {"loadBalancerIP": null}}));
        plain(arm, "b");
        has(arm, "b", "192.0.2.10");
        has(arm, "a", "192.0.2.11");
    });
}

fn who_shares_an_address_may_leave_it(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10-192.0.2.11"], json!({}));
        let sharing = json!({"metallb.io/allow-shared-ip": "key", "metallb.io/loadBalancerIPs": "192.0.2.11"});
        service(arm, "a", sharing.clone(), json!({}));
        has(arm, "a", "192.0.2.11");
        service(arm, "b", sharing, json!({"ports": [{"port": 443}]}));
        has(arm, "b", "192.0.2.11");
        exchange(arm, "DELETE", &format!("{SERVICES}/a"), Value::Null);
        taken(arm, "one", 1);
        has(arm, "b", "192.0.2.11");
        service(arm, "c", json!({"metallb.io/loadBalancerIPs": "192.0.2.11"}), json!({}));
        has_none(arm, "c", "AllocationFailed");
    });
}

fn a_stranger_takes_the_next_address_and_gives_it_back(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "automatic", &["192.0.2.241-192.0.2.244"], json!({}));
        pool(arm, "by-hand", &["192.0.2.201-192.0.2.220", "192.0.2.221-192.0.2.240"], json!({"autoAssign": false}));
        for (name, address) in [("root", "192.0.2.241"), ("stranger", "192.0.2.242"), ("test", "192.0.2.243")] {
            plain(arm, name);
            has(arm, name, address);
        }
        exchange(arm, "DELETE", &format!("{SERVICES}/stranger"), Value::Null);
        taken(arm, "automatic", 2);
        change(
            arm,
            &format!("{SERVICES}/test"),
            json!({"metadata": {"annotations": {"metallb.io/loadBalancerIPs": "192.0.2.242"}}}),
        );
        has(arm, "test", "192.0.2.242");
        plain(arm, "live");
        has(arm, "live", "192.0.2.243");
        taken(arm, "automatic", 3);
        taken(arm, "by-hand", 0);
    });
}

fn a_service_that_no_longer_fits_its_pool_moves(arm: &Arm) {
    balanced(arm, |arm| {
        pool(arm, "one", &["192.0.2.10/32"], json!({}));
        plain(arm, "a");
        has(arm, "a", "192.0.2.10");
        pool(arm, "two", &["203.0.113.10/32"], json!({}));
        let others = json!({"spec": {"serviceAllocation": {"namespaces": ["default"]}}});
        change(arm, &format!("{POOLS}/one"), others);
        has(arm, "a", "203.0.113.10");
        arm.settle("/api/v1/namespaces/SPACE/events?fieldSelector=involvedObject.name=a", |list| {
            (items(list).len() == 3).then(|| each(list, |event| fields(event, &["/type", "/reason", "/message"])))
        });
    });
}
