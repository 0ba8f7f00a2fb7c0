//! Policies that change a write: expressions make what is laid on its object, or the steps that are taken on it.
//!
//! The mutations of a policy follow one another, each on what the last one made. Policies that want that are asked once more if
//! anything was changed.

use std::thread;

use serde_json::Value;

use super::{
    Attempt,
    policies::{self, Bound, CHANGING},
};
use crate::kubernetes::{
    answer::Refusal,
    custom::cel::{Expression, Known, Made},
    decoding::{self, Body},
    ownership,
    patch::json::{Misfit, Operation},
    schema::{ListMerge, Shape, Typed},
};

/// How many bytes an expression may take while it is read and asked.
const ROOM: usize = 64 << 20;

/// Why a mutation changes nothing.
enum Failure {
    /// The policy failed, and says whether that matters.
    Policy(String),
    Refusal(Refusal),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refusal(refusal)
    }
}

/// True if a policy wants to be asked again about what others change later.
///
/// # Errors
/// If a policy that has to can't change the object; 501 for what of policies has no model.
pub fn change(attempt: &Attempt<'_>, object: &mut Value) -> Result<bool, Refusal> {
    let policies = policies::bound(&CHANGING, attempt, object);
    let wants_more = |bound: &&Bound| bound.policy["spec"]["reinvocationPolicy"] == "IfNeeded";
    let again: Vec<&Bound> = policies.iter().filter(wants_more).collect();
    let given = (!again.is_empty()).then(|| object.clone());
    carry_out(attempt, object, &policies.iter().collect::<Vec<_>>())?;
    if given.is_some_and(|given| given != *object) {
        carry_out(attempt, object, &again)?;
    }
    Ok(!again.is_empty())
}

/// Carries out one policy after the other.
fn carry_out(attempt: &Attempt<'_>, object: &mut Value, policies: &[&Bound]) -> Result<(), Refusal> {
    let mut failed = Vec::new();
    for bound in policies {
        let variables = bound.variables(attempt, object)?;
        if !bound.meets_conditions(&variables.with(&policies::known(attempt, object)))? {
            continue;
        }
        for mutation in bound.entries("mutations") {
            let names = variables.with(&policies::known(attempt, object));
            match mutated(attempt, object, mutation, &names) {
                Ok(mutated) => *object = mutated,
                Err(Failure::Refusal(refusal)) => return Err(refusal),
                Err(Failure::Policy(why)) if bound.fails() => {
                    let (name, binding) = (bound.name(), bound.binding_name());
                    failed.push(format!("policy '{name}' with binding '{binding}' denied request: {why}"));
                }
                Err(Failure::Policy(_)) => {}
            }
        }
    }
    let kind = attempt.kind;
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Refusal::by_mutations((&kind.resource, &kind.group, attempt.name), &failed)),
    }
}

fn mutated(attempt: &Attempt<'_>, object: &Value, mutation: &Value, names: &[(&str, Known)]) -> Result<Value, Failure> {
    let text = |form: &str| mutation[form]["expression"].as_str().unwrap_or_default();
    let mut mutated = match mutation["patchType"].as_str() {
        Some("JSONPatch") => stepped(object, made(text("jsonPatch"), names)?)?,
        _ => laid(attempt, object, made(text("applyConfiguration"), names)?)?,
    };
    if attempt.kind.built_in() {
        let mut body = Body::of(mutated);
        let read = body.read_as(attempt.kind.schema().root(), &attempt.kind.kind);
        read.map_err(|why| Refusal::internal(&why))?;
        mutated = body.value;
    }
    attempt.kind.normalise(&mut mutated);
    if let Some(rules) = attempt.kind.rules() {
        rules.fill_in(&mut mutated);
    }
    Ok(mutated)
}

/// What an expression makes. Objects within objects are read and made one within the other, which takes more room than threads have.
fn made(text: &str, names: &[(&str, Known)]) -> Result<Made, Failure> {
    thread::scope(|scope| {
        let asked = thread::Builder::new().stack_size(ROOM).spawn_scoped(scope, || asked(text, names));
        asked.expect("there is room for one more thread").join().expect("expressions have values or fail")
    })
}

fn asked(text: &str, names: &[(&str, Known)]) -> Result<Made, Failure> {
    let expression = Expression::making(text);
    if let Some(what) = expression.not_modelled() {
        return Err(Refusal::not_modelled(what).into());
    }
    let failed = |error| Failure::Policy(format!("expression '{text}' resulted in error: {error}"));
    let value = expression.ask_of(names).map_err(failed)?;
    Made::of(&value).map_err(|what| Refusal::not_modelled(format!("{what} in the mutation `{text}`")).into())
}

/// The object with a configuration laid on it, as if somebody applied it, but that it belongs to nobody.
fn laid(attempt: &Attempt<'_>, object: &Value, made: Made) -> Result<Value, Failure> {
    made.named_by_fields("Object").map_err(|why| Failure::Policy(format!("type mismatch: {why}")))?;
    let wrong = |why: String| Failure::Policy(format!("error applying patch: {why}"));
    let typed = attempt.kind.schema().root();
    let mut laid = made.value();
    laid["kind"] = attempt.kind.kind.clone().into();
    laid["apiVersion"] = attempt.kind.api_version().into();
    if let Some(why) = decoding::configured(typed, &laid) {
        return Err(wrong(format!("failed to convert patch object to typed object: {why}")));
    }
    let mut atomic = Vec::new();
    find_atomic(typed, &laid, &mut String::new(), &mut atomic);
    if !atomic.is_empty() {
        let places = atomic.join(", ");
        let why = format!("invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {places}");
        return Err(wrong(why));
    }
    ownership::merge(typed, object, &laid).map_err(|error| wrong(format!("failed to merge patch: {error}")))
}

/// The places of what would be replaced as a whole.
fn find_atomic(typed: Typed, value: &Value, place: &mut String, found: &mut Vec<String>) {
    let length = place.len();
    match (typed.shape(), value) {
        (Shape::Map(map), Value::Object(fields)) => {
            if map.atomic {
                found.push(place.clone());
            }
            for (name, value) in fields {
                if let Some(below) = typed.below(name).filter(|_| typed.names(name)) {
                    place.push_str(&format!(".{name}"));
                    find_atomic(below, value, place, found);
                    place.truncate(length);
                }
            }
        }
        (Shape::List(list), Value::Array(items)) => {
            if list.merge == ListMerge::Atomic {
                found.push(place.clone());
            }
            for (index, item) in items.iter().enumerate() {
                if let Some(below) = typed.items() {
                    place.push_str(&format!("[{index}]"));
                    find_atomic(below, item, place, found);
                    place.truncate(length);
                }
            }
        }
        _ => {}
    }
}

/// The object after steps of a JSON patch; as it is, if a test among them fails.
fn stepped(object: &Value, made: Made) -> Result<Value, Failure> {
    let Made::List(steps) = made else {
        return Err(Failure::Policy("type mismatch: JSONPatchType.expression should evaluate to array".to_owned()));
    };
    let mut stepped = object.clone();
    for step in steps {
        if let Some(value) = step.field("value") {
            value.named_by_fields("Object").map_err(|why| Failure::Policy(format!("type mismatch: {why}")))?;
        }
        let taken = Operation::read(&step.value()).map(|step| step.on(&mut stepped));
        match taken {
            Some(Ok(())) => {}
            Some(Err(Misfit::Test)) => return Ok(object.clone()),
            Some(Err(Misfit::Unfit(why))) => return Err(Failure::Policy(format!("JSON Patch: {why}"))),
            None => return Err(Refusal::not_modelled("a step of a policy that is no JSONPatch").into()),
        }
    }
    Ok(stepped)
}
