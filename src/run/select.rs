//! Which steps are run: `--from`, `--until`, `--only`, `--skip`, and being asked before each.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use super::lane::{self, Behind};
use crate::script::options::nearest;

/// Patterns of step paths, as they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<String>,
    /// A person is asked before each step; whoever resumes says so again.
    #[serde(skip)]
    pub ask: bool,
}

/// A pattern that no step of the runbook matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchStep {
    pub option: &'static str,
    pub pattern: String,
    pub near: Option<String>,
    pub steps: Vec<String>,
}

impl Selection {
    /// True if no step is left out.
    pub fn is_everything(&self) -> bool {
        self.patterns().next().is_none()
    }

    /// Each pattern with the option that gave it.
    fn patterns(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let single = [("--from", &self.from), ("--until", &self.until)];
        let single = single.into_iter().flat_map(|(option, pattern)| pattern.iter().map(move |one| (option, one)));
        let only = self.only.iter().map(|pattern| ("--only", pattern));
        let skip = self.skip.iter().map(|pattern| ("--skip", pattern));
        single.chain(only).chain(skip).map(|(option, pattern)| (option, pattern.as_str()))
    }

    /// Holds the patterns against the runbook's steps.
    ///
    /// # Errors
    /// Every pattern that matches none of them.
    pub fn check(&self, steps: &[String]) -> Result<(), Vec<NoSuchStep>> {
        let missing = self.patterns().filter(|(_, pattern)| !steps.iter().any(|step| may_match(pattern, step)));
        let missing: Vec<_> = missing
            .map(|(option, pattern)| NoSuchStep {
                option,
                pattern: pattern.to_owned(),
                near: nearest(&plain(pattern), steps.iter().map(String::as_str)).map(str::to_owned),
                steps: steps.to_vec(),
            })
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    }
}

impl std::fmt::Display for Selection {
    /// As it would be given on the command line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let given: Vec<String> = self.patterns().map(|(option, pattern)| format!("{option} {pattern}")).collect();
        f.write_str(&given.join(" "))
    }
}

/// The selection as the run goes on.
pub struct Selecting {
    selection: Selection,
    /// The paths of all steps, as the text has them.
    steps: Vec<String>,
    asking: AtomicBool,
    /// The patterns that named a step that was met.
    met: Mutex<BTreeSet<String>>,
}

/// What becomes of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    Run,
    /// Run, and the first one since `--from`.
    First,
    /// Entered because a step inside it is meant.
    Enter,
    /// It stands before `--from`, and was done as far as the person is concerned.
    Before(String),
    Skip(String),
}

impl Selecting {
    pub fn new(selection: Selection, steps: Vec<String>) -> Self {
        Self { asking: AtomicBool::new(selection.ask), met: Mutex::default(), selection, steps }
    }

    /// Whether the step at `path`, met now, is run.
    pub fn choose(&self, path: &str) -> Chosen {
        let Selection { from, until, only, skip, .. } = &self.selection;
        if let Some(pattern) = skip.iter().find(|pattern| matches(pattern, path)) {
            return Chosen::Skip(format!("`--skip {pattern}`"));
        }
        if let Some(until) = until {
            let meant = self.names(until, path);
            if lane::behind().until && !meant && !inside(until, path) {
                return Chosen::Skip(format!("after `--until {until}`"));
            }
        }
        let mut chosen = Chosen::Run;
        if let Some(from) = from.as_ref().filter(|_| !lane::behind().from) {
            if self.names(from, path) {
                lane::leave_behind(Behind { from: true, ..Behind::default() });
                chosen = Chosen::First;
            } else if self.leads_to(path, from) {
                return Chosen::Enter;
            } else {
                return Chosen::Before(format!("before `--from {from}`"));
            }
        }
        let meant = only.iter().filter(|pattern| self.names(pattern, path) || inside(pattern, path)).count() > 0;
        if !only.is_empty() && !meant {
            if only.iter().any(|pattern| self.leads_to(path, pattern)) {
                return Chosen::Enter;
            }
            return Chosen::Skip("not in `--only`".to_owned());
        }
        if until.as_ref().is_some_and(|until| matches(until, path)) {
            lane::leave_behind(Behind { until: true, ..Behind::default() });
        }
        chosen
    }

    /// The patterns as they were given.
    pub fn given(&self) -> String {
        self.selection.to_string()
    }

    pub fn is_asking(&self) -> bool {
        self.asking.load(Ordering::Relaxed)
    }

    /// Asks no more: the rest is run.
    pub fn stop_asking(&self) {
        self.asking.store(false, Ordering::Relaxed);
    }

    /// What was asked for and never came up, as it was given: a round of a loop that there was not, a branch not taken.
    pub fn unmet(&self) -> Vec<String> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let asked =
            self.selection.patterns().filter(|(option, pattern)| *option != "--skip" && !met.contains(*pattern));
        asked.map(|(option, pattern)| format!("{option} {pattern}")).collect()
    }

    fn names(&self, pattern: &str, path: &str) -> bool {
        let named = matches(pattern, path);
        if named {
            self.met.lock().unwrap_or_else(PoisonError::into_inner).insert(pattern.to_owned());
        }
        named
    }

    /// True if a step inside the one at `path` is what the pattern may name.
    fn leads_to(&self, path: &str, pattern: &str) -> bool {
        let outer = plain(path);
        let depth = ancestors(path).count();
        // `drain[worker-2]/evict` does not lead through `drain[worker-1]`.
        ancestors(pattern).nth(depth).is_none_or(|ancestor| matches(ancestor, path))
            && (self.steps.iter())
                .filter(|step| step.strip_prefix(&outer).is_some_and(|rest| rest.starts_with('/')))
                .any(|step| may_match(pattern, step))
    }
}

/// True if the path, or the path without the labels of loops and branches, is what the pattern says.
fn matches(pattern: &str, path: &str) -> bool {
    pattern == path || WildMatch::new(pattern).matches(path) || {
        let plain = plain(path);
        pattern == plain || WildMatch::new(pattern).matches(&plain)
    }
}

/// True if the path lies inside a step that the pattern names.
fn inside(pattern: &str, path: &str) -> bool {
    ancestors(path).any(|ancestor| matches(pattern, ancestor))
}

/// True if some round of the step at this path of the text is what the pattern names.
fn may_match(pattern: &str, step: &str) -> bool {
    matches(pattern, step) || matches(&plain(pattern), step)
}

/// The paths around a path, outermost first. A label may hold a slash.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    path.char_indices().filter_map(move |(at, letter)| {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (letter == '/' && depth == 0).then(|| &path[..at])
    })
}

/// The path without labels and counts: `drain[worker-2]/evict#2` is `drain/evict`.
pub fn plain(path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut depth = 0_usize;
    let mut counting = false;
    for c in path.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '#' if depth == 0 => counting = true,
            '/' if depth == 0 => {
                counting = false;
                plain.push(c);
            }
            _ if depth == 0 && !counting => plain.push(c),
            _ => {}
        }
    }
    plain
}
