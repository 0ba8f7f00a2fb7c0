//! What a script holds: the nodes of a cluster, or one that has no configuration yet.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use super::reach::{Node, Reach};
use crate::{script::fault::Fault, wire::authority::Authority};

/// The nodes of a context.
#[derive(Clone)]
pub struct Talos(Arc<Held>);

struct Held {
    context: String,
    nodes: Vec<String>,
    reach: Arc<Reach>,
    /// Nodes that were told to go away by this handle.
    leaving: Mutex<BTreeSet<String>>,
}

impl fmt::Display for Talos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.context)
    }
}

impl Talos {
    pub fn new(context: &str, nodes: Vec<String>, reach: Reach) -> Self {
        let held = Held { context: context.to_owned(), nodes, reach: Arc::new(reach), leaving: Mutex::default() };
        Self(Arc::new(held))
    }

    /// The nodes that are meant where none are named.
    pub fn nodes(&self) -> &[String] {
        &self.0.nodes
    }

    pub fn endpoints(&self) -> &[Authority] {
        &self.0.reach.endpoints
    }

    /// A node, behind the endpoints.
    ///
    /// # Errors
    /// `usage`, if nothing can be called that.
    pub fn node(&self, name: &str) -> Result<Node, Fault> {
        Node::behind(&self.0.reach, name)
    }

    /// A node was told to go away.
    pub fn leaves(&self, node: &str) {
        self.0.leaving.lock().unwrap_or_else(PoisonError::into_inner).insert(node.to_owned());
    }

    /// It was not after all.
    pub fn stays(&self, node: &str) {
        self.0.leaving.lock().unwrap_or_else(PoisonError::into_inner).remove(node);
    }

    /// True if a node was told to go away.
    pub fn is_leaving(&self, node: &str) -> bool {
        self.0.leaving.lock().unwrap_or_else(PoisonError::into_inner).contains(node)
    }
}

/// A node that has no configuration yet.
#[derive(Clone)]
pub struct Maintenance {
    node: Node,
    /// Of its key, as long as it runs.
    fingerprint: Arc<str>,
}

impl fmt::Display for Maintenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.node)
    }
}

impl Maintenance {
    pub fn new(reach: Reach, fingerprint: &str) -> Self {
        Self { node: Node::at(&Arc::new(reach)), fingerprint: fingerprint.into() }
    }

    pub fn node(&self) -> &Node {
        &self.node
    }

    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}
