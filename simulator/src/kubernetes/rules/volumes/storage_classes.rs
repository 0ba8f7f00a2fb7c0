//! Classes of storage.

use serde_json::{Value, json};

use crate::kubernetes::{
    answer::Cause,
    rules::{
        field::{Field, one_of, required, unchanged},
        fill::default,
        form,
        simple::{PLAIN, Simple},
    },
};

pub static CLASSES: Simple = Simple { fill_in, check, check_change, shows_deleted: true, ..PLAIN };

fn fill_in(class: &mut Value) {
    default(class, "reclaimPolicy", "Delete");
    default(class, "volumeBindingMode", "Immediate");
}

fn check(class: &Value) -> Vec<Cause> {
    let class = Field::whole(class);
    let provisioner = class.at("provisioner");
    let mut wrong = match required(&provisioner, "") {
        Some(cause) => vec![cause],
        None => {
            let small = provisioner.text().to_lowercase();
            let malformed = form::qualified_name(&small);
            malformed.iter().map(|why| Cause::invalid("provisioner", &json!(small), why)).collect()
        }
    };
    if class.at("parameters").entries().any(|(key, _)| key.is_empty()) {
        wrong.push(Cause::invalid("parameters", &json!(""), "field can not be empty."));
    }
    wrong.extend(one_of(&class.at("reclaimPolicy"), &["Delete", "Retain"]));
    wrong.extend(one_of(&class.at("volumeBindingMode"), &["Immediate", "WaitForFirstConsumer"]));
    wrong
}

fn check_change(class: &Value, there: &Value) -> Vec<Cause> {
    let fixed = ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"];
    fixed.iter().filter_map(|field| unchanged(&Field::of(class, field), &Field::of(there, field))).collect()
}
