//! Worlds: checked, and opened for other programs.

use std::{fs, process::Command};

use crate::support::program::Runbook;

#[test]
fn a_world_without_mistakes_is_said_to_have_none() {
    let book = Runbook::new("").file("lab.yaml", "clusters: {lab: {nodes: 3}}\n");
    book.call(["world", "check", "lab.yaml"]).done().stderr_has("lab.yaml: nothing wrong");
}

#[test]
fn mistakes_are_told_all_at_once_where_they_are() {
    let book = Runbook::new("").file("lab.yaml", "seed: many\nclutsers: {}\nclusters:\n  lab: {nodes: -1}\n");
    book.call(["world", "check", "lab.yaml"])
        .fails(2)
        .stderr_has("lab.yaml:1:7")
        .stderr_has("did you mean `clusters`?")
        .stderr_has("`nodes` is -1, and can't be less than 0");
    book.call(["world", "check", "absent.yaml"]).fails(2).stderr_has("world `absent.yaml` is not there");
    book.call(["rehearse", "book.rhai", "--world", "lab.yaml"]).fails(2).stderr_has("lab.yaml:2:1");
}

#[test]
fn a_world_is_up_until_it_is_ended() {
    let book = Runbook::new(
        r#"
        let cluster = k8s::connect();
        step "write" { cluster.create(#{ apiVersion: "v1", kind: "ConfigMap", metadata: #{ name: "seen" } }); }
        print(cluster.list("namespaces").len());
    "#,
    );
    let up = book.call(["world", "up", "--kubeconfig", "kubeconfig"]).start().until("export KUBECONFIG=kubeconfig");
    let kubeconfig = fs::read_to_string(book.folder().join("kubeconfig")).unwrap();
    assert!(kubeconfig.contains("127.0.0.1"), "{kubeconfig}");
    book.run().variable("KUBECONFIG", &book.folder().join("kubeconfig").to_string_lossy()).done().stdout("4\n");
    if let Some(bed) = testbed::shared() {
        let kubectl = Command::new(bed.programs().join("kubectl"))
            .args(["--kubeconfig", "kubeconfig", "get", "configmap", "seen", "-o", "name"])
            .current_dir(book.folder())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&kubectl.stdout), "configmap/seen\n", "{kubectl:?}");
    }
    up.signal("INT")
        .ends(0)
        .stdout("export KUBECONFIG=kubeconfig\n")
        .stderr_has("rehearsal.example.test:6443 is at 127.0.0.1:");
}

#[test]
fn the_reference_of_world_files_is_printed_and_its_example_has_no_mistakes() {
    let book = Runbook::new("");
    let told = book.call(["docs", "--world"]).done().stdout_has("# World files").stdout_has("| `webhooks` |");
    let example = told.stdout.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let book = book.file("lab.yaml", example);
    book.call(["world", "check", "lab.yaml"]).done().stderr_has("lab.yaml: nothing wrong");
}

#[test]
fn definitions_come_from_files_folders_and_sets() {
    let definition = |kind: &str| {
        let plural = format!("{}s", kind.to_lowercase());
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {plural}.a.test}}\nspec: \
             {{group: a.test, scope: Namespaced, names: {{kind: {kind}, plural: {plural}}}, versions: [{{name: v1, served: true, \
             storage: true, schema: {{openAPIV3Schema: {{type: object}}}}}}]}}\n"
        )
    };
    let book = Runbook::new(
        r#"
        let cluster = k8s::connect();
        for kind in ["cats", "dogs", "ipaddresspools"] { print(`${kind}: ${cluster.list(kind).len()}`); }
    "#,
    );
    let book = book.file("book.world.yaml", "clusters: {lab: {crds: [cat.yaml, definitions, metallb]}}");
    let book = book.file("cat.yaml", &definition("Cat")).file("definitions/dog.yaml", &definition("Dog"));
    book.call(["rehearse", "book.rhai"]).done().stdout("cats: 0\ndogs: 0\nipaddresspools: 0\n");
}
