//! A request, taken apart.

use std::{
    collections::BTreeMap,
    num::{IntErrorKind, ParseIntError},
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, Method, header};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{
    answer::{Cause, Refusal},
    decoding::{self, Again, Strictness},
    user::User,
};

/// The form of patches that are configurations to apply.
pub const APPLY: &str = "application/apply-patch+yaml";

/// How long the name of a manager may be.
const MANAGER: usize = 128;

/// What somebody asks for.
pub struct Request {
    pub method: Method,
    pub path: String,
    /// As it came.
    pub query: String,
    parameters: BTreeMap<String, Vec<String>>,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub user: User,
    warnings: Mutex<Vec<String>>,
}

/// A request as it comes in.
pub struct Sent<'s> {
    pub method: Method,
    pub path: &'s str,
    pub query: &'s str,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    pub fn new(sent: Sent<'_>, user: User) -> Self {
        let Sent { method, path, query, headers, body } = sent;
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
            (decoded(name), decoded(value))
        });
        let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in pairs {
            parameters.entry(name).or_default().push(value);
        }
        let (path, query) = (path.to_owned(), query.to_owned());
        Self { method, path, query, parameters, headers, body, user, warnings: Mutex::default() }
    }

    /// A parameter that is not empty.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name)?.first().map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All values of a parameter.
    pub fn parameters(&self, name: &str) -> Option<&[String]> {
        self.parameters.get(name).map(Vec::as_slice)
    }

    /// True for a parameter that is there and says neither `0` nor `false`.
    pub fn flag(&self, name: &str) -> bool {
        let value = self.parameters.get(name).and_then(|values| values.first());
        value.is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// A parameter that is a whole number.
    ///
    /// # Errors
    /// If it is none.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.parameters.get(name).and_then(|values| values.first()) else { return Ok(None) };
        let wrong = |error: ParseIntError| {
            let why = match error.kind() {
                IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
                _ => "invalid syntax",
            };
            Refusal::bad_request(format!("strconv.ParseInt: parsing \"{text}\": {why}"))
        };
        text.parse().map(Some).map_err(wrong)
    }

    /// What writes are told apart by: the parameter `fieldManager`, or the program's own name.
    pub fn manager(&self) -> String {
        let agent = self.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let program = agent.split('/').next().unwrap_or_default();
        match self.parameter("fieldManager") {
            Some(manager) => manager.to_owned(),
            None if program.is_empty() => "unknown".to_owned(),
            None => program.to_owned(),
        }
    }

    /// The media type of the body, without what follows it.
    pub fn media_type(&self) -> &str {
        let given = self.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        given.split(';').next().unwrap_or_default().trim()
    }

    /// The body as an object of a kind, whose types it is not held against.
    ///
    /// # Errors
    /// If it is malformed, or of a form that is not taken here.
    pub fn object(&self, kind: &str) -> Result<Value, Refusal> {
        decoding::body(self, kind, Again::Joins).map(|(body, _)| body.value)
    }

    /// How strict its author wants us to be about fields that nobody knows.
    pub fn strictness(&self) -> Strictness {
        match self.parameter("fieldValidation") {
            Some("Ignore") => Strictness::Ignore,
            Some("Strict") => Strictness::Strict,
            _ => Strictness::Warn,
        }
    }

    /// Nothing is to be changed for good.
    pub fn is_dry_run(&self) -> bool {
        self.parameters.contains_key("dryRun")
    }

    /// Looks whether what is asked for besides makes sense; `options` is what that is called, as in `CreateOptions`.
    ///
    /// # Errors
    /// As the real server refuses it.
    pub fn check_options(&self, options: &str) -> Result<(), Refusal> {
        let mut wrong = Vec::new();
        if options == "PatchOptions" {
            let manager = self.parameter("fieldManager");
            if self.media_type() == APPLY {
                let nobody = manager.is_none();
                wrong.extend(nobody.then(|| Cause::required("fieldManager", "is required for apply patch")));
            } else if self.parameters.contains_key("force") {
                wrong.push(Cause::forbidden("force", "may not be specified for non-apply patch"));
            }
        }
        if let Some(manager) = self.parameter("fieldManager") {
            if manager.len() > MANAGER {
                wrong.push(Cause::too_long("fieldManager", MANAGER));
            }
            for (at, letter) in manager.char_indices().filter(|(_, letter)| letter.is_control()) {
                let why = format!("invalid character U+{:04X} (at position {at})", u32::from(letter));
                wrong.push(Cause::invalid("fieldManager", &json!(manager), &why));
            }
        }
        if let Some(dry_run) = self.parameters.get("dryRun")
            && dry_run.iter().any(|value| value != "All")
        {
            wrong.push(Cause::unsupported("dryRun", &json!(dry_run), &["All"]));
        }
        if let Some(validation) = self.parameter("fieldValidation")
            && !matches!(validation, "Ignore" | "Strict" | "Warn")
        {
            wrong.push(Cause::unsupported("fieldValidation", &json!(validation), &["", "Ignore", "Strict", "Warn"]));
        }
        if wrong.is_empty() { Ok(()) } else { Err(Refusal::invalid(options, "meta.k8s.io", "", wrong)) }
    }

    /// Tells who asks of something that is odd, and no reason to refuse; once.
    pub fn warn(&self, text: &str) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.iter().any(|known| known == text) {
            warnings.push(text.to_owned());
        }
    }

    /// What who asks is to be told, besides.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
