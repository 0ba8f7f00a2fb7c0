//! Which object something is: by its kind, its name and its namespace.

use std::fmt;

use crate::shape;

/// What sort of object; empty parts stand for any, where objects are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sort {
    pub group: String,
    pub version: String,
    pub kind: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    pub sort: Sort,
    pub name: String,
    pub namespace: String,
}

/// In which namespace objects are that have none.
pub const NOWHERE: &str = "_non_namespaceable_";

const DEFAULT: &str = "default";

impl Sort {
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() }
    }

    pub fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// Whether it is what is looked for.
    pub fn fits(&self, wanted: &Sort) -> bool {
        let fits = |part: &str, wanted: &str| wanted.is_empty() || part == wanted;
        fits(&self.group, &wanted.group) && fits(&self.version, &wanted.version) && fits(&self.kind, &wanted.kind)
    }

    /// Kinds that nobody knows are taken for such as live in namespaces.
    pub fn is_of_the_cluster(&self) -> bool {
        shape::is_of_the_cluster(&self.api_version(), &self.kind)
    }
}

impl Identity {
    pub fn is_of_the_cluster(&self) -> bool {
        self.sort.is_of_the_cluster()
    }

    /// The namespace it is in, as it is compared.
    pub fn home(&self) -> &str {
        match self.namespace.as_str() {
            _ if self.is_of_the_cluster() => NOWHERE,
            "" => DEFAULT,
            namespace => namespace,
        }
    }

    pub fn is(&self, other: &Identity) -> bool {
        self.sort == other.sort && self.name == other.name && self.home() == other.home()
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.namespace.as_str(), self.is_of_the_cluster()) {
            ("" | NOWHERE, _) | (_, true) => write!(formatter, "{} {}", self.sort.kind, self.name),
            (namespace, false) => write!(formatter, "{} {namespace}/{}", self.sort.kind, self.name),
        }
    }
}
