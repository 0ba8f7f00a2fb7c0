//! Devices that pods can claim: their classes, and the claims.
//!
//! Nobody gives devices away here: what claims say is checked and kept, and pods with claims are not scheduled.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    Rules,
    field::{Field, formed, one_of, required},
    fill::{default, items},
    form, structures,
};
use crate::kubernetes::{
    answer::{Cause, Refusal},
    cluster::Cluster,
    custom::cel::Expression,
};

/// Sorts of devices.
pub struct Classes;

/// What somebody wants of them.
pub struct Claims;

/// What claims of pods are made from.
pub struct Templates;

/// How many of a sort there may be.
const MOST: usize = 32;
const MOST_CHOICES: usize = 8;
const MOST_CONSUMERS: usize = 256;

impl Rules for Classes {
    fn allot(
        &self,
        class: &mut Value,
        _there: Option<&Value>,
        _cluster: &Cluster,
        _dry_run: bool,
    ) -> Result<(), Refusal> {
        readable(class["spec"].get("selectors"))
    }

    fn check(&self, class: &Value) -> Vec<Cause> {
        let spec = Field::of(class, "spec");
        let mut wrong = each(&spec.at("selectors"), MOST, selector);
        wrong.extend(each(&spec.at("config"), MOST, configuration));
        let name = spec.at("extendedResourceName");
        if name.is_set() && !is_extended_resource(name.text()) {
            wrong.push(name.invalid("must be a valid extended resource name"));
        }
        wrong
    }

    fn counts_generations(&self) -> bool {
        true
    }

    fn shows_deleted(&self) -> bool {
        true
    }
}

impl Rules for Claims {
    fn fill_in(&self, claim: &mut Value) {
        fill_in(&mut claim["spec"]);
    }

    fn allot(
        &self,
        claim: &mut Value,
        there: Option<&Value>,
        _cluster: &Cluster,
        _dry_run: bool,
    ) -> Result<(), Refusal> {
        if there.is_some() { Ok(()) } else { modelled(&claim["spec"]) }
    }

    fn check(&self, claim: &Value) -> Vec<Cause> {
        devices(&Field::of(claim, "spec.devices"))
    }

    fn check_over(&self, claim: &Value, there: &Value) -> Vec<Cause> {
        Vec::from_iter(same(&Field::of(claim, "spec"), &Field::of(there, "spec"), "ResourceClaimSpec"))
    }

    fn check_part(&self, _part: &str, claim: &Value, there: &Value) -> Vec<Cause> {
        status(claim, there)
    }

    fn leaves(&self, part: &str) -> Vec<&str> {
        match part {
            "" => vec!["status"],
            _ => vec!["metadata", "spec"],
        }
    }

    fn shows_deleted(&self) -> bool {
        true
    }
}

impl Rules for Templates {
    fn fill_in(&self, template: &mut Value) {
        fill_in(&mut template["spec"]["spec"]);
    }

    fn allot(
        &self,
        template: &mut Value,
        there: Option<&Value>,
        _cluster: &Cluster,
        _dry_run: bool,
    ) -> Result<(), Refusal> {
        if there.is_some() { Ok(()) } else { modelled(&template["spec"]["spec"]) }
    }

    fn check(&self, template: &Value) -> Vec<Cause> {
        devices(&Field::of(template, "spec.spec.devices"))
    }

    fn check_over(&self, template: &Value, there: &Value) -> Vec<Cause> {
        Vec::from_iter(same(&Field::of(template, "spec"), &Field::of(there, "spec"), "ResourceClaimTemplateSpec"))
    }

    fn shows_deleted(&self) -> bool {
        true
    }
}

/// The requests of a claim that name a class, those among which one is chosen, too.
fn requests(spec: &mut Value) -> impl Iterator<Item = &mut Value> {
    items(&mut spec["devices"], "requests").flat_map(|request| {
        let fields = request.as_object_mut().into_iter().flatten();
        fields.flat_map(|(field, value)| match (field.as_str(), value) {
            ("exactly", exactly @ Value::Object(_)) => vec![exactly],
            ("firstAvailable", Value::Array(choices)) => choices.iter_mut().collect(),
            _ => Vec::new(),
        })
    })
}

fn fill_in(spec: &mut Value) {
    if !spec["devices"].is_object() {
        return;
    }
    for request in requests(spec) {
        default(request, "allocationMode", "ExactCount");
        if request["allocationMode"] == "ExactCount" && request["count"].as_i64().unwrap_or_default() == 0 {
            request["count"] = json!(1);
        }
        items(request, "tolerations").for_each(|toleration| default(toleration, "operator", "Equal"));
    }
}

/// # Errors
/// For what has no model: selectors that can't be read, and access beside all allocations.
fn modelled(spec: &Value) -> Result<(), Refusal> {
    let mut spec = spec.clone();
    if !spec["devices"].is_object() {
        return Ok(());
    }
    for request in requests(&mut spec) {
        if request["adminAccess"] == true {
            return Err(Refusal::not_modelled("`adminAccess` of claims for devices"));
        }
        readable(request.get("selectors"))?;
    }
    Ok(())
}

fn readable(selectors: Option<&Value>) -> Result<(), Refusal> {
    let selectors = selectors.and_then(Value::as_array).into_iter().flatten();
    for expression in selectors.filter_map(|selector| selector.pointer("/cel/expression")?.as_str()) {
        let read = Expression::read(expression);
        if read.wrong().is_some() {
            return Err(Refusal::not_modelled(format!("what is wrong with the selector of devices `{expression}`")));
        }
    }
    Ok(())
}

fn is_extended_resource(name: &str) -> bool {
    name.contains('/')
        && !name.contains("kubernetes.io/")
        && !name.starts_with("requests.")
        && form::qualified_name(&format!("requests.{name}")).is_empty()
}

/// What is wrong with each of a list, which has no more than so many.
fn each(list: &Field<'_>, most: usize, check: impl Fn(&Field<'_>) -> Vec<Cause>) -> Vec<Cause> {
    if list.len() > most {
        return vec![Cause::too_many(&list.path, list.len(), most)];
    }
    list.items().flat_map(|item| check(&item)).collect()
}

/// The same for a list that has nothing twice.
fn each_once(list: &Field<'_>, most: usize, key: &str, check: impl Fn(&Field<'_>) -> Vec<Cause>) -> Vec<Cause> {
    let mut wrong = each(list, most, check);
    let mut known = BTreeSet::new();
    for item in list.items() {
        let own = if key.is_empty() { item } else { item.at(key) };
        if !known.insert(own.text().to_owned()) {
            wrong.push(own.duplicate());
        }
    }
    wrong
}

/// It is as it was.
fn same(field: &Field<'_>, before: &Field<'_>, structure: &str) -> Option<Cause> {
    let shown = || structures::shown(field.value, structure);
    (field.value != before.value).then(|| field.with(&shown()).invalid("field is immutable"))
}

fn selector(selector: &Field<'_>) -> Vec<Cause> {
    Vec::from_iter(required(&selector.at("cel"), ""))
}

fn configuration(configuration: &Field<'_>) -> Vec<Cause> {
    let opaque = configuration.at("opaque");
    if !opaque.is_set() {
        return vec![opaque.required("")];
    }
    let mut wrong = driver(&opaque.at("driver"));
    let parameters = opaque.at("parameters");
    if !parameters.is_set() {
        wrong.push(parameters.required(""));
    }
    wrong
}

fn driver(driver: &Field<'_>) -> Vec<Cause> {
    match required(driver, "") {
        Some(missing) => vec![missing],
        None if driver.text().len() > 63 => vec![Cause::too_long(&driver.path, 63)],
        None => formed(driver, form::lowered_subdomain),
    }
}

/// Of each request its choices.
type Names<'n> = BTreeMap<&'n str, BTreeSet<&'n str>>;

fn names<'n>(devices: &Field<'n>) -> Names<'n> {
    let named = |request: Field<'n>| {
        let choices = request.at("firstAvailable").items().map(|choice| choice.at("name").text()).collect();
        (request.at("name").text(), choices)
    };
    devices.at("requests").items().map(named).collect()
}

fn devices(devices: &Field<'_>) -> Vec<Cause> {
    let names = names(devices);
    let refers = |name: &Field<'_>| reference(name, &names);
    let mut wrong = each_once(&devices.at("requests"), MOST, "name", request);
    wrong.extend(each(&devices.at("constraints"), MOST, |constraint| {
        let mut wrong = each_once(&constraint.at("requests"), MOST, "", refers);
        let attributes = ["matchAttribute", "distinctAttribute"].map(|field| constraint.at(field));
        if attributes.iter().all(|attribute| !attribute.is_set()) {
            let why =
                r#"exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set"#;
            wrong.push(constraint.required(why));
        }
        wrong
    }));
    wrong.extend(each(&devices.at("config"), MOST, |config| {
        let mut wrong = each_once(&config.at("requests"), MOST, "", refers);
        wrong.extend(configuration(config));
        wrong
    }));
    wrong
}

/// The name of a request, or of one of its choices: `gpu`, `gpu/large`.
fn reference(name: &Field<'_>, names: &Names<'_>) -> Vec<Cause> {
    const WHY: &str =
        "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
    let parts: Vec<&str> = name.text().split('/').collect();
    if parts.len() > 2 {
        return vec![name.invalid(WHY)];
    }
    let mut wrong: Vec<Cause> = Vec::new();
    for part in &parts {
        wrong.extend(form::label(part).iter().map(|why| Cause::invalid(&name.path, &json!(part), why)));
    }
    let is_known = match parts.as_slice() {
        [request, choice] => names.get(request).is_some_and(|choices| choices.contains(choice)),
        _ => names.contains_key(name.text()),
    };
    if !is_known {
        wrong.push(name.invalid(WHY));
    }
    wrong
}

fn request(request: &Field<'_>) -> Vec<Cause> {
    let mut wrong = formed(&request.at("name"), form::label);
    let (exactly, choices) = (request.at("exactly"), request.at("firstAvailable"));
    match (exactly.is_set(), !choices.is_empty()) {
        (false, false) => {
            wrong.push(request.required("exactly one of `exactly` or `firstAvailable` is required"));
        }
        (true, true) => {
            let why = "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set";
            wrong.push(Cause::invalid(&request.path, &Value::Null, why));
        }
        (true, false) => wrong.extend(wish(&exactly)),
        (false, true) => wrong.extend(each_once(&choices, MOST_CHOICES, "name", |choice| {
            let mut wrong = formed(&choice.at("name"), form::label);
            wrong.extend(wish(choice));
            wrong
        })),
    }
    wrong
}

/// How many devices of which class.
fn wish(wish: &Field<'_>) -> Vec<Cause> {
    let [class, mode, count] = ["deviceClassName", "allocationMode", "count"].map(|field| wish.at(field));
    let mut wrong = match required(&class, "") {
        Some(missing) => vec![missing],
        None => formed(&class, form::subdomain),
    };
    wrong.extend(each(&wish.at("selectors"), MOST, selector));
    let amount = count.number().unwrap_or_default();
    match mode.text() {
        "All" if amount != 0 => wrong.push(count.invalid("must not be specified when allocationMode is 'All'")),
        "ExactCount" if amount <= 0 => wrong.push(count.invalid("must be greater than zero")),
        _ => wrong.extend(one_of(&mode, &["All", "ExactCount"])),
    }
    wrong
}

fn status(claim: &Value, there: &Value) -> Vec<Cause> {
    let status = Field::of(claim, "status");
    let (reserved, allocation) = (status.at("reservedFor"), status.at("allocation"));
    let names = names(&Field::of(claim, "spec.devices"));
    let mut wrong = each_once(&reserved, MOST_CONSUMERS, "uid", |consumer| {
        ["resource", "name", "uid"].iter().filter_map(|field| required(&consumer.at(field), "")).collect()
    });
    if !reserved.is_empty() && !allocation.is_set() {
        wrong.push(reserved.forbidden("may not be specified when `allocated` is not set"));
    }
    let before = Field::of(there, "status.allocation");
    if before.is_set() && allocation.is_set() {
        wrong.extend(same(&allocation, &before, "AllocationResult"));
        return wrong;
    }
    wrong.extend(each(&allocation.at("devices").at("results"), MOST, |result| {
        let mut wrong = reference(&result.at("request"), &names);
        wrong.extend(driver(&result.at("driver")));
        wrong.extend(required(&result.at("pool"), ""));
        wrong.extend(formed(&result.at("device"), form::label));
        wrong
    }));
    wrong
}
