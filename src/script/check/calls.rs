//! Calls: which function is meant, and whether it takes what it is given.

use rhai::{Expr, FnCallExpr, Ident, Position};

use super::{
    effects::{Home, Reached},
    forms::{self, Complaint, Form},
    known::{self, KEYWORDS},
    labelled,
    scope::Target,
    walk::Walk,
};
use crate::{
    diagnostic::{Diagnostic, Span},
    script::{catalogue::Function, options::nearest},
};

/// Natives that keep a closure without calling it.
const KEEPING: [&str; 8] = ["append", "curry", "fill", "insert", "pad", "push", "set", "mixin"];

/// What only the whole can judge: the language's own functions are looked up once, and imported files are read later.
pub enum Awaited {
    /// A call of a name that is not known, unless the language has such a function itself.
    Unknown { name: String, parameters: Option<usize>, span: Span, method: bool, variable: bool },
    /// A method call with something wrong, unless it is one of a closure in a map.
    Method { name: String, findings: Vec<Diagnostic> },
    /// A call of a function behind an import.
    Behind { file: usize, path: Vec<String>, name: String, parameters: usize, span: Span },
    /// A variable behind an import.
    Export { file: usize, alias: String, name: String, span: Span },
}

impl Walk<'_, '_> {
    pub fn call(&mut self, call: &FnCallExpr, position: Position) {
        if call.is_operator_call() {
            return self.expressions(&call.args);
        }
        let name = call.name.as_str();
        let keeps = if !call.namespace.is_empty() {
            self.module_call(&call.namespace.path, call, position);
            // What a script does with a closure is for its own text to say.
            self.scope.alias(call.namespace.root()).is_some()
        } else if KEYWORDS.contains(&name) {
            self.keyword(call);
            name == "curry"
        } else {
            if name == "param" && self.script(name).is_none() {
                self.param(&call.args, position);
            }
            self.free_call(call, position, 0);
            self.script(name).is_some() || KEEPING.contains(&name)
        };
        self.arguments(&call.args, keeps);
    }

    pub fn method_call(&mut self, call: &FnCallExpr, position: Position) {
        let name = call.name.as_str();
        if !KEYWORDS.contains(&name) {
            self.free_call(call, position, 1);
        }
        self.arguments(&call.args, self.script(name).is_some() || KEEPING.contains(&name));
    }

    fn arguments(&mut self, arguments: &[Expr], keeps: bool) {
        for argument in arguments {
            if keeps {
                self.expression(argument);
            } else {
                self.called_argument(argument);
            }
        }
    }

    fn keyword(&mut self, call: &FnCallExpr) {
        let Some(Expr::StringConstant(text, position)) = call.args.first() else {
            return;
        };
        match call.name.as_str() {
            "is_def_var" => {
                if let Some(variable) = self.scope.find(text) {
                    variable.read = true;
                }
            }
            "Fn" if self.script(text).is_none() && self.known.free(text).is_empty() => {
                self.await_unknown(text, None, *position, false);
            }
            _ => {}
        }
    }

    /// A call that names no module: `receiver` is 1 if it is one of a method.
    fn free_call(&mut self, call: &FnCallExpr, position: Position, receiver: usize) {
        let name = call.name.as_str();
        let given = call.args.len();
        let scripts = self.script(name).unwrap_or_default();
        if scripts.iter().any(|function| function.params.len() == given) {
            let home = Home { file: self.home.file, function: Some((name.to_owned(), given)) };
            return self.reach(position, || Reached::Script(home));
        }
        let declared: Vec<String> = scripts
            .iter()
            .map(|function| {
                let parameters: Vec<&str> = function.params.iter().map(|parameter| parameter.as_str()).collect();
                format!("`{name}({})`", parameters.join(", "))
            })
            .collect();
        let known = self.known.free(name);
        if declared.is_empty() && known.is_empty() {
            return self.await_unknown(name, Some(given + receiver), position, receiver == 1);
        }
        let findings = match self.judge(known, call, receiver, position) {
            Some(complaints) => complaints.into_iter().map(|complaint| self.finding(complaint)).collect(),
            None => {
                let forms = known.iter().flat_map(|function| forms_of(function));
                let forms = forms.map(|signature| format!("`{signature}`"));
                vec![self.wrong_arity(name, declared.into_iter().chain(forms).collect(), given, position)]
            }
        };
        if findings.is_empty() || known::standard_takes(self.engine, name, &call.args, receiver) {
            return;
        }
        match receiver {
            0 => self.findings.extend(findings),
            _ => self.facts.awaited.push(Awaited::Method { name: name.to_owned(), findings }),
        }
    }

    fn await_unknown(&mut self, name: &str, parameters: Option<usize>, position: Position, method: bool) {
        let variable = self.scope.find(name).is_some();
        let span = self.source.span(position);
        self.facts.awaited.push(Awaited::Unknown { name: name.to_owned(), parameters, span, method, variable });
    }

    /// A call of `module::function`.
    fn module_call(&mut self, path: &[Ident], call: &FnCallExpr, position: Position) {
        let root = path[0].name.as_str();
        let name = call.name.as_str();
        let given = call.args.len();
        match self.scope.alias(root) {
            Some(Target::Anything) => {}
            Some(Target::File(file)) => {
                if path.len() == 1 {
                    let home = Home { file, function: Some((name.to_owned(), given)) };
                    self.reach(position, || Reached::Script(home));
                }
                self.facts.awaited.push(Awaited::Behind {
                    file,
                    path: path.iter().map(|part| part.name.to_string()).collect(),
                    name: name.to_owned(),
                    parameters: given,
                    span: self.source.span(position),
                });
            }
            None => {
                let module = path.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join("::");
                let full = format!("{module}::{name}");
                if let Some(function) = self.known.in_module(&full) {
                    self.known_call(function, call, position);
                } else if self.known.has_module(&module) {
                    let message = format!("there is no function `{full}`");
                    let names: Vec<(&str, &str)> = (self.known.names_in(&module))
                        .filter_map(|name| Some((name.get(module.len() + 2..)?, name)))
                        .collect();
                    let near = nearest(name, names.iter().map(|(short, _)| *short));
                    let near = near.and_then(|near| names.iter().find(|(short, _)| *short == near));
                    let hint = match near.map(|(_, full)| *full).or_else(|| self.known.somewhere(name)) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("the functions of `{module}` are in its reference"),
                    };
                    self.find("unknown_function", position, message, "not known", hint);
                } else {
                    let near = self.known.somewhere(name).filter(|near| near.ends_with(&format!("::{full}")));
                    self.unknown_module(&module, near, path[0].pos);
                }
            }
        }
    }

    fn known_call(&mut self, function: &Function, call: &FnCallExpr, position: Position) {
        match self.judge(&[function], call, 0, position) {
            Some(complaints) => {
                for complaint in complaints {
                    let finding = self.finding(complaint);
                    self.findings.push(finding);
                }
            }
            None => {
                let forms = forms_of(function).map(|signature| format!("`{signature}`")).collect();
                let finding = self.wrong_arity(forms::called(function), forms, call.args.len(), position);
                self.findings.push(finding);
            }
        }
    }

    /// Holds a call against the forms of the functions it may mean. `None` if none has that many parameters.
    fn judge(
        &mut self,
        functions: &[&Function],
        call: &FnCallExpr,
        receiver: usize,
        position: Position,
    ) -> Option<Vec<Complaint>> {
        let parameters = call.args.len() + receiver;
        let forms: Vec<Form> = functions
            .iter()
            .flat_map(|function| {
                function.signatures.iter().map(move |signature| Form { function, signature, receiver })
            })
            .filter(|form| form.signature.parameters.len() == parameters)
            .collect();
        let last = forms.last()?;
        let fitting: Vec<Form> = forms.iter().copied().filter(|form| form.takes(&call.args)).collect();
        if fitting.is_empty() {
            return Some(last.wrong_type(&call.args, &forms).into_iter().collect());
        }
        if fitting.iter().all(|form| form.changes_something(&call.args)) {
            let name = fitting[0].function.name.clone();
            self.reach(position, || Reached::Effect(name));
            self.note_written(&call.args);
        }
        self.note_missing_files(&fitting, &call.args);
        Some(forms::complaints(&fitting, &call.args))
    }

    fn note_written(&mut self, arguments: &[Expr]) {
        for argument in arguments {
            if let Expr::StringConstant(text, _) = argument {
                self.facts.written.insert(text.to_string());
            }
        }
    }

    /// Literal names of files that are to be read.
    fn note_missing_files(&mut self, forms: &[Form], arguments: &[Expr]) {
        for (index, argument) in arguments.iter().enumerate() {
            let Expr::StringConstant(name, position) = argument else {
                continue;
            };
            let is_file = |form: &Form| form.documented(index).is_some_and(|item| item.kind == "file");
            if !forms.iter().all(is_file) || self.options.root.join(name.as_str()).exists() {
                continue;
            }
            let message = format!("there is no file `{name}`");
            let hint = match near_file(&self.options.root.join(name.as_str())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "names of files are read from the folder of the runbook".to_owned(),
            };
            let finding = Diagnostic::error("missing_file", message).at(self.source.span(*position)).hint(hint);
            self.facts.missing_files.push((name.to_string(), labelled(finding, "not found")));
        }
    }

    fn finding(&self, complaint: Complaint) -> Diagnostic {
        let finding = Diagnostic::error(complaint.code, complaint.message).at(self.source.span(complaint.position));
        let finding = if complaint.hint.is_empty() { finding } else { finding.hint(complaint.hint) };
        labelled(finding, complaint.label)
    }

    fn wrong_arity(&self, name: &str, forms: Vec<String>, given: usize, position: Position) -> Diagnostic {
        wrong_arity(name, &forms, given, self.source.span(position))
    }
}

pub fn wrong_arity(name: &str, forms: &[String], given: usize, span: Span) -> Diagnostic {
    let arguments = match given {
        0 => "no arguments".to_owned(),
        1 => "one argument".to_owned(),
        _ => format!("{given} arguments"),
    };
    let message = format!("`{name}` can't be called with {arguments}");
    let hint = format!("write {}", forms.join(" or "));
    labelled(Diagnostic::error("wrong_arity", message).at(span).hint(hint), "called here")
}

fn forms_of(function: &Function) -> impl Iterator<Item = String> {
    function.signatures.iter().map(|signature| forms::shown(function, signature))
}

/// A file beside the missing one whose name is like its name.
fn near_file(missing: &std::path::Path) -> Option<String> {
    let wanted = missing.file_name()?.to_str()?;
    let entries = std::fs::read_dir(missing.parent()?).ok()?;
    let names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    nearest(wanted, names.iter().map(String::as_str)).map(str::to_owned)
}
