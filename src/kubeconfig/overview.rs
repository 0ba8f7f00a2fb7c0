//! What a kubeconfig holds, to look at: without tokens, keys and certificates.

use super::read::{Entry, Kubeconfig};
use crate::script::{
    fault::Fault,
    values::{
        at::{at, flag, text},
        tree::Tree,
    },
};

impl Kubeconfig {
    /// Its contexts, clusters and users as lists of maps, and which context is current.
    ///
    /// # Errors
    /// `parse`, if a field is not what it should be.
    pub fn overview(&self) -> Result<Tree, Fault> {
        let contexts = self.contexts.iter().map(|(name, entry)| {
            entry.row(name, ["cluster", "user", "namespace"].map(|field| (field, field)), |_| {
                vec![("current", Tree::Bool(self.current.as_ref() == Some(name)))]
            })
        });
        let clusters = self.clusters.iter().map(|(name, entry)| {
            let fields = [("server", "server"), ("tls_server_name", "tls-server-name")];
            entry.row(name, fields, |entry| {
                vec![("insecure", Tree::Bool(flag(&entry.fields, &["insecure-skip-tls-verify"])))]
            })
        });
        let users = self
            .users
            .iter()
            .map(|(name, entry)| entry.row(name, [], |entry| vec![("login", Tree::Text(login(entry).into()))]));
        let list = |rows: Vec<Tree>| rows.into_iter().collect::<Tree>();
        Ok(map([
            ("current", self.current.as_ref().map_or(Tree::Null, |name| Tree::Text(name.as_str().into()))),
            ("contexts", list(contexts.collect::<Result<_, _>>()?)),
            ("clusters", list(clusters.collect::<Result<_, _>>()?)),
            ("users", list(users.collect::<Result<_, _>>()?)),
        ]))
    }
}

impl Entry {
    /// The entry as a row of a table: its name, some of its fields under our names for them, more, and where it stands.
    fn row<const COUNT: usize>(
        &self,
        name: &str,
        fields: [(&'static str, &str); COUNT],
        more: impl FnOnce(&Self) -> Vec<(&'static str, Tree)>,
    ) -> Result<Tree, Fault> {
        let mut row = vec![("name", Tree::Text(name.into()))];
        for (ours, field) in fields {
            row.push((ours, self.text(field)?.map_or(Tree::Null, |text| Tree::Text(text.into()))));
        }
        row.extend(more(self));
        row.push(("file", Tree::Text(self.source.to_string().into())));
        Ok(map(row))
    }
}

/// How a user logs in, in words.
fn login(user: &Entry) -> String {
    let has = |field: &str| at(&user.fields, &[field]).is_some_and(|value| !value.is_null());
    let named = |field: &str, name: &str| text(&user.fields, &[field, name]).unwrap_or_default().to_owned();
    let ways = [
        (has("client-certificate") || has("client-certificate-data"), "client certificate".to_owned()),
        (has("token"), "token".to_owned()),
        (has("tokenFile"), "token file".to_owned()),
        (has("username"), "password".to_owned()),
        (has("exec"), format!("plugin {}", named("exec", "command"))),
        (has("auth-provider"), format!("auth-provider {}", named("auth-provider", "name"))),
    ];
    let ways: Vec<String> = ways.into_iter().filter(|(there, _)| *there).map(|(_, way)| way).collect();
    if ways.is_empty() { "nothing".to_owned() } else { ways.join(", ") }
}

fn map(fields: impl IntoIterator<Item = (&'static str, Tree)>) -> Tree {
    fields.into_iter().map(|(name, value)| (name.into(), value)).collect()
}
