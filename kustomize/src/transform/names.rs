//! Namespaces, prefixes and suffixes: what changes which object something is.

use serde_json::Value;

use crate::{
    fields::{FieldSpec, written},
    identity::Sort,
    resource::Resource,
};

/// Fields that hold a namespace, beside `metadata.namespace`.
const NAMESPACES: [&str; 2] = [
    "spec/service/namespace create apiregistration.k8s.io/APIService",
    "spec/conversion/webhook/clientConfig/service/namespace apiextensions.k8s.io/CustomResourceDefinition",
];

pub fn move_to(namespace: &str, resources: &mut [Resource]) -> Result<(), String> {
    let fields = NAMESPACES.map(FieldSpec::read);
    for place in 0..resources.len() {
        let resource = &mut resources[place];
        resource.remember();
        let sort = resource.sort();
        if !sort.is_of_the_cluster() {
            resource.set_metadata("namespace", Some(namespace.into()));
        }
        if ["RoleBinding", "ClusterRoleBinding"].contains(&sort.kind.as_str()) {
            let subjects = resource.object.get_mut("subjects").and_then(Value::as_array_mut);
            let nameless = subjects.into_iter().flatten().filter(|subject| subject["name"] == "default");
            nameless.for_each(|subject| subject["namespace"] = namespace.into());
        }
        if sort.kind == "Namespace" && sort.api_version() == "v1" {
            resource.rename(namespace);
        }
        for field in &fields {
            field.change(&mut resource.object, &Value::Null, &mut |value| {
                *value = namespace.into();
                Ok(())
            })?;
        }
        let identity = resources[place].identity();
        if resources.iter().filter(|other| other.identity().is(&identity)).count() > 1 {
            return Err(format!("in the namespace `{namespace}`, {identity} is there twice"));
        }
    }
    Ok(())
}

pub fn prefix(prefix: &str, resources: &mut [Resource]) {
    rename(resources, |resource, name| {
        resource.prefixes.push(prefix.to_owned());
        format!("{prefix}{name}")
    });
}

pub fn suffix(suffix: &str, resources: &mut [Resource]) {
    rename(resources, |resource, name| {
        resource.suffixes.push(suffix.to_owned());
        format!("{name}{suffix}")
    });
}

fn rename(resources: &mut [Resource], name: impl Fn(&mut Resource, &str) -> String) {
    for resource in resources.iter_mut().filter(|resource| !keeps_its_name(&resource.first_identity().sort)) {
        resource.remember();
        let old = resource.object.pointer("/metadata/name").and_then(written).unwrap_or_default();
        let new = name(resource, &old);
        resource.rename(&new);
    }
}

/// What is known by its name beyond the objects of a folder.
fn keeps_its_name(sort: &Sort) -> bool {
    match sort.kind.as_str() {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => sort.group == "apiregistration.k8s.io",
        _ => false,
    }
}
