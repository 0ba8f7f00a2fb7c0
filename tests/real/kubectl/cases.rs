//! What is compared: for each thing that operators do, with what beginning, and what must be told.

use super::Case;

/// Files beside both sides.
pub const FILES: &[(&str, &str)] = &[
    ("settings.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {colour: blue}}\n"),
    (
        "changed.yaml",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {colour: green, size: large}}\n",
    ),
    ("mistyped.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, dta: {colour: blue}}\n"),
    ("invalid.yaml", "{apiVersion: v1, kind: Service, metadata: {name: Web}, spec: {ports: []}}\n"),
    ("nowhere.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: nowhere}}\n"),
    ("unknown.yaml", "{apiVersion: shop.example.org/v1, kind: Unheard, metadata: {name: first}}\n"),
    (
        "several.yaml",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: first}}\n---\n\
         {apiVersion: v1, kind: ConfigMap, metadata: {name: NOT-fine}}\n---\n\
         {apiVersion: v1, kind: ConfigMap, metadata: {name: last}}\n",
    ),
    (
        "web.yaml",
        "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'web:1'}]}
",
    ),
    (
        "parked.yaml",
        "apiVersion: apps/v1
kind: Deployment
metadata: {name: parked}
spec:
  replicas: 1
  progressDeadlineSeconds: 2
  selector: {matchLabels: {app: parked}}
  template:
    metadata: {labels: {app: parked}}
    spec: {schedulerName: nobody, containers: [{name: web, image: 'web:1'}]}
",
    ),
];

/// A deployment at its second revision.
const TWO_REVISIONS: &str = "
    for revision in first:1 second:2; do
    kubectl apply --server-side --field-manager=test -f - <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {kubernetes.io/change-cause: ${revision%:*}}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'web:${revision#*:}'}]}
YAML
    kubectl rollout status deployment/web --timeout=60s
    done";

/// A node for this side alone, with two pods of a stateful set.
const NODE: &str = "
    kubectl create -f - <<YAML
{apiVersion: v1, kind: Node, metadata: {name: $SPACE, labels: {for: $SPACE}}, spec: {taints: [{key: for, value: $SPACE, effect: NoSchedule}]}}
YAML
    kubectl wait --for=condition=Ready node/$SPACE --timeout=60s
    kubectl create -f - <<YAML
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  replicas: 2
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec: {nodeSelector: {for: $SPACE}, tolerations: [{key: for, operator: Exists}], containers: [{name: c, image: c}]}
YAML
    kubectl rollout status statefulset/store --timeout=60s";

/// What speaks against draining it. It is cordoned, as kubectl leaves it even if it drains nothing.
const OBJECTIONS: &str = "
    for kind in DaemonSet Deployment; do
    if [ $kind = DaemonSet ]; then name=daemon volumes= ; else name=scratch volumes=', volumes: [{name: scratch, emptyDir: {}}]'; fi
    kubectl create -f - <<YAML
apiVersion: apps/v1
kind: $kind
metadata: {name: $name}
spec:
  selector: {matchLabels: {app: $name}}
  template:
    metadata: {labels: {app: $name}}
    spec: {nodeSelector: {for: $SPACE}, tolerations: [{key: for, operator: Exists}], containers: [{name: c, image: c}]$volumes}
YAML
    kubectl rollout status $kind/$name --timeout=60s
    done
    kubectl create -f - <<YAML
{apiVersion: v1, kind: Pod, metadata: {name: alone}, spec: {nodeName: $SPACE, containers: [{name: c, image: c}]}}
YAML
    kubectl wait --for=condition=Ready pod/alone --timeout=60s
    kubectl cordon $SPACE";

/// Its pods may not go.
const BUDGET: &str = "
    kubectl create poddisruptionbudget store --selector=app=store --min-available=2
    kubectl wait --for=jsonpath={.status.currentHealthy}=2 pdb/store --timeout=60s";

pub const CASES: &[&Case] = &[
    &Case {
        name: "apply-new",
        given: &[],
        theirs: "kubectl apply --server-side -f settings.yaml -f web.yaml",
        ours: r#"cluster.apply([fs::read("settings.yaml"), fs::read("web.yaml")]);"#,
        facts: &[("configmap/settings serverside-applied", "configmap/settings")],
    },
    &Case {
        name: "apply-unchanged",
        given: &["kubectl apply --server-side --field-manager=cozyscript -f settings.yaml"],
        theirs: "kubectl apply --server-side --field-manager=cozyscript -f settings.yaml",
        ours: r#"cluster.apply(fs::read("settings.yaml"));"#,
        // Nothing is said of what stays as it is, and no change is counted.
        facts: &[("configmap/settings serverside-applied", "(1 done)")],
    },
    &Case {
        name: "apply-changed",
        given: &["kubectl apply --server-side --field-manager=cozyscript -f settings.yaml"],
        theirs: "kubectl apply --server-side --field-manager=cozyscript -f changed.yaml",
        ours: r#"cluster.apply(fs::read("changed.yaml"));"#,
        facts: &[("configmap/settings", "configmap/settings")],
    },
    &Case {
        name: "apply-conflict",
        given: &["kubectl apply --server-side --field-manager=flux -f settings.yaml"],
        theirs: "kubectl apply --server-side -f changed.yaml",
        ours: r#"cluster.apply(fs::read("changed.yaml"));"#,
        facts: &[("conflict with \"flux\"", "conflict with \"flux\""), (".data.colour", "data.colour"), ("--force-conflicts", "force: true")],
    },
    &Case {
        name: "apply-by-force",
        given: &["kubectl apply --server-side --field-manager=flux -f settings.yaml"],
        theirs: "kubectl apply --server-side --force-conflicts -f changed.yaml",
        ours: r#"cluster.apply(fs::read("changed.yaml"), #{ force: true });"#,
        facts: &[("configmap/settings", "configmap/settings")],
    },
    &Case {
        name: "apply-mistyped-field",
        given: &[],
        theirs: "kubectl apply --server-side -f mistyped.yaml",
        ours: r#"cluster.apply(fs::read("mistyped.yaml"));"#,
        facts: &[("dta", "dta")],
    },
    &Case {
        name: "apply-invalid",
        given: &[],
        theirs: "kubectl apply --server-side -f invalid.yaml",
        ours: r#"cluster.apply(fs::read("invalid.yaml"));"#,
        facts: &[("metadata.name: Invalid value: \"Web\"", "`metadata.name`: Invalid value: \"Web\""), ("spec.ports: Required value", "`spec.ports`: Required value")],
    },
    &Case {
        name: "apply-to-no-namespace",
        given: &[],
        theirs: "kubectl apply --server-side -f nowhere.yaml",
        ours: r#"cluster.apply(fs::read("nowhere.yaml"));"#,
        facts: &[("namespaces \"nowhere\" not found", "namespace `nowhere` is not in `testbed`")],
    },
    &Case {
        name: "apply-of-no-kind",
        given: &[],
        theirs: "kubectl apply --server-side -f unknown.yaml",
        ours: r#"cluster.apply(fs::read("unknown.yaml"));"#,
        facts: &[("no matches for kind \"Unheard\"", "Unheard"), ("shop.example.org/v1", "shop.example.org/v1"), ("ensure CRDs are installed", "CustomResourceDefinition installed")],
    },
    &Case {
        name: "apply-several-one-wrong",
        given: &[],
        theirs: "kubectl apply --server-side -f several.yaml",
        ours: r#"cluster.apply(fs::read("several.yaml"));"#,
        facts: &[("NOT-fine", "NOT-fine"), ("Invalid value", "Invalid value")],
    },
    &Case {
        name: "diff",
        given: &["kubectl apply --server-side --field-manager=cozyscript -f settings.yaml"],
        theirs: "kubectl diff --server-side --field-manager=cozyscript -f changed.yaml | tail -n +4",
        ours: r#"print(cluster.diff(fs::read("changed.yaml")).text);"#,
        facts: &[("-  colour: blue", "blue"), ("+  colour: green", "green"), ("+  size: large", "large")],
    },
    &Case {
        name: "diff-of-nothing",
        given: &["kubectl apply --server-side --field-manager=cozyscript -f settings.yaml"],
        theirs: "kubectl diff --server-side --field-manager=cozyscript -f settings.yaml",
        ours: r#"if cluster.diff(fs::read("settings.yaml")).text != "" { fail("it differs"); }"#,
        facts: &[],
    },
    &Case {
        name: "replace",
        given: &["kubectl create -f settings.yaml"],
        theirs: "kubectl replace -f changed.yaml",
        ours: r#"cluster.replace(fs::read("changed.yaml"), #{ force: true });"#,
        facts: &[("configmap/settings replaced", "replace testbed: configmap/settings")],
    },
    &Case {
        name: "patch-by-merging",
        given: &["kubectl create -f settings.yaml"],
        theirs: "kubectl patch configmap settings --type=merge -p '{\"data\":{\"colour\":null,\"size\":\"large\"}}'",
        ours: r#"cluster.patch("configmap", "settings", #{ data: #{ colour: (), size: "large" } });"#,
        facts: &[("configmap/settings patched", "patch testbed: configmap/settings")],
    },
    &Case {
        name: "patch-strategically",
        given: &["kubectl create -f web.yaml"],
        theirs: "kubectl patch deployment web -p '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"web:2\"}]}}}}'",
        ours: r#"cluster.patch("deployment", "web", #{ spec: #{ template: #{ spec: #{ containers: [#{ name: "web", image: "web:2" }] } } } }, #{ type: "strategic" });"#,
        facts: &[("deployment.apps/web patched", "patch testbed: deployment/web")],
    },
    &Case {
        name: "patch-whose-test-fails",
        given: &["kubectl create -f settings.yaml"],
        theirs: "kubectl patch configmap settings --type=json -p '[{\"op\":\"test\",\"path\":\"/data/colour\",\"value\":\"red\"}]'",
        ours: r#"cluster.patch("configmap", "settings", [#{ op: "test", path: "/data/colour", value: "red" }]);"#,
        facts: &[("The request is invalid", "error[invalid]")],
    },
    &Case {
        name: "patch-what-is-not-there",
        given: &[],
        theirs: "kubectl patch configmap settings --type=merge -p '{\"data\":{\"size\":\"large\"}}'",
        ours: r#"cluster.patch("configmap", "settings", #{ data: #{ size: "large" } });"#,
        facts: &[("configmaps \"settings\" not found", "`configmaps/settings` in `SPACE` is not in `testbed`")],
    },
    &Case {
        name: "label",
        given: &["kubectl create -f settings.yaml", "kubectl label configmap settings old=yes"],
        theirs: "kubectl label configmap settings team=web old-",
        ours: r#"cluster.label("configmap", "settings", #{ team: "web", old: () });"#,
        facts: &[("configmap/settings", "configmap/settings")],
    },
    &Case {
        name: "label-that-has-a-value",
        given: &["kubectl create -f settings.yaml", "kubectl label configmap settings team=api"],
        theirs: "kubectl label configmap settings team=web",
        ours: r#"cluster.label("configmap", "settings", #{ team: "web" });"#,
        facts: &[("'team' already has a value (api)", "api"), ("--overwrite", "overwrite: true")],
    },
    &Case {
        name: "annotate",
        given: &["kubectl create -f settings.yaml"],
        theirs: "kubectl annotate configmap settings example.org/note='good evening'",
        ours: r#"cluster.annotate("configmap", "settings", #{ "example.org/note": "good evening" });"#,
        facts: &[("configmap/settings annotated", "annotate testbed: configmap/settings")],
    },
    &Case {
        name: "delete-by-label",
        given: &["kubectl create -f settings.yaml", "kubectl label configmap settings team=web", "kubectl create configmap other"],
        theirs: "kubectl delete configmaps -l team=web",
        ours: r#"cluster.delete_all("configmaps", #{ labels: "team=web" });"#,
        facts: &[("configmap \"settings\" deleted", "configmap/settings")],
    },
    &Case {
        name: "create-what-is-there",
        given: &["kubectl create -f settings.yaml"],
        theirs: "kubectl create -f settings.yaml",
        ours: r#"cluster.create(fs::read("settings.yaml"));"#,
        facts: &[("configmaps \"settings\" already exists", "`configmaps/settings` in `SPACE` is in `testbed` already")],
    },
    &Case {
        name: "get",
        given: &["kubectl create -f settings.yaml"],
        theirs: "kubectl get configmap settings -o yaml",
        ours: r#"print(cluster.get("configmap", "settings").to_yaml());"#,
        facts: &[("colour: blue", "colour: blue"), ("kind: ConfigMap", "kind: ConfigMap"), ("creationTimestamp", "creationTimestamp")],
    },
    &Case {
        name: "get-what-is-not-there",
        given: &[],
        theirs: "kubectl get configmap settings",
        ours: r#"cluster.get("configmap", "settings");"#,
        facts: &[("configmaps \"settings\" not found", "`configmaps/settings` in `SPACE` is not in `testbed`")],
    },
    &Case {
        name: "get-an-unknown-kind",
        given: &[],
        theirs: "kubectl get unheards",
        ours: r#"cluster.list("unheards");"#,
        facts: &[("the server doesn't have a resource type \"unheards\"", "`testbed` has no kind `unheards`")],
    },
    &Case {
        name: "list-by-label",
        given: &["kubectl create -f settings.yaml && kubectl label configmap settings team=web && kubectl create configmap other"],
        theirs: "kubectl get configmaps -l team=web -o name",
        ours: r#"for found in cluster.list("configmaps", #{ labels: "team=web" }) { print(`configmap/${found.metadata.name}`); }"#,
        facts: &[("configmap/settings", "configmap/settings")],
    },
    &Case {
        name: "list-without-leave",
        given: &[],
        theirs: "kubectl --context viewer@testbed get pods",
        ours: r#"k8s::connect("viewer@testbed").list("pods");"#,
        facts: &[("User \"viewer\" cannot list resource \"pods\"", "User \"viewer\" cannot list resource \"pods\""), ("in the namespace \"SPACE\"", "in the namespace \"SPACE\"")],
    },
    &Case {
        name: "delete",
        given: &["kubectl create -f settings.yaml"],
        theirs: "kubectl delete configmap settings",
        ours: r#"cluster.delete("configmap", "settings");"#,
        facts: &[("configmap \"settings\" deleted", "configmap/settings in SPACE (deleted)")],
    },
    &Case {
        name: "delete-what-is-not-there",
        given: &[],
        theirs: "kubectl delete configmap settings",
        ours: r#"cluster.delete("configmap", "settings", #{ missing_ok: false });"#,
        facts: &[("configmaps \"settings\" not found", "configmap/settings in SPACE")],
    },
    &Case {
        name: "delete-what-is-held",
        given: &["kubectl create -f settings.yaml && kubectl patch configmap settings --type=merge -p '{\"metadata\":{\"finalizers\":[\"example.org/hold\"]}}'"],
        theirs: "kubectl delete configmap settings --timeout=1s",
        ours: r#"cluster.delete("configmap", "settings", #{ timeout: "1s" });"#,
        facts: &[("timed out waiting for the condition on configmaps/settings", "held by example.org/hold")],
    },
    &Case {
        name: "scale",
        given: &["kubectl create -f web.yaml"],
        theirs: "kubectl scale deployment web --replicas=3",
        ours: r#"cluster.scale("deployment", "web", 3);"#,
        facts: &[("deployment.apps/web scaled", "scale testbed: deployment/web in SPACE to 3")],
    },
    &Case {
        name: "scale-what-is-not-there",
        given: &[],
        theirs: "kubectl scale deployment web --replicas=3",
        ours: r#"cluster.scale("deployment", "web", 3);"#,
        facts: &[("deployments.apps \"web\" not found", "`deployments.apps/web` in `SPACE` is not in `testbed`")],
    },
    &Case {
        name: "wait-for-a-condition",
        given: &["kubectl create -f web.yaml"],
        theirs: "kubectl wait --for=condition=Available deployment/web --timeout=60s",
        ours: r#"cluster.wait("deployment", "web", "condition=Available", #{ timeout: "60s" });"#,
        facts: &[("deployment.apps/web condition met", "deployment/web in SPACE to be Available: met")],
    },
    &Case {
        name: "wait-in-vain",
        given: &["kubectl create -f settings.yaml -f parked.yaml"],
        theirs: "kubectl wait --for=condition=Available deployment/parked --timeout=1s",
        ours: r#"cluster.wait("deployment", "parked", "condition=Available", #{ timeout: "1s", fail_fast: false });"#,
        facts: &[("timed out waiting for the condition on deployments/parked", "gave up waiting for deployment/parked in SPACE to be Available after 1s")],
    },
    &Case {
        name: "wait-for-deletion",
        given: &["kubectl create -f settings.yaml && kubectl delete configmap settings"],
        theirs: "kubectl wait --for=delete configmap/settings --timeout=10s",
        ours: r#"cluster.wait("configmap", "settings", "deleted", #{ timeout: "10s" });"#,
        facts: &[],
    },
    &Case {
        name: "logs-of-no-pod",
        given: &[],
        theirs: "kubectl logs web-0",
        ours: r#"cluster.logs("web-0");"#,
        facts: &[("pods \"web-0\" not found", "web-0` in `SPACE` is not in `testbed`")],
    },
    &Case {
        name: "events-of-a-deployment",
        given: &["kubectl create -f web.yaml && kubectl rollout status deployment/web --timeout=60s"],
        theirs: "kubectl events --for deployment/web",
        ours: r#"table(cluster.events("deployment", "web"), #{ columns: ["time", "type", "reason", "about", "message"] });"#,
        facts: &[("Normal", "Normal"), ("ScalingReplicaSet", "ScalingReplicaSet"), ("Scaled up replica set web-", "Scaled up replica set web-")],
    },
    &Case {
        name: "can-i",
        given: &[],
        theirs: "kubectl auth can-i create pods --subresource=eviction",
        ours: r#"print(if cluster.can_i("create", "pods", #{ subresource: "eviction" }) { "yes" } else { "no" });"#,
        facts: &[("yes", "yes")],
    },
    &Case {
        name: "can-i-not",
        given: &[],
        theirs: "kubectl --context viewer@testbed auth can-i delete pods",
        ours: r#"if !k8s::connect("viewer@testbed").can_i("delete", "pods") { fail("no"); }"#,
        facts: &[("no", "no")],
    },
    &Case {
        name: "whoami",
        given: &[],
        theirs: "kubectl --context viewer@testbed auth whoami -o yaml",
        ours: r#"print(k8s::connect("viewer@testbed").whoami().to_yaml());"#,
        facts: &[("username: viewer", "username: viewer"), ("- system:authenticated", "- system:authenticated")],
    },
    &Case {
        name: "top-where-nobody-measures",
        given: &[],
        theirs: "kubectl top nodes",
        ours: r#"cluster.top("nodes");"#,
        facts: &[("Metrics API not available", "has no `metrics.k8s.io`")],
    },
    &Case {
        name: "rollout-status",
        given: &["kubectl create -f web.yaml"],
        theirs: "kubectl rollout status deployment/web --timeout=60s",
        ours: r#"cluster.rollout_status("deployment", "web", #{ timeout: "60s" });"#,
        facts: &[("successfully rolled out", "deployment/web in SPACE to be rolled out: met")],
    },
    &Case {
        name: "rollout-status-past-its-deadline",
        given: &["kubectl create -f parked.yaml"],
        theirs: "kubectl rollout status deployment/parked --timeout=60s",
        ours: r#"cluster.rollout_status("deployment", "parked", #{ timeout: "60s" });"#,
        facts: &[("exceeded its progress deadline", "ProgressDeadlineExceeded")],
    },
    &Case {
        name: "rollout-status-in-vain",
        given: &["kubectl create quota none --hard=pods=0", "kubectl create -f web.yaml"],
        theirs: "kubectl rollout status deployment/web --timeout=2s",
        ours: r#"cluster.rollout_status("deployment", "web", #{ timeout: "2s" });"#,
        facts: &[
            ("0 out of 2 new replicas have been updated", "0 of 2 replicas are of the new version"),
            ("timed out waiting for the condition", "gave up waiting for deployment/web in SPACE to be rolled out"),
        ],
    },
    &Case {
        name: "rollout-history",
        given: &[TWO_REVISIONS],
        theirs: "kubectl rollout history deployment/web",
        ours: r#"table(cluster.rollout_history("deployment", "web"), #{ columns: ["revision", "cause", "images"] });"#,
        facts: &[("first", "first"), ("second", "second")],
    },
    &Case {
        name: "rollout-undo",
        given: &[TWO_REVISIONS],
        theirs: "kubectl rollout undo deployment/web",
        ours: r#"cluster.rollout_undo("deployment", "web");"#,
        facts: &[("deployment.apps/web rolled back", "deployment/web in SPACE to the revision before (back to revision 1 (web:1))")],
    },
    &Case {
        name: "rollout-undo-to-no-revision",
        given: &[TWO_REVISIONS],
        theirs: "kubectl rollout undo deployment/web --to-revision=7",
        ours: r#"cluster.rollout_undo("deployment", "web", #{ to: 7 });"#,
        facts: &[("unable to find specified revision 7 in history", "deployment/web in SPACE has no revision 7")],
    },
    &Case {
        name: "rollout-restart",
        given: &[TWO_REVISIONS],
        theirs: "kubectl rollout restart deployment/web",
        ours: r#"cluster.rollout_restart("deployment", "web");"#,
        facts: &[("deployment.apps/web restarted", "restart testbed: deployment/web in SPACE")],
    },
    &Case {
        name: "rollout-pause",
        given: &[TWO_REVISIONS],
        theirs: "kubectl rollout pause deployment/web",
        ours: r#"cluster.rollout_pause("deployment", "web");"#,
        facts: &[("deployment.apps/web paused", "pause testbed: deployment/web in SPACE")],
    },
    &Case {
        name: "rollout-restart-while-paused",
        given: &["kubectl create -f web.yaml && kubectl rollout pause deployment/web"],
        theirs: "kubectl rollout restart deployment/web",
        ours: r#"cluster.rollout_restart("deployment", "web");"#,
        facts: &[("can't restart paused deployment", "deployment/web in SPACE is paused"), ("rollout resume", "rollout_resume")],
    },
    &Case {
        name: "cordon",
        given: &[NODE],
        theirs: "kubectl cordon $SPACE",
        ours: "cluster.cordon(space);",
        facts: &[("node/SPACE cordoned", "cordon testbed: node/SPACE")],
    },
    &Case {
        name: "drain",
        given: &[NODE],
        theirs: "kubectl drain $SPACE --timeout=60s",
        ours: r#"cluster.drain(space, #{ timeout: "60s" });"#,
        facts: &[("evicting pod SPACE/store-1", "pod/store-1 in SPACE, of statefulset/store"), ("node/SPACE drained", "2 pods to leave node/SPACE: met")],
    },
    &Case {
        name: "drain-against-objections",
        given: &[NODE, OBJECTIONS],
        theirs: "kubectl drain $SPACE",
        ours: "cluster.drain(space);",
        facts: &[
            ("SPACE/alone", "pod/alone in SPACE would not come back"),
            ("--force", "force: true"),
            ("SPACE/daemon-", "it is of daemonset/daemon"),
            ("--ignore-daemonsets", "ignore_daemon_sets: true"),
            ("SPACE/scratch", "pod/scratch-"),
            ("--delete-emptydir-data", "delete_empty_dir: true"),
        ],
    },
    &Case {
        name: "drain-against-a-budget",
        given: &[NODE, BUDGET],
        theirs: "kubectl drain $SPACE --timeout=2s",
        ours: r#"cluster.drain(space, #{ timeout: "2s" });"#,
        facts: &[
            ("would violate the pod's disruption budget", "disruption budget store needs 2 healthy pods and has 2"),
            ("SPACE/store-0", "pod/store-0 in SPACE stays"),
        ],
    },
    &Case {
        name: "uncordon",
        given: &["kubectl create -f - <<YAML
{apiVersion: v1, kind: Node, metadata: {name: $SPACE}, spec: {unschedulable: true, taints: [{key: for, value: $SPACE, effect: NoSchedule}]}}
YAML"],
        theirs: "kubectl uncordon $SPACE",
        ours: "cluster.uncordon(space);",
        facts: &[("node/SPACE uncordoned", "uncordon testbed: node/SPACE")],
    },
];
