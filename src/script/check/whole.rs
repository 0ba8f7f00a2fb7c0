//! The judgement of the whole, once every file is walked.

use std::{
    cell::OnceCell,
    collections::{BTreeSet, HashMap, HashSet},
    path::Path,
};

use rhai::Engine;

use super::{
    CheckOptions,
    calls::{Awaited, wrong_arity},
    effects,
    files::{self, Files},
    known::{self, Known},
    labelled,
    scope::Target,
    walk::{Declared, Facts},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    script::options::nearest,
};

pub fn judge(
    engine: &Engine,
    known: &Known,
    files: &Files,
    facts: &[Option<Facts>],
    options: &CheckOptions,
    findings: &mut Vec<Diagnostic>,
) {
    if options.is_runbook {
        effects::judge(facts, findings);
    }
    files::circles(files, facts, findings);
    let whole = Whole::new(engine, known, files, facts);
    for file in facts.iter().flatten() {
        for awaited in &file.awaited {
            whole.awaited(file, awaited, findings);
        }
        whole.afters(file, findings);
        let missing = file.missing_files.iter().filter(|(name, _)| !whole.writes(name));
        findings.extend(missing.map(|(_, finding)| finding.clone()));
    }
}

struct Whole<'w, 'c> {
    engine: &'w Engine,
    known: &'w Known<'c>,
    files: &'w Files<'w>,
    facts: &'w [Option<Facts>],
    /// The language's own functions, of the names that are awaited.
    standard: HashMap<String, Vec<usize>>,
    standard_names: OnceCell<BTreeSet<String>>,
    entries: HashSet<&'w str>,
    written: HashSet<&'w str>,
    steps: HashSet<&'w str>,
}

impl<'w, 'c> Whole<'w, 'c> {
    fn new(engine: &'w Engine, known: &'w Known<'c>, files: &'w Files, facts: &'w [Option<Facts>]) -> Self {
        let all = || facts.iter().flatten();
        let wanted = all().flat_map(|file| &file.awaited).filter_map(|awaited| match awaited {
            Awaited::Unknown { name, .. } => Some(name.as_str()),
            _ => None,
        });
        let wanted: BTreeSet<&str> = wanted.collect();
        let standard = if wanted.is_empty() { HashMap::new() } else { known::standard(engine, &wanted) };
        Self {
            engine,
            known,
            files,
            facts,
            standard,
            standard_names: OnceCell::new(),
            entries: all().flat_map(|file| &file.entries).map(String::as_str).collect(),
            written: all().flat_map(|file| &file.written).map(String::as_str).collect(),
            steps: all().flat_map(|file| &file.steps).map(String::as_str).collect(),
        }
    }

    /// Whether the script itself may make this file, or a folder that it lies in.
    fn writes(&self, file: &str) -> bool {
        self.written.iter().any(|written| !written.is_empty() && Path::new(file).starts_with(written))
    }

    fn awaited(&self, file: &Facts, awaited: &Awaited, findings: &mut Vec<Diagnostic>) {
        match awaited {
            Awaited::Unknown { name, .. } | Awaited::Method { name, .. } if self.is_entry(awaited, name) => {}
            Awaited::Method { findings: found, .. } => findings.extend(found.iter().cloned()),
            Awaited::Unknown { name, parameters, span, method, variable } => {
                let standard = self.standard.get(name).map(Vec::as_slice).unwrap_or_default();
                if standard.iter().any(|has| parameters.is_none_or(|parameters| parameters == *has)) {
                    return;
                }
                if !standard.is_empty() {
                    findings.push(self.standard_arity(name, parameters.unwrap_or(0), *method, standard, span));
                } else if *method {
                    findings.extend(self.unknown_method(name, span));
                } else {
                    findings.push(self.unknown_function(file, name, *variable, span));
                }
            }
            Awaited::Behind { file, path, name, parameters, span } => {
                findings.extend(self.behind(*file, path, name, *parameters, span));
            }
            Awaited::Export { file, alias, name, span } => {
                if let Some(facts) = &self.facts[*file]
                    && !facts.exports.contains(name)
                {
                    let message = format!("`{alias}` exports no variable `{name}`");
                    let hint = match nearest(name, facts.exports.iter().map(String::as_str)) {
                        Some(near) => format!("did you mean `{alias}::{near}`?"),
                        None => format!("export it in {}: `export const {name} = …`", self.name_of(*file)),
                    };
                    let finding = Diagnostic::error("unknown_variable", message).at(span.clone()).hint(hint);
                    findings.push(labelled(finding, "not exported"));
                }
            }
        }
    }

    /// True for a method call of what may be a closure in a map.
    fn is_entry(&self, awaited: &Awaited, name: &str) -> bool {
        !matches!(awaited, Awaited::Unknown { method: false, .. }) && self.entries.contains(name)
    }

    fn name_of(&self, file: usize) -> String {
        self.files.get(file).map_or_else(String::new, |source| format!("`{}`", source.name))
    }

    fn standard_names(&self) -> impl Iterator<Item = &str> {
        self.standard_names.get_or_init(|| known::standard_names(self.engine)).iter().map(String::as_str)
    }

    fn standard_arity(&self, name: &str, given: usize, method: bool, standard: &[usize], span: &Span) -> Diagnostic {
        let receiver = usize::from(method);
        let takes: BTreeSet<usize> = standard.iter().filter_map(|has| has.checked_sub(receiver)).collect();
        let takes: Vec<String> = takes.iter().map(ToString::to_string).collect();
        let mut finding = wrong_arity(name, &[], given - receiver.min(given), span.clone());
        finding.hint = Some(format!("it takes {}", takes.join(" or ")));
        finding
    }

    fn unknown_function(&self, file: &Facts, name: &str, variable: bool, span: &Span) -> Diagnostic {
        let names = declared_names(file).chain(self.standard_names()).chain(self.known.free_names());
        let hint = if variable {
            format!("`{name}` is a variable: call what it holds with `{name}.call(…)`")
        } else if let Some(near) = self.known.somewhere(name).or_else(|| nearest(name, names)) {
            format!("did you mean `{near}`?")
        } else {
            format!("declare it: `fn {name}(…) {{ … }}`, or import the file that does")
        };
        let message = format!("there is no function `{name}`");
        labelled(Diagnostic::error("unknown_function", message).at(span.clone()).hint(hint), "not known")
    }

    /// A closure in a map is called like a method, so only a name that is nearly right is certainly wrong.
    fn unknown_method(&self, name: &str, span: &Span) -> Option<Diagnostic> {
        let declared = || self.facts.iter().flatten().flat_map(declared_names);
        if declared().any(|declared| declared == name) {
            return None;
        }
        let message = format!("there is no method `{name}`");
        let finding = match nearest(name, declared().chain(self.standard_names()).chain(self.known.free_names())) {
            Some(near) if strsim::jaro_winkler(name, near) >= 0.9 => {
                Diagnostic::error("unknown_method", message).hint(format!("did you mean `{near}`?"))
            }
            Some(near) => Diagnostic::warning("unknown_method", message).hint(format!("did you mean `{near}`?")),
            None => {
                let hint = format!("if it is a closure in a map, nothing here puts one there: `#{{ {name}: || … }}`");
                Diagnostic::warning("unknown_method", message).hint(hint)
            }
        };
        Some(labelled(finding.at(span.clone()), "not known"))
    }

    /// A call of a function behind an import, or behind the imports of what is imported.
    fn behind(&self, file: usize, path: &[String], name: &str, given: usize, span: &Span) -> Option<Diagnostic> {
        let mut file = file;
        for alias in &path[1..] {
            match self.facts[file].as_ref()?.aliases.get(alias) {
                Some(Target::File(next)) => file = *next,
                Some(Target::Anything) => return None,
                None => {
                    let message = format!("{} imports nothing as `{alias}`", self.name_of(file));
                    let finding = Diagnostic::error("unknown_module", message).at(span.clone());
                    return Some(labelled(finding.hint("import it here, under a name of its own"), "not known"));
                }
            }
        }
        let facts = self.facts[file].as_ref()?;
        let alias = path.join("::");
        let Some(declared) = facts.functions.get(name) else {
            let message = format!("there is no function `{alias}::{name}`");
            let hint = match nearest(name, declared_names(facts)) {
                Some(near) => format!("did you mean `{alias}::{near}`?"),
                None => format!("declare it in {}: `fn {name}(…) {{ … }}`", self.name_of(file)),
            };
            return Some(labelled(
                Diagnostic::error("unknown_function", message).at(span.clone()).hint(hint),
                "not known",
            ));
        };
        let visible: Vec<&Declared> = declared.iter().filter(|function| !function.private).collect();
        if visible.is_empty() {
            let message = format!("`{name}` is private in {}", self.name_of(file));
            let finding = Diagnostic::error("unknown_function", message).at(span.clone());
            return Some(labelled(finding.hint("take its `private` out, or call a public function"), "not visible"));
        }
        if visible.iter().any(|function| function.parameters.len() == given) {
            return None;
        }
        let forms: Vec<String> =
            visible.iter().map(|form| format!("`{alias}::{name}({})`", form.parameters.join(", "))).collect();
        Some(wrong_arity(&format!("{alias}::{name}"), &forms, given, span.clone()))
    }

    fn afters(&self, file: &Facts, findings: &mut Vec<Diagnostic>) {
        for after in file.afters.iter().filter(|after| !self.steps.contains(after.name.as_str())) {
            let message = format!("there is no step `{}`", after.name);
            let hint = match nearest(&after.name, self.steps.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name a step as it is written: `step \"name\"`".to_owned(),
            };
            let finding = Diagnostic::error("unknown_step", message).at(after.span.clone()).hint(hint);
            findings.push(labelled(finding, "not a step"));
        }
    }
}

fn declared_names(file: &Facts) -> impl Iterator<Item = &str> {
    file.functions.keys().map(String::as_str)
}
