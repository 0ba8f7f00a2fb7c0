//! Deleting: at once, after a grace period, or when whoever holds an object lets it go.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Write;
use crate::kubernetes::{
    admission::{self, Operation},
    answer::{Cause, Refusal},
    decoding::{self, Again},
    kinds,
    list::{list, options::Options},
    read::Selection,
    rules::Rules,
};

const ORPHAN: &str = "orphan";
/// Of which the pods stay unless somebody says otherwise, which surprises people.
const JOBS: &str = "jobs.batch";
const FOREGROUND: &str = "foregroundDeletion";

/// How something is to be deleted.
struct Manner {
    grace: Option<i64>,
    /// `Foreground`, `Background` or `Orphan`.
    propagation: Option<String>,
    /// The same in older words.
    orphan_dependents: Option<bool>,
    uid: Option<String>,
    version: Option<String>,
    dry_run: bool,
}

/// What became of something that was to be deleted.
enum Outcome {
    Gone(Arc<Value>),
    /// It is marked, and something or somebody has to finish it.
    Marked(Arc<Value>),
    /// It was marked before, and that doesn't change.
    Pending(Arc<Value>),
}

impl Write<'_> {
    /// # Errors
    /// If it is not there, or what was expected of it is not so.
    pub async fn delete(&self, name: &str) -> Result<(u16, Value), Refusal> {
        let rules = self.rules("delete")?;
        let options = self.options()?;
        let outcome = self.deleted(name, &options).await?;
        let code = match outcome {
            Outcome::Marked(_) | Outcome::Pending(_) if options.orphan_dependents == Some(false) => 202,
            _ => 200,
        };
        let answer = match &outcome {
            Outcome::Marked(object) => self.seen(object)?,
            Outcome::Gone(object) | Outcome::Pending(object) if rules.shows_deleted() => self.seen(object)?,
            Outcome::Gone(object) | Outcome::Pending(object) => self.farewell(&object["metadata"]),
        };
        Ok((code, answer))
    }

    /// Deletes everything that is selected.
    ///
    /// # Errors
    /// As for [`Write::delete`].
    pub async fn delete_all(&self) -> Result<(u16, Value), Refusal> {
        self.rules("delete")?;
        let namespace = self.namespace.map(str::to_owned);
        let (selection, options) = Selection::read(self.request, self.kind, namespace, Options::of_list)?;
        let list = list(self.cluster, self.kind, &selection, &options).await?;
        let options = self.options()?;
        for object in &list.objects {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            match self.deleted(name, &options).await {
                Err(refusal) if refusal.code != 404 => return Err(refusal),
                _ => {}
            }
        }
        Ok((200, list.written(self.kind)))
    }

    fn options(&self) -> Result<Manner, Refusal> {
        let options = self.given_options()?;
        if &*self.kind.stored == JOBS && options.propagation.is_none() && options.orphan_dependents.is_none() {
            self.request.warn(
                "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them \
                 or set propagationPolicy=Orphan to suppress this warning",
            );
        }
        Ok(options)
    }

    fn given_options(&self) -> Result<Manner, Refusal> {
        let request = self.request;
        let body = match request.body.is_empty() {
            true => Value::Null,
            false => {
                let (mut body, said) = decoding::body(request, "DeleteOptions", Again::Joins).map_err(unwrapped)?;
                let said = said.or("v1", "DeleteOptions");
                if said.kind != "DeleteOptions" {
                    return Err(Refusal::bad_request(decoding::unregistered(&said)));
                }
                body.read_as(kinds::delete_options().root(), "DeleteOptions").map_err(Refusal::bad_request)?;
                body.value
            }
        };
        let given = |field: &str| match &body {
            Value::Null => {
                request.parameter(field).map(|text| serde_json::from_str(text).unwrap_or_else(|_| json!(text)))
            }
            body => body.get(field).filter(|value| !value.is_null()).cloned(),
        };
        let text = |value: Option<Value>| value.and_then(|value| Some(value.as_str()?.to_owned()));
        let dry_run = match &body {
            Value::Null => request.parameters("dryRun").map(|values| json!(values)),
            body => body.get("dryRun").filter(|dry_run| dry_run.as_array().is_some_and(|all| !all.is_empty())).cloned(),
        };
        let options = Manner {
            grace: given("gracePeriodSeconds").and_then(|seconds| seconds.as_i64()),
            propagation: text(given("propagationPolicy")),
            orphan_dependents: given("orphanDependents").and_then(|orphan| orphan.as_bool()),
            uid: text(body.pointer("/preconditions/uid").cloned()),
            version: text(body.pointer("/preconditions/resourceVersion").cloned()),
            dry_run: dry_run.is_some(),
        };
        let mut wrong = Vec::new();
        if let Some(policy) = &options.propagation {
            if options.orphan_dependents.is_some() {
                let why = "orphanDependents and deletionPropagation cannot be both set";
                wrong.push(Cause::invalid("propagationPolicy", &json!(policy), why));
            }
            if !matches!(policy.as_str(), "Foreground" | "Background" | "Orphan") {
                let known = ["Foreground", "Background", "Orphan", "nil"];
                wrong.push(Cause::unsupported("propagationPolicy", &json!(policy), &known));
            }
        }
        if let Some(dry_run) = dry_run
            && dry_run.as_array().into_iter().flatten().any(|value| value != "All")
        {
            wrong.push(Cause::unsupported("dryRun", &dry_run, &["All"]));
        }
        if options.propagation.is_none() && options.orphan_dependents.is_none() {
            self.rules("delete")?.warning_of_deletion().into_iter().for_each(|warning| request.warn(warning));
        }
        if wrong.is_empty() { Ok(options) } else { Err(Refusal::invalid("DeleteOptions", "meta.k8s.io", "", wrong)) }
    }

    async fn deleted(&self, name: &str, options: &Manner) -> Result<Outcome, Refusal> {
        let rules = self.rules("delete")?;
        let there = self.cluster.store.get(&self.key(name)).ok_or_else(|| self.not_found(name))?;
        let mut object = (*there).clone();
        let terminates = rules.terminates(&mut object, self.cluster);
        self.expected(name, &there, options)?;
        admission::check(&self.attempt(Operation::Delete, name, Some(&there)), &there).await?;
        if terminates {
            if object["metadata"].get("deletionTimestamp").is_none() {
                object["metadata"]["deletionTimestamp"] = json!(self.cluster.now());
            }
            ask_collector(rules, &mut object, options);
            return self.mark(name, &there, object, options).map(Outcome::Marked);
        }
        let graceful = match self.graceful(rules, &mut object, options) {
            Grace::Pending => return Ok(Outcome::Pending(there)),
            Grace::Given(seconds) => Some(seconds),
            Grace::None => None,
        };
        ask_collector(rules, &mut object, options);
        let held = !finalizers(&object).is_empty();
        match graceful {
            Some(seconds) if seconds > 0 || held => self.mark(name, &there, object, options).map(Outcome::Marked),
            None if held => {
                self.mark_at_once(&mut object);
                self.mark(name, &there, object, options).map(Outcome::Marked)
            }
            Some(_) => {
                let there = self.mark(name, &there, object, options)?;
                self.remove(name, there, options)
            }
            None => self.remove(name, there, options),
        }
    }

    fn expected(&self, name: &str, there: &Value, options: &Manner) -> Result<(), Refusal> {
        let metadata = &there["metadata"];
        let checks = [
            ("UID", "uid", &options.uid, "deleted and then recreated"),
            ("ResourceVersion", "resourceVersion", &options.version, "modified"),
        ];
        for (word, field, wanted, meanwhile) in checks {
            if let Some(wanted) = wanted
                && metadata[field] != **wanted
            {
                let found = metadata[field].as_str().unwrap_or_default();
                // Namespaces are looked at in a way of their own.
                if &*self.kind.stored == "namespaces" {
                    let why = format!(
                        "Precondition failed: {word} in precondition: {wanted}, {word} in object meta: {found}"
                    );
                    return Err(Refusal::conflict(&self.kind.resource, &self.kind.group, name, &why));
                }
                let why = format!(
                    "the {word} in the precondition ({wanted}) does not match the {word} in record ({found}). The \
                     object might have been {meanwhile}"
                );
                return Err(Refusal::conflict(&self.kind.kind, &self.kind.group, name, &why));
            }
        }
        Ok(())
    }

    /// Notes on an object until when it has time to end, if its kind is given time.
    fn graceful(&self, rules: &dyn Rules, object: &mut Value, options: &Manner) -> Grace {
        let asked = options.grace.map(|seconds| if seconds < 0 { 1 } else { seconds });
        let Some(usual) = rules.grace(object, asked) else { return Grace::None };
        let now = self.cluster.calendar.now();
        let metadata = &mut object["metadata"];
        let Some(marked) = metadata.get("deletionTimestamp").and_then(Value::as_str) else {
            metadata["deletionTimestamp"] = json!(written(now, usual));
            metadata["deletionGracePeriodSeconds"] = json!(usual);
            count(metadata);
            return Grace::Given(usual);
        };
        let given = metadata["deletionGracePeriodSeconds"].as_i64().unwrap_or_default();
        match asked {
            _ if given == 0 => Grace::None,
            // It can only become less.
            Some(mut seconds) if seconds < given => {
                let marked: Timestamp = marked.parse().unwrap_or(now);
                let ends = marked.saturating_add(SignedDuration::from_secs(seconds - given)).unwrap_or(now);
                if ends < now && seconds != 0 {
                    seconds = 1;
                }
                metadata["deletionTimestamp"] = json!(written(ends.max(now), 0));
                metadata["deletionGracePeriodSeconds"] = json!(seconds);
                Grace::Given(seconds)
            }
            _ => Grace::Pending,
        }
    }

    fn mark_at_once(&self, object: &mut Value) {
        let now = self.cluster.now();
        let metadata = &mut object["metadata"];
        let marked = metadata.get("deletionTimestamp").and_then(Value::as_str).map(str::to_owned);
        if marked.is_none() {
            count(metadata);
        }
        // Times of this form are in the order of their letters.
        if marked.is_none_or(|marked| marked > now) {
            metadata["deletionTimestamp"] = json!(now);
        }
        metadata["deletionGracePeriodSeconds"] = json!(0);
    }

    fn mark(&self, name: &str, there: &Arc<Value>, object: Value, options: &Manner) -> Result<Arc<Value>, Refusal> {
        if options.dry_run {
            return Ok(Arc::new(object));
        }
        if object == **there {
            return Ok(there.clone());
        }
        self.cluster.store.put(&self.key(name), Some(there), object).map_err(|_| self.modified(name))
    }

    fn remove(&self, name: &str, there: Arc<Value>, options: &Manner) -> Result<Outcome, Refusal> {
        if !options.dry_run {
            let gone = self.cluster.store.remove(&self.key(name), &there);
            gone.map_err(|_| self.modified(name))?;
        }
        Ok(Outcome::Gone(there))
    }

    /// True if a change lets go of an object that was only held by somebody.
    pub(super) fn let_go(&self, rules: &dyn Rules, object: &Value, stored: &Value) -> bool {
        let metadata = &stored["metadata"];
        metadata.get("deletionTimestamp").is_some()
            && metadata["deletionGracePeriodSeconds"].as_i64().unwrap_or_default() == 0
            && finalizers(object).is_empty()
            && !rules.is_held(object)
    }

    /// What is said of something that is gone.
    fn farewell(&self, metadata: &Value) -> Value {
        let mut details = json!({"name": metadata["name"]});
        if !self.kind.group.is_empty() {
            details["group"] = json!(self.kind.group);
        }
        details["kind"] = json!(self.kind.resource);
        details["uid"] = metadata["uid"].clone();
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
    }
}

/// What is said of options that can't be read: the same as of objects, without what they should have been.
fn unwrapped(refusal: Refusal) -> Refusal {
    let inner = refusal.message.split_once("(must be of type DeleteOptions): ").map(|(_, why)| why);
    match inner.and_then(|why| why.rsplit_once(" (")) {
        Some((why, _)) => Refusal::bad_request(why),
        None => refusal,
    }
}

/// How long something has to end.
enum Grace {
    None,
    Given(i64),
    /// It has its time already.
    Pending,
}

fn finalizers(object: &Value) -> Vec<String> {
    let list = object["metadata"]["finalizers"].as_array().into_iter().flatten();
    list.filter_map(|name| Some(name.as_str()?.to_owned())).collect()
}

/// To begin to delete something is a change of what is wanted.
fn count(metadata: &mut Value) {
    if let Some(generation) = metadata.get("generation").and_then(Value::as_i64) {
        metadata["generation"] = json!(generation + 1);
    }
}

fn written(time: Timestamp, seconds: i64) -> String {
    let time = time.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(time);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Notes on an object what is to become of what it owns.
fn ask_collector(rules: &dyn Rules, object: &mut Value, options: &Manner) {
    if rules.owns_nothing() {
        return;
    }
    let known = finalizers(object);
    let has = |name: &str| known.iter().any(|known| known == name);
    let wish = match (options.orphan_dependents, options.propagation.as_deref()) {
        (Some(true), _) | (None, Some("Orphan")) => Some(ORPHAN),
        (Some(false), _) | (None, Some("Background")) => None,
        (None, Some("Foreground")) => Some(FOREGROUND),
        _ if has(ORPHAN) => Some(ORPHAN),
        _ if has(FOREGROUND) => Some(FOREGROUND),
        _ => rules.orphans().then_some(ORPHAN),
    };
    let mut wanted: Vec<String> =
        known.iter().filter(|name| !matches!(name.as_str(), ORPHAN | FOREGROUND)).cloned().collect();
    wanted.extend(wish.map(str::to_owned));
    if wanted.len() == known.len() && wanted.iter().all(|name| has(name)) {
        return;
    }
    let Some(metadata) = object["metadata"].as_object_mut() else { return };
    if wanted.is_empty() {
        metadata.shift_remove("finalizers");
    } else {
        metadata.insert("finalizers".to_owned(), json!(wanted));
    }
}
