//! Service accounts.

use serde_json::json;

use super::arms::Arm;

const ACCOUNTS: &str = "/api/v1/namespaces/SPACE/serviceaccounts";
const BUILDER: &str = "/api/v1/namespaces/SPACE/serviceaccounts/builder";

bodies! {
    a_service_account_is_created_and_changed
    names_of_service_accounts_are_subdomains
    pods_need_their_account
}

fn a_service_account_is_created_and_changed(arm: &Arm) {
    let account = json!({
        "metadata": {"name": "builder"}, "automountServiceAccountToken": false,
        "imagePullSecrets": [{"name": "registry"}, {}], "secrets": [{"name": "key"}],
    });
    arm.create(ACCOUNTS, account);
    arm.patch(BUILDER, "merge", json!({"automountServiceAccountToken": null, "imagePullSecrets": []}));
    arm.get(BUILDER);
    arm.delete(BUILDER);
}

fn names_of_service_accounts_are_subdomains(arm: &Arm) {
    for name in ["Builder", "builder.a", "builder_a", ""] {
        arm.create(ACCOUNTS, json!({"metadata": {"name": name}}));
    }
}

fn pods_need_their_account(arm: &Arm) {
    let spec = json!({"serviceAccountName": "none-such", "containers": [{"name": "a", "image": "a"}]});
    let wrong = json!({"serviceAccountName": "none-such", "containers": []});
    for (metadata, spec) in [
        (json!({"name": "a"}), &spec),
        (json!({"generateName": "a-"}), &spec),
        (json!({}), &spec),
        (json!({"generateName": "a-"}), &wrong),
    ] {
        arm.create("/api/v1/namespaces/SPACE/pods", json!({"metadata": metadata, "spec": spec}));
    }
}
