//! The parameters that a runbook declares, found without running it.

use rhai::{AST, ASTNode, Dynamic, Expr, Map, Position};

/// A `param(name, #{ … })` of a runbook.
#[derive(Debug, Clone)]
pub struct Declared {
    pub name: String,
    pub line: usize,
    pub column: usize,
    pub kind: Option<String>,
    /// Nothing if there is no default; a default that is no literal is known only when the runbook runs.
    pub default: Option<Option<Dynamic>>,
    pub help: String,
    pub choices: Vec<Dynamic>,
    pub secret: bool,
    /// Where its value comes from: `env:NAME`, `file:PATH`, `prompt`.
    pub from: Option<String>,
}

/// The kinds that a parameter may say it is of.
pub const KINDS: [&str; 7] = ["text", "integer", "number", "boolean", "list", "map", "duration"];

/// All parameters that are declared with a literal name, in the order of the text.
pub fn declared(ast: &AST) -> Vec<Declared> {
    let mut found: Vec<Declared> = Vec::new();
    ast.walk(&mut |path| {
        let call = match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, position))) => Some((call, position)),
            Some(ASTNode::Stmt(rhai::Stmt::FnCall(call, position))) => Some((call, position)),
            _ => None,
        };
        if let Some((call, position)) = call
            && call.name == "param"
            && !call.is_qualified()
            && let Some(Expr::StringConstant(name, _)) = call.args.first()
        {
            found.push(declaration(name, call.args.get(1), *position));
        }
        true
    });
    found
}

fn declaration(name: &str, options: Option<&Expr>, position: Position) -> Declared {
    let given: Vec<(&str, Option<Dynamic>)> = match options {
        Some(Expr::Map(map, _)) => {
            map.0.iter().map(|(key, value)| (key.name.as_str(), value.get_literal_value(None))).collect()
        }
        _ => Vec::new(),
    };
    let option = |name: &str| given.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
    let text = |name: &str| option(name).flatten().and_then(|value| value.into_string().ok());
    Declared {
        name: name.to_owned(),
        line: position.line().unwrap_or(0),
        column: position.position().unwrap_or(0),
        kind: text("type"),
        default: option("default"),
        help: text("help").unwrap_or_default(),
        choices: option("choices").flatten().and_then(|value| value.try_cast()).unwrap_or_default(),
        secret: option("secret").flatten().and_then(|value| value.as_bool().ok()).unwrap_or(false),
        from: text("from"),
    }
}

impl Declared {
    /// The kind it says, or the kind of its default; text if neither says.
    pub fn kind(&self) -> &str {
        if let Some(kind) = &self.kind {
            return kind;
        }
        match &self.default {
            Some(Some(default)) => kind_of(default),
            Some(None) => "any",
            None => "text",
        }
    }
}

/// The kind of a value, in the words of [`KINDS`].
pub fn kind_of(value: &Dynamic) -> &'static str {
    match value.type_name() {
        "i64" => "integer",
        "f64" => "number",
        "bool" => "boolean",
        "array" => "list",
        _ if value.is::<Map>() => "map",
        _ if value.is::<std::time::Duration>() => "duration",
        _ => "text",
    }
}
