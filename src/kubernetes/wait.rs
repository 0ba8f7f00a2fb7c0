//! What is waited for, and whether an object is so: judged from the object alone.

use super::{
    jsonpath::{JsonPath, printed},
    object::{at, condition, integer, items, kind, text},
    readiness::{hopeless, readiness, replicas},
    rollout,
};
use crate::script::{
    fault::{Fault, Kind},
    options::nearest,
    values::tree::Tree,
};

/// What is waited for, as far as it can be judged without the script.
#[derive(Debug, Clone, PartialEq)]
pub enum Until {
    Exists,
    Deleted,
    /// As ready as its kind can be.
    Ready,
    /// Ready, with all pods of the newest template, which is this revision if there is one.
    RolledOut {
        revision: Option<i64>,
    },
    Condition {
        kind: String,
        status: String,
    },
    /// A field has this value, or any.
    Field {
        path: JsonPath,
        value: Option<String>,
    },
}

/// What an object looks like against what is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Met,
    /// Not yet, and why.
    Waiting(String),
    /// It can no longer become so by itself, and why.
    Hopeless(String),
}

impl Until {
    /// Reads `exists`, `deleted`, `ready`, `condition=Available`, `condition=Ready=False`, `status.phase=Running`,
    /// `{.status.phase}=Running`, `{.status.loadBalancer.ingress}`.
    ///
    /// # Errors
    /// `usage`, with what there is.
    pub fn read(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        match text {
            "exists" | "created" | "create" => return Ok(Until::Exists),
            "deleted" | "delete" | "gone" => return Ok(Until::Deleted),
            "ready" => return Ok(Until::Ready),
            _ => {}
        }
        if let Some(wanted) = text.strip_prefix("condition=") {
            let (kind, status) = wanted.split_once('=').unwrap_or((wanted, "True"));
            if kind.is_empty() || status.is_empty() {
                return Err(refused(text));
            }
            return Ok(Until::Condition { kind: kind.to_owned(), status: status.to_owned() });
        }
        let field = text.strip_prefix("jsonpath=").unwrap_or(text);
        if !field.contains(['.', '{']) {
            return Err(refused(text));
        }
        let (path, value) = split_field(field);
        let path = JsonPath::parse(path).map_err(|why| {
            Fault::new(Kind::Usage, format!("`{text}` names no field: {why}"))
                .hint("write `status.phase=Running`, or `{.status.phase}=Running` as for `kubectl wait`")
        })?;
        Ok(Until::Field { path, value: value.map(str::to_owned) })
    }

    /// The rest of a sentence that begins with the object's name.
    pub fn shown(&self) -> String {
        match self {
            Until::Exists => "to be there".to_owned(),
            Until::Deleted => "to be gone".to_owned(),
            Until::Ready => "to be ready".to_owned(),
            Until::RolledOut { revision: None } => "to be rolled out".to_owned(),
            Until::RolledOut { revision: Some(revision) } => format!("to be rolled out as revision {revision}"),
            Until::Condition { kind, status } if status.eq_ignore_ascii_case("true") => format!("to be {kind}"),
            Until::Condition { kind, status } => format!("to have {kind}={status}"),
            Until::Field { path, value: Some(value) } => format!("to have {path}={value}"),
            Until::Field { path, value: None } => format!("to have {path}"),
        }
    }

    /// True if the state of the object's pods matters.
    pub fn needs_progress(&self) -> bool {
        match self {
            Until::Exists | Until::Deleted => false,
            Until::Ready | Until::RolledOut { .. } | Until::Condition { .. } => true,
            Until::Field { path, .. } => speaks_of_status(path),
        }
    }

    pub fn judge(&self, object: &Tree) -> Verdict {
        match self {
            Until::Exists => Verdict::Met,
            Until::Deleted => Verdict::Waiting(why_it_stays(object)),
            Until::Condition { kind, status } => judge_condition(object, kind, status),
            Until::Field { path, value } => judge_field(object, path, value.as_deref()),
            Until::RolledOut { .. } if rollout::is_by_hand(object) => {
                Verdict::Hopeless("its pods are replaced only when somebody deletes them: `OnDelete`".to_owned())
            }
            Until::RolledOut { revision: Some(revision) } => match rollout::number(object) {
                _ if unobserved(object, None).is_some() => Until::Ready.judge(object),
                Some(now) if now > *revision => {
                    Verdict::Hopeless(format!("it is at revision {now}, and no longer {revision}"))
                }
                Some(now) if now < *revision => {
                    Verdict::Waiting(format!("it is at revision {now}, and not yet {revision}"))
                }
                None => Verdict::Waiting("its revision has no number yet".to_owned()),
                Some(_) => Until::Ready.judge(object),
            },
            Until::Ready | Until::RolledOut { revision: None } => match readiness(object) {
                Verdict::Waiting(why) => or_hopeless(object, why),
                verdict => verdict,
            },
        }
    }
}

/// The path, and the text behind the `=` that is in none of its brackets.
fn split_field(field: &str) -> (&str, Option<&str>) {
    let mut depth = 0_usize;
    for (at, letter) in field.char_indices() {
        match letter {
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth = depth.saturating_sub(1),
            '=' if depth == 0 => {
                let value = field[at + 1..].trim_start_matches('=');
                return (&field[..at], Some(value.trim_matches('"')));
            }
            _ => {}
        }
    }
    (field, None)
}

fn refused(text: &str) -> Fault {
    let fault = Fault::new(Kind::Usage, format!("`{text}` is nothing that can be waited for"));
    let word = text.split('=').next().unwrap_or_default();
    match nearest(word, ["ready", "exists", "deleted"]) {
        // `Ready` is a condition, `ready` is a rule.
        Some(near) if near != word.to_lowercase() => fault.hint(format!("did you mean `{near}`?")),
        _ if text.chars().next().is_some_and(char::is_uppercase) => {
            fault.hint(format!("a condition is written `condition={text}`"))
        }
        _ => fault.hint(
            "write `ready`, `condition=Available`, `condition=Ready=False`, `status.phase=Running`, `exists`, `deleted`, \
             or a closure",
        ),
    }
}

fn speaks_of_status(path: &JsonPath) -> bool {
    path.to_string().starts_with("status")
}

fn judge_field(object: &Tree, path: &JsonPath, value: Option<&str>) -> Verdict {
    let found: Vec<String> = path.find(object).into_iter().map(printed).collect();
    let because = match (found.as_slice(), value) {
        ([], _) => format!("`{path}` is not there yet"),
        (found, None) if found.iter().any(|found| found != "null") => return Verdict::Met,
        (found, Some(wanted)) if found.iter().all(|found| found == wanted) => return Verdict::Met,
        (found, _) => format!("`{path}` is {}", found.join(", ")),
    };
    match speaks_of_status(path) {
        true => or_hopeless(object, because),
        false => Verdict::Waiting(because),
    }
}

fn or_hopeless(object: &Tree, because: String) -> Verdict {
    hopeless(object).map_or(Verdict::Waiting(because), Verdict::Hopeless)
}

fn judge_condition(object: &Tree, wanted: &str, status: &str) -> Verdict {
    let Some(found) = condition(object, wanted) else {
        let because = match unobserved(object, None) {
            Some(because) => because,
            None => with_numbers(object, format!("it has no condition `{wanted}` yet")),
        };
        return or_hopeless(object, because);
    };
    let is = text(found, &["status"]).unwrap_or("Unknown");
    if let Some(because) = unobserved(object, Some(found)) {
        return Verdict::Waiting(because);
    }
    if is.eq_ignore_ascii_case(status) {
        return Verdict::Met;
    }
    let because = with_numbers(object, shown_condition(found));
    match hopeless(object) {
        // Whoever waits for `Stalled=True` or `Failed=False` is not told that it is hopeless for that very reason.
        Some(why) if !why.starts_with(&shown_condition(found)) => Verdict::Hopeless(why),
        _ => Verdict::Waiting(because),
    }
}

/// The number of replicas in front of the reason, where a kind has replicas.
fn with_numbers(object: &Tree, because: String) -> String {
    match replicas(object) {
        Some(numbers) => format!("{numbers}; {because}"),
        None => because,
    }
}

/// Says that the controller has not seen the latest change yet.
pub fn unobserved(object: &Tree, condition: Option<&Tree>) -> Option<String> {
    let generation = integer(object, &["metadata", "generation"])?;
    let observed = condition
        .and_then(|condition| integer(condition, &["observedGeneration"]))
        .or_else(|| integer(object, &["status", "observedGeneration"]))?;
    match observed {
        observed if observed >= generation => None,
        // What Flux writes before it has looked.
        ..0 => Some("its controller has not seen it yet".to_owned()),
        _ => Some(format!("its controller has seen generation {observed} and not yet {generation}")),
    }
}

/// `Available is False: MinimumReplicasUnavailable: Deployment does not have minimum availability`
pub fn shown_condition(condition: &Tree) -> String {
    let part = |name: &str| text(condition, &[name]).filter(|part| !part.is_empty());
    let mut shown = format!("{} is {}", part("type").unwrap_or("?"), part("status").unwrap_or("Unknown"));
    for part in [part("reason"), part("message")].into_iter().flatten() {
        shown.push_str(&format!(": {}", part.trim()));
    }
    shown
}

/// Why something that is to go is still there.
fn why_it_stays(object: &Tree) -> String {
    if at(object, &["metadata", "deletionTimestamp"]).is_none() {
        return "nobody has deleted it".to_owned();
    }
    let finalizers: Vec<&str> = (items(object, &["metadata", "finalizers"]).iter())
        .chain(items(object, &["spec", "finalizers"]))
        .filter_map(|finalizer| match finalizer {
            Tree::Text(finalizer) => Some(finalizer.as_str()),
            _ => None,
        })
        .collect();
    let stuck = (items(object, &["status", "conditions"]).iter())
        .filter(|condition| text(condition, &["status"]) == Some("True"))
        .find_map(|condition| text(condition, &["message"]).filter(|_| kind(object) == "Namespace"));
    match (finalizers.is_empty(), stuck) {
        (_, Some(stuck)) => format!("it is going: {stuck}"),
        (true, None) => "it is going".to_owned(),
        (false, None) => format!("it is going, held by {}", finalizers.join(", ")),
    }
}
