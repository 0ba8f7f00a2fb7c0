//! Applying, comparing and pruning, against a real control plane.

use std::time::Duration;

use cozyscript::{event::What, host::effect::Effect, script::fault::Kind, script::values::object::Object};
use rhai::Array;

use super::{Bed, Scripts, alone, shared};
use crate::support::{
    Script,
    transcript::{compare, program, said},
};

fn in_space(space: &str, text: &str) -> String {
    format!("let space = \"{space}\"; let cluster = k8s::connect(#{{ namespace: space }}); {text}")
}

fn config_map(name: &str, data: &str) -> String {
    format!("#{{ apiVersion: \"v1\", kind: \"ConfigMap\", metadata: #{{ name: \"{name}\" }}, data: {data} }}")
}

#[track_caller]
fn run(script: &Script, text: &str) {
    drop(script.run(text).unwrap_or_else(|error| panic!("{text}: {error}")));
}

/// What was shown of each change: its verb and object, and what came of it.
fn shown(script: &Script) -> Vec<(String, String)> {
    let effects = script.recorded.effects.lock().unwrap();
    let shown = effects.iter().map(|(effect, end)| {
        let detail = end.as_ref().and_then(|(.., detail)| detail.clone()).unwrap_or_default();
        (format!("{} {}", effect.verb, effect.object), detail)
    });
    shown.collect()
}

fn effects(script: &Script) -> Vec<Effect> {
    script.recorded.effects.lock().unwrap().iter().map(|(effect, _)| effect.clone()).collect()
}

/// A file below the runbook's folder.
fn file(bed: &Bed, path: &str, text: &str) {
    let path = bed.folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn each_object_is_told_as_created_changed_or_unchanged() {
    let Some(bed) = shared() else { return };
    let space = bed.space("apply-results");
    let script = bed.script();
    let (a, b, c) = (config_map("a", "#{ x: \"1\" }"), config_map("b", "#{ x: \"1\" }"), config_map("c", "#{}"));
    run(&script, &in_space(&space, &format!("cluster.apply([{a}, {b}])")));
    let b = config_map("b", "#{ x: \"2\", y: \"new\" }");
    let report: Object = script.value(&in_space(&space, &format!("cluster.apply([{a}, {b}, {c}])")));
    let told = |name: &str| {
        let text = report.tree().to_string();
        let start = text.find(&format!("\"{name}\":[")).unwrap();
        text[start..].split_once(']').unwrap().0.to_owned()
    };
    let named = |name: &str| format!("{{\"kind\":\"ConfigMap\",\"name\":\"{name}\",\"namespace\":\"{space}\"}}");
    assert!(told("created").ends_with(&named("c")), "{report:?}");
    assert!(told("unchanged").ends_with(&named("a")), "{report:?}");
    let fields: Array = script.value(&in_space(
        &space,
        &format!(
            "let b = {}; cluster.apply([b]).changed[0].fields.map(|field| `${{field.path}}: ${{field.before}}, ${{field.after}}`)",
            config_map("b", "#{ x: \"3\" }")
        ),
    ));
    let fields: Vec<String> = fields.into_iter().map(|field| field.into_string().unwrap()).collect();
    assert_eq!(fields, ["data.x: 2, 3", "data.y: new, "]);
    assert_eq!(
        shown(&script),
        [
            ("apply testbed: 2 objects, from configmap/a on".to_owned(), "created".to_owned()),
            (
                "apply testbed: 3 objects, from configmap/a on".to_owned(),
                format!(
                    "1 created, 1 changed, 1 unchanged: configmap/b in {space} data.x: 1 → 2, configmap/b in {space} data.y: none → new"
                )
            ),
            ("apply testbed: configmap/b".to_owned(), "changed: data.x: 2 → 3, data.y: new → none".to_owned()),
        ]
    );
    let noted: Vec<String> = (script.events().into_iter())
        .filter_map(|what| match what {
            What::Noted { text, minor: true } => Some(text),
            _ => None,
        })
        .collect();
    let told = |name: &str, what: &str| format!("configmap/{name} in {space}: {what}");
    assert_eq!(noted[..2], [told("a", "created"), told("b", "created")]);
    assert!(noted[2..].contains(&told("a", "unchanged")), "{noted:?}");
    assert!(noted[2..].contains(&told("b", "changed: data.x: 1 → 2, data.y: none → new")), "{noted:?}");
}

/// Objects of many sorts, as people write them: with defaults left out, with lists of all kinds, with quantities.
const MIXED: &str = r#"
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
---
apiVersion: v1
kind: Secret
metadata: {name: web, annotations: {note: ""}}
stringData: {password: correct-horse}
---
apiVersion: v1
kind: Secret
metadata: {name: plain}
data: {password: Y29ycmVjdC1ob3JzZQ==}
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec:
  selector: {app: web}
  ports:
  - {name: http, port: 80, targetPort: 8080, protocol: TCP}
  - {name: https, port: 443, targetPort: 8443, protocol: TCP}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web}
rules:
- {apiGroups: [""], resources: [pods, services], verbs: [get, list]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web:1
        env: [{name: A, value: "1"}, {name: B, valueFrom: {secretKeyRef: {name: web, key: password}}}]
        resources: {requests: {cpu: 0.5, memory: 64Mi}}
        volumeMounts: [{name: tmp, mountPath: /tmp}]
      volumes: [{name: tmp, emptyDir: {}}]
      tolerations: [{key: a, operator: Exists}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  rules:
  - host: web.example.org
    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
"#;

#[test]
fn what_was_applied_as_it_is_wanted_stays_as_it_is() {
    let Some(bed) = shared() else { return };
    let space = bed.space("apply-mixed");
    file(&bed, "mixed.yaml", MIXED);
    let script = bed.script();
    let apply = in_space(
        &space,
        "let report = cluster.apply(k8s::manifests(\"mixed.yaml\")); `${report.created.len()} ${report.changed.len()} ${report.unchanged.len()}`",
    );
    let first: String = script.value(&apply);
    let generations = || {
        bed.kubectl(&["get", "-n", &space, "all,secrets,roles,ingresses", "-o", "jsonpath={.items[*].metadata.generation} {.items[*].metadata.managedFields[?(@.manager==\"cozyscript\")].time}"])
    };
    let before = generations();
    assert_eq!((first.as_str(), script.value::<String>(&apply).as_str()), ("7 0 0", "0 0 7"));
    assert_eq!(generations(), before);
    let text: String = script.value(&in_space(&space, "cluster.diff(k8s::manifests(\"mixed.yaml\")).text"));
    assert_eq!(text, "");
}

#[test]
fn a_folder_is_applied_with_its_definition_first() {
    let Some(bed) = shared() else { return };
    let space = bed.space("apply-folder");
    file(
        &bed,
        "folder/1-boat.yaml",
        "apiVersion: sea.example.org/v1\nkind: Boat\nmetadata: {name: ark}\nspec: {size: 300}\n",
    );
    file(&bed, "folder/2-definition.yml", BOAT);
    file(
        &bed,
        "folder/deeper/3-port.json",
        r#"{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "port"}}]}"#,
    );
    file(&bed, "folder/notes.txt", "no manifest");
    let script = bed.script();
    let flat: i64 = script.value("k8s::manifests(\"folder\").len()");
    assert_eq!(flat, 2);
    let text = "cluster.apply(k8s::manifests(\"folder/\", #{ recursive: true })).objects.map(|object| `${object.kind} ${object.metadata.name}`)";
    let objects: Array = script.value(&in_space(&space, text));
    let objects: Vec<String> = objects.into_iter().map(|object| object.into_string().unwrap()).collect();
    assert_eq!(objects, ["Boat ark", "CustomResourceDefinition boats.sea.example.org", "ConfigMap port"]);
    file(&bed, "broken/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\nkind: ConfigMap\n");
    let fault = script.fault("k8s::manifests(\"broken\")");
    assert_eq!(
        (fault.kind, fault.message.as_str()),
        (Kind::Usage, "document 2 of `broken/a.yaml` has no `apiVersion`")
    );
    assert_eq!(script.fault("k8s::manifests(\"nowhere.yaml\")").kind, Kind::File);
    assert_eq!(script.fault("k8s::manifests(\"../outside\")").kind, Kind::File);
}

const BOAT: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.sea.example.org}
spec:
  group: sea.example.org
  scope: Namespaced
  names: {kind: Boat, plural: boats, singular: boat}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {size: {type: integer}, crew: {type: array, items: {type: object, properties: {name: {type: string}}}}}}}
"#;

#[test]
fn what_is_left_over_of_an_inventory_goes_after_it_was_shown() {
    let Some(bed) = shared() else { return };
    let (space, other) = (bed.space("prune"), bed.space("prune-other"));
    let script = bed.script();
    let set = |names: &[&str], prune: &str| {
        let objects: Vec<String> = names.iter().map(|name| config_map(name, "#{}")).collect();
        format!("cluster.apply([{}], #{{ prune: \"{prune}\" }})", objects.join(", "))
    };
    run(&script, &in_space(&space, &set(&["a", "b", "c"], "prune-web")));
    run(&script, &in_space(&space, &set(&["theirs"], "prune-web-2")));
    run(&script, &in_space(&other, &set(&["far"], "example.org/set=prune-web")));
    bed.kubectl(&["create", "configmap", "nobodys", "-n", &space]);
    bed.kubectl(&["create", "secret", "generic", "old", "-n", &space]);
    bed.kubectl(&["label", "secret", "old", "-n", &space, "app.kubernetes.io/managed-set=prune-web"]);

    let pruned: i64 = script.value(&in_space(&space, &format!("{}.pruned.len()", set(&["a"], "prune-web"))));
    assert_eq!(pruned, 2);
    let effect = effects(&script).pop().unwrap();
    assert_eq!(
        (effect.verb.as_str(), effect.object.as_str()),
        ("prune", "testbed: what is left over of app.kubernetes.io/managed-set=prune-web")
    );
    let lines = ["b", "c"].map(|name| format!("configmap/{name} in {space}"));
    assert_eq!(effect.destroys.unwrap(), lines);
    let left = bed.kubectl(&["get", "configmaps", "-n", &space, "-o", "name"]);
    let left: Vec<&str> = left.lines().filter(|name| !name.contains("kube-root-ca")).collect();
    assert_eq!(left, ["configmap/a", "configmap/nobodys", "configmap/theirs"]);
    assert!(bed.kubectl(&["get", "configmaps", "-n", &other, "-o", "name"]).contains("configmap/far"));

    // Kinds that the set no longer has are looked at if they are named; what would go is known before.
    let text = format!(
        "cluster.diff([{}], #{{ prune: \"prune-web\", prune_kinds: [\"secret\"] }}).pruned[0].name",
        config_map("a", "#{}")
    );
    assert_eq!(script.value::<String>(&in_space(&space, &text)), "old");
    let text = text.replace("diff", "apply");
    assert_eq!(script.value::<String>(&in_space(&space, &text)), "old");
    assert!(!bed.kubectl(&["get", "secrets", "-n", &space, "-o", "name"]).contains("secret/old"));
    assert_eq!(script.fault(&in_space(&space, &set(&["a"], "no inventory"))).kind, Kind::Usage);
}

#[test]
fn what_kubectl_applied_in_its_older_way_is_explained() {
    let Some(bed) = shared() else { return };
    let space = bed.space("migrate");
    let manifest =
        format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a, namespace: {space}}}, data: {{x: theirs}}}}");
    bed.kubectl_with(&["apply"], &manifest);
    let fault =
        bed.script().fault(&in_space(&space, &format!("cluster.apply({})", config_map("a", "#{ x: \"ours\" }"))));
    assert_eq!(fault.kind, Kind::Conflict);
    let hint = fault.hint.unwrap();
    assert!(hint.contains("`kubectl apply` without `--server-side`") && hint.contains("force: true"), "{hint}");
}

#[test]
fn fields_that_a_kind_does_not_have_are_refused_by_name_or_left_out() {
    let Some(bed) = shared() else { return };
    let space = bed.space("unknown");
    let script = bed.script();
    let web = |options: &str| {
        in_space(
            &space,
            &format!(
                r#"cluster.apply(#{{ apiVersion: "apps/v1", kind: "Deployment", metadata: #{{ name: "web" }}, spec: #{{ replicaz: 2,
                    selector: #{{ matchLabels: #{{ app: "web" }} }}, template: #{{ metadata: #{{ labels: #{{ app: "web" }} }},
                    spec: #{{ containers: [#{{ name: "web", image: "web", imagePolicy: "Always" }}] }} }} }} }}{options}).spec.replicas"#
            ),
        )
    };
    let fault = script.fault(&web(""));
    assert_eq!(fault.kind, Kind::Invalid);
    assert!(fault.notes.iter().any(|note| note.contains("spec.")), "{fault:?}");
    assert_eq!(script.value::<i64>(&web(", #{ validation: \"warn\" }")), 1);
    let warned: Vec<String> = script
        .events()
        .into_iter()
        .filter_map(|what| match what {
            What::Warned { text } => Some(text),
            _ => None,
        })
        .collect();
    let warned = warned.join("\n");
    assert!(warned.contains("spec.replicaz") && warned.contains("imagePolicy"), "{warned}");
    assert_eq!(script.fault(&web(", #{ validation: \"loose\" }")).kind, Kind::Usage);
}

#[test]
fn an_admission_policy_says_why_it_refuses() {
    let Some(bed) = shared() else { return };
    let space = bed.space("policy");
    let policy = format!(
        r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: no-{space}}}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules: [{{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}}]
  validations: [{{expression: "!object.metadata.name.startsWith('forbidden')", message: "this name is taken by the king"}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: no-{space}}}
spec:
  policyName: no-{space}
  validationActions: [Deny]
  matchResources: {{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {space}}}}}}}
"#
    );
    let script = bed.script();
    run(&script, &format!("k8s::connect().apply(`{policy}`)"));
    // The server takes a moment until it heeds a new policy.
    let forbidden = in_space(
        &space,
        &format!(
            "cluster.apply([{}, {}])",
            config_map("forbidden", "#{ x: time::now().to_string() }"),
            config_map("fine", "#{}")
        ),
    );
    let heeded = (0..60).any(|_| {
        std::thread::sleep(Duration::from_millis(250));
        script.run(&forbidden).is_err()
    });
    assert!(heeded, "the policy is heeded within 15 s");
    assert_eq!(script.fault(&forbidden).message, "1 of 2 objects were not applied");
    let fault = script.fault(&in_space(&space, &format!("cluster.apply({})", config_map("forbidden-2", "#{}"))));
    assert_eq!(fault.kind, Kind::Invalid);
    assert!(format!("{fault:?}").contains("this name is taken by the king"), "{fault:?}");
    let made = bed.kubectl(&["get", "configmaps", "-n", &space, "-o", "name"]);
    assert!(made.contains("configmap/fine"), "{made}");
    bed.kubectl(&["delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", &format!("no-{space}")]);
}

#[test]
fn a_difference_is_told_and_nothing_is_changed() {
    let Some(bed) = shared() else { return };
    let space = bed.space("diff");
    let script = bed.script();
    let secret = |password: &str| {
        format!(
            "#{{ apiVersion: \"v1\", kind: \"Secret\", metadata: #{{ name: \"s\" }}, stringData: #{{ password: \"{password}\" }} }}"
        )
    };
    run(
        &script,
        &in_space(
            &space,
            &format!("cluster.apply([{}, {}])", config_map("a", "#{ x: \"1\" }"), secret("open-sesame-7")),
        ),
    );
    let before = bed.kubectl(&[
        "get",
        "configmaps,secrets",
        "-n",
        &space,
        "-o",
        "jsonpath={.items[*].metadata.resourceVersion}",
    ]);
    let objects = format!(
        "[{}, {}, {}, #{{ apiVersion: \"v1\", kind: \"Namespace\", metadata: #{{ name: \"diff-new\" }} }}, \
         #{{ apiVersion: \"v1\", kind: \"ConfigMap\", metadata: #{{ name: \"in\", namespace: \"diff-new\" }} }}]",
        config_map("a", "#{ x: \"2\" }"),
        config_map("new", "#{ y: \"1\" }"),
        secret("close-sesame-8")
    );
    let object: Object = script.value(&in_space(&space, &format!("cluster.diff({objects})")));
    let told = object.tree().to_string();
    assert!(told.contains(r#"{"after":"2","before":"1","path":"data.x"}"#), "{told}");
    assert!(
        told.contains(r#"{"after":"(secret, after)","before":"(secret, before)","path":"data.password"}"#),
        "{told}"
    );
    let text: String = script.value(&in_space(&space, &format!("cluster.diff({objects}).text")));
    for line in
        ["-  x: \"1\"", "+  x: \"2\"", "--- none", "+++ configmap/in in diff-new", "+  password: (secret, after)"]
    {
        assert!(text.lines().any(|found| found == line), "`{line}` is not in\n{text}");
    }
    assert!(!format!("{told}{text}").contains("sesame") && !told.contains("c2VzYW1l"), "{told}{text}");
    let after = bed.kubectl(&[
        "get",
        "configmaps,secrets",
        "-n",
        &space,
        "-o",
        "jsonpath={.items[*].metadata.resourceVersion}",
    ]);
    assert_eq!(before, after);
    assert_eq!(effects(&script).len(), 1, "comparing is no change");
}

#[test]
fn an_api_server_that_goes_away_in_between_is_waited_for() {
    let Some(bed) = alone() else { return };
    let space = bed.space("apply-restart");
    let script = bed.script();
    let apply = in_space(
        &space,
        r#"let many = [];
        for i in 0..200 { many.push(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: `c${i}` }, data: #{ x: "1" } }); }
        cluster.apply(many, #{ concurrency: 1, timeout: "1m" }).created.len()"#,
    );
    let work = std::thread::spawn({
        let script = script.clone();
        move || script.value::<i64>(&apply)
    });
    while bed.kubectl(&["get", "configmaps", "-n", &space, "-o", "name"]).lines().count() < 5 {}
    bed.part("stop", "kube-apiserver");
    std::thread::sleep(Duration::from_secs(2));
    bed.part("start", "kube-apiserver");
    assert_eq!(work.join().unwrap(), 200);
    let there = bed.kubectl(&["get", "configmaps", "-n", &space, "-o", "name"]);
    assert_eq!(there.lines().filter(|name| name.starts_with("configmap/c")).count(), 200);
}

#[test]
fn the_example_says_what_its_transcript_says_and_says_it_again() {
    let Some(bed) = shared() else { return };
    let journal = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut command = program(journal.path());
        command.env("KUBECONFIG", bed.kubeconfig()).arg("examples/apply.rhai");
        let (status, told) = said(command.args(["--set", "namespace=corner-shop"]));
        assert_eq!(status, 0, "{told}");
        // The ConfigMap that every namespace gets comes when it likes.
        compare("apply.txt", &told.replace("  1 configmap\n", "  2 configmaps\n"));
    }
}
