//! What a list or a watch is asked for beyond what it selects.

use std::time::Duration;

use serde_json::json;

use crate::kubernetes::{
    answer::{Cause, Refusal},
    request::Request,
};

const EXACT: &str = "Exact";
const NOT_OLDER: &str = "NotOlderThan";

/// The options of a list or a watch, each right by itself and beside the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// As it was given: nothing means the latest, `0` whatever is there.
    pub version: Option<String>,
    /// What is wanted is how things were at that revision.
    pub exactly: bool,
    /// What is wanted is not older than that revision.
    pub not_older: bool,
    pub limit: Option<usize>,
    pub continues: Option<String>,
    pub lasts: Option<Duration>,
    pub bookmarks: bool,
    pub initial_events: Option<bool>,
}

impl Options {
    /// These as options of a list.
    ///
    /// # Errors
    /// As the real server refuses them.
    pub fn of_list(self, request: &Request) -> Result<Self, Refusal> {
        let options = self;
        let mut wrong = Vec::new();
        if let Some(wanted) = request.parameter("resourceVersionMatch") {
            if options.version.is_none() {
                wrong.push(forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided"));
            }
            if options.continues.is_some() {
                wrong.push(forbidden("resourceVersionMatch is forbidden when continue is provided"));
            }
            if ![EXACT, NOT_OLDER].contains(&wanted) {
                wrong.push(Cause::unsupported(MATCH, &json!(wanted), &[EXACT, NOT_OLDER, ""]));
            }
            if wanted == EXACT && options.version.as_deref() == Some("0") {
                wrong.push(forbidden("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
            }
        }
        if options.initial_events.is_some() {
            wrong.push(Cause::forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
        }
        options.unless(wrong)
    }

    /// These as options of a watch.
    ///
    /// # Errors
    /// As the real server refuses them.
    pub fn of_watch(self, request: &Request) -> Result<Self, Refusal> {
        let options = self;
        let mut wrong = Vec::new();
        let wanted = request.parameter("resourceVersionMatch");
        if options.initial_events.is_some() && wanted != Some(NOT_OLDER) {
            wrong.push(forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
        }
        if let Some(wanted) = wanted {
            if options.initial_events.is_none() {
                let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
                wrong.push(forbidden(why));
            }
            if wanted != NOT_OLDER {
                wrong.push(Cause::unsupported(MATCH, &json!(wanted), &[NOT_OLDER]));
            }
        }
        if options.continues.is_some() {
            wrong.push(forbidden("resourceVersionMatch is forbidden when continue is provided"));
        }
        options.unless(wrong)
    }

    /// The revision that was given, if it is one and not just any.
    ///
    /// # Errors
    /// If it is no number, why not.
    pub fn revision(&self) -> Result<Option<u64>, String> {
        let Some(text) = &self.version else { return Ok(None) };
        read_revision(text).map(|revision| Some(revision).filter(|revision| *revision > 0))
    }

    /// # Errors
    /// If what has to be a number is none.
    pub fn read(request: &Request) -> Result<Self, Refusal> {
        let given = |name: &str| request.parameter(name).map(str::to_owned);
        let whole =
            |name: &str| request.number(name).map(|number| number.and_then(|number| u64::try_from(number).ok()));
        let initial_events = request.parameters("sendInitialEvents").map(|_| request.flag("sendInitialEvents"));
        let lasts = whole("timeoutSeconds")?;
        Ok(Self {
            version: given("resourceVersion"),
            exactly: request.parameter("resourceVersionMatch") == Some(EXACT),
            not_older: request.parameter("resourceVersionMatch") == Some(NOT_OLDER),
            limit: whole("limit")?.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0),
            continues: given("continue"),
            lasts: lasts.filter(|seconds| *seconds > 0).map(Duration::from_secs),
            bookmarks: request.flag("allowWatchBookmarks"),
            initial_events,
        })
    }

    fn unless(self, wrong: Vec<Cause>) -> Result<Self, Refusal> {
        if wrong.is_empty() { Ok(self) } else { Err(Refusal::invalid("ListOptions", "meta.k8s.io", "", wrong)) }
    }
}

const MATCH: &str = "resourceVersionMatch";

fn forbidden(why: &str) -> Cause {
    Cause::forbidden(MATCH, why)
}

/// A revision as clients write it.
///
/// # Errors
/// Why it is none, in the words of the real server.
pub fn read_revision(text: &str) -> Result<u64, String> {
    // A sign is none of a number without signs.
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let why = if is_number { "value out of range" } else { "invalid syntax" };
    let wrong = || format!("resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": {why}");
    text.parse().ok().filter(|_| is_number).ok_or_else(wrong)
}
