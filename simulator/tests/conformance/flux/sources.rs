//! Where charts and manifests come from.

use serde_json::json;

use super::{Lab, SOURCES};
use crate::arms::Arm;

bodies! {
    an_image_without_the_tag
    an_image_outside_of_the_range
    a_source_without_its_secret
    a_registry_that_is_not_there
    a_source_is_looked_at_again
}

fn an_image_without_the_tag(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.tree("shop", "shop", json!({"tag": "v9"}));
    lab.tells(&format!("{SOURCES}/ocirepositories/shop"), "Ready", "OCIArtifactPullFailed");
    lab.change(&format!("{SOURCES}/ocirepositories/shop"), json!({"spec": {"ref": {"tag": "v1"}}}));
    lab.tells(&format!("{SOURCES}/ocirepositories/shop"), "Ready", "Succeeded");
}

fn an_image_outside_of_the_range(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.tree("shop", "shop", json!({"semver": "9.x"}));
    lab.tells(&format!("{SOURCES}/ocirepositories/shop"), "Ready", "ReadOperationFailed");
}

fn a_source_without_its_secret(arm: &Arm) {
    let lab = Lab::new(arm);
    let login = json!({"name": "login"});
    let git = json!({"interval": "1h", "url": "https://127.0.0.1:1/fleet.git", "ref": {"branch": "main"}, "secretRef": login});
    lab.make(&format!("{SOURCES}/gitrepositories"), "fleet", git);
    lab.make(
        &format!("{SOURCES}/helmrepositories"),
        "index",
        json!({"interval": "1h", "url": "http://127.0.0.1:1", "secretRef": login}),
    );
    for source in ["gitrepositories/fleet", "helmrepositories/index"] {
        lab.tells(&format!("{SOURCES}/{source}"), "Ready", "AuthenticationFailed");
    }
}

fn a_registry_that_is_not_there(arm: &Arm) {
    let lab = Lab::new(arm);
    lab.make(
        &format!("{SOURCES}/ocirepositories"),
        "shop",
        json!({"interval": "1h", "insecure": true, "url": "oci://127.0.0.1:1/trees/shop"}),
    );
    lab.make(
        &format!("{SOURCES}/gitrepositories"),
        "fleet",
        json!({"interval": "1h", "url": "http://127.0.0.1:1/fleet.git"}),
    );
    lab.make(&format!("{SOURCES}/helmrepositories"), "index", json!({"interval": "1h", "url": "http://127.0.0.1:1"}));
    lab.tells(&format!("{SOURCES}/ocirepositories/shop"), "Ready", "OCIArtifactPullFailed");
    lab.tells(&format!("{SOURCES}/gitrepositories/fleet"), "Ready", "GitOperationFailed");
    lab.tells(&format!("{SOURCES}/helmrepositories/index"), "Ready", "Failed");
}

fn a_source_is_looked_at_again(arm: &Arm) {
    let lab = Lab::new(arm);
    let shop = format!("{SOURCES}/ocirepositories/shop");
    lab.tree("shop", "shop", json!({"tag": "v1"}));
    lab.until(&shop, "Ready", "Succeeded");
    lab.ask(&shop, "one", &[]);
    arm.look_until(&shop, |answer| answer.body["status"]["lastHandledReconcileAt"] == "one");
    lab.tells(&shop, "Ready", "Succeeded");
}
