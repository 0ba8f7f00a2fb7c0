//! Situations in which Flux is stuck, made for real: each is explained in a sentence, mended where that is for somebody else to do,
//! unstuck, and looked at.

use super::lab::{Arm, Lab, in_both_arms, kustomization, release, release_within};

in_both_arms! {
    values_that_are_not_there
    a_chart_that_is_not_there
    a_version_that_no_chart_has
    a_dependency_that_is_not_there
    a_chain_of_dependencies_that_ends_in_a_suspended_one
    two_that_wait_for_each_other
    pods_that_fit_on_no_node
    an_image_that_is_never_pulled
    a_hook_that_does_not_end
    a_quota_that_leaves_no_room_for_pods
    a_policy_that_refuses_an_object
    a_webhook_that_is_down
    a_field_that_cannot_be_changed_any_more
    an_upgrade_that_was_taken_back
    a_namespace_that_is_not_there
    a_kind_that_is_not_there
    a_source_that_is_suspended
    an_artifact_that_is_not_there
    a_server_that_cannot_be_reached
    a_key_to_the_source_that_is_not_there
    a_source_that_is_not_there
    a_folder_that_the_source_does_not_have
    what_is_filled_in_that_is_not_there
    a_plan_that_nobody_agrees_to_is_not_done
    an_object_that_somebody_took_away
    // A world has no Flux that reaches from one cluster into another.
    ; real:
    a_key_to_another_cluster_that_is_not_there
}

fn values_that_are_not_there(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-values") else { return };
    lab.apply(&release("web", "  valuesFrom: [{kind: ConfigMap, name: settings}]"));
    lab.until_said("hr/web", "ValuesError");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"values_missing: helmrelease/web in stuck-values takes values from configmap/settings, which is not there");
    insta::assert_snapshot!(lab.needs_a_hand("hr", "web"), @"create it, correct `valuesFrom`, or make it optional; then unstick it again");
    lab.config("settings", "other.yaml", "a: b");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"values_missing: helmrelease/web in stuck-values takes values from configmap/settings, which has no key `values.yaml`");
    lab.config("settings", "values.yaml", "marker: second");
    lab.unstuck("hr", "web");
    let marker = lab.somebody(r#"cluster.get("configmap", "web-marker").data.marker"#);
    assert_eq!(marker, "second");
}

fn a_chart_that_is_not_there(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-chart") else { return };
    lab.apply(&release("web", "").replace("chart: app", "chart: application"));
    lab.until_said("hr/web", "SourceNotReady");
    lab.until_said("helmchart/stuck-chart-web", "ChartPullError");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"chart_missing: helmrepository/charts has no chart `application` of version `1.0.0`");
    lab.apply(&release("web", ""));
    lab.somebody(r#"cluster.wait("helmchart", "stuck-chart-web", "spec.chart=app", #{ timeout: "60s" });"#);
    lab.unstuck("hr", "web");
}

fn a_version_that_no_chart_has(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-version") else { return };
    lab.apply(&release("web", "").replace("version: 1.0.0", "version: 9.x"));
    lab.until_said("helmchart/stuck-version-web", "ChartPullError");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"chart_version: no version of chart `app` in helmrepository/charts matches `9.x`");
    lab.apply(&release("web", ""));
    lab.somebody(r#"cluster.wait("helmchart", "stuck-version-web", "spec.version=1.0.0", #{ timeout: "60s" });"#);
    lab.unstuck("hr", "web");
}

fn a_dependency_that_is_not_there(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-missing") else { return };
    lab.apply(&release("web", "  dependsOn: [{name: database}]"));
    lab.until_said("hr/web", "DependencyNotReady");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"dependency_missing: helmrelease/web in stuck-missing depends on helmrelease/database in stuck-missing, which is not there");
    insta::assert_snapshot!(lab.needs_a_hand("hr", "web"), @"create helmrelease/database in stuck-missing, or take it out of `dependsOn`; then unstick it again");
    lab.apply(&release("database", ""));
    lab.unstuck("hr", "web");
}

fn a_chain_of_dependencies_that_ends_in_a_suspended_one(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-chain") else { return };
    let (web, api) = ("  dependsOn: [{name: api}]", "  dependsOn: [{name: database}]");
    lab.apply(&[release("web", web), release("api", api), release("database", "  suspend: true")].concat());
    lab.until_said("hr/web", "DependencyNotReady");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"suspended: helmrelease/database in stuck-chain is suspended");
    let chain = lab.run(
        r#"let lines = ""; for line in flux::explain(cluster, "hr", "web").chain { lines += line + "\n"; } lines"#,
    );
    insta::assert_snapshot!(chain, @r"
    helmrelease/web in stuck-chain waits for its dependency helmrelease/api in stuck-chain
    helmrelease/api in stuck-chain waits for its dependency helmrelease/database in stuck-chain
    ");
    let steps = lab.unstuck("hr", "web");
    assert_eq!(
        steps,
        [
            "resume helmrelease/database in stuck-chain",
            "reset and reconcile helmrelease/api in stuck-chain",
            "reset and reconcile helmrelease/web in stuck-chain"
        ]
    );
}

fn two_that_wait_for_each_other(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-circle") else { return };
    let egg = kustomization("egg", "shop", &lab.space, "  dependsOn: [{name: hen}]");
    lab.apply(&[kustomization("hen", "shop", &lab.space, "  dependsOn: [{name: egg}]"), egg].concat());
    lab.until_said("ks/hen", "DependencyNotReady");
    lab.until_said("ks/egg", "DependencyNotReady");
    insta::assert_snapshot!(lab.explained("ks", "hen"), @"dependency_cycle: kustomization/hen in stuck-circle depends on kustomization/egg in stuck-circle, which depends on it in turn");
    insta::assert_snapshot!(lab.needs_a_hand("ks", "hen"), @"take one of them out of the other's `dependsOn`; then unstick it again");
    lab.somebody(r#"cluster.patch("ks", "egg", #{ spec: #{ dependsOn: [] } });"#);
    lab.unstuck("ks", "hen");
}

fn pods_that_fit_on_no_node(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-nodes") else { return };
    lab.apply(&release_within("4s", "web", "  values: {where: {stuck-nodes: here}}"));
    lab.until_said("hr/web", "RetriesExceeded");
    let why = lab.explained("hr", "web");
    insta::assert_snapshot!(why.split(". ").next().unwrap(), @"unschedulable: deployment/web, which helmrelease/web in stuck-nodes brought, is not ready: Unschedulable: 0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector");
    insta::assert_snapshot!(lab.needs_a_hand("hr", "web"), @"mend what deployment/web is made from, or what its pods need; then unstick it again");
    lab.label_a_node("stuck-nodes");
    lab.until_rolled_out("web");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"attempts_used_up: helmrelease/web in stuck-nodes failed to install once and tries no more, though nothing is in its way now");
    lab.be_patient_with("web");
    lab.unstuck("hr", "web");
}

fn an_image_that_is_never_pulled(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-image") else { return };
    lab.apply(&release_within("4s", "web", "  values: {image: 'registry.invalid/app:1', where: {stuck-image: here}}"));
    lab.until_said("hr/web", "RetriesExceeded");
    let pod = lab.somebody(r#"cluster.list("pods")[0].metadata.name"#);
    let waiting = "{status: {containerStatuses: [{name: app, image: 'registry.invalid/app:1', imageID: '', ready: false, \
                   restartCount: 0, state: {waiting: {reason: ImagePullBackOff, message: 'Back-off pulling image \
                   \"registry.invalid/app:1\"'}}}]}}";
    lab.somebody(&format!(
        "cluster.patch(\"pod\", \"{pod}\", yaml::parse(`{waiting}`), #{{ subresource: \"status\" }});"
    ));
    insta::assert_snapshot!(lab.explained("hr", "web"), @r#"image: deployment/web, which helmrelease/web in stuck-image brought, is not ready: ImagePullBackOff: Back-off pulling image "registry.invalid/app:1""#);
    lab.label_a_node("stuck-image");
    lab.until_rolled_out("web");
    lab.be_patient_with("web");
    lab.unstuck("hr", "web");
}

fn a_hook_that_does_not_end(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-hook") else { return };
    lab.apply(&release_within("4s", "web", "  values: {hook: true, where: {stuck-hook: here}}"));
    lab.until_said("hr/web", "RetriesExceeded");
    let why = lab.explained("hr", "web");
    insta::assert_snapshot!(why.split(": 0/2").next().unwrap(), @"hook: a pre-install and pre-upgrade hook is in the way: job/web-migration, which helmrelease/web in stuck-hook brought, is not ready: Unschedulable");
    lab.label_a_node("stuck-hook");
    lab.somebody(r#"cluster.wait("job", "web-migration", "condition=Complete", #{ timeout: "60s" });"#);
    lab.be_patient_with("web");
    lab.unstuck("hr", "web");
}

fn a_quota_that_leaves_no_room_for_pods(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-quota") else { return };
    lab.apply("{apiVersion: v1, kind: ResourceQuota, metadata: {name: full}, spec: {hard: {pods: 0}}}");
    lab.apply(&release_within("4s", "web", ""));
    lab.until_said("hr/web", "RetriesExceeded");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"quota: quota `full` leaves no room for the pods of deployment/web: requested: pods=1, used: pods=0, limited: pods=0");
    lab.somebody(r#"cluster.delete("quota", "full");"#);
    lab.somebody(r#"cluster.rollout_restart("deployment", "web");"#);
    lab.until_rolled_out("web");
    lab.be_patient_with("web");
    lab.unstuck("hr", "web");
}

fn a_policy_that_refuses_an_object(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-policy") else { return };
    lab.apply(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: no-markers}\nspec:\n  \
         matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: \
         [configmaps]}], namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: stuck-policy}}}\n  validations: \
         [{expression: \"!object.metadata.name.endsWith('-marker')\", message: no markers here}]\n---\napiVersion: \
         admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {name: no-markers}\nspec: \
         {policyName: no-markers, validationActions: [Deny]}\n",
    );
    lab.until_refused("stuck-marker", "no markers here");
    lab.apply(&release("web", ""));
    lab.until_said("hr/web", "RetriesExceeded");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"policy_refused: policy `no-markers` refuses configmap/web-marker: no markers here");
    lab.somebody(r#"cluster.delete("validatingadmissionpolicybinding", "no-markers");"#);
    lab.until_allowed("stuck-marker");
    assert_eq!(lab.unstuck("hr", "web"), ["reset and reconcile helmrelease/web in stuck-policy"]);
}

fn a_webhook_that_is_down(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-webhook") else { return };
    lab.apply(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: stuck-webhook}\n\
         webhooks:\n- name: gone.example.org\n  admissionReviewVersions: [v1]\n  sideEffects: None\n  timeoutSeconds: 2\n  \
         clientConfig: {service: {namespace: default, name: gone}}\n  rules: [{apiGroups: [''], apiVersions: [v1], operations: \
         [CREATE], resources: [configmaps]}]\n  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: \
         stuck-webhook}}\n",
    );
    lab.until_refused("stuck-marker", "gone.example.org");
    lab.apply(&release("web", ""));
    lab.until_said("hr/web", "RetriesExceeded");
    insta::assert_snapshot!(lab.explained("hr", "web"), @r#"webhook_down: webhook `gone.example.org`, which is asked about configmap/web-marker, can't be reached: service "gone" not found"#);
    lab.somebody(r#"cluster.delete("validatingwebhookconfiguration", "stuck-webhook");"#);
    lab.until_allowed("stuck-marker");
    assert_eq!(lab.unstuck("hr", "web"), ["reset and reconcile helmrelease/web in stuck-webhook"]);
}

fn a_field_that_cannot_be_changed_any_more(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-immutable") else { return };
    lab.apply(&release("web", ""));
    lab.until_said("hr/web", "Ready=True");
    lab.apply(&release("web", "  values: {selector: other}"));
    lab.until_said("hr/web", "field is immutable");
    lab.until_said("hr/web", "RetriesExceeded");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"immutable: deployment/web has a field that can't be changed any more");
    let steps = ["delete deployment/web in stuck-immutable", "reset and reconcile helmrelease/web in stuck-immutable"];
    assert_eq!(lab.unstuck("hr", "web"), steps);
    let selector = lab.somebody(r#"cluster.get("deployment", "web").spec.selector.matchLabels.app"#);
    assert_eq!(selector, "other");
    let effects = lab.script.recorded.effects.lock().unwrap();
    let dies: Vec<&String> = effects.iter().filter_map(|(effect, _)| effect.destroys.as_ref()).flatten().collect();
    assert_eq!(dies, ["deployment/web in stuck-immutable, with its pods, until it is made anew"]);
}

fn an_upgrade_that_was_taken_back(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-rollback") else { return };
    lab.apply(&release("web", ""));
    lab.until_said("hr/web", "Ready=True");
    let retries = "  upgrade: {remediation: {retries: 0, remediateLastFailure: true}}\n";
    let values = "  values: {hook: true, where: {stuck-rollback: here}}";
    lab.apply(&release_within("4s", "web", &format!("{retries}{values}")));
    lab.until_said("hr/web", "RollbackSucceeded");
    let why = lab.explained("hr", "web");
    insta::assert_snapshot!(why.split(": Helm").next().unwrap(), @"rolled_back: an upgrade of helmrelease/web in stuck-rollback failed and was taken back");
    lab.apply(&release("web", "  values: {marker: second}"));
    lab.unstuck("hr", "web");
}

fn a_namespace_that_is_not_there(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-place") else { return };
    lab.apply(&release("web", "  targetNamespace: stuck-place-else"));
    lab.until_said("hr/web", "RetriesExceeded");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"namespace_missing: helmrelease/web in stuck-place brings its objects to namespace `stuck-place-else`, which is not there");
    lab.apply("{apiVersion: v1, kind: Namespace, metadata: {name: stuck-place-else}}");
    assert_eq!(lab.unstuck("hr", "web"), ["reset and reconcile helmrelease/web in stuck-place"]);
}

fn a_kind_that_is_not_there(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-kind") else { return };
    let things = kustomization("things", "things", &lab.space, "");
    lab.apply(&[release("web", "  values: {thing: true}"), things].concat());
    lab.until_said("hr/web", "no matches for kind");
    lab.until_said("ks/things", "no matches for kind");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"kind_missing: helmrelease/web in stuck-kind brings a `Thing` of example.org/v1, a kind that is not there");
    insta::assert_snapshot!(lab.explained("ks", "things"), @"kind_missing: kustomization/things in stuck-kind brings a `Thing` of example.org/v1, a kind that is not there");
    insta::assert_snapshot!(lab.needs_a_hand("ks", "things"), @"install its CustomResourceDefinition first; then unstick it again");
    lab.apply(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.org}\nspec:\n  \
         group: example.org\n  scope: Namespaced\n  names: {kind: Thing, plural: things, singular: thing}\n  versions: [{name: \
         v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]\n",
    );
    lab.somebody(r#"cluster.wait("crd", "things.example.org", "condition=Established", #{ timeout: "30s" });"#);
    lab.unstuck("ks", "things");
    lab.unstuck("hr", "web");
}

fn a_key_to_another_cluster_that_is_not_there(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-kubeconfig") else { return };
    lab.apply(&release("web", "  kubeConfig: {secretRef: {name: tenant}}"));
    lab.until_said("hr/web", "RESTClientError");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"kubeconfig_missing: helmrelease/web in stuck-kubeconfig reaches its cluster by secret/tenant, which is not there");
    lab.keep_a_key_as("tenant");
    lab.unstuck("hr", "web");
}

fn a_source_that_is_suspended(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-source") else { return };
    lab.somebody(r#"cluster.delete("ocirepository", "shop");"#);
    lab.apply(&lab.tree("shop", "v1", "suspend: true"));
    lab.apply(&kustomization("shop", "shop", &lab.space, ""));
    lab.until_said("ks/shop", "ArtifactFailed");
    insta::assert_snapshot!(lab.explained("ks", "shop"), @"suspended: ocirepository/shop in stuck-source is suspended");
    let steps = ["resume ocirepository/shop in stuck-source", "reconcile kustomization/shop in stuck-source"];
    assert_eq!(lab.unstuck("ks", "shop"), steps);
}

fn an_artifact_that_is_not_there(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-artifact") else { return };
    lab.apply(&lab.tree("shop", "v9", ""));
    lab.apply(&kustomization("shop", "shop", &lab.space, ""));
    lab.until_said("ocirepository/shop", "OCIArtifactPullFailed");
    let why = lab.explained("ks", "shop");
    insta::assert_snapshot!(why.split(" at ").next().unwrap(), @"artifact_missing: there is no artifact `v9`");
    lab.apply(&lab.tree("shop", "v1", ""));
    lab.unstuck("ks", "shop");
}

fn a_server_that_cannot_be_reached(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-server") else { return };
    let good = lab.tree("shop", "v1", "");
    lab.apply(&good.replace(&lab.registry, "127.0.0.1:1"));
    lab.until_said("ocirepository/shop", "connection refused");
    insta::assert_snapshot!(lab.explained("ocirepository", "shop"), @"source_unreachable: ocirepository/shop in stuck-server can't reach oci://127.0.0.1:1/trees/shop");
    lab.apply(&good);
    lab.unstuck("ocirepository", "shop");
}

fn a_key_to_the_source_that_is_not_there(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-login") else { return };
    lab.apply(&lab.tree("shop", "v1", "secretRef: {name: login}"));
    lab.until_said("ocirepository/shop", "Ready=False");
    insta::assert_snapshot!(lab.explained("ocirepository", "shop"), @"credentials_missing: ocirepository/shop in stuck-login needs secret/login, which is not there (`secretRef`)");
    lab.apply(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\ntype: kubernetes.io/dockerconfigjson\nstringData:\n  \
         .dockerconfigjson: '{\"auths\": {\"127.0.0.1\": {\"username\": \"me\", \"password\": \"mine\"}}}'\n",
    );
    lab.unstuck("ocirepository", "shop");
}

fn a_source_that_is_not_there(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-nosource") else { return };
    lab.apply(&kustomization("shop", "shoppe", &lab.space, ""));
    lab.until_said("ks/shop", "Ready=False");
    insta::assert_snapshot!(lab.explained("ks", "shop"), @"source_missing: kustomization/shop in stuck-nosource is made from ocirepository/shoppe in stuck-nosource, which is not there");
    lab.apply(&kustomization("shop", "shop", &lab.space, ""));
    lab.unstuck("ks", "shop");
}

fn a_folder_that_the_source_does_not_have(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-folder") else { return };
    lab.apply(&kustomization("shop", "shop", &lab.space, "  path: ./production"));
    lab.until_said("ks/shop", "path not found");
    insta::assert_snapshot!(lab.explained("ks", "shop"), @"path_missing: the source of kustomization/shop in stuck-folder has no folder `./production`");
    lab.apply(&kustomization("shop", "shop", &lab.space, "  path: ./"));
    lab.unstuck("ks", "shop");
}

fn what_is_filled_in_that_is_not_there(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-filling") else { return };
    let filled = "  postBuild: {substituteFrom: [{kind: ConfigMap, name: colours}]}";
    lab.apply(&kustomization("shop", "shop", &lab.space, filled));
    lab.until_said("ks/shop", "BuildFailed");
    insta::assert_snapshot!(lab.explained("ks", "shop"), @"substitutes_missing: kustomization/shop in stuck-filling fills its manifests in from configmap/colours, which is not there");
    lab.config("colours", "colour", "red");
    lab.unstuck("ks", "shop");
}

fn a_plan_that_nobody_agrees_to_is_not_done(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-unasked") else { return };
    lab.apply(&kustomization("shop", "shop", &lab.space, "  suspend: true"));
    let fault = lab.script.fault(&lab.with_cluster(r#"flux::unstick(cluster, "ks", "shop");"#));
    insta::assert_snapshot!(fault.message, @"kustomization/shop in stuck-unasked is not unstuck: nobody was asked, because this is a test");
    insta::assert_snapshot!(fault.notes.join("\n"), @"it would resume kustomization/shop in stuck-unasked");
    assert!(lab.script.recorded.effects.lock().unwrap().is_empty());
    assert_eq!(lab.run(r#"flux::unstick(cluster, "ks", "shop", #{ ask: false, timeout: "1m" }).state"#), "ready");
}

fn an_object_that_somebody_took_away(arm: Arm) {
    let Some(lab) = Lab::new(arm, "stuck-gone") else { return };
    lab.apply(&[kustomization("shop", "shop", &lab.space, ""), release("web", "")].concat());
    lab.until_said("ks/shop", "Ready=True");
    lab.until_said("hr/web", "Ready=True");
    lab.somebody(r#"for name in ["settings", "web-marker"] { cluster.delete("configmap", name); }"#);
    insta::assert_snapshot!(lab.explained("ks", "shop"), @"object_gone: configmap/settings in stuck-gone, which kustomization/shop in stuck-gone brought, is no longer there");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"object_gone: configmap/web-marker in stuck-gone, which helmrelease/web in stuck-gone brought, is no longer there");
    let steps =
        ["reconcile the source of kustomization/shop in stuck-gone", "reconcile kustomization/shop in stuck-gone"];
    assert_eq!(lab.unstuck("ks", "shop"), steps);
    assert_eq!(lab.unstuck("hr", "web"), ["force helmrelease/web in stuck-gone"]);
    lab.somebody(r#"cluster.get("configmap", ["settings", "web-marker"]);"#);
}
