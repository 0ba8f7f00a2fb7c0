//! The life of a ConfigMap, which has hardly any rules of its own.

use serde_json::json;

use super::arms::Arm;

const MAPS: &str = "/api/v1/namespaces/SPACE/configmaps";
const MOTD: &str = "/api/v1/namespaces/SPACE/configmaps/motd";

bodies! {
    what_is_created_can_be_read_replaced_and_deleted
    what_is_there_is_not_created_twice
    what_is_not_there_is_not_found
}

fn what_is_created_can_be_read_replaced_and_deleted(arm: &Arm) {
    let created = arm.create(MAPS, json!({"metadata": {"name": "motd"}, "data": {"text": "hello"}}));
    assert_eq!(created.code, 201);
    let mut object = arm.get(MOTD).body;
    object["data"]["text"] = json!("good morning");
    assert_eq!(arm.replace(MOTD, object).code, 200);
    arm.delete(MOTD);
    assert_eq!(arm.get(MOTD).code, 404);
}

fn what_is_there_is_not_created_twice(arm: &Arm) {
    for _ in 0..2 {
        arm.create(MAPS, json!({"metadata": {"name": "motd"}}));
    }
}

fn what_is_not_there_is_not_found(arm: &Arm) {
    arm.get(MOTD);
    arm.delete(MOTD);
    arm.patch(MOTD, "merge", json!({"data": {"text": "hello"}}));
    arm.replace(MOTD, json!({"metadata": {"name": "motd"}}));
}
