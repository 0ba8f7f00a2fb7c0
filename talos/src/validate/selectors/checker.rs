//! Finding out of which type an expression is, and what in it can be of none.

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SelectExpr};

use super::{Environment, functions, types::Type};

/// Types that have names.
const TYPES: [&str; 10] = ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];

pub struct Checker<'e> {
    environment: &'e Environment,
    /// The variables of expressions around, the innermost last.
    scopes: Vec<(String, Type)>,
    /// What is wrong, each with the number of the expression.
    pub wrong: Vec<(u64, String)>,
}

impl<'e> Checker<'e> {
    pub fn new(environment: &'e Environment) -> Self {
        Self { environment, scopes: Vec::new(), wrong: Vec::new() }
    }

    pub fn type_of(&mut self, expression: &IdedExpr) -> Type {
        match &expression.expr {
            // What makes a message is left to the machine.
            Expr::Unspecified | Expr::Struct(_) => Type::Any,
            Expr::Literal(literal) => match literal {
                LiteralValue::Boolean(_) => Type::Bool,
                LiteralValue::Bytes(_) => Type::Bytes,
                LiteralValue::Double(_) => Type::Double,
                LiteralValue::Int(_) => Type::Int,
                LiteralValue::Null => Type::Null,
                LiteralValue::String(_) => Type::Text,
                LiteralValue::UInt(_) => Type::Uint,
            },
            Expr::Ident(name) => self.variable(expression.id, name),
            Expr::Select(select) => self.select(expression.id, select),
            Expr::Call(call) => self.call(expression.id, call),
            Expr::List(list) => {
                let elements: Vec<Type> = list.elements.iter().map(|element| self.type_of(element)).collect();
                Type::List(Box::new(Type::of_all(elements)))
            }
            Expr::Map(map) => {
                let mut sides = (Vec::new(), Vec::new());
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        sides.0.push(self.type_of(&entry.key));
                        sides.1.push(self.type_of(&entry.value));
                    }
                }
                Type::Map(Box::new(Type::of_all(sides.0)), Box::new(Type::of_all(sides.1)))
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
        }
    }

    fn variable(&mut self, id: u64, name: &str) -> Type {
        let around = self.scopes.iter().rev().find(|(known, _)| known == name).map(|(_, kind)| kind.clone());
        let known = around.or_else(|| self.environment.variable(name));
        known.or_else(|| TYPES.contains(&name).then_some(Type::Kind)).unwrap_or_else(|| self.undeclared(id, name))
    }

    fn undeclared(&mut self, id: u64, name: &str) -> Type {
        self.wrong.push((id, format!("undeclared reference to '{name}' (in container '')")));
        Type::Any
    }

    fn select(&mut self, id: u64, select: &SelectExpr) -> Type {
        let field = match self.type_of(&select.operand) {
            Type::Any => Type::Any,
            Type::Map(_, value) => *value,
            Type::Message(message) => message.field(&select.field).unwrap_or_else(|| {
                self.wrong.push((id, format!("undefined field '{}'", select.field)));
                Type::Any
            }),
            other => {
                self.wrong.push((id, format!("type '{other}' does not support field selection")));
                Type::Any
            }
        };
        if select.test { Type::Bool } else { field }
    }

    fn call(&mut self, id: u64, call: &CallExpr) -> Type {
        let given: Vec<Type> = call.args.iter().map(|argument| self.type_of(argument)).collect();
        let on = call.target.as_ref().map(|target| self.type_of(target));
        let all: Vec<Type> = on.iter().cloned().chain(given.iter().cloned()).collect();
        match functions::call(&call.func_name, on.is_some(), &all) {
            Some(Some(result)) => result,
            Some(None) => {
                let given: Vec<String> = given.iter().map(ToString::to_string).collect();
                let given = format!("({})", given.join(", "));
                let applied = on.map_or_else(|| given.clone(), |on| format!("{on}.{given}"));
                let name = &call.func_name;
                self.wrong.push((id, format!("found no matching overload for '{name}' applied to '{applied}'")));
                Type::Any
            }
            None => self.undeclared(id, &call.func_name),
        }
    }

    /// `exists`, `all`, `map` and the like, as they are written out.
    fn comprehension(&mut self, of: &ComprehensionExpr) -> Type {
        let range = self.type_of(&of.iter_range);
        let item = functions::call("@iterated", false, std::slice::from_ref(&range)).flatten().unwrap_or_else(|| {
            let why = format!(
                "expression of type '{range}' cannot be range of a comprehension (must be list, map, or dynamic)"
            );
            self.wrong.push((of.iter_range.id, why));
            Type::Any
        });
        let first = self.type_of(&of.accu_init);
        let before = self.scopes.len();
        self.scopes.push((of.accu_var.clone(), first.clone()));
        self.scopes.push((of.iter_var.clone(), item));
        self.type_of(&of.loop_cond);
        let next = self.type_of(&of.loop_step);
        self.scopes.truncate(before);
        self.scopes.push((of.accu_var.clone(), first.both(&next).unwrap_or(Type::Any)));
        let result = self.type_of(&of.result);
        self.scopes.truncate(before);
        result
    }
}
