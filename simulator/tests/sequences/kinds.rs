//! The kinds of the sequences: what an object needs, and what its fields may be, right and wrong.

use serde_json::{Value, json};

pub struct Family {
    /// Where its objects are.
    pub collection: &'static str,
    /// What every object of it has, in JSON.
    pub base: &'static str,
    /// A field, and in JSON the list of what it may be; what comes late in a list is likely wrong.
    pub fields: &'static [(&'static str, &'static str)],
    /// What can be written apart.
    pub parts: &'static [&'static str],
    /// What it can be selected by, beside its name.
    pub is_defined: bool,
}

pub const METADATA: &[(&str, &str)] = &[
    (
        "/metadata/labels",
        r#"[{"x": "1"}, {"x": "2"}, {"x": "1", "y": "1"}, {"y": "2"}, {}, {"x": "not allowed!"}, {"x": 1}]"#,
    ),
    ("/metadata/annotations", r#"[{"a": "1"}, {"a": "2", "b": "1"}, {"b": ""}, {"a": 1}, {"a b": ""}]"#),
];

/// No pods: what a server makes of them depends on its admission of service accounts, which one without controllers has not.
pub const FAMILIES: &[Family] = &[
    Family {
        collection: "/api/v1/namespaces/SPACE/configmaps",
        base: r#"{"apiVersion": "v1", "kind": "ConfigMap"}"#,
        fields: &[
            (
                "/data",
                r#"[{"a": "1"}, {"a": "2", "b": "1"}, {"b": "3", "c.d": "4"}, {}, null, {"a": 1}, {"a/b": "1"}, "text"]"#,
            ),
            ("/binaryData", r#"[{"bin": "AAEC"}, {"bin": "AAED", "z": ""}, {"a": "AAEC"}, {"bin": "!"}]"#),
            ("/immutable", r#"[false, false, true, null, "yes"]"#),
        ],
        parts: &[],
        is_defined: false,
    },
    Family {
        collection: "/api/v1/namespaces/SPACE/secrets",
        base: r#"{"apiVersion": "v1", "kind": "Secret"}"#,
        fields: &[
            (
                "/data",
                r#"[{"a": "MQ=="}, {"b": "Mg=="}, {"username": "MQ==", "password": "MQ=="}, {"a": "!"}, {"a": 1}]"#,
            ),
            (
                "/stringData",
                r#"[{"a": "1"}, {"b": "2"}, {"ssh-privatekey": "k"}, {"tls.crt": "c", "tls.key": "k"}, {"a/b": "1"}]"#,
            ),
            (
                "/type",
                r#"["Opaque", "example.com/own", "kubernetes.io/basic-auth", "kubernetes.io/ssh-auth", "kubernetes.io/tls", "", "kubernetes.io/service-account-token"]"#,
            ),
            ("/immutable", r#"[false, true, "yes"]"#),
        ],
        parts: &[],
        is_defined: false,
    },
    Family {
        collection: "/api/v1/namespaces/SPACE/services",
        base: r#"{"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": 80}]}}"#,
        fields: &[
            (
                "/spec/ports",
                r#"[[{"port": 80}], [{"name": "a", "port": 80, "targetPort": 8080}, {"name": "b", "port": 81}], [{"name": "a", "port": 80, "protocol": "UDP"}], [{"name": "b", "port": 53, "protocol": "UDP"}, {"name": "a", "port": 53, "protocol": "TCP"}], [{"port": 80, "targetPort": "http", "appProtocol": "http"}], [], [{"port": 80}, {"port": 80}], [{"port": 0}], [{"name": "A", "port": 1}], [{"port": "80"}]]"#,
            ),
            ("/spec/selector", r#"[{"app": "a"}, {"app": "b", "tier": "c"}, {}, null, {"app": "b!"}]"#),
            ("/spec/type", r#"["ClusterIP", "NodePort", "LoadBalancer", "ExternalName", "Wrong"]"#),
            ("/spec/clusterIP", r#"["None", "", "300.1.1.1"]"#),
            ("/spec/externalName", r#"["example.com", "a..b"]"#),
            ("/spec/sessionAffinity", r#"["None", "ClientIP", "Wrong"]"#),
            ("/spec/externalTrafficPolicy", r#"["Cluster", "Local", "Wrong"]"#),
            ("/spec/internalTrafficPolicy", r#"["Cluster", "Local", "Wrong"]"#),
            ("/spec/publishNotReadyAddresses", r#"[true, false]"#),
            ("/spec/externalIPs", r#"[["1.2.3.4"], ["127.0.0.1"]]"#),
        ],
        parts: &["status"],
        is_defined: false,
    },
    Family {
        collection: "/apis/apps/v1/namespaces/SPACE/deployments",
        base: r#"{"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"selector": {"matchLabels": {"app": "a"}},
            "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}}}}"#,
        fields: &[
            ("/spec/replicas", r#"[1, 2, 3, 0, null, -1, "two"]"#),
            ("/spec/paused", r#"[true, false]"#),
            ("/spec/minReadySeconds", r#"[0, 5, -1, 700]"#),
            ("/spec/revisionHistoryLimit", r#"[0, 3, -1]"#),
            (
                "/spec/strategy",
                r#"[{"type": "Recreate"}, {"type": "RollingUpdate"}, {"rollingUpdate": {"maxSurge": 1}}, {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 0}}, {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}, {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}, {"type": "Wrong"}]"#,
            ),
            ("/spec/template/metadata/labels", r#"[{"app": "a", "v": "1"}, {"app": "a", "v": "2"}, {"app": "b"}]"#),
            (
                "/spec/template/spec/containers",
                r#"[[{"name": "a", "image": "a:2"}], [{"name": "b", "image": "b"}, {"name": "a", "image": "a", "command": ["run"]}], [{"name": "a", "image": "a", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]}], [{"name": "a", "image": "a", "env": [{"name": "Y", "value": "3"}, {"name": "X"}], "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]}], [{"name": "a", "image": "a", "resources": {"requests": {"cpu": "0.5", "memory": "1024Ki"}}}], [{"name": "a", "image": "a", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}], [{"name": "a"}], []]"#,
            ),
            (
                "/spec/template/spec/volumes",
                r#"[[{"name": "v", "emptyDir": {}}], [{"name": "v", "configMap": {"name": "c"}}, {"name": "w", "secret": {"secretName": "s"}}], [{"name": "v"}], [{"name": "V"}]]"#,
            ),
            ("/spec/template/spec/terminationGracePeriodSeconds", r#"[0, 5, -1]"#),
            ("/spec/template/spec/nodeSelector", r#"[{"a": "b"}, {"a": "c", "d": "e"}]"#),
            ("/spec/selector", r#"[{"matchLabels": {"app": "a"}}, {"matchLabels": {"app": "b"}}]"#),
        ],
        parts: &["status", "scale"],
        is_defined: false,
    },
    Family {
        collection: "/apis/batch/v1/namespaces/SPACE/jobs",
        base: r#"{"apiVersion": "batch/v1", "kind": "Job", "spec": {"suspend": true,
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]}}}}"#,
        fields: &[
            ("/spec/suspend", r#"[true, false, "no"]"#),
            ("/spec/parallelism", r#"[1, 2, 0, -1]"#),
            ("/spec/completions", r#"[1, 2, -1]"#),
            ("/spec/backoffLimit", r#"[0, 6, -1]"#),
            ("/spec/completionMode", r#"["NonIndexed", "Indexed", "Wrong"]"#),
            ("/spec/activeDeadlineSeconds", r#"[100, -1]"#),
            ("/spec/ttlSecondsAfterFinished", r#"[0, 100, -1]"#),
            ("/spec/template/spec/restartPolicy", r#"["Never", "OnFailure", "Always"]"#),
            ("/spec/template/metadata/labels", r#"[{"app": "a"}, {"app": "b!"}]"#),
        ],
        parts: &["status"],
        is_defined: false,
    },
    Family {
        collection: "/api/v1/namespaces/SPACE/persistentvolumeclaims",
        base: r#"{"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}"#,
        fields: &[
            ("/spec/accessModes", r#"[["ReadWriteOnce"], ["ReadOnlyMany", "ReadWriteMany"], ["Wrong"]]"#),
            (
                "/spec/resources",
                r#"[{"requests": {"storage": "1Gi"}}, {"requests": {"storage": "2048Mi"}}, {"requests": {"storage": "0.5"}}, {"requests": {}}, {"requests": {"storage": "many"}}]"#,
            ),
            ("/spec/storageClassName", r#"["fast", "", "Not_A_Class"]"#),
            ("/spec/volumeMode", r#"["Filesystem", "Block", "Wrong"]"#),
            ("/spec/volumeName", r#"["v", "V!"]"#),
            ("/spec/selector", r#"[{"matchLabels": {"a": "b"}}, {"matchLabels": {"a": "b!"}}]"#),
            ("/status/phase", r#"["Bound", "Lost"]"#),
        ],
        parts: &["status"],
        is_defined: false,
    },
    Family {
        collection: "/api/v1/namespaces/SPACE/serviceaccounts",
        base: r#"{"apiVersion": "v1", "kind": "ServiceAccount"}"#,
        fields: &[
            ("/secrets", r#"[[{"name": "s"}], [{"name": "t"}, {"name": "s"}], []]"#),
            ("/imagePullSecrets", r#"[[{"name": "s"}], [{"name": "t"}, {"name": "s"}], [{}], "s"]"#),
            ("/automountServiceAccountToken", r#"[true, false, "no"]"#),
        ],
        parts: &[],
        is_defined: false,
    },
    Family {
        collection: "/apis/rbac.authorization.k8s.io/v1/namespaces/SPACE/roles",
        base: r#"{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}"#,
        fields: &[(
            "/rules",
            r#"[[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}], [{"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"], "resourceNames": ["a"]}, {"apiGroups": [""], "resources": ["pods", "services"], "verbs": ["list"]}], [], null, [{"verbs": ["get"]}], [{"nonResourceURLs": ["/x"], "verbs": ["get"]}], [{"apiGroups": [""], "resources": ["pods"], "verbs": []}]]"#,
        )],
        parts: &[],
        is_defined: false,
    },
    Family {
        collection: "/apis/sequences.example.org/v1/namespaces/SPACE/widgets",
        base: r#"{"apiVersion": "sequences.example.org/v1", "kind": "Widget", "spec": {"text": "1"}}"#,
        fields: &[
            ("/spec/text", r#"["1", "2", "three", null, "", 4]"#),
            ("/spec/count", r#"[1, 2, 9, null, 11, "1", 1.5]"#),
            ("/spec/choice", r#"["left", "right", "middle"]"#),
            ("/spec/mode", r#"["fast", "slow", null]"#),
            ("/spec/labels", r#"[{"x": "1"}, {"x": "2", "y": "1"}, {}, {"x": 1}]"#),
            ("/spec/selector", r#"[{"x": "1"}, {"y": "1"}, {}]"#),
            (
                "/spec/inner",
                r#"[{"a": "1"}, {"b": {"c": "1"}}, {"a": "2", "b": {"d": "1"}}, {"b": {}}, {}, {"c": 1}, null]"#,
            ),
            ("/spec/free", r#"[{"a": [1, {"b": null}]}, {"c": "d"}, {"a": {"b": {"c": 1}}}]"#),
            ("/spec/words", r#"[["a"], ["b", "a"], ["a", "a"], []]"#),
            ("/spec/tags", r#"[["a"], ["b", "a"], ["c"], [], ["a", "a"]]"#),
            (
                "/spec/ports",
                r#"[[{"port": 1}], [{"port": 2, "name": "m"}, {"port": 1, "protocol": "UDP"}], [{"port": 1, "name": "n", "tags": ["p"]}, {"port": 1, "protocol": "UDP"}], [{"port": 1, "tags": ["q", "p"]}], [], [{"port": 1}, {"port": 1}], [{"name": "m"}]]"#,
            ),
            (
                "/spec/pools",
                r#"[{"s": {"size": 1}}, {"s": {"size": 2, "labels": {"x": "1"}}, "t": {}}, {"t": {"size": -1}}]"#,
            ),
            ("/spec/amount", r#"[1, "50%", 2.5]"#),
            ("/status/ready", r#"[1, 2, "one"]"#),
            (
                "/status/conditions",
                r#"[[{"type": "Ready", "status": "True"}], [{"type": "Done", "status": "False"}, {"type": "Ready", "status": "False"}], [{"status": "True"}]]"#,
            ),
        ],
        parts: &["status", "scale"],
        is_defined: true,
    },
];

/// A definition with every sort of map and list, bounds, defaults, a status and a scale.
pub fn definition() -> Value {
    let text = json!({"type": "string"});
    let texts = json!({"type": "object", "additionalProperties": text});
    let set = json!({"type": "array", "x-kubernetes-list-type": "set", "items": text});
    let port = json!({"type": "object", "required": ["port"], "properties": {
        "port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}, "name": text, "tags": set}});
    let condition = json!({"type": "object", "required": ["type"], "properties": {"type": text, "status": text}});
    let pool = json!({"type": "object", "properties": {"size": {"type": "integer", "minimum": 0}, "labels": texts}});
    let spec = json!({"type": "object", "required": ["text"], "properties": {
        "text": {"type": "string", "minLength": 1},
        "count": {"type": "integer", "maximum": 10},
        "choice": {"type": "string", "enum": ["left", "right"]},
        "mode": {"type": "string", "default": "slow"},
        "labels": texts,
        "selector": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": text},
        "inner": {"type": "object", "properties": {"a": text, "b": {"type": "object", "properties": {"c": text, "d": text}}}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "words": {"type": "array", "items": text},
        "tags": set,
        "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port", "protocol"], "items": port},
        "pools": {"type": "object", "additionalProperties": pool},
        "amount": {"x-kubernetes-int-or-string": true},
    }});
    let status = json!({"type": "object", "properties": {"ready": {"type": "integer"},
        "conditions": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"], "items": condition}}});
    let schema = json!({"type": "object", "properties": {"spec": spec, "status": status}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.sequences.example.org"},
        "spec": {
            "group": "sequences.example.org", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
                "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.count", "statusReplicasPath": ".status.ready"}},
            }],
        },
    })
}
