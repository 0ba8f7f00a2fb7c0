//! Policies that change objects on their way in, by expressions.

use serde_json::{Value, json};

use super::{
    arms::Arm,
    definitions::{Defined, WIDGETS, definition, one_version},
    settled::Scene as _,
};

const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";
const MAPS: &str = "/api/v1/namespaces/SPACE/configmaps";
const MAP: &str = "/api/v1/namespaces/SPACE/configmaps/m";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/SPACE/deployments";

bodies! {
    a_configuration_is_laid_on_what_comes
    steps_are_taken_on_what_comes
    one_mutation_follows_another
    conditions_and_variables_are_asked
    policies_may_be_asked_again
    workloads_get_containers
    what_would_lose_something_is_refused
    mutations_that_fail_refuse_or_not
    types_have_the_names_of_their_fields
    what_was_changed_belongs_to_nobody
    defined_kinds_are_changed
}

/// A policy and its binding for the body's own namespace, there for as long as a body plays; nothing of it is written down.
struct Policy<'a> {
    arm: &'a Arm,
    /// What it is about: where that is made, and an object.
    concerned: (String, Value),
}

impl<'a> Policy<'a> {
    /// Makes both, and waits until the server goes by them: a dry run of an object is refused or marked from then on.
    fn new(arm: &'a Arm, concerned: (&str, &Value), mutations: &[Value], more: &Value) -> Self {
        // What belongs to no namespace is all bodies' own.
        let rules = json!([{
            "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["CREATE", "UPDATE"],
            "scope": "Namespaced",
        }]);
        let here = json!({"matchLabels": {"kubernetes.io/metadata.name": "SPACE"}});
        let mark = configuration("Object{metadata: Object.metadata{labels: {'marked': 'true'}}}");
        let mutations = [&[mark], mutations].concat();
        let mut spec = json!({
            "matchConstraints": {"resourceRules": rules, "namespaceSelector": here},
            "mutations": mutations, "reinvocationPolicy": "Never", "failurePolicy": "Fail",
        });
        for (field, value) in more.as_object().into_iter().flatten() {
            spec[field] = value.clone();
        }
        let made = json!({"metadata": {"name": "SPACE"}, "spec": spec});
        arm.make(&format!("{ADMISSION}/mutatingadmissionpolicies"), made);
        let binding = json!({"metadata": {"name": "SPACE"}, "spec": {"policyName": "SPACE"}});
        arm.make(&format!("{ADMISSION}/mutatingadmissionpolicybindings"), binding);
        let policy = Self { arm, concerned: (format!("{}?dryRun=All", concerned.0), concerned.1.clone()) };
        policy.until_in_force(true);
        policy
    }

    fn until_in_force(&self, wanted: bool) {
        let (path, object) = &self.concerned;
        self.arm.ask_until(path, object, |answer| {
            // What is there already says nothing.
            let is_refused = !matches!(answer.code, 201 | 409);
            wanted == (is_refused || answer.body["metadata"]["labels"]["marked"] == "true")
        });
    }

    /// The same, with what becomes of a dry run written down.
    fn tried(arm: &'a Arm, concerned: (&str, &Value), mutation: Value) {
        let _policy = Self::new(arm, concerned, &[mutation], &json!({}));
        arm.create(&format!("{}?dryRun=All", concerned.0), concerned.1.clone());
    }
}

impl Drop for Policy<'_> {
    fn drop(&mut self) {
        for kind in ["mutatingadmissionpolicybindings", "mutatingadmissionpolicies"] {
            self.arm.drop(&format!("{ADMISSION}/{kind}/SPACE"));
        }
        if !std::thread::panicking() {
            self.until_in_force(false);
        }
    }
}

fn configuration(expression: &str) -> Value {
    json!({"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}})
}

fn steps(expression: &str) -> Value {
    json!({"patchType": "JSONPatch", "jsonPatch": {"expression": expression}})
}

fn map(data: Value) -> Value {
    json!({"metadata": {"name": "m", "labels": {"own": "1"}}, "data": data})
}

fn a_configuration_is_laid_on_what_comes(arm: &Arm) {
    let annotations = "{'of': object.metadata.name + '/' + request.operation}";
    let expression = format!("Object{{metadata: Object.metadata{{annotations: {annotations}}}, data: {{'b': '2'}}}}");
    let _policy = Policy::new(arm, (MAPS, &map(json!({}))), &[configuration(&expression)], &json!({}));
    arm.create(MAPS, map(json!({"a": "1", "b": "1"})));
    arm.patch(MAP, "merge", json!({"data": {"b": "3"}}));
    arm.get(MAP);
}

fn steps_are_taken_on_what_comes(arm: &Arm) {
    let expression = "[
        JSONPatch{op: 'test', path: '/data/a', value: '1'},
        JSONPatch{op: 'add', path: '/metadata/annotations', value: {'a/b': 'c'}},
        JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('example.com/a'), value: 'x'},
        JSONPatch{op: 'copy', from: '/data/a', path: '/data/copy'},
        JSONPatch{op: 'replace', path: '/data/a', value: string(1 + 1)},
        JSONPatch{op: 'move', from: '/data/b', path: '/data/c'}
    ]";
    let _policy = Policy::new(arm, (MAPS, &map(json!({}))), &[steps(expression)], &json!({}));
    for data in [json!({"a": "1", "b": "2"}), json!({"a": "2", "b": "2"}), json!({"a": "1"}), json!({})] {
        arm.create(&format!("{MAPS}?dryRun=All"), map(data));
    }
}

fn one_mutation_follows_another(arm: &Arm) {
    let mutations = [
        configuration("Object{data: {'first': 'a'}}"),
        steps("[JSONPatch{op: 'add', path: '/data/second', value: object.data.first + 'b'}]"),
        configuration("Object{data: {'third': has(object.data.second) ? object.data.second + 'c' : 'none'}}"),
    ];
    let bare = json!({"metadata": {"name": "m"}});
    let _policy = Policy::new(arm, (MAPS, &bare), &mutations, &json!({}));
    arm.create(MAPS, bare);
}

fn conditions_and_variables_are_asked(arm: &Arm) {
    let more = json!({
        "variables": [{"name": "size", "expression": "has(object.data) ? size(object.data) : 0"}],
        "matchConditions": [{"name": "meant", "expression": "object.metadata.name != 'other'"}],
    });
    let mutation = configuration("Object{data: {'size': string(variables.size)}}");
    let _policy = Policy::new(arm, (MAPS, &map(json!({}))), &[mutation], &more);
    arm.create(&format!("{MAPS}?dryRun=All"), map(json!({"a": "1"})));
    arm.create(&format!("{MAPS}?dryRun=All"), json!({"metadata": {"name": "other"}}));
}

fn policies_may_be_asked_again(arm: &Arm) {
    let given = map(json!({"count": "1"}));
    for again in ["Never", "IfNeeded"] {
        let mutation = configuration("Object{data: {'count': string(int(object.data.count) + 1)}}");
        let _policy = Policy::new(arm, (MAPS, &given), &[mutation], &json!({"reinvocationPolicy": again}));
        arm.create(&format!("{MAPS}?dryRun=All"), given.clone());
    }
}

fn deployment() -> Value {
    let template = json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}]},
    });
    json!({"metadata": {"name": "web"}, "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template}})
}

fn workloads_get_containers(arm: &Arm) {
    let expression = "Object{spec: Object.spec{
        replicas: object.spec.replicas + 1,
        template: Object.spec.template{spec: Object.spec.template.spec{
            containers: [
                Object.spec.template.spec.containers{name: 'side', image: 'side:1'},
                Object.spec.template.spec.containers{name: 'web', env: [Object.spec.template.spec.containers.env{name: 'A', value: 'b'}]}
            ]
        }}
    }}";
    Policy::tried(arm, (DEPLOYMENTS, &deployment()), configuration(expression));
}

fn what_would_lose_something_is_refused(arm: &Arm) {
    for expression in [
        "Object{spec: Object.spec{selector: Object.spec.selector{matchLabels: {'a': 'b'}}}}",
        "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: 'web', command: ['a']}]}}}}",
        "Object{spec: Object.spec{colour: 'red'}}",
        "Object{spec: Object.spec{replicas: 'many'}}",
        "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{image: 'web'}]}}}}",
    ] {
        Policy::tried(arm, (DEPLOYMENTS, &deployment()), configuration(expression));
    }
}

fn mutations_that_fail_refuse_or_not(arm: &Arm) {
    let given = map(json!({"a": "1"}));
    for failure in ["Fail", "Ignore"] {
        for mutation in [
            configuration("Object{data: {'a': object.data.none}}"),
            steps("[JSONPatch{op: 'remove', path: '/data/none'}]"),
            steps("[JSONPatch{op: 'add', path: '/data', value: 'text'}]"),
        ] {
            let _policy = Policy::new(arm, (MAPS, &given), &[mutation], &json!({"failurePolicy": failure}));
            arm.create(&format!("{MAPS}?dryRun=All"), given.clone());
        }
    }
}

fn types_have_the_names_of_their_fields(arm: &Arm) {
    for expression in
        ["Object{spec: Object.metadata{}}", "Object{spec: Object.spec{template: Object.spec.templates{}}}"]
    {
        Policy::tried(arm, (DEPLOYMENTS, &deployment()), configuration(expression));
    }
}

fn what_was_changed_belongs_to_nobody(arm: &Arm) {
    let mutation = configuration("Object{data: {'b': '2'}}");
    let _policy = Policy::new(arm, (MAPS, &map(json!({}))), &[mutation], &json!({}));
    let given = |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": data});
    arm.apply(MAP, "me", given(json!({"a": "1"})));
    arm.apply(MAP, "you", given(json!({"b": "3"})));
}

fn defined_kinds_are_changed(arm: &Arm) {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "size": {"type": "integer"}, "names": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
    }}}});
    let _defined = Defined::new(arm, &definition("widgets", "Widget", one_version(schema)), WIDGETS);
    let spec = json!({"size": 1, "names": ["a", "b"]});
    let widget =
        json!({"apiVersion": "SPACE.example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec});
    let mutation = configuration("Object{spec: Object.spec{size: 3, names: ['b', 'c']}}");
    let _policy = Policy::new(arm, (WIDGETS, &widget), &[mutation], &json!({}));
    let dry = format!("{WIDGETS}?dryRun=All");
    // What a kind looks like is known to policies a moment after it is to others.
    arm.ask_until(&dry, &widget, |answer| answer.body["spec"]["size"] == 3);
    arm.create(&dry, widget);
}
