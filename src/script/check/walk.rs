//! One walk over a file: variables are judged on the way, and what only the whole can judge is noted as [`Facts`].

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    rc::Rc,
    sync::Arc,
};

use rhai::{
    AST, ASTFlags, Engine, Expr, FlowControl, FnAccess, FnPtr, ImmutableString, Module, Position, ScriptFuncDef, Stmt,
};

use super::{
    CheckOptions,
    calls::Awaited,
    effects::{Home, Reach, Reached},
    files::Files,
    known::Known,
    labelled,
    params::Params,
    scope::{Kind, Scope, Target},
    source::Source,
    steps::{After, Sequence},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    script::options::nearest,
};

/// What a file has and does, for the judgement of the whole.
#[derive(Default)]
pub struct Facts {
    pub functions: HashMap<String, Vec<Declared>>,
    pub exports: BTreeSet<String>,
    pub aliases: HashMap<String, Target>,
    /// The files that are read when this one is, and where it says so.
    pub imports: Vec<(usize, Span)>,
    pub steps: HashSet<String>,
    pub afters: Vec<After>,
    pub reaches: HashMap<Home, Vec<Reach>>,
    pub awaited: Vec<Awaited>,
    /// Names of map entries, which may hold closures that are called like methods.
    pub entries: HashSet<String>,
    pub missing_files: Vec<(String, Diagnostic)>,
    /// Texts that are given to functions that change the world: files that a run may write.
    pub written: HashSet<String>,
}

/// A function that the file declares.
pub struct Declared {
    pub parameters: Vec<String>,
    pub private: bool,
}

pub struct Walk<'w, 's> {
    pub engine: &'w Engine,
    pub known: &'w Known<'s>,
    pub options: &'w CheckOptions,
    pub source: Rc<Source>,
    pub findings: &'w mut Vec<Diagnostic>,
    pub facts: Facts,
    pub scope: Scope,
    pub sequences: Vec<Sequence>,
    pub home: Home,
    /// How many steps are around.
    pub steps: usize,
    /// How many closures are around that nothing here calls.
    pub dormant: usize,
    pub params: Params,
    files: &'w mut Files<'s>,
    pub scripts: HashMap<ImmutableString, Vec<Arc<ScriptFuncDef>>>,
    /// The file's outermost variables: true for constants, and their lines.
    pub outermost: BTreeMap<ImmutableString, (bool, usize)>,
    /// Constants that functions read.
    pub read_globals: HashSet<String>,
}

impl<'w, 's> Walk<'w, 's> {
    pub fn new(
        engine: &'w Engine,
        known: &'w Known<'s>,
        options: &'w CheckOptions,
        files: &'w mut Files<'s>,
        number: usize,
        findings: &'w mut Vec<Diagnostic>,
    ) -> Self {
        let source = files.get(number).expect("it was found before it is walked");
        Self {
            engine,
            known,
            options,
            source,
            findings,
            facts: Facts::default(),
            scope: Scope::default(),
            sequences: Vec::new(),
            home: Home { file: number, function: None },
            steps: 0,
            dormant: 0,
            params: Params::default(),
            files,
            scripts: HashMap::new(),
            outermost: BTreeMap::new(),
            read_globals: HashSet::new(),
        }
    }

    pub fn file(mut self, ast: &AST) -> Facts {
        for (_, _, name, _, function) in ast.shared_lib().iter_script_fn_info() {
            self.scripts.entry(name.into()).or_default().push(function.clone());
            if is_closure(name) {
                continue;
            }
            self.facts.functions.entry(name.to_owned()).or_default().push(Declared {
                parameters: function.params.iter().map(ToString::to_string).collect(),
                private: function.access == FnAccess::Private,
            });
        }
        for statement in ast.statements() {
            if let Stmt::Var(variable, flags, _) = statement {
                let constant = flags.contains(ASTFlags::CONSTANT);
                self.outermost.insert(variable.0.name.clone(), (constant, line(variable.0.pos)));
            }
        }
        if self.home.file == 0 {
            for name in &self.options.given {
                self.scope.declare(&name.into(), 0, false, None);
                self.outermost.entry(name.into()).or_insert((false, 0));
            }
        }
        self.sequences.push(Sequence::default());
        ast.statements().iter().for_each(|statement| self.in_sequence(statement));
        self.end_sequence();
        self.facts.aliases = self.scope.aliases().iter().map(|(name, target)| (name.to_string(), *target)).collect();

        let outside = std::mem::take(&mut self.scope);
        let functions: Vec<_> = self.scripts.values().flatten().filter(|f| !is_closure(&f.name)).cloned().collect();
        for function in functions {
            self.home.function = Some((function.name.to_string(), function.params.len()));
            self.scope = outside.of_function();
            for parameter in &function.params {
                self.scope.declare(parameter, line(function.body.start_position()), false, None);
            }
            self.body(&function);
        }
        self.unused_params(outside);
        self.facts
    }

    /// The statements of a function. Its body has no public name, so a syntax tree of the function alone is walked.
    fn body(&mut self, function: &Arc<ScriptFuncDef>) {
        let mut module = Module::new();
        module.set_script_fn(function.clone());
        self.sequences.push(Sequence::default());
        AST::new_from_module(module).walk(&mut |path| {
            if let [rhai::ASTNode::Stmt(statement)] = path {
                self.in_sequence(statement);
            }
            true
        });
        self.end_sequence();
    }

    pub fn find(&mut self, code: &str, position: Position, message: String, label: &str, hint: impl Into<String>) {
        let finding = Diagnostic::error(code, message).at(self.source.span(position)).hint(hint);
        self.findings.push(labelled(finding, label));
    }

    pub fn block(&mut self, block: &[Stmt], kind: Kind) {
        self.scope.enter(kind);
        self.sequences.push(Sequence::default());
        block.iter().for_each(|statement| self.in_sequence(statement));
        self.end_sequence();
        self.scope.leave();
    }

    pub fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::If(flow, position) => {
                self.always(&flow.expr, !flow.branch.is_empty(), *position);
                self.expression(&flow.expr);
                self.blocks(flow);
            }
            Stmt::Switch(switch, _) => {
                self.expression(&switch.0);
                for case in &switch.1.expressions {
                    self.expression(&case.lhs);
                    self.expression(&case.rhs);
                }
            }
            Stmt::While(flow, position) => {
                self.never(&flow.expr, *position);
                self.expression(&flow.expr);
                self.blocks(flow);
            }
            Stmt::Do(flow, ..) => {
                self.blocks(flow);
                self.expression(&flow.expr);
            }
            Stmt::For(parts, _) => {
                let (item, counter, flow) = &**parts;
                self.expression(&flow.expr);
                self.scope.enter(Kind::Block);
                self.scope.declare(&item.name, line(item.pos), false, None);
                if let Some(counter) = counter {
                    self.scope.declare(&counter.name, line(counter.pos), false, None);
                }
                self.blocks(flow);
                self.scope.leave();
            }
            Stmt::Var(parts, flags, _) => {
                let (name, value, _) = &**parts;
                let param = self.with_params(|walk| walk.expression(value)).then(|| self.source.span(name.pos));
                self.scope.declare(&name.name, line(name.pos), flags.contains(ASTFlags::CONSTANT), param);
                if flags.contains(ASTFlags::EXPORTED) {
                    self.export(&name.name, &name.name);
                }
            }
            Stmt::Assignment(parts) => {
                self.expression(&parts.1.rhs);
                self.assign(&parts.1.lhs, parts.0.is_op_assignment());
            }
            Stmt::FnCall(call, position) => self.call(call, *position),
            Stmt::Block(block) => self.block(block.statements(), Kind::Block),
            Stmt::Expr(expression) => self.expression(expression),
            Stmt::BreakLoop(value, ..) | Stmt::Return(value, ..) => {
                value.iter().for_each(|value| self.expression(value));
            }
            Stmt::Import(parts, position) => self.import(&parts.0, &parts.1.name, *position),
            Stmt::Export(parts, _) => {
                self.variable(&parts.0.name, parts.0.pos);
                let name = if parts.1.name.is_empty() { &parts.0.name } else { &parts.1.name };
                self.export(name, &parts.0.name);
            }
            _ => {}
        }
    }

    fn blocks(&mut self, flow: &FlowControl) {
        self.block(flow.body.statements(), Kind::Block);
        self.block(flow.branch.statements(), Kind::Block);
    }

    fn export(&mut self, name: &str, variable: &str) {
        self.facts.exports.insert(name.to_owned());
        if let Some(variable) = self.scope.find(variable) {
            variable.read = true;
        }
    }

    pub fn expression(&mut self, expression: &Expr) {
        if let Some(closure) = Closure::of(expression) {
            self.dormant += 1;
            self.closure(&closure);
            self.dormant -= 1;
            return;
        }
        match expression {
            Expr::InterpolatedString(parts, _) | Expr::Array(parts, _) => self.expressions(parts),
            Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _) => self.expressions(parts.iter()),
            Expr::Map(parts, _) => {
                for (name, value) in &parts.0 {
                    self.facts.entries.insert(name.name.to_string());
                    self.expression(value);
                }
            }
            Expr::Variable(parts, _, position) if parts.2.is_empty() => self.variable(&parts.1, *position),
            Expr::Variable(parts, _, position) => self.qualified_variable(&parts.2.path, &parts.1, *position),
            Expr::MethodCall(call, position) => self.method_call(call, *position),
            Expr::FnCall(call, position) => self.call(call, *position),
            Expr::Stmt(block) => self.block(block.statements(), Kind::Block),
            Expr::Dot(parts, ..) | Expr::Index(parts, ..) => {
                self.expression(&parts.lhs);
                self.expression(&parts.rhs);
            }
            Expr::Custom(custom, position) => self.custom(custom, *position),
            Expr::FloatConstant(_, position) => self.too_large(*position),
            _ => {}
        }
    }

    /// Rhai reads a whole number of more than 64 bits as a fraction, and loses digits of it.
    fn too_large(&mut self, position: Position) {
        let (line, column) = (position.line().unwrap_or(1), position.position().unwrap_or(1));
        let rest = self.source.rest_of_line(line, column);
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(rest.len());
        let is_whole = !rest[end..].starts_with(|c: char| c.is_ascii_alphanumeric())
            && !rest[end..].strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if is_whole && end > 0 && !rest[end..].starts_with('.') {
            let message = format!("`{}` is too large for a whole number", &rest[..end]);
            let hint = format!("whole numbers go up to {}; write a text if it is a name", i64::MAX);
            self.find("number_too_large", position, message, "more than 64 bits", hint);
        }
    }

    pub fn expressions<'e>(&mut self, expressions: impl IntoIterator<Item = &'e Expr>) {
        expressions.into_iter().for_each(|expression| self.expression(expression));
    }

    /// What is given to a function that calls what it is given.
    pub fn called_argument(&mut self, expression: &Expr) {
        if let Some(closure) = Closure::of(expression) {
            return self.closure(&closure);
        }
        match expression {
            Expr::Array(items, _) => items.iter().for_each(|item| self.called_argument(item)),
            Expr::Map(parts, _) => {
                for (name, value) in &parts.0 {
                    self.facts.entries.insert(name.name.to_string());
                    self.called_argument(value);
                }
            }
            _ => self.expression(expression),
        }
    }

    /// A closure, walked where it stands: it sees what is in sight there. Its first parameters are what it captures.
    fn closure(&mut self, closure: &Closure) {
        let function = self.scripts.get(closure.name.as_str()).and_then(|functions| functions.first()).cloned();
        // An optimizer makes such constants of `Fn("name")` too, and those have no body here.
        let Some(function) = function.filter(|function| is_closure(&function.name)) else {
            return;
        };
        self.scope.enter(Kind::Closure);
        for parameter in function.params.iter().skip(closure.captured) {
            self.scope.declare(parameter, closure.line, false, None);
        }
        self.body(&function);
        self.scope.leave();
    }

    pub fn script(&self, name: &str) -> Option<&[Arc<ScriptFuncDef>]> {
        self.scripts.get(name).map(Vec::as_slice)
    }

    pub fn script_names(&self) -> impl Iterator<Item = &str> {
        self.scripts.keys().map(ImmutableString::as_str).filter(|name| !is_closure(name))
    }

    fn import(&mut self, path: &Expr, alias: &ImmutableString, position: Position) {
        self.expression(path);
        let mut target = Target::Anything;
        if let Expr::StringConstant(path, at) = path {
            match self.files.import(&self.source.name, path) {
                Ok(number) => {
                    target = Target::File(number);
                    if self.home.function.is_none() {
                        self.facts.imports.push((number, self.source.span(*at)));
                    }
                    let home = Home { file: number, function: None };
                    self.reach(position, || Reached::Script(home));
                }
                Err(missing) => {
                    let hint = match missing.near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "name a module of the standard library, or a file beside this one".to_owned(),
                    };
                    let message = format!("there is nothing to import as `{path}`");
                    let finding = Diagnostic::error("missing_import", message).at(self.source.span(*at)).hint(hint);
                    let mut finding = labelled(finding, "not found");
                    finding.notes.push(format!("looked in {}", missing.looked_in.join(", ")));
                    self.findings.push(finding);
                }
            }
        }
        if !alias.is_empty() {
            self.scope.import(alias, target);
        }
    }

    /// Reports a module; `near` is a function that was meant, if that is known.
    pub fn unknown_module(&mut self, module: &str, near: Option<&str>, position: Position) {
        let aliases = self.scope.aliases().iter().map(|(alias, _)| alias.as_str());
        let hint = match near.or_else(|| nearest(module, aliases.chain(self.known.modules()))) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("import it first: `import \"…\" as {module};`"),
        };
        self.find("unknown_module", position, format!("there is no module `{module}`"), "not known", hint);
    }
}

pub fn line(position: Position) -> usize {
    position.line().unwrap_or(0)
}

fn is_closure(name: &str) -> bool {
    name.starts_with("anon$")
}

/// A closure where it is written.
struct Closure {
    name: String,
    /// How many of its parameters are variables that it captures.
    captured: usize,
    line: usize,
}

impl Closure {
    /// The parser makes a closure a constant; one that captures, a block that shares variables and curries the constant.
    fn of(expression: &Expr) -> Option<Self> {
        let (pointer, position, captured) = match expression {
            Expr::DynamicConstant(value, position) => (value, position, 0),
            Expr::Stmt(block) => {
                let [Stmt::Share(_), Stmt::Expr(curry)] = block.statements() else {
                    return None;
                };
                let Expr::FnCall(curry, _) = &**curry else {
                    return None;
                };
                let Some(Expr::DynamicConstant(value, position)) = curry.args.first() else {
                    return None;
                };
                (value, position, curry.args.len() - 1)
            }
            _ => return None,
        };
        let name = pointer.read_lock::<FnPtr>()?.fn_name().to_owned();
        Some(Self { name, captured, line: line(*position) })
    }
}
