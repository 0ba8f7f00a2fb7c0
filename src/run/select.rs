//! Which steps are run: `--from`, `--until`, `--only`, `--skip`, and being asked before each.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use wildmatch::WildMatch;

use crate::script::options::nearest;

/// Patterns of step paths, as they were given.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    pub from: Option<String>,
    pub until: Option<String>,
    pub only: Vec<String>,
    pub skip: Vec<String>,
    /// A person is asked before each step.
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
    /// Holds the patterns against the runbook's steps.
    ///
    /// # Errors
    /// Every pattern that matches none of them.
    pub fn check(&self, steps: &[String]) -> Result<(), Vec<NoSuchStep>> {
        let single = [("--from", &self.from), ("--until", &self.until)];
        let patterns = (single.into_iter().flat_map(|(option, pattern)| pattern.iter().map(move |one| (option, one))))
            .chain(self.only.iter().map(|pattern| ("--only", pattern)))
            .chain(self.skip.iter().map(|pattern| ("--skip", pattern)));
        let missing = patterns.filter(|(_, pattern)| !steps.iter().any(|step| may_match(pattern, step)));
        let missing: Vec<_> = missing
            .map(|(option, pattern)| NoSuchStep {
                option,
                pattern: pattern.clone(),
                near: nearest(&plain(pattern), steps.iter().map(String::as_str)).map(str::to_owned),
                steps: steps.to_vec(),
            })
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    }
}

/// The selection as the run goes on.
pub struct Selecting {
    selection: Selection,
    reached: AtomicBool,
    passed: AtomicBool,
    asking: AtomicBool,
    until: Mutex<Option<String>>,
}

/// What becomes of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    Run,
    /// Entered because a step inside it may be meant.
    Enter,
    Skip(String),
}

impl Selecting {
    pub fn new(selection: Selection) -> Self {
        Self {
            reached: AtomicBool::new(selection.from.is_none()),
            passed: AtomicBool::new(false),
            asking: AtomicBool::new(selection.ask),
            until: Mutex::default(),
            selection,
        }
    }

    /// Whether the step at `path`, met now, is run.
    pub fn choose(&self, path: &str) -> Chosen {
        let Selection { from, until, only, skip, .. } = &self.selection;
        if let Some(pattern) = skip.iter().find(|pattern| matches(pattern, path)) {
            return Chosen::Skip(format!("`--skip {pattern}`"));
        }
        if self.passed.load(Ordering::Relaxed) && !self.is_inside_until(path) {
            return Chosen::Skip(format!("after `--until {}`", until.as_deref().unwrap_or_default()));
        }
        if let Some(from) = from.as_ref().filter(|_| !self.reached.load(Ordering::Relaxed)) {
            if matches(from, path) {
                self.reached.store(true, Ordering::Relaxed);
            } else if leads_to(path, from) {
                return Chosen::Enter;
            } else {
                return Chosen::Skip(format!("before `--from {from}`"));
            }
        }
        if !only.is_empty() && !only.iter().any(|pattern| matches(pattern, path) || inside(pattern, path)) {
            if only.iter().any(|pattern| leads_to(path, pattern)) {
                return Chosen::Enter;
            }
            return Chosen::Skip("not in `--only`".to_owned());
        }
        if until.as_ref().is_some_and(|until| matches(until, path)) {
            *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Some(path.to_owned());
            self.passed.store(true, Ordering::Relaxed);
        }
        Chosen::Run
    }

    pub fn is_asking(&self) -> bool {
        self.asking.load(Ordering::Relaxed)
    }

    /// Asks no more: the rest is run.
    pub fn stop_asking(&self) {
        self.asking.store(false, Ordering::Relaxed);
    }

    fn is_inside_until(&self, path: &str) -> bool {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.as_ref().is_some_and(|until| path.starts_with(until.as_str()))
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

/// True if a step inside the one at `path` may be what the pattern names.
fn leads_to(path: &str, pattern: &str) -> bool {
    let plain_path = plain(path);
    ancestors(&plain(pattern)).any(|ancestor| WildMatch::new(ancestor).matches(&plain_path))
        || (pattern.contains('*') && !pattern.contains('/'))
}

/// True if some round of the step at this path of the text is what the pattern names.
fn may_match(pattern: &str, step: &str) -> bool {
    matches(pattern, step) || matches(&plain(pattern), step)
}

fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
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
