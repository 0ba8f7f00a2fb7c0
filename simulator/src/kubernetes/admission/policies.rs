//! Policies of admission: expressions that have to be true of a write.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Attempt, review};
use crate::kubernetes::{
    answer::Refusal,
    custom::cel::{Expression, Known, of_map, plain},
};

/// Nobody is asked about who is asked.
pub const EXEMPT: [&str; 6] = [
    "mutatingadmissionpolicies.admissionregistration.k8s.io",
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "validatingadmissionpolicies.admissionregistration.k8s.io",
    "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
];

/// A kind of policies, and that of their bindings.
pub struct Sort {
    policies: &'static str,
    bindings: &'static str,
}

pub const CHANGING: Sort = Sort { policies: EXEMPT[0], bindings: EXEMPT[1] };
const CHECKING: Sort = Sort { policies: EXEMPT[3], bindings: EXEMPT[4] };

/// # Errors
/// If a policy that is bound is about this write and finds it wrong; 501 for what of policies has no model.
pub fn check(attempt: &Attempt<'_>, object: &Value) -> Result<(), Refusal> {
    bound(&CHECKING, attempt, object).iter().try_for_each(|bound| hold(attempt, object, bound))
}

/// A policy that is about a write, by one of its bindings.
pub struct Bound {
    pub policy: Arc<Value>,
    pub binding: Arc<Value>,
}

/// The policies of a sort that are about a write.
pub fn bound(sort: &Sort, attempt: &Attempt<'_>, object: &Value) -> Vec<Bound> {
    if EXEMPT.contains(&&*attempt.kind.stored) {
        return Vec::new();
    }
    let is_about = |matches: &Value| is_about(matches, attempt, object);
    let bindings = attempt.all(sort.bindings, None).into_iter().filter_map(|binding| {
        let name = binding["spec"]["policyName"].as_str().unwrap_or_default();
        let policy = attempt.stored(sort.policies, "", name)?;
        let own = binding["spec"].get("matchResources");
        (is_about(&policy["spec"]["matchConstraints"]) && own.is_none_or(is_about)).then_some(Bound { policy, binding })
    });
    bindings.collect()
}

impl Bound {
    pub fn name(&self) -> &str {
        self.policy["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub fn binding_name(&self) -> &str {
        self.binding["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub fn entries(&self, list: &str) -> impl Iterator<Item = &Value> {
        self.policy["spec"][list].as_array().into_iter().flatten()
    }

    /// True if a write is refused of which the policy can't say anything.
    pub fn fails(&self) -> bool {
        self.policy["spec"]["failurePolicy"] != "Ignore"
    }

    /// The values of the policy's variables.
    ///
    /// # Errors
    /// 501 for what of the policy has no model.
    pub fn variables(&self, attempt: &Attempt<'_>, object: &Value) -> Result<Variables, Refusal> {
        if self.policy["spec"].get("paramKind").is_some() {
            return Err(Refusal::not_modelled(format!("the parameters of the policy `{}`", self.name())));
        }
        let known = known(attempt, object);
        let mut variables = Variables::default();
        for variable in self.entries("variables") {
            let text = variable["expression"].as_str().unwrap_or_default();
            // Whoever asks for one that has no value fails.
            if let Ok(value) = ask(text, &variables.with(&known))? {
                variables.0.push((variable["name"].as_str().unwrap_or_default().to_owned(), value));
            }
        }
        Ok(variables)
    }

    /// True if all conditions are met under which the policy is about a request.
    ///
    /// # Errors
    /// 501 for what of them has no model.
    pub fn meets_conditions(&self, names: &[(&str, Known)]) -> Result<bool, Refusal> {
        for condition in self.entries("matchConditions") {
            if ask(condition["expression"].as_str().unwrap_or_default(), names)? != Ok(Known::Bool(true)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What the variables of a policy are.
#[derive(Default)]
pub struct Variables(Vec<(String, Known)>);

impl Variables {
    /// They and what else expressions know by name.
    pub fn with<'n>(&self, known: &[(&'n str, Known)]) -> Vec<(&'n str, Known)> {
        [known, &[("variables", of_map(self.0.clone()))]].concat()
    }
}

fn is_about(matches: &Value, attempt: &Attempt<'_>, object: &Value) -> bool {
    let rules = &matches["resourceRules"];
    (rules.is_null() || review::is_named(rules, attempt))
        && !review::is_named(&matches["excludeResourceRules"], attempt)
        && review::is_selected(matches, attempt, object)
}

/// Holds a write against the expressions of a policy.
fn hold(attempt: &Attempt<'_>, object: &Value, bound: &Bound) -> Result<(), Refusal> {
    let names = bound.variables(attempt, object)?.with(&known(attempt, object));
    if !bound.meets_conditions(&names)? {
        return Ok(());
    }
    let name = bound.name();
    for validation in bound.entries("validations") {
        let text = validation["expression"].as_str().unwrap_or_default().trim();
        let why = match ask(text, &names)? {
            Ok(Known::Bool(true)) => continue,
            Ok(_) => message(validation, text, &names)?,
            Err(_) if !bound.fails() => continue,
            Err(error) => format!("expression '{text}' resulted in error: {error}"),
        };
        let actions = bound.binding["spec"]["validationActions"].as_array();
        let has = |action: &str| actions.is_some_and(|actions| actions.iter().any(|known| known == action));
        if has("Deny") {
            let binding = bound.binding_name();
            let why = format!("ValidatingAdmissionPolicy '{name}' with binding '{binding}' denied request: {why}");
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
