//! What a server says it serves: of its answers, only what a kind is found by.

use serde::Deserialize;

use super::discovery::Resource;

/// The answer to `/api` or `/apis`: everything at once from servers since 1.26, versions and groups from older ones.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Root {
    kind: String,
    items: Option<Vec<Group>>,
    versions: Option<Vec<String>>,
    groups: Option<Vec<OldGroup>>,
}

/// The answer to `/apis/GROUP/VERSION`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct VersionList {
    resources: Option<Vec<OldItem>>,
}

#[derive(Deserialize)]
struct Group {
    metadata: Named,
    versions: Option<Vec<Version>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    resources: Option<Vec<Item>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Item {
    resource: String,
    singular_resource: String,
    short_names: Option<Vec<String>>,
    response_kind: Option<KindOnly>,
    scope: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct KindOnly {
    kind: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct OldGroup {
    name: String,
    versions: Option<Vec<OldVersion>>,
    preferred_version: Option<OldVersion>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OldVersion {
    version: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct OldItem {
    name: String,
    singular_name: String,
    short_names: Option<Vec<String>>,
    kind: String,
    namespaced: bool,
}

/// What there is, or what has to be asked for it: pairs of a group and a version.
pub enum Served {
    Resources(Vec<Resource>),
    Versions(Vec<(String, String)>),
}

impl Root {
    /// Groups in the server's order, the preferred version of each first.
    pub fn served(self) -> Served {
        if self.kind == "APIGroupDiscoveryList" {
            return Served::Resources(self.items.into_iter().flatten().flat_map(Group::resources).collect());
        }
        let core = self.versions.into_iter().flatten().map(|version| (String::new(), version));
        Served::Versions(core.chain(self.groups.into_iter().flatten().flat_map(OldGroup::versions)).collect())
    }
}

impl Group {
    fn resources(self) -> Vec<Resource> {
        let group = self.metadata.name;
        let of_version = |Version { version, resources }| {
            let items: Vec<Resource> =
                resources.into_iter().flatten().filter_map(|item: Item| item.resource(&group, &version)).collect();
            items
        };
        self.versions.into_iter().flatten().flat_map(of_version).collect()
    }
}

impl Item {
    fn resource(self, group: &str, version: &str) -> Option<Resource> {
        let kind = self.response_kind.map(|of| of.kind).filter(|kind| !kind.is_empty())?;
        (!self.resource.is_empty()).then(|| Resource {
            group: group.to_owned(),
            version: version.to_owned(),
            kind,
            plural: self.resource,
            singular: self.singular_resource,
            short_names: self.short_names.unwrap_or_default(),
            namespaced: self.scope == "Namespaced",
        })
    }
}

impl OldGroup {
    fn versions(self) -> Vec<(String, String)> {
        let preferred = self.preferred_version.unwrap_or_default().version;
        let mut versions: Vec<String> =
            self.versions.into_iter().flatten().map(|OldVersion { version }| version).collect();
        versions.sort_by_key(|version| *version != preferred);
        versions.into_iter().map(|version| (self.name.clone(), version)).collect()
    }
}

impl VersionList {
    /// The kinds of this version of this group; what has a slash in its name is a part of one.
    pub fn resources(self, group: &str, version: &str) -> Vec<Resource> {
        let of_item = |item: OldItem| Resource {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: item.kind,
            plural: item.name,
            singular: item.singular_name,
            short_names: item.short_names.unwrap_or_default(),
            namespaced: item.namespaced,
        };
        let items = self.resources.into_iter().flatten();
        items.filter(|item| !item.name.contains('/') && !item.kind.is_empty()).map(of_item).collect()
    }
}
