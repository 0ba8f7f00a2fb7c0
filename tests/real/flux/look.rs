//! What came from where, and what happened.

use super::lab::{Arm, Lab, in_both_arms, kustomization, release};

in_both_arms! {
    a_tree_shows_what_was_brought_and_a_trace_leads_back_to_the_chart
    events_of_an_object_and_its_source_are_told_together
    whether_flux_is_well_is_seen_from_its_kinds_and_controllers
}

fn a_tree_shows_what_was_brought_and_a_trace_leads_back_to_the_chart(arm: Arm) {
    let Some(lab) = Lab::new(arm, "flux-tree") else { return };
    lab.apply(&release("web", ""));
    lab.until_said("hr/web", "Ready=True");
    let tree = r#"
        let lines = "";
        for child in flux::tree(cluster, "hr", "web").children { lines += `${child.object} ${child.ready}` + "\n"; }
        lines
    "#;
    insta::assert_snapshot!(lab.run(tree), @r"
    configmap/web-marker in flux-tree true
    deployment/web in flux-tree true
    ");
    let pod = lab.somebody(r#"cluster.list("pods")[0].metadata.name"#);
    let trace = format!(
        "let lines = \"\"; for stage in flux::trace(cluster, \"pod\", \"{pod}\") {{ lines += stage.object + \"\\n\"; }} lines"
    );
    let way = lab.run(&trace);
    let way: Vec<&str> = way.lines().collect();
    assert_eq!(way[0], format!("pod/{pod} in flux-tree"));
    assert!(way[1].starts_with("replicaset/web-"), "{way:?}");
    let source =
        ["helmrelease/web in flux-tree", "helmchart/flux-tree-web in flux-tree", "helmrepository/charts in flux-tree"];
    assert_eq!(way[2], "deployment/web in flux-tree");
    assert_eq!(way[3..], source);
}

fn events_of_an_object_and_its_source_are_told_together(arm: Arm) {
    let Some(lab) = Lab::new(arm, "flux-events") else { return };
    lab.apply(&kustomization("shop", "shop", &lab.space, "  path: ./nowhere"));
    lab.until("both have told of it", || {
        let told = lab.somebody(r#"`${cluster.list("events").map(|event| event.reason)}`"#);
        told.contains("NewArtifact") && told.contains("ArtifactFailed")
    });
    let script = r#"
        let lines = "";
        for event in flux::events(cluster, "ks", "shop") { lines += `${event.type} ${event.about} ${event.reason}` + "\n"; }
        lines
    "#;
    let told = lab.run(script);
    assert!(told.contains("Normal ocirepository/shop NewArtifact"), "{told}");
    assert!(told.contains("Warning kustomization/shop ArtifactFailed"), "{told}");
}

fn whether_flux_is_well_is_seen_from_its_kinds_and_controllers(arm: Arm) {
    let Some(lab) = Lab::new(arm, "flux-check") else { return };
    let controller = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: one-controller, labels: {app.kubernetes.io/part-of: \
                      flux}}\nspec:\n  selector: {matchLabels: {app: one}}\n  template: {metadata: {labels: {app: one}}, spec: \
                      {containers: [{name: manager, image: 'controller:1'}]}}\n";
    lab.apply(controller);
    lab.until_rolled_out("one-controller");
    let script = r#"
        let flux = flux::check(cluster);
        let mine = flux.controllers.find(|controller| controller.namespace == "flux-check");
        `${flux.kinds.HelmRelease} ${flux.healthy} ${mine.name} ${mine.images[0]} ${mine.ready}`
    "#;
    assert_eq!(lab.run(script), "v2 true one-controller controller:1 true");
}
