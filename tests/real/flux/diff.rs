//! What a folder would change, beside what Flux's own program says of it.

use std::{collections::BTreeSet, fs, process::Command};

use cozyscript::{event::What, script::fault::Kind};

use super::lab::{Arm, Lab, kustomization};
use crate::real::{Bed, with_flux};

const FOLDER: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: \"${colour}\", tier: \"${tier:-silver}\", size: large}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: new}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: not-ours, annotations: {kustomize.toolkit.fluxcd.io/reconcile: disabled}}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {password: not for your eyes}
";

/// What the reference says of each object: `ConfigMap/shop/settings drifted`.
fn reference(bed: &Bed, space: &str, folder: &str) -> BTreeSet<String> {
    let output = Command::new(bed.programs().join("flux"))
        .args(["diff", "kustomization", "shop", "-n", space, "--progress-bar=false", "--path", folder])
        .env("KUBECONFIG", bed.kubeconfig())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code().is_some_and(|code| code <= 1), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let told = said.lines().filter_map(|line| line.strip_prefix("► ").map(|line| line.trim().to_owned()));
    told.filter(|line| !line.ends_with(" skipped")).collect()
}

/// The same in our words.
const OURS: &str = r#"
    let difference = flux::diff(cluster, "ks", "shop", "FOLDER");
    let lines = "";
    for one in difference.created { lines += `${one.kind}/${one.namespace}/${one.name} created` + "\n" }
    for one in difference.changed { lines += `${one.kind}/${one.namespace}/${one.name} drifted` + "\n" }
    for one in difference.pruned { lines += `${one.kind}/${one.namespace}/${one.name} deleted` + "\n" }
    lines
"#;

#[test]
fn what_a_folder_would_change_is_what_flux_says_of_it() {
    let Some(bed) = with_flux() else { return };
    let Some(lab) = Lab::new(Arm::Real, "flux-diff") else { return };
    lab.config("colours", "colour", "red");
    let filled = "  postBuild: {substitute: {tier: gold}, substituteFrom: [{kind: ConfigMap, name: colours}]}";
    lab.apply(&kustomization("shop", "shop", &lab.space, filled));
    lab.until_said("ks/shop", "Ready=True");
    let folder = bed.folder.join("flux-diff");
    fs::create_dir(&folder).unwrap();
    let ours =
        || -> BTreeSet<String> { lab.run(&OURS.replace("FOLDER", "flux-diff")).lines().map(str::to_owned).collect() };
    let path = folder.to_str().unwrap();

    // What it was made from changes nothing.
    let tree = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/flux/trees/shop/settings.yaml");
    fs::copy(tree, folder.join("settings.yaml")).unwrap();
    assert_eq!(ours(), BTreeSet::new());
    assert_eq!(reference(&bed, &lab.space, path), BTreeSet::new());

    fs::write(folder.join("settings.yaml"), FOLDER).unwrap();
    assert_eq!(ours(), reference(&bed, &lab.space, path));
    let text = lab.run(r#"flux::diff(cluster, "ks", "shop", "flux-diff").text"#);
    for line in ["-  colour: blue\n", "+  colour: red\n", "+  size: large\n", "+  tier: gold\n", "+  name: new\n"] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(!text.contains("not for your eyes"), "{text}");
    assert_eq!(
        lab.somebody(r#"cluster.get("configmap", "settings").data.keys().len().to_string()"#),
        "1",
        "nothing was changed"
    );

    // What is no longer among them would be pruned.
    fs::write(folder.join("settings.yaml"), FOLDER.replace("name: settings", "name: other")).unwrap();
    assert_eq!(ours(), reference(&bed, &lab.space, path));
    assert!(ours().contains("ConfigMap/flux-diff/settings deleted"));
}

#[test]
fn what_can_t_be_compared_is_said() {
    let Some(bed) = with_flux() else { return };
    let Some(lab) = Lab::new(Arm::Real, "flux-diff-not") else { return };
    lab.apply(&kustomization(
        "shop",
        "shop",
        &lab.space,
        "  suspend: true\n  kubeConfig: {secretRef: {name: elsewhere}}",
    ));
    lab.apply(&kustomization("here", "shop", &lab.space, "  suspend: true"));
    let folder = bed.folder.join("flux-diff-not");
    fs::create_dir(&folder).unwrap();
    let fault = |call: &str| lab.script.fault(&lab.with_cluster(call));
    assert_eq!(fault(r#"flux::diff(cluster, "ks", "shop", "flux-diff-not")"#).kind, Kind::Unsupported);
    assert_eq!(fault(r#"flux::diff(cluster, "hr", "shop", "flux-diff-not")"#).kind, Kind::Usage);
    fs::write(folder.join("kustomization.yaml"), "resources: [missing.yaml]\n").unwrap();
    let broken = fault(r#"flux::diff(cluster, "ks", "here", "flux-diff-not")"#);
    assert_eq!(broken.kind, Kind::Parse);
    assert!(broken.message.contains("missing.yaml"), "{broken}");
    fs::write(folder.join("kustomization.yaml"), "resources: [secret.yaml]\n").unwrap();
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: 'ENC[AES256_GCM,data:xx]'}\nsops: {version: 3.9.0}\n";
    fs::write(folder.join("secret.yaml"), secret).unwrap();
    assert_eq!(lab.run(r#"flux::diff(cluster, "ks", "here", "flux-diff-not").created.len().to_string()"#), "0");
    let told = lab.script.events();
    let said = "secret/login in flux-diff-not is encrypted in `flux-diff-not`, and not compared";
    assert!(told.iter().any(|event| matches!(event, What::Warned { text } if text == said)), "{told:?}");
}
