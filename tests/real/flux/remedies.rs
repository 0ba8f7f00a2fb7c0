//! What helps where trying again does not: on real controllers, for each leaves something behind that only they leave.

use std::io::{Read, Write};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cozyscript::host::ask::Answer;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};

use super::lab::{Arm, Lab, release};
use crate::real::with_flux;

#[test]
fn an_object_that_is_of_no_release_becomes_one_s_own() {
    let Some(lab) = Lab::new(Arm::Real, "remedy-adopt") else { return };
    lab.config("web-marker", "marker", "ours");
    lab.apply(&release("web", "  install: {disableTakeOwnership: true}"));
    lab.until_said("hr/web", "exists and cannot be imported");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"ownership: configmap/web-marker is there already, and is of no release");
    let steps = [
        "give configmap/web-marker in remedy-adopt to helmrelease/web in remedy-adopt",
        "reset and reconcile helmrelease/web in remedy-adopt",
    ];
    assert_eq!(lab.unstuck("hr", "web"), steps);
    assert_eq!(lab.somebody(r#"cluster.get("configmap", "web-marker").data.marker"#), "first");
}

#[test]
fn an_object_of_another_release_needs_a_hand() {
    let Some(lab) = Lab::new(Arm::Real, "remedy-other") else { return };
    lab.apply(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web-marker\n  labels: {app.kubernetes.io/managed-by: Helm}\n  \
         annotations: {meta.helm.sh/release-name: shop, meta.helm.sh/release-namespace: remedy-other}\n",
    );
    lab.apply(&release("web", "  install: {disableTakeOwnership: true}"));
    lab.until_said("hr/web", "exists and cannot be imported");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"ownership: configmap/web-marker is there already, and is of release `shop`");
    insta::assert_snapshot!(lab.needs_a_hand("hr", "web"), @"name one of the two otherwise, or take one away; then unstick it again");
}

#[test]
fn a_revision_that_somebody_began_and_did_not_end() {
    let Some(lab) = Lab::new(Arm::Real, "remedy-lock") else { return };
    lab.apply(&release("web", ""));
    lab.until_said("hr/web", "Ready=True");
    lab.apply(&release("web", "  upgrade: {timeout: 3s}\n  values: {where: {remedy-lock: here}}"));
    lab.until_said("hr/web", "RetriesExceeded");
    begin_a_revision(&lab);
    let why = lab.explained("hr", "web");
    assert!(why.starts_with("locked: revision 9 of release `web` is pending-upgrade for "), "{why}");
    assert!(why.ends_with(", and nobody is at it"), "{why}");
    lab.label_a_node("remedy-lock");
    lab.until_rolled_out("web");
    assert_eq!(lab.unstuck("hr", "web"), ["reset and reconcile helmrelease/web in remedy-lock"]);
}

/// Leaves behind what `helm upgrade` does that was killed long ago.
fn begin_a_revision(lab: &Lab) {
    let stored = lab.somebody(r#"cluster.get("secret", "sh.helm.release.v1.web.v1").data.release"#);
    let packed = STANDARD.decode(STANDARD.decode(stored).unwrap()).unwrap();
    let mut plain = String::new();
    GzDecoder::new(packed.as_slice()).read_to_string(&mut plain).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&plain).unwrap();
    record["version"] = 9.into();
    record["info"]["status"] = "pending-upgrade".into();
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(record.to_string().as_bytes()).unwrap();
    let stored = STANDARD.encode(STANDARD.encode(packer.finish().unwrap()));
    lab.apply(&format!(
        "apiVersion: v1\nkind: Secret\ntype: helm.sh/release.v1\nmetadata:\n  name: sh.helm.release.v1.web.v9\n  labels: \
         {{owner: helm, name: web, version: \"9\", status: pending-upgrade, modifiedAt: \"1000\"}}\ndata: {{release: {stored}}}\n"
    ));
}

#[test]
fn a_first_install_whose_hook_no_upgrade_runs() {
    let Some(bed) = with_flux() else { return };
    bed.flux(&["push-chart", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/flux/charts/once")]);
    drop(bed);
    let Some(lab) = Lab::new(Arm::Real, "remedy-first") else { return };
    let values = |deadline: u32, place: &str| {
        lab.apply(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata:\n  values.yaml: |\n    deadline: {deadline}\n    \
             where: {place}\n"
        ));
    };
    values(1, "{nowhere: here}");
    let once = release("web", "  valuesFrom: [{kind: ConfigMap, name: settings}]");
    lab.apply(&once.replace("chart: app", "chart: once"));
    lab.until_said("hr/web", "RetriesExceeded");
    insta::assert_snapshot!(lab.explained("hr", "web"), @"first_failed: the first install of helmrelease/web in remedy-first failed, and the pre-install hook job/web-preparation would not run in an upgrade of what it left");
    values(600, "{}");
    let steps = [
        "delete secret/sh.helm.release.v1.web.v1 in remedy-first",
        "reset and reconcile helmrelease/web in remedy-first",
    ];
    assert_eq!(lab.unstuck("hr", "web"), steps);
    let said = lab.somebody(r#"cluster.get("hr", "web").status.conditions.find(|it| it.type == "Ready").reason"#);
    assert_eq!(said, "InstallSucceeded");
}

#[test]
fn an_upgrade_that_only_mending_helps_is_taken_back_until_then() {
    let Some(lab) = Lab::new(Arm::Real, "remedy-back") else { return };
    lab.apply(&release("web", "  upgrade: {timeout: 3s}"));
    lab.until_said("hr/web", "Ready=True");
    lab.apply(&release("web", "  upgrade: {timeout: 3s}\n  values: {where: {nowhere: here}}"));
    lab.until_said("hr/web", "RetriesExceeded");
    let where_to = r#"cluster.get("deployment", "web").spec.template.spec.nodeSelector?.nowhere ?? "anywhere""#;
    assert_eq!(lab.somebody(where_to), "here");
    lab.script.recorded.answers.lock().unwrap().push(Answer::Yes);
    let state =
        lab.run(r#"flux::unstick(cluster, "hr", "web", #{ take_back: true, timeout: "2m" }).ready.to_string()"#);
    assert_eq!(state, "false", "it still has to be mended");
    let asked = lab.script.recorded.questions.lock().unwrap().pop().unwrap().preface;
    let last = "  - upgrade helmrelease/web in remedy-back once more, and take it back when that fails";
    assert_eq!(asked.last().map(String::as_str), Some(last));
    assert_eq!(lab.somebody(where_to), "anywhere");
    let why = lab.explained("hr", "web");
    assert!(
        why.starts_with("rolled_back: an upgrade of helmrelease/web in remedy-back failed and was taken back"),
        "{why}"
    );
}
