//! Runbooks, as an operator leaves them in the middle of a change.

use std::path::PathBuf;

use cozyscript::{
    bindings, run,
    script::{
        catalogue::Catalogue,
        check::{self, CheckOptions},
        engine,
        outline::{self, Outline},
        params,
        sources::{self, Sources},
    },
};
use rhai::{AST, ASTNode, Engine, Expr};

use super::mutate::mutated;

pub fn text(seed: u64) -> String {
    mutated(&RUNBOOKS, &TOKENS, seed)
}

struct Reader {
    engine: Engine,
    lexer: Engine,
    catalogue: Catalogue,
}

thread_local! {
    static READER: Reader = Reader {
        engine: engine::build(&all_bindings(), &Sources::default()),
        lexer: engine::lexer(),
        catalogue: Catalogue::default(),
    };
}

fn all_bindings() -> Vec<cozyscript::script::binding::Binding> {
    bindings::all().into_iter().chain([run::functions::binding()]).collect()
}

/// Whatever compiles has the steps that its outline has, and everything can be outlined and checked.
pub fn read_and_check(text: &str) -> Result<(), String> {
    READER.with(|Reader { engine, lexer, catalogue }| {
        let outline = outline::outline(lexer, text);
        for step in &outline.steps {
            let digests = outline.digests(step, NAME, lexer, &Sources::default());
            if outline.digests(step, NAME, lexer, &Sources::default()) != digests {
                return Err(format!("step `{}` has two digests", step.path));
            }
        }
        let options = CheckOptions { root: PathBuf::from("/nowhere"), is_runbook: true, given: Vec::new() };
        let findings = check::check(engine, catalogue, &Sources::default(), NAME, text, &options);
        match sources::compile(engine, NAME, text) {
            Ok(ast) => {
                params::declared(&ast);
                has_its_steps(&outline, &ast)
            }
            Err(_) if findings.is_empty() => Err("it does not compile, and the check finds nothing".to_owned()),
            Err(error) => {
                let shown = check::parse_diagnostic(NAME, text, &error);
                let lines = text.split('\n').count();
                match shown.place {
                    Some(place) if place.line > lines => Err(format!("an error behind the text: {}", shown.message)),
                    _ => Ok(()),
                }
            }
        }
    })
}

/// Each step of the parser is one of the outline: a run looks up its digest by its place.
fn has_its_steps(outline: &Outline, ast: &AST) -> Result<(), String> {
    let mut missing = None;
    ast.walk(&mut |path| {
        let custom = match path.last() {
            Some(ASTNode::Expr(Expr::Custom(custom, _))) => custom,
            _ => return true,
        };
        if custom.tokens[0] != "step" {
            return true;
        }
        if let Some(Expr::StringConstant(name, position)) = custom.inputs.first() {
            let (line, column) = (position.line().unwrap_or(0), position.position().unwrap_or(0));
            match outline.step_at(line, column) {
                Some(step) if step.name == name.as_str() => {}
                other => missing = Some(format!("step `{name}` at {line}:{column} is {other:?} in the outline")),
            }
        }
        true
    });
    missing.map_or(Ok(()), Err)
}

const NAME: &str = "fuzz.rhai";

const TOKENS: [&str; 72] = [
    "step \"x\" {",
    "step \"x\" key item.name {",
    "step `y` {",
    "step \"\" {}",
    "after \"drain\" ",
    "timeout 10m ",
    "timeout \"1h30m\" ",
    "timeout 99999999999999999999d ",
    "retry 3 ",
    "retry -1 ",
    "retry 9223372036854775808 ",
    "key #{ a: 1 }.a ",
    "key { 1 } ",
    "key if x { 1 } else { 2 } ",
    "parallel {",
    "parallel for x in xs limit 2 {",
    "limit ",
    "}",
    "{",
    "(",
    ")",
    "[",
    "]",
    "#{",
    "?[",
    "?.",
    "::",
    ".",
    ";",
    ",",
    "|x| ",
    "||",
    "`${",
    "${",
    "`",
    "\"",
    "'",
    "\\",
    "\\u{1F680}",
    "r#\"",
    "//",
    "///",
    "////",
    "//!",
    "/*",
    "*/",
    "/** ",
    "\n",
    "\r\n",
    "\t",
    "fn f() {",
    "private fn g(x) {",
    "import \"a\" as a;",
    "export ",
    "const C = 1;",
    "let x = ",
    "switch x { 1..5 => ",
    "if true {",
    "while true {",
    "do {",
    "loop {",
    "try {",
    "catch (e) {",
    "throw ",
    "this.",
    "match",
    "default",
    "0x_",
    "1e400",
    "é",
    "🚀",
    "\u{0}",
];

const RUNBOOKS: [&str; 5] = [
    include_str!("crash.rhai"),
    include_str!("../script/check_torture.rhai"),
    r#"//! # Speed run
//!
//! Everything goes, and comes *back*.

let nodes = param("nodes", #{ default: ["10.17.13.86", "10.17.13.101"], help: "which come first" });
let version = param("version", #{ default: "v0.38.3", choices: ["v0.38.3", "v0.38.4"] });
let token = param("token", #{ secret: true, from: "env:TOKEN" });

// ## Nuke
// Workers go before control planes.
step "nuke" timeout 20m {
    parallel for node in nodes limit 2 {
        step "reset" key node retry 2 { print(`reset ${node} of ${nodes.len()} ${if node == "" { "x" } else { `y${1}` }}`); }
    }
}

/// ## Redis
/// The order is a promise to DNS.
let address = step "redis" after "nuke" retry 2 timeout "1h30m" {
    let cluster = k8s::connect(#{ context: "lab" });
    cluster.apply(yaml::parse(`a: ${version}`));
    "10.17.13.242"
};
print(address);
"#,
    "parallel {\n    step \"a\" { let x = 1; x += 2; }\n    step \"b\" after \"a\" { (|| 1).call(); }\n    http::get(\"http://x\");\n}\n",
    "fn drain(node) {\n    step \"drain\" key node.name { if node.spec?.unschedulable == true { return; } }\n}\ntry { drain(#{ name: \"a\", `b c`: 1, default: 2 }); } catch (fault) { switch fault.kind { \"status\" if fault.status == 404 => print(\"gone\"), _ => throw fault } }\nlet map = #{ step: 1 }; map.step += 1;\n",
];
