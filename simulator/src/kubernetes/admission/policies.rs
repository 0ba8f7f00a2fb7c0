//! Policies of admission: expressions that have to be true of a write.

use serde_json::{Value, json};

use super::{Attempt, review};
use crate::kubernetes::{
    answer::Refusal,
    custom::cel::{Expression, Known, of_map, plain},
};

const POLICIES: &str = "validatingadmissionpolicies.admissionregistration.k8s.io";
const BINDINGS: &str = "validatingadmissionpolicybindings.admissionregistration.k8s.io";

/// # Errors
/// If a policy that is bound is about this write and finds it wrong; 501 for what of policies has no model.
pub fn check(attempt: &Attempt<'_>, object: &Value) -> Result<(), Refusal> {
    if [POLICIES, BINDINGS].contains(&&*attempt.kind.stored) {
        return Ok(());
    }
    for binding in attempt.all(BINDINGS, None) {
        let name = binding["spec"]["policyName"].as_str().unwrap_or_default();
        let Some(policy) = attempt.stored(POLICIES, "", name) else { continue };
        let own = binding["spec"].get("matchResources");
        let spec = &policy["spec"];
        if is_about(&spec["matchConstraints"], attempt, object) && own.is_none_or(|own| is_about(own, attempt, object))
        {
            hold(attempt, object, &binding, &policy)?;
        }
    }
    Ok(())
}

fn is_about(matches: &Value, attempt: &Attempt<'_>, object: &Value) -> bool {
    let rules = &matches["resourceRules"];
    (rules.is_null() || review::is_named(rules, attempt))
        && !review::is_named(&matches["excludeResourceRules"], attempt)
        && review::is_selected(matches, attempt, object)
}

/// Holds a write against the expressions of a policy.
fn hold(attempt: &Attempt<'_>, object: &Value, binding: &Value, policy: &Value) -> Result<(), Refusal> {
    let (name, spec) = (policy["metadata"]["name"].as_str().unwrap_or_default(), &policy["spec"]);
    if spec.get("paramKind").is_some() {
        return Err(Refusal::not_modelled(format!("the parameters of the policy `{name}`")));
    }
    let fails = spec["failurePolicy"] != "Ignore";
    let known = known(attempt, object);
    let with =
        |variables: &[(String, Known)]| [known.clone(), vec![("variables", of_map(variables.to_vec()))]].concat();
    let entries = |list: &str| spec[list].as_array().into_iter().flatten();
    let mut variables = Vec::new();
    for variable in entries("variables") {
        let text = variable["expression"].as_str().unwrap_or_default();
        // Whoever asks for one that has no value fails.
        if let Ok(value) = ask(text, &with(&variables))? {
            variables.push((variable["name"].as_str().unwrap_or_default().to_owned(), value));
        }
    }
    let names = with(&variables);
    for condition in entries("matchConditions") {
        if ask(condition["expression"].as_str().unwrap_or_default(), &names)? != Ok(Known::Bool(true)) {
            return Ok(());
        }
    }
    for validation in entries("validations") {
        let text = validation["expression"].as_str().unwrap_or_default().trim();
        let why = match ask(text, &names)? {
            Ok(Known::Bool(true)) => continue,
            Ok(_) => message(validation, text, &names)?,
            Err(_) if !fails => continue,
            Err(error) => format!("expression '{text}' resulted in error: {error}"),
        };
        let actions = binding["spec"]["validationActions"].as_array();
        let has = |action: &str| actions.is_some_and(|actions| actions.iter().any(|known| known == action));
        if has("Deny") {
            let bound = binding["metadata"]["name"].as_str().unwrap_or_default();
            let why = format!("ValidatingAdmissionPolicy '{name}' with binding '{bound}' denied request: {why}");
            return Err(attempt.forbidden(&why).by_policy(&why, validation["reason"].as_str().unwrap_or("Invalid")));
        }
        if has("Warn") {
            return Err(Refusal::not_modelled(format!("warnings of the policy `{name}`")));
        }
    }
    Ok(())
}

fn message(validation: &Value, text: &str, names: &[(&str, Known)]) -> Result<String, Refusal> {
    if let Some(expression) = validation["messageExpression"].as_str()
        && let Ok(Known::String(told)) = ask(expression, names)?
    {
        return Ok(told.trim().to_owned());
    }
    Ok(match validation["message"].as_str().filter(|message| !message.is_empty()) {
        Some(message) => message.trim().to_owned(),
        None => format!("failed expression: {text}"),
    })
}

/// What expressions know by name.
pub fn known<'n>(attempt: &Attempt<'_>, object: &Value) -> Vec<(&'n str, Known)> {
    let request = review::of(attempt, object)["request"].take();
    let namespace = attempt.stored("namespaces", "", attempt.namespace);
    vec![
        ("object", plain(&request["object"])),
        ("oldObject", plain(&request["oldObject"])),
        ("namespaceObject", plain(namespace.as_deref().unwrap_or(&Value::Null))),
        ("params", Known::Null),
        ("request", plain(&without(request, &["object", "oldObject"]))),
    ]
}

fn without(mut request: Value, fields: &[&str]) -> Value {
    fields.iter().for_each(|field| request[*field] = json!(null));
    request
}

/// What an expression is, or why it can't be said.
pub fn ask(text: &str, names: &[(&str, Known)]) -> Result<Result<Known, String>, Refusal> {
    let expression = Expression::read(text);
    match expression.not_modelled() {
        Some(what) => Err(Refusal::not_modelled(what)),
        None => Ok(expression.ask_of(names)),
    }
}
