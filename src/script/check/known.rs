//! The functions that are there without being written in a script.

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use rhai::{Engine, Expr, FnNamespace, FuncInfo};

use super::forms::Literal;
use crate::script::catalogue::{Catalogue, Function};

/// The catalogued functions, by the ways a script may name them. They are gathered when a script first names one: a trivial
/// runbook never does.
pub struct Known<'c> {
    engine: &'c Engine,
    catalogue: &'c Catalogue,
    names: OnceCell<Names<'c>>,
}

struct Names<'c> {
    functions: &'c BTreeMap<String, Arc<Function>>,
    /// Those that need no module before their name, by that name.
    free: HashMap<&'c str, Vec<&'c Function>>,
    modules: BTreeSet<&'c str>,
}

impl<'c> Names<'c> {
    fn of(functions: &'c BTreeMap<String, Arc<Function>>) -> Self {
        let mut free: HashMap<&str, Vec<&Function>> = HashMap::new();
        let mut modules = BTreeSet::new();
        for (name, function) in functions {
            let (module, short) = name.rsplit_once("::").unwrap_or(("", name));
            if module.is_empty() || function.method {
                free.entry(short).or_default().push(function);
            }
            modules.extend(module.match_indices("::").map(|(end, _)| &module[..end]));
            modules.insert(module);
        }
        modules.remove("");
        Self { functions, free, modules }
    }
}

impl<'c> Known<'c> {
    pub fn of(engine: &'c Engine, catalogue: &'c Catalogue) -> Self {
        Self { engine, catalogue, names: OnceCell::new() }
    }

    fn names(&self) -> &Names<'c> {
        self.names.get_or_init(|| Names::of(self.catalogue.functions(self.engine)))
    }

    /// The function of that name, with its module.
    pub fn in_module(&self, full: &str) -> Option<&Function> {
        self.names().functions.get(full).map(Arc::as_ref)
    }

    /// The functions that a call or a method call without a module may mean.
    pub fn free(&self, name: &str) -> &[&Function] {
        self.names().free.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn free_names(&self) -> impl Iterator<Item = &str> {
        self.names().free.keys().copied()
    }

    pub fn has_module(&self, module: &str) -> bool {
        self.names().modules.contains(module)
    }

    pub fn modules(&self) -> impl Iterator<Item = &str> {
        self.names().modules.iter().copied()
    }

    /// The names in a module, with the module.
    pub fn names_in<'k>(&'k self, module: &'k str) -> impl Iterator<Item = &'k str> {
        let depth = module.len() + 2;
        self.names().functions.keys().map(String::as_str).filter(move |name| {
            name.len() > depth && name.starts_with(module) && name[module.len()..].starts_with("::")
        })
    }

    /// A function of that short name in whatever module.
    pub fn somewhere(&self, short: &str) -> Option<&str> {
        let functions = self.names().functions;
        let found = functions.keys().find(|name| name.rsplit("::").next() == Some(short) && name.contains("::"));
        found.map(String::as_str)
    }
}

/// Of the wanted names, those that the language itself has, with their numbers of parameters.
pub fn standard(engine: &Engine, wanted: &BTreeSet<&str>) -> HashMap<String, Vec<usize>> {
    let found = engine.collect_fn_metadata(
        None,
        |info| {
            let metadata = info.metadata;
            let free = info.namespace.is_empty() || metadata.namespace == FnNamespace::Global;
            (free && wanted.contains(metadata.name.as_str())).then(|| (metadata.name.to_string(), metadata.num_params))
        },
        true,
    );
    let mut functions: HashMap<String, Vec<usize>> = HashMap::new();
    for (name, parameters) in found {
        functions.entry(name).or_default().push(parameters);
    }
    functions
}

/// True if the language itself has a function of that name that takes the arguments.
pub fn standard_takes(engine: &Engine, name: &str, arguments: &[Expr], receiver: usize) -> bool {
    let parameters = arguments.len() + receiver;
    let meant = |info: &FuncInfo| {
        info.metadata.name == name && info.metadata.num_params == parameters && info.namespace.is_empty()
    };
    let bound = engine.collect_fn_metadata(None, |info| meant(&info).then_some(info.metadata.hash), false);
    let standard = engine.collect_fn_metadata(
        None,
        |info| {
            let is_standard = meant(&info) && !bound.contains(&info.metadata.hash);
            is_standard.then(|| {
                let types = info.metadata.params_info.iter().skip(receiver);
                types.map(|of| of.split_once(':').map_or("", |(_, rust)| rust.trim()).to_owned()).collect()
            })
        },
        true,
    );
    standard.iter().any(|types: &Vec<String>| {
        let mut pairs = arguments.iter().zip(types);
        pairs.all(|(argument, rust)| Literal::of(argument).is_none_or(|literal| literal.fits_type(rust)))
    })
}

/// The names of everything that can be called without a module: what a mistyped name may have meant.
pub fn standard_names(engine: &Engine) -> BTreeSet<String> {
    let found = engine.collect_fn_metadata(
        None,
        |info| {
            let named = info.metadata.name.starts_with(char::is_alphabetic) && !info.metadata.name.contains('$');
            let free = info.namespace.is_empty() || info.metadata.namespace == FnNamespace::Global;
            (named && free).then(|| info.metadata.name.to_string())
        },
        true,
    );
    found.into_iter().collect()
}

/// Functions that the language has as keywords.
pub const KEYWORDS: [&str; 11] =
    ["Fn", "call", "curry", "debug", "eval", "is_def_fn", "is_def_var", "is_shared", "print", "this", "type_of"];
