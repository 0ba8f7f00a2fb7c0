//! Branches: `parallel { … }`, `parallel for`, and `race(…)`, each branch on a script thread of its own.

use std::sync::{Mutex, PoisonError};

use rhai::{
    Caches, Dynamic, Engine, EvalAltResult, EvalContext, Expr, Expression, FnPtr, GlobalRuntimeState, Map,
    NativeCallContext, Scope, Stmt, StmtBlock,
};

use super::{
    block::{self, mentioned},
    conductor::{Branch, Fork, Outcome},
    context::{Call, Context},
    diagnostic::type_words::with_article,
    fault::{Fault, Kind, Place},
    syntax::{Clauses, raise_at},
    values::value,
};

/// Evaluates `parallel`; its value is the list of its branches' values.
pub fn run_parallel(context: &mut EvalContext, inputs: &[Expression], _state: &Dynamic) -> Outcome<Dynamic> {
    let body = inputs.last().expect("a parallel block has a block");
    let place = Place::new(context.source().unwrap_or_default(), body.position());
    let values = if inputs.len() == 1 {
        let branches = statements(body).iter().enumerate().map(|(index, statement)| Run {
            label: index.to_string(),
            step: step_of(statement),
            body: Expr::Stmt(StmtBlock::from(statement.clone()).into()),
            item: None,
            position: statement.position(),
        });
        let fork = Fork { limit: None, race: false, labelled: false };
        run_branches(context, fork, branches.collect(), place)?
    } else {
        let variable = inputs[0].get_string_value().expect("the loop's variable is a name").to_owned();
        let items = inputs[1].eval_with_context(context)?;
        let items = iterate(context, items, &inputs[1])?;
        let limit = match inputs.len() {
            4 => Some(limit(context, &inputs[2])?),
            _ => None,
        };
        let body: &Expr = body;
        let branches = items.into_iter().enumerate().map(|(index, item)| Run {
            label: label_of(&item, index),
            step: None,
            body: body.clone(),
            item: Some((variable.clone(), item)),
            position: body.position(),
        });
        let fork = Fork { limit, race: false, labelled: true };
        run_branches(context, fork, distinct(branches.collect()), place)?
    };
    Ok(values.into())
}

/// What one branch evaluates.
struct Run {
    label: String,
    step: Option<(String, Vec<String>)>,
    body: Expr,
    item: Option<(String, Dynamic)>,
    position: rhai::Position,
}

fn statements<'b>(body: &'b Expression) -> &'b [Stmt] {
    match &**body {
        Expr::Stmt(block) => block.statements(),
        _ => &[],
    }
}

/// The step that a statement consists of, and what it comes after.
fn step_of(statement: &Stmt) -> Option<(String, Vec<String>)> {
    let Stmt::Expr(expr) = statement else {
        return None;
    };
    let Expr::Custom(custom, _) = &**expr else {
        return None;
    };
    let name = Expression::from(custom.inputs.first()?).get_string_value()?.to_owned();
    (custom.tokens.first().is_some_and(|keyword| keyword == "step")).then(|| (name, Clauses::of(&custom.state).after))
}

fn iterate(context: &EvalContext, items: Dynamic, expression: &Expression) -> Outcome<Vec<Dynamic>> {
    if let Some(list) = items.read_lock::<rhai::Array>() {
        return Ok(list.clone());
    }
    if let Some(range) = items.read_lock::<std::ops::Range<i64>>() {
        return Ok(range.clone().map(Dynamic::from).collect());
    }
    if let Some(range) = items.read_lock::<std::ops::RangeInclusive<i64>>() {
        return Ok(range.clone().map(Dynamic::from).collect());
    }
    let kind = with_article(items.type_name());
    let fault = Fault::new(Kind::Usage, format!("`parallel for` goes over a list or a range, not {kind}"))
        .hint("count with a range, `parallel for i in 0..5`; `?? []` goes over nothing if the list may be absent");
    Err(raise_at(fault, context, expression.position()))
}

fn limit(context: &mut EvalContext, expression: &Expression) -> Outcome<usize> {
    let value = expression.eval_with_context(context)?;
    match value.as_int().ok().and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0) {
        Some(limit) => Ok(limit),
        None => {
            let fault = Fault::new(Kind::Usage, format!("`limit` is a number from 1, not `{value}`"))
                .hint("leave `limit` out to run all branches at once");
            Err(raise_at(fault, context, expression.position()))
        }
    }
}

fn label_of(item: &Dynamic, index: usize) -> String {
    value::label(item).unwrap_or_else(|| index.to_string())
}

/// Two branches with one label would share the paths of their steps: they are told apart by their numbers.
fn distinct(mut runs: Vec<Run>) -> Vec<Run> {
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for run in &mut runs {
        let times = seen.entry(run.label.clone()).or_default();
        *times += 1;
        if *times > 1 {
            run.label = format!("{}.{}", run.label, times);
        }
    }
    runs
}

fn run_branches(context: &mut EvalContext, fork: Fork, runs: Vec<Run>, place: Place) -> Outcome<rhai::Array> {
    let around = Context::of_tag(context.tag());
    let mut global = context.global_runtime_state().clone();
    // The loop variable moves the places of variables that the parser counted.
    global.always_search_scope = true;
    let scope = with_own_values(context.scope());
    let outer = outer_variables(&scope, &runs);
    let engine = context.engine();
    let source = context.source().unwrap_or_default().to_owned();

    let changes = Mutex::new(Vec::new());
    let labels: Vec<String> = runs.iter().map(|run| run.label.clone()).collect();
    let branches = runs.into_iter().enumerate().map(|(index, run)| {
        let (global, scope, outer, changes) = (global.clone(), scope.clone(), &outer, &changes);
        let (step, after) = run.step.unzip();
        Branch {
            label: run.label,
            step,
            after: after.unwrap_or_default(),
            place: Place::new(source.clone(), run.position),
            body: Box::new(move || {
                let (value, scope) = evaluate(engine, global, scope, &run.body, run.item)?;
                let mut changes = changes.lock().unwrap_or_else(PoisonError::into_inner);
                for (name, before) in outer {
                    let now = scope.get(name).map(|value| value.clone().flatten());
                    if let Some(now) = now.filter(|now| value::plain_fingerprint(now) != *before) {
                        changes.push((index, name.clone(), now));
                    }
                }
                Ok(value)
            }),
        }
    });
    let values = around.conductor().fork(fork, branches.collect(), place.clone())?;

    let mut changes = changes.into_inner().unwrap_or_else(PoisonError::into_inner);
    changes.sort_by(|a, b| (&a.1, a.0).cmp(&(&b.1, b.0)));
    for pair in changes.windows(2) {
        if let [(first, name, _), (second, other, _)] = pair
            && name == other
        {
            let (first, second) = (&labels[*first], &labels[*second]);
            let message = format!("branches `{first}` and `{second}` both set `{name}`");
            let hint = "let each branch give its value: `let values = parallel for … { … };`";
            let fault = Fault { place: Some(place), ..Fault::new(Kind::Script, message).hint(hint) };
            return Err(EvalAltResult::ErrorRuntime(Dynamic::from(fault), rhai::Position::NONE).into());
        }
    }
    for (_, name, value) in changes {
        if let Some(variable) = context.scope_mut().get_mut(&name) {
            assign(variable, value);
        }
    }
    Ok(values.into_iter().map(|(_, value)| value).collect())
}

/// The scope as a branch has it: a variable that some closure has captured is one value for all who use it, and two
/// branches can't use that at once. So each has a value of its own, and what it changes is brought back.
fn with_own_values<'s>(scope: &Scope<'s>) -> Scope<'s> {
    let mut own = scope.clone();
    for (name, _, _) in scope.iter_raw().filter(|(_, _, value)| value.is_shared()) {
        if let Some(variable) = own.get_mut(name) {
            *variable = variable.flatten_clone();
        }
    }
    own
}

/// Sets a variable, for closures that have captured it, too.
fn assign(variable: &mut Dynamic, value: Dynamic) {
    match variable.is_shared() {
        true => *variable.write_lock::<Dynamic>().expect("a shared value can be any value") = value,
        false => *variable = value,
    }
}

/// The variables around the branches that one of them mentions, as fingerprints.
fn outer_variables(scope: &Scope, runs: &[Run]) -> Vec<(String, String)> {
    let mut names: Vec<String> = runs.iter().flat_map(|run| mentioned(&Expression::from(&run.body))).collect();
    names.sort();
    names.dedup();
    let outer = names.into_iter().filter_map(|name| {
        let fingerprint = value::plain_fingerprint(scope.get(&name)?);
        Some((name, fingerprint))
    });
    outer.collect()
}

fn evaluate<'s>(
    engine: &Engine,
    mut global: GlobalRuntimeState,
    mut scope: Scope<'s>,
    body: &Expr,
    item: Option<(String, Dynamic)>,
) -> Outcome<(Dynamic, Scope<'s>)> {
    let outside = scope.len();
    if let Some((name, item)) = item {
        scope.push_dynamic(name, item);
    }
    let mut caches = Caches::new();
    let mut context = EvalContext::new(engine, &mut global, &mut caches, &mut scope, None);
    let value = block::evaluate(&mut context, &Expression::from(body))?;
    scope.rewind(outside);
    Ok((value, scope))
}

/// Runs closures side by side until the first has finished; the others are stopped.
pub fn race(context: &NativeCallContext, runners: Vec<(String, FnPtr)>) -> Outcome<(usize, Dynamic)> {
    let around = context.context();
    let global = context.global_runtime_state().clone();
    let engine = context.engine();
    let place = Place::new(context.call_source().unwrap_or_default(), context.call_position());
    let position = context.call_position();
    let captured: Vec<Vec<Captured>> = runners.iter().map(|(_, runner)| captured(runner)).collect();
    let branches = runners.into_iter().zip(&captured).map(|((label, mut runner), captured)| {
        let (global, place) = (global.clone(), place.clone());
        runner.set_curry(captured.iter().map(|variable| variable.own.clone()));
        Branch {
            label,
            step: None,
            after: Vec::new(),
            place,
            body: Box::new(move || {
                let call = NativeCallContext::from((engine, "race", None, &global, position));
                runner.call_within_context(&call, ())
            }),
        }
    });
    let fork = Fork { limit: None, race: true, labelled: true };
    let mut values = around.conductor().fork(fork, branches.collect(), place)?;
    let (winner, value) = values.pop().expect("a race that did not fail has a winner");
    for mut variable in captured.into_iter().nth(winner).unwrap_or_default() {
        let now = variable.own.flatten_clone();
        if value::plain_fingerprint(&now) != variable.before {
            assign(&mut variable.original, now);
        }
    }
    Ok((winner, value))
}

/// A variable that a closure has captured, and what the closure is given in its place: a value of its own, since two
/// closures can't use one at once. What the winner of a race has changed is brought back.
struct Captured {
    original: Dynamic,
    own: Dynamic,
    before: String,
}

fn captured(runner: &FnPtr) -> Vec<Captured> {
    let captured = runner.iter_curry().map(|original| Captured {
        before: value::plain_fingerprint(original),
        own: original.flatten_clone().into_shared(),
        original: original.clone(),
    });
    captured.collect()
}

/// The closures of a race, from a list or a map, with their labels.
pub fn runners(call: &NativeCallContext, given: Dynamic) -> Outcome<Vec<(String, FnPtr)>> {
    let listed: Vec<(String, Dynamic)> = match (given.read_lock::<rhai::Array>(), given.read_lock::<Map>()) {
        (Some(list), _) => list.iter().enumerate().map(|(index, item)| (index.to_string(), item.clone())).collect(),
        (_, Some(map)) => map.iter().map(|(name, item)| (name.to_string(), item.clone())).collect(),
        _ => Vec::new(),
    };
    if listed.is_empty() {
        let fault = Fault::new(Kind::Usage, "`race` takes a list or a map of closures, and at least one");
        return Err(call.raise(fault.hint("`race([|| first(), || second()])`")));
    }
    let runners = listed.into_iter().map(|(label, item)| {
        let kind = item.type_name();
        item.try_cast::<FnPtr>().map(|runner| (label, runner)).ok_or_else(|| {
            call.raise(Fault::new(Kind::Usage, format!("`race` takes closures `|| …`, and was given {kind}")))
        })
    });
    runners.collect()
}
