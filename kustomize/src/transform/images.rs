//! Images and numbers of replicas: the two things that differ most between environments.

use regex::Regex;
use serde_json::Value;

use crate::{
    fields::FieldSpec,
    kustomization::{Image, Replicas},
    resource::Resource,
};

/// Where images stand beside `containers` and `initContainers`, which are found wherever they are.
const IMAGES: [&str; 6] = [
    "spec/containers[]/image",
    "spec/initContainers[]/image",
    "spec/volumes[]/image/reference",
    "spec/template/spec/containers[]/image",
    "spec/template/spec/initContainers[]/image",
    "spec/template/spec/volumes[]/image/reference",
];

const SCALED: [&str; 4] = ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"];

pub fn scale(replicas: &Replicas, resources: &mut [Resource]) -> Result<(), String> {
    let is_meant = |resource: &Resource, kind: &str| {
        let is = |name: &str, of: &str| name == replicas.name && of == kind;
        is(resource.name(), resource.kind()) || resource.past_identities().any(|past| is(&past.name, &past.sort.kind))
    };
    let mut is_any = false;
    for kind in SCALED {
        let field = FieldSpec::read(&format!("spec/replicas create {kind}"));
        for resource in resources.iter_mut().filter(|resource| is_meant(resource, kind)) {
            is_any = true;
            field.change(&mut resource.object, &Value::Null, &mut |value| {
                *value = replicas.count.into();
                Ok(())
            })?;
        }
    }
    match is_any {
        true => Ok(()),
        false => Err(format!("there is no {} named `{}`", SCALED.join(", "), replicas.name)),
    }
}

pub fn replace(image: &Image, resources: &mut [Resource]) -> Result<(), String> {
    let expression = format!("^{}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$", image.name);
    let expression = Regex::new(&expression).map_err(|_| format!("`{}` is no name of an image", image.name))?;
    let replace = |value: &mut Value| {
        if let Some(now) = value.as_str().filter(|now| expression.is_match(now)).map(|now| replaced(now, image)) {
            *value = now.into();
        }
    };
    // A definition describes fields that may be called so.
    for resource in resources.iter_mut().filter(|resource| resource.kind() != "CustomResourceDefinition") {
        in_containers(&mut resource.object, &replace);
        for field in IMAGES.map(FieldSpec::read) {
            field.change(&mut resource.object, &Value::Null, &mut |value| {
                replace(value);
                Ok(())
            })?;
        }
    }
    Ok(())
}

fn in_containers(value: &mut Value, replace: &impl Fn(&mut Value)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| in_containers(item, replace)),
        Value::Object(fields) => {
            for (name, field) in fields {
                in_containers(field, replace);
                if ["containers", "initContainers"].contains(&name.as_str()) {
                    let containers = field.as_array_mut().into_iter().flatten();
                    containers.filter_map(|container| container.get_mut("image")).for_each(replace);
                }
            }
        }
        _ => {}
    }
}

fn replaced(now: &str, image: &Image) -> String {
    let (name, tag, digest) = split(now);
    let name = image.new_name.as_deref().unwrap_or(name);
    let (tag, digest) = match (&image.new_tag, &image.digest, &image.tag_suffix) {
        (Some(tag), digest, _) => (tag.clone(), digest.clone().unwrap_or_default()),
        (None, Some(digest), _) => (String::new(), digest.clone()),
        (None, None, Some(suffix)) => (format!("{tag}{suffix}"), String::new()),
        (None, None, None) => (tag.to_owned(), digest.to_owned()),
    };
    let tag = if tag.is_empty() { tag } else { format!(":{tag}") };
    let digest = if digest.is_empty() { digest } else { format!("@{digest}") };
    format!("{name}{tag}{digest}")
}

/// A colon before the first slash belongs to the server.
fn split(image: &str) -> (&str, &str, &str) {
    let (image, digest) = image.split_once('@').unwrap_or((image, ""));
    let server = image.find('/').unwrap_or(0);
    match image[server..].find(':') {
        Some(colon) => (&image[..server + colon], &image[server + colon + 1..], digest),
        None => (image, "", digest),
    }
}
