//! Quotas and limit ranges as objects, budgets, classes of priority, leases, and autoscalers.

use serde_json::{Value, json};

use super::arms::Arm;

bodies! {
    quotas_are_checked
    limit_ranges_are_filled_in
    limit_ranges_are_checked
    budgets_are_checked
    classes_of_priority_are_filled_in_and_checked
    a_class_of_priority_keeps_its_value
    leases_are_checked
    autoscalers_are_filled_in
    autoscalers_are_checked
    autoscalers_are_shown_in_the_older_version
    runtime_classes_are_checked
}

fn each(arm: &Arm, path: &str, specs: &[Value]) {
    for spec in specs {
        arm.create(&format!("{path}?dryRun=All"), json!({"metadata": {"name": "SPACE"}, "spec": spec}));
    }
}

fn quotas_are_checked(arm: &Arm) {
    each(
        arm,
        "/api/v1/namespaces/SPACE/resourcequotas",
        &[
            json!({}),
            json!({"hard": {"pods": "10", "requests.cpu": "1000m", "count/deployments.apps": "2"}}),
            json!({"hard": {"pods": "1.5"}}),
            json!({"hard": {"cpu": "-1"}}),
            json!({"hard": {"pods and more": "1"}}),
            json!({"hard": {"unknown": "1"}}),
            json!({"hard": {"pods": "1"}, "scopes": ["BestEffort"]}),
            json!({"hard": {"pods": "1"}, "scopes": ["BestEffort", "NotBestEffort"]}),
            json!({"hard": {"cpu": "1"}, "scopes": ["BestEffort"]}),
            json!({"hard": {"pods": "1"}, "scopes": ["Sometimes"]}),
            json!({"hard": {"pods": "1"}, "scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}]}}),
            json!({"hard": {"pods": "1"}, "scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In"}]}}),
            json!({"hard": {"pods": "1"}, "scopeSelector": {"matchExpressions": [{"scopeName": "Terminating", "operator": "In", "values": ["a"]}]}}),
        ],
    );
}

fn limit_ranges_are_filled_in(arm: &Arm) {
    each(
        arm,
        "/api/v1/namespaces/SPACE/limitranges",
        &[
            json!({"limits": [{"type": "Container", "max": {"cpu": "1"}}]}),
            json!({"limits": [{"type": "Container", "min": {"cpu": "100m"}}]}),
            json!({"limits": [{"type": "Container", "default": {"cpu": "1"}}]}),
            json!({"limits": [{"type": "Container", "defaultRequest": {"memory": "1Gi"}, "max": {"memory": "2Gi"}}]}),
            json!({"limits": [{"type": "Pod", "max": {"cpu": "2"}}, {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}}]}),
        ],
    );
}

fn limit_ranges_are_checked(arm: &Arm) {
    each(
        arm,
        "/api/v1/namespaces/SPACE/limitranges",
        &[
            json!({}),
            json!({"limits": [{"type": "Pod", "default": {"cpu": "1"}}]}),
            json!({"limits": [{"type": "Pod", "defaultRequest": {"cpu": "1"}}]}),
            json!({"limits": [{"type": "Container", "min": {"cpu": "2"}, "max": {"cpu": "1"}}]}),
            json!({"limits": [{"type": "Container", "default": {"cpu": "2"}, "max": {"cpu": "1"}}]}),
            json!({"limits": [{"type": "Container", "defaultRequest": {"cpu": "2"}, "default": {"cpu": "1"}}]}),
            json!({"limits": [{"type": "Container", "max": {"cpu": "1"}}, {"type": "Container", "max": {"cpu": "1"}}]}),
            json!({"limits": [{"type": "Container", "maxLimitRequestRatio": {"cpu": "0.5"}}]}),
            json!({"limits": [{"type": "Container", "max": {"cpu": "1"}, "min": {"cpu": "1"}, "maxLimitRequestRatio": {"cpu": "2"}}]}),
            json!({"limits": [{"type": "PersistentVolumeClaim"}]}),
            json!({"limits": [{"type": "", "max": {"cpu": "1"}}]}),
            json!({"limits": [{"type": "example.com/Own", "max": {"cpu": "1"}}]}),
        ],
    );
}

fn budgets_are_checked(arm: &Arm) {
    let path = "/apis/policy/v1/namespaces/SPACE/poddisruptionbudgets";
    each(
        arm,
        path,
        &[
            json!({}),
            json!({"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}),
            json!({"maxUnavailable": "50%", "selector": {}}),
            json!({"minAvailable": 1, "maxUnavailable": 1}),
            json!({"minAvailable": -1}),
            json!({"minAvailable": "150%"}),
            json!({"maxUnavailable": "half"}),
            json!({"minAvailable": 1, "selector": {"matchLabels": {"a b": "c"}}}),
            json!({"minAvailable": 1, "unhealthyPodEvictionPolicy": "Sometimes"}),
            json!({"minAvailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow"}),
        ],
    );
}

const PRIORITIES: &str = "/apis/scheduling.k8s.io/v1/priorityclasses";

fn classes_of_priority_are_filled_in_and_checked(arm: &Arm) {
    for class in [
        json!({"value": 10}),
        json!({}),
        json!({"value": 1_000_000_001}),
        json!({"value": 10, "preemptionPolicy": "Never", "description": "later"}),
        json!({"value": 10, "preemptionPolicy": "Sometimes"}),
        json!({"value": 10, "metadata": {"name": "system-mine"}}),
    ] {
        let mut class = class;
        if class.get("metadata").is_none() {
            class["metadata"] = json!({"name": "SPACE"});
        }
        arm.create(&format!("{PRIORITIES}?dryRun=All"), class);
    }
    arm.get(&format!("{PRIORITIES}/system-node-critical"));
}

fn a_class_of_priority_keeps_its_value(arm: &Arm) {
    arm.create(PRIORITIES, json!({"metadata": {"name": "SPACE"}, "value": 10}));
    for change in [json!({"value": 11}), json!({"preemptionPolicy": "Never"}), json!({"description": "more"})] {
        arm.patch(&format!("{PRIORITIES}/SPACE"), "merge", change);
    }
    arm.delete(&format!("{PRIORITIES}/SPACE"));
}

fn leases_are_checked(arm: &Arm) {
    each(
        arm,
        "/apis/coordination.k8s.io/v1/namespaces/SPACE/leases",
        &[
            json!({}),
            json!({"holderIdentity": "me", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T09:00:00.000000Z", "leaseTransitions": 0}),
            json!({"leaseDurationSeconds": 0}),
            json!({"leaseTransitions": -1}),
        ],
    );
}

const SCALERS: &str = "/apis/autoscaling/v2/namespaces/SPACE/horizontalpodautoscalers";

fn target() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"})
}

fn autoscalers_are_filled_in(arm: &Arm) {
    each(
        arm,
        SCALERS,
        &[
            json!({"scaleTargetRef": target(), "maxReplicas": 3}),
            json!({"scaleTargetRef": target(), "maxReplicas": 3, "metrics": [{"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 50}}}]}),
            json!({"scaleTargetRef": target(), "maxReplicas": 3, "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}}),
            json!({"scaleTargetRef": target(), "maxReplicas": 3, "behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 10}]}}}),
        ],
    );
}

fn autoscalers_are_checked(arm: &Arm) {
    each(
        arm,
        SCALERS,
        &[
            json!({}),
            json!({"scaleTargetRef": target(), "maxReplicas": 0}),
            json!({"scaleTargetRef": target(), "maxReplicas": 2, "minReplicas": 3}),
            json!({"scaleTargetRef": target(), "maxReplicas": 2, "minReplicas": 0}),
            json!({"scaleTargetRef": {"kind": "", "name": ""}, "maxReplicas": 2}),
            json!({"scaleTargetRef": {"kind": "a/b", "name": "c/d"}, "maxReplicas": 2}),
            json!({"scaleTargetRef": target(), "maxReplicas": 3, "metrics": [{"type": "Resource"}]}),
            json!({"scaleTargetRef": target(), "maxReplicas": 3, "metrics": [{"type": "Sometimes"}]}),
            json!({"scaleTargetRef": target(), "maxReplicas": 3, "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}]}),
            json!({"scaleTargetRef": target(), "maxReplicas": 3, "metrics": [{"type": "Resource", "resource": {"name": "", "target": {"type": "AverageValue", "averageUtilization": 0, "averageValue": "1"}}}]}),
        ],
    );
}

fn autoscalers_are_shown_in_the_older_version(arm: &Arm) {
    let older = "/apis/autoscaling/v1/namespaces/SPACE/horizontalpodautoscalers";
    arm.create(older, json!({"metadata": {"name": "web"}, "spec": {"scaleTargetRef": target(), "maxReplicas": 3, "targetCPUUtilizationPercentage": 50}}));
    arm.get(&format!("{SCALERS}/web"));
    arm.patch(&format!("{SCALERS}/web"), "merge", json!({"spec": {"maxReplicas": 5}}));
    arm.get(&format!("{older}/web"));
}

fn runtime_classes_are_checked(arm: &Arm) {
    for class in [
        json!({"handler": "fast"}),
        json!({}),
        json!({"handler": "Fast_1"}),
        json!({"handler": "fast", "overhead": {"podFixed": {"cpu": "100m"}}, "scheduling": {"nodeSelector": {"a": "b"}}}),
    ] {
        let mut class = class;
        class["metadata"] = json!({"name": "SPACE"});
        arm.create("/apis/node.k8s.io/v1/runtimeclasses?dryRun=All", class);
    }
}
