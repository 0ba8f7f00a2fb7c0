//! Who asks.

/// Somebody whom the server knows, by a token or a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub groups: Vec<String>,
}

impl User {
    /// Somebody who may do anything.
    pub fn administrator() -> Self {
        Self { name: "admin".to_owned(), groups: vec!["system:masters".to_owned(), "system:authenticated".to_owned()] }
    }

    /// The API server, when it asks itself.
    pub fn api_server() -> Self {
        Self { name: "system:apiserver".to_owned(), groups: vec!["system:masters".to_owned()] }
    }

    /// A controller of kube-system, by its service account.
    pub fn controller(name: &str) -> Self {
        let groups = ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"];
        Self { name: format!("system:serviceaccount:kube-system:{name}"), groups: groups.map(str::to_owned).to_vec() }
    }
}
