//! Resources of a node: what it knows of itself, by any name that its types have.

use talos::{
    api::cosi::{
        meta::{MachineConfigSpec, ResourceDefinitionSpec, resource_definition_spec::Sensitivity},
        resource::{GetRequest, ListRequest, Metadata, Resource},
    },
    prost::Message as _,
    prost_types,
};

use super::reach::{Node, state};
use crate::{
    host::{Host, secrets::Secret},
    script::{
        fault::{Fault, Kind},
        options::nearest,
        values::{tree::Tree, yaml},
    },
};

/// The configuration that a node runs by.
pub const MACHINE_CONFIG: Definition = Definition::known("MachineConfigs.config.talos.dev", "config", true);
pub const MACHINE_STATUS: Definition = Definition::known("MachineStatuses.runtime.talos.dev", "runtime", false);
pub const MACHINE_TYPE: Definition = Definition::known("MachineTypes.config.talos.dev", "config", false);
pub const MEMBERS: Definition = Definition::known("Members.cluster.talos.dev", "cluster", false);
pub const DIAGNOSTICS: Definition = Definition::known("Diagnostics.runtime.talos.dev", "runtime", false);
pub const VOLUMES: Definition = Definition::known("VolumeStatuses.block.talos.dev", "runtime", false);

/// A type of resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    pub name: std::borrow::Cow<'static, str>,
    /// Where they are, if it isn't said.
    pub namespace: std::borrow::Cow<'static, str>,
    /// They hold what nobody should see.
    pub sensitive: bool,
}

impl Definition {
    const fn known(name: &'static str, namespace: &'static str, sensitive: bool) -> Self {
        use std::borrow::Cow::Borrowed;
        Self { name: Borrowed(name), namespace: Borrowed(namespace), sensitive }
    }
}

/// The type of that name or alias.
///
/// # Errors
/// `unsupported` if the node knows none, `usage` if it knows several.
pub async fn resolve(node: &Node, name: &str) -> Result<Definition, Fault> {
    let definitions = Definition::known("ResourceDefinitions.meta.cosi.dev", "meta", false);
    let wanted = name.to_lowercase();
    let mut all = Vec::new();
    for resource in list(node, &definitions, &definitions.namespace).await? {
        let id = resource.metadata.map(|metadata| metadata.id).unwrap_or_default();
        let spec = resource.spec.unwrap_or_default();
        let described = ResourceDefinitionSpec::decode(spec.proto_spec.as_slice()).map_err(|error| {
            Fault::new(
                Kind::Failed,
                format!("node `{node}` describes its type `{id}` in a way that can't be read: {error}"),
            )
        })?;
        all.push((id, described));
    }
    let is_named = |(id, described): &&(String, ResourceDefinitionSpec)| {
        *id == wanted || described.all_aliases.iter().any(|alias| alias.to_lowercase() == wanted)
    };
    let named: Vec<_> = all.iter().filter(is_named).collect();
    match named[..] {
        [(_, described)] => Ok(Definition {
            name: described.resource_type.clone().into(),
            namespace: described.default_namespace.clone().into(),
            sensitive: described.sensitivity == i32::from(Sensitivity::Sensitive),
        }),
        [] => {
            let aliases = all.iter().flat_map(|(_, described)| described.all_aliases.iter().map(String::as_str));
            let fault = Fault::new(Kind::Unsupported, format!("node `{node}` has no resources called `{name}`"));
            Err(match nearest(&wanted, aliases) {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault.hint("`list(node, \"rd\")` has all types, with their aliases"),
            })
        }
        _ => {
            let types: Vec<&str> = named.iter().map(|(_, described)| described.resource_type.as_str()).collect();
            Err(Fault::new(Kind::Usage, format!("`{name}` may mean {}", types.join(" or "))).hint("write one of them"))
        }
    }
}

/// One resource; nothing if it is not there.
///
/// # Errors
/// Why it can't be read.
pub async fn find(node: &Node, of: &Definition, namespace: &str, id: &str) -> Result<Option<Resource>, Fault> {
    let request =
        GetRequest { namespace: namespace.to_owned(), r#type: of.name.to_string(), id: id.to_owned(), options: None };
    let found = node.ask(|channel| {
        let request = request.clone();
        async move { state(channel).get(request).await }
    });
    match found.await {
        Ok(found) => Ok(found.resource),
        Err(fault) if fault.kind == Kind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// All resources of a type, in the order of the node.
///
/// # Errors
/// Why they can't be read.
pub async fn list(node: &Node, of: &Definition, namespace: &str) -> Result<Vec<Resource>, Fault> {
    let request = ListRequest { namespace: namespace.to_owned(), r#type: of.name.to_string(), options: None };
    let mut answers = node
        .ask(|channel| {
            let request = request.clone();
            async move { state(channel).list(request).await }
        })
        .await?;
    let mut resources = Vec::new();
    while let Some(answer) = answers.message().await.map_err(|status| node.broke(&status))? {
        resources.extend(answer.resource);
    }
    Ok(resources)
}

/// A resource as talosctl shows it: `metadata` and `spec`. What is sensitive in it is kept from screens.
///
/// # Errors
/// `failed`, if it is not the YAML it should be.
pub fn tree(host: &Host, node: &Node, of: &Definition, resource: &Resource) -> Result<Tree, Fault> {
    let metadata = resource.metadata.clone().unwrap_or_default();
    let yaml = resource.spec.as_ref().map(|spec| spec.yaml_spec.as_str()).unwrap_or_default();
    let shown = format!("{}/{} of {node}", of.name, metadata.id);
    let spec = match yaml.trim() {
        "" => Tree::Null,
        text => yaml::read_one(text, &shown)
            .map_err(|error| Fault::new(Kind::Failed, format!("{shown} is not what it should be: {error}")))?,
    };
    if of.sensitive {
        hide(host, &shown, &spec);
    }
    let text = |text: &str| Tree::Text(text.into());
    let fields = [("node", text(&node.to_string())), ("metadata", described(&metadata)), ("spec", spec)];
    Ok(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

fn described(metadata: &Metadata) -> Tree {
    let moment = |moment: &Option<prost_types::Timestamp>| {
        let moment = moment.as_ref().and_then(|moment| jiff::Timestamp::new(moment.seconds, moment.nanos).ok());
        moment.map_or(Tree::Null, |moment| Tree::Text(moment.to_string().into()))
    };
    let texts = |texts: &std::collections::HashMap<String, String>| {
        let sorted: std::collections::BTreeMap<_, _> = texts.iter().collect();
        sorted.into_iter().map(|(name, value)| (name.as_str().into(), Tree::Text(value.into()))).collect::<Tree>()
    };
    let mut fields = vec![
        ("namespace", Tree::Text(metadata.namespace.as_str().into())),
        ("type", Tree::Text(metadata.r#type.as_str().into())),
        ("id", Tree::Text(metadata.id.as_str().into())),
        ("version", Tree::Text(metadata.version.as_str().into())),
        ("owner", Tree::Text(metadata.owner.as_str().into())),
        ("phase", Tree::Text(metadata.phase.as_str().into())),
        ("created", moment(&metadata.created)),
        ("updated", moment(&metadata.updated)),
    ];
    if !metadata.labels.is_empty() {
        fields.push(("labels", texts(&metadata.labels)));
    }
    if !metadata.annotations.is_empty() {
        fields.push(("annotations", texts(&metadata.annotations)));
    }
    if !metadata.finalizers.is_empty() {
        let finalizers = metadata.finalizers.iter().map(|finalizer| Tree::Text(finalizer.as_str().into()));
        fields.push(("finalizers", finalizers.collect::<Tree>()));
    }
    fields.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

/// Keys, tokens and the like, wherever they stand.
fn hide(host: &Host, shown: &str, tree: &Tree) {
    fn look(tree: &Tree, under: &str, found: &mut Vec<(String, String)>) {
        match tree {
            Tree::Text(text) => {
                let under = under.to_lowercase();
                if ["key", "token", "secret", "password"].iter().any(|word| under.ends_with(word)) {
                    found.push((under, text.to_string()));
                }
            }
            Tree::List(items) => items.iter().for_each(|item| look(item, under, found)),
            Tree::Map(fields) => fields.iter().for_each(|(name, value)| look(value, name, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    look(tree, "", &mut found);
    // A configuration may stand in it as a text.
    if let Tree::Text(text) = tree
        && let Ok(documents) = yaml::read_all(text, shown)
    {
        documents.iter().for_each(|document| look(document, "", &mut found));
    }
    let secrets = found.into_iter().enumerate();
    host.secrets
        .remember_all(secrets.map(|(number, (name, value))| Secret::new(format!("{name} {number} in {shown}"), value)));
}

/// The text of the configuration that a node runs by; nothing if it has none.
///
/// # Errors
/// Why it can't be read.
pub async fn machine_config(node: &Node) -> Result<Option<String>, Fault> {
    let Some(resource) = find(node, &MACHINE_CONFIG, &MACHINE_CONFIG.namespace, "v1alpha1").await? else {
        return Ok(None);
    };
    let spec = resource.spec.clone().unwrap_or_default();
    let read = MachineConfigSpec::decode(spec.proto_spec.as_slice()).ok();
    let text = read.and_then(|read| String::from_utf8(read.yaml_marshalled).ok()).filter(|text| !text.is_empty());
    let text = text.unwrap_or(spec.yaml_spec);
    let documents = yaml::read_all(&text, "a machine configuration").map_err(|_| {
        // What can't be read may be secret, and so may what is said of it.
        Fault::new(Kind::Failed, format!("node `{node}` shows a configuration that can't be read"))
    })?;
    remember_secrets(node.host(), &format!("the configuration of {node}"), &documents);
    Ok(Some(text))
}

/// Keeps what is secret in a configuration from screens and files.
pub fn remember_secrets(host: &Host, shown: &str, documents: &[Tree]) {
    documents.iter().for_each(|document| hide(host, shown, document));
}
