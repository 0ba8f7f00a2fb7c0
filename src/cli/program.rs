//! A runbook as a program: its text, its engine, and what can be known of it without running it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use rhai::{AST, Engine};

use crate::{
    bindings,
    diagnostic::{Diagnostic, Severity},
    run,
    script::{
        catalogue::Catalogue,
        check::{self, CheckOptions},
        engine,
        outline::{self, Outline},
        params::{self, Declared},
        sources::{self, Sources},
    },
};

/// A runbook that was read.
pub struct Program {
    /// As it was named on the command line; positions give this name.
    pub name: String,
    pub folder: PathBuf,
    pub text: Arc<str>,
    pub sources: Sources,
    pub catalogue: Arc<Catalogue>,
    pub engine: Engine,
    outline: OnceLock<Arc<Outline>>,
}

impl Program {
    /// Reads a runbook.
    ///
    /// # Errors
    /// Why it can't be read.
    pub fn read(path: &Path, library: &[PathBuf]) -> Result<Self, Diagnostic> {
        let name = path.to_string_lossy().into_owned();
        let failed = |message: String, hint: &str| Diagnostic::error("file", message).hint(hint);
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                failed(format!("runbook `{name}` is not there"), "see which runbooks there are: `ls runbooks/`")
            }
            _ => failed(format!("can't read the runbook `{name}`: {error}"), "name a file that you may read"),
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            failed(format!("`{name}` is no text: byte {at} is not UTF-8"), "runbooks are UTF-8 text files")
        })?;
        let sources = Sources::searching(library.to_vec());
        let text = sources.remember(&name, &text);
        let engine = engine::build(&all_bindings(), &sources);
        let folder = run::params::folder_of(path).to_owned();
        Ok(Self { name, folder, text, sources, catalogue: Arc::default(), engine, outline: OnceLock::new() })
    }

    /// Everything that is wrong with it, as far as can be seen without running it.
    pub fn check(&self) -> Vec<Diagnostic> {
        let options = CheckOptions { root: self.folder.clone(), is_runbook: true, given: Vec::new() };
        check::check(&self.engine, &self.catalogue, &self.sources, &self.name, &self.text, &options)
    }

    /// Compiles it.
    ///
    /// # Errors
    /// The syntax error.
    pub fn compile(&self) -> Result<AST, Diagnostic> {
        sources::compile(&self.engine, &self.name, &self.text)
            .map_err(|error| check::parse_diagnostic(&self.name, &self.text, &error))
    }

    pub fn outline(&self) -> &Arc<Outline> {
        self.outline.get_or_init(|| outline::outline(&self.engine, &self.text).into())
    }

    /// The paths of all steps in its text and in the texts that it imports.
    pub fn steps(&self) -> Vec<String> {
        let imported = self.sources.all().into_iter().filter(|(name, _)| *name != self.name);
        let imported = imported.map(|(_, text)| Arc::new(outline::outline(&self.engine, &text)));
        let outlines: Vec<Arc<Outline>> = std::iter::once(self.outline().clone()).chain(imported).collect();
        outline::paths(&outlines)
    }
}

/// The bindings and the run engine's own functions.
pub fn all_bindings() -> Vec<crate::script::binding::Binding> {
    let mut all = bindings::all();
    all.push(run::functions::binding());
    all
}

/// The parameters that a compiled runbook declares.
pub fn declared(ast: &AST) -> Vec<Declared> {
    params::declared(ast)
}

pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}
