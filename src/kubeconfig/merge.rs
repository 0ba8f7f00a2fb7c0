//! Laying one kubeconfig into a person's own: what is there already is not added twice, and nothing is lost by a name.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    change::{Changing, missing},
    edit::List,
    read::{Entry, Kubeconfig},
};
use crate::{
    host::Host,
    script::{
        fault::{Fault, Kind},
        values::{fields::Fields, tree::Tree},
    },
};

/// What is laid in, and how.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// This context alone, with its cluster and user.
    pub context: Option<String>,
    /// What the context is called there.
    pub name: Option<String>,
    pub clash: Clash,
    /// Makes it the current context.
    pub current: bool,
}

/// What becomes of an entry whose name another one has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clash {
    /// It is called `NAME-1`, `NAME-2` …
    #[default]
    Rename,
    Refuse,
    /// It takes the other's place.
    Replace,
}

/// The names by which entries are known in another kubeconfig.
type Names = BTreeMap<String, String>;

impl Changing {
    /// Lays a kubeconfig in, with all files it names inside it. Gives the names its contexts have here.
    ///
    /// # Errors
    /// `not_found` if it has no such context, `already_exists` if a clash is to be refused, `file` if it names a file that
    /// can't be read, and what is wrong with its contexts.
    pub fn merge(&mut self, host: &Host, incoming: &Kubeconfig, wish: &Wish) -> Result<Vec<String>, Fault> {
        let chosen: Vec<&str> = match &wish.context {
            Some(name) if !incoming.contexts.contains_key(name) => return Err(missing(name, incoming)),
            Some(name) => vec![name],
            None => incoming.contexts.keys().map(String::as_str).collect(),
        };
        if wish.name.is_some() && chosen.len() != 1 {
            let message = format!("`name` is for one context, and there are {}", chosen.len());
            return Err(Fault::new(Kind::Usage, message).hint("choose one with the option `context`"));
        }
        for name in &chosen {
            incoming.target(Some(name))?;
        }
        let clusters = self.lay_in(host, List::Clusters, incoming, &chosen, wish)?;
        let users = self.lay_in(host, List::Users, incoming, &chosen, wish)?;
        let mut contexts = Vec::new();
        for &name in &chosen {
            let mut content = fields_of(&incoming.contexts[name]);
            for (field, names) in [("cluster", &clusters), ("user", &users)] {
                if let Some(Tree::Text(referred)) = content.get(field)
                    && let Some(renamed) = names.get(referred.as_str())
                {
                    content.insert(field.into(), Tree::Text(renamed.as_str().into()));
                }
            }
            let wanted = wish.name.as_deref().unwrap_or(name);
            contexts.push(self.place(host, List::Contexts, wanted, &Tree::Map(Arc::new(content)), wish.clash)?);
        }
        let current = match &incoming.current {
            Some(current) => chosen.iter().position(|name| name == current),
            None => None,
        };
        let current = current.or((chosen.len() == 1).then_some(0)).map(|at| contexts[at].clone());
        match current {
            Some(current) if wish.current || self.whole()?.current.is_none() => self.make_current(&current)?,
            None if wish.current => {
                return Err(Fault::new(Kind::Usage, "nothing says which of the contexts is to be the current one")
                    .hint("choose one with the option `context`"));
            }
            _ => {}
        }
        Ok(contexts)
    }

    /// Lays in the clusters or users that the chosen contexts mean.
    fn lay_in(
        &mut self,
        host: &Host,
        list: List,
        incoming: &Kubeconfig,
        chosen: &[&str],
        wish: &Wish,
    ) -> Result<Names, Fault> {
        let entries = if list == List::Clusters { &incoming.clusters } else { &incoming.users };
        let mut names = Names::new();
        for context in chosen {
            let Some(name) = incoming.contexts[*context].text(list.item())? else { continue };
            let Some(entry) = entries.get(&name).filter(|_| !names.contains_key(&name)) else { continue };
            let placed = self.place(host, list, &name, &self_contained(host, list, entry)?, wish.clash)?;
            names.insert(name, placed);
        }
        Ok(names)
    }

    /// Puts in an entry unless it is there already; gives the name it has.
    fn place(&mut self, host: &Host, list: List, name: &str, content: &Tree, clash: Clash) -> Result<String, Fault> {
        let whole = self.whole()?;
        let entries = match list {
            List::Clusters => &whole.clusters,
            List::Contexts => &whole.contexts,
            List::Users => &whole.users,
        };
        // A file that is gone is no reason to add an entry twice: what stands there differs, then.
        let is_same = |entry: &Entry| {
            entry.fields == *content || self_contained(host, list, entry).is_ok_and(|there| there == *content)
        };
        let mut candidates = std::iter::once(name.to_owned()).chain((1_u64..).map(|number| format!("{name}-{number}")));
        let free = loop {
            let candidate = candidates.next().expect("there are many numbers");
            match (entries.get(&candidate), clash) {
                (Some(entry), _) if is_same(entry) => return Ok(candidate),
                (None, _) => break candidate,
                (Some(_), Clash::Rename) => {}
                (Some(_), Clash::Replace) => {
                    self.replace(list, name, content);
                    return Ok(candidate);
                }
                (Some(entry), Clash::Refuse) => {
                    let item = list.item();
                    let message = format!("there is another {item} `{name}` in `{}` already", entry.source);
                    return Err(Fault::new(Kind::AlreadyExists, message).hint(
                        "let it be renamed (`clash: \"rename\"`), or take the other's place (`clash: \"replace\"`)",
                    ));
                }
            }
        };
        self.add(list, &free, content);
        Ok(free)
    }
}

fn fields_of(entry: &Entry) -> Fields {
    match &entry.fields {
        Tree::Map(fields) => (**fields).clone(),
        _ => Fields::default(),
    }
}

/// The entry as it means the same in any file: certificates and keys inside it, other paths from the root.
fn self_contained(host: &Host, list: List, entry: &Entry) -> Result<Tree, Fault> {
    let mut fields = fields_of(entry);
    let embedded: &[&str] = match list {
        List::Clusters => &["certificate-authority"],
        List::Users => &["client-certificate", "client-key"],
        List::Contexts => &[],
    };
    for name in embedded {
        let Some(path) = entry.text(name)? else { continue };
        let path = entry.path(&path)?;
        let content = host.files.read_personal(&path).map_err(|error| {
            Fault::new(
                Kind::File,
                format!("can't read the `{name}` of `{}`, `{}`: {error}", entry.source, path.display()),
            )
            .hint("the kubeconfig names this file: put it there, or correct the path")
        })?;
        fields.remove(name);
        fields.insert(format!("{name}-data").into(), Tree::Text(STANDARD.encode(content).into()));
    }
    if let Some(path) = entry.text("tokenFile")? {
        fields.insert("tokenFile".into(), Tree::Text(entry.path(&path)?.display().to_string().into()));
    }
    if let Some(exec) = entry.inner("exec")?
        && let Some(command) = exec.text("command")?.filter(|command| command.contains('/'))
        && let Some(Tree::Map(exec_fields)) = fields.get_mut("exec")
    {
        let command = exec.path(&command)?.display().to_string();
        Arc::make_mut(exec_fields).insert("command".into(), Tree::Text(command.into()));
    }
    Ok(Tree::Map(Arc::new(fields)))
}
