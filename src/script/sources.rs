//! Where script text comes from: the runbook, files beside it, a search path, and the standard library in the binary.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use include_dir::{Dir, include_dir};
use rhai::{AST, Engine, EvalAltResult, Module, ModuleResolver, ParseError, Position, Scope, Shared};

use super::{diagnostic::passage::Passage, narration};

static STANDARD_LIBRARY: Dir = include_dir!("$CARGO_MANIFEST_DIR/stdlib");

/// All texts that a run has read as script, by the name that positions give for them.
#[derive(Clone, Default)]
pub struct Sources(Arc<Known>);

#[derive(Default)]
struct Known {
    texts: Mutex<BTreeMap<String, Arc<str>>>,
    /// The texts that an error was explained by, as tokens: a script may catch many.
    passages: Mutex<BTreeMap<String, Arc<Passage>>>,
    modules: Mutex<BTreeMap<String, Shared<Module>>>,
    search: Vec<PathBuf>,
}

/// What an `import` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The name that positions in it give: a path, or `<name>` for a module of the standard library.
    pub name: String,
    pub text: Arc<str>,
}

/// An `import` that found nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFound {
    pub import: String,
    pub looked_in: Vec<String>,
    /// A module of the standard library whose name is like it.
    pub near: Option<String>,
}

impl Sources {
    /// Imports are looked for beside the importing file and then in `search`; modules of the standard library in `search` alone,
    /// before those that the program brings along are taken.
    pub fn searching(search: Vec<PathBuf>) -> Self {
        Self(Arc::new(Known { search, ..Known::default() }))
    }

    /// Remembers a text under the name that positions in it give.
    pub fn remember(&self, name: &str, text: &str) -> Arc<str> {
        let text: Arc<str> = text.into();
        lock(&self.0.passages).remove(name);
        lock(&self.0.texts).insert(name.to_owned(), text.clone());
        text
    }

    /// The text that was read under this name.
    pub fn text(&self, name: &str) -> Option<Arc<str>> {
        lock(&self.0.texts).get(name).cloned()
    }

    /// The tokens of the text that was read under this name.
    pub(super) fn passage(&self, name: &str, read: impl FnOnce(Arc<str>) -> Passage) -> Option<Arc<Passage>> {
        let text = self.text(name)?;
        let mut passages = lock(&self.0.passages);
        Some(passages.entry(name.to_owned()).or_insert_with(|| read(text).into()).clone())
    }

    /// Every text that was read, by name.
    pub fn all(&self) -> BTreeMap<String, Arc<str>> {
        lock(&self.0.texts).clone()
    }

    /// Finds what `import "path"` in the source named `from` means.
    ///
    /// # Errors
    /// [`NotFound`], with the places where it was looked for.
    pub fn find(&self, from: Option<&str>, path: &str) -> Result<Found, NotFound> {
        let standard = standard_module(path);
        let beside = from
            .filter(|from| !from.starts_with('<'))
            .map_or_else(PathBuf::new, |from| Path::new(from).parent().unwrap_or(Path::new("")).to_owned());
        let mut looked_in = vec!["the standard library".to_owned()];
        // What lies beside a runbook by chance takes no standard module's place; what somebody names on the command line does.
        for folder in standard.is_none().then_some(&beside).into_iter().chain(&self.0.search) {
            let mut file = folder.join(path);
            if file.extension().is_none_or(|extension| extension != "rhai") {
                file.as_mut_os_string().push(".rhai");
            }
            let name = file.to_string_lossy().into_owned();
            match std::fs::read_to_string(&file) {
                Ok(text) => return Ok(Found { text: self.remember(&name, &text), name }),
                Err(_) => looked_in.push(name),
            }
        }
        if let Some(text) = standard {
            let name = format!("<{path}>");
            return Ok(Found { text: self.remember(&name, text), name });
        }
        let near = super::options::nearest(path, standard_modules()).map(str::to_owned);
        Err(NotFound { import: path.to_owned(), looked_in, near })
    }

    /// Forgets the modules made so far, so that edited files are read again.
    pub fn forget_modules(&self) {
        lock(&self.0.modules).clear();
    }
}

/// The names of the modules in the standard library.
pub fn standard_modules() -> impl Iterator<Item = &'static str> {
    STANDARD_LIBRARY
        .files()
        .filter_map(|file| file.path().to_str()?.strip_suffix(".rhai"))
        .filter(|name| !name.ends_with("_test"))
}

fn standard_module(name: &str) -> Option<&'static str> {
    standard_modules().find(|module| *module == name)?;
    STANDARD_LIBRARY.get_file(format!("{name}.rhai"))?.contents_utf8()
}

/// Compiles a text under a name, with its narration made readable to the parser.
///
/// # Errors
/// The parse error, with its position.
pub fn compile(engine: &Engine, name: &str, text: &str) -> Result<AST, ParseError> {
    let mut ast = engine.compile(&*narration::readable(engine, text))?;
    ast.set_source(name);
    Ok(ast)
}

impl ModuleResolver for Sources {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<Shared<Module>, Box<EvalAltResult>> {
        let found = self
            .find(source, path)
            .map_err(|_| Box::new(EvalAltResult::ErrorModuleNotFound(path.to_owned(), position)))?;
        if let Some(module) = lock(&self.0.modules).get(&found.name) {
            return Ok(module.clone());
        }
        let in_module = |error| Box::new(EvalAltResult::ErrorInModule(found.name.clone(), error, position));
        let ast = compile(engine, &found.name, &found.text)
            .map_err(|error| in_module(EvalAltResult::ErrorParsing(*error.0, error.1).into()))?;
        let module = Shared::new(Module::eval_ast_as_new(Scope::new(), &ast, engine).map_err(in_module)?);
        lock(&self.0.modules).insert(found.name, module.clone());
        Ok(module)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
