//! What goes wrong in a world: the third patch of something, one request in ten, every watch after a while.
//!
//! It decides whether something goes wrong; how it does is up to the network, and to who speaks a protocol.

mod bad_day;
mod connection;
pub mod http;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

pub use self::{
    bad_day::{Stroke, bad_day, stroke},
    connection::Dead,
};
use crate::time::During;

/// What goes wrong once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody takes the connection.
    Refused,
    /// There is no such name.
    Missing,
    /// The server's certificate has expired.
    Expired,
    /// The connection breaks before there is an answer, and nothing was done.
    Reset,
    /// The connection breaks before there is an answer, and what was wanted is done.
    Lost,
    /// The connection is half-open: nothing ever comes.
    Silent,
    /// An answer with this status, and nothing was done.
    Status { code: u16, message: Option<String>, retry_after: Option<Duration> },
    /// The body takes so long until it is there.
    Slow(Duration),
    /// The body breaks off in the middle.
    Truncated,
    /// A watch ends after so long, with this status if there is one.
    Ends { after: Duration, code: Option<u16> },
}

/// Where a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Target {
    #[default]
    Anywhere,
    /// A name, and all that is asked of it.
    Name(String),
    Server(String, u16),
}

/// What somebody asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, or the method of an HTTP request in small letters.
    pub verb: &'a str,
    /// The plural.
    pub resource: &'a str,
    pub namespace: &'a str,
    pub name: &'a str,
    pub path: &'a str,
}

/// Which requests a fault strikes; what is empty is any.
#[derive(Debug, Clone, Default)]
pub struct Matching {
    pub target: Target,
    pub verb: String,
    pub resource: String,
    pub namespace: String,
    pub name: String,
    /// A path, or the beginning of one with a `*` behind it.
    pub path: String,
}

/// Which of those it strikes.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    pub during: During,
    /// Only this one, counted from 1.
    pub nth: Option<u64>,
    /// Each of so many.
    pub every: Option<u64>,
    /// At most so often.
    pub times: Option<u64>,
    /// With this probability.
    pub chance: f64,
}

impl Default for Choice {
    fn default() -> Self {
        Self { during: During::default(), nth: None, every: None, times: None, chance: 1.0 }
    }
}

/// One thing that goes wrong.
#[derive(Debug, Clone)]
pub struct Rule {
    pub matching: Matching,
    pub choice: Choice,
    pub trouble: Trouble,
}

/// Everything that goes wrong.
pub struct Faults {
    rules: Vec<Rule>,
    course: Mutex<Course>,
}

/// How far it has come.
struct Course {
    lots: fastrand::Rng,
    /// How many requests each rule has met, and how many of them it struck.
    counts: Vec<(u64, u64)>,
}

/// The faults of one server, which knows where it is.
#[derive(Clone, Default)]
pub struct At {
    pub faults: Arc<Faults>,
    pub host: String,
    pub port: u16,
}

impl At {
    pub fn has_any(&self) -> bool {
        !self.faults.rules.is_empty()
    }

    /// What becomes of a request.
    pub fn of_request(&self, asked: &Asked<'_>) -> Option<Trouble> {
        self.faults.strike(|Rule { matching, trouble, .. }| {
            let possible = match trouble {
                Trouble::Refused | Trouble::Missing | Trouble::Expired => false,
                Trouble::Reset | Trouble::Silent => !matching.is_about_connections(),
                Trouble::Ends { .. } => asked.verb == "watch",
                Trouble::Status { .. } | Trouble::Lost | Trouble::Slow(_) | Trouble::Truncated => true,
            };
            possible && matching.target.is(&self.host, self.port) && matching.fits(asked)
        })
    }

    /// Whether its certificate has expired for whoever connects.
    pub fn of_certificate(&self) -> bool {
        let strike = self.faults.strike(|Rule { matching, trouble, .. }| {
            *trouble == Trouble::Expired && matching.target.is(&self.host, self.port)
        });
        strike.is_some()
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::new(Vec::new(), 0)
    }
}

impl Faults {
    pub fn new(rules: Vec<Rule>, seed: u64) -> Self {
        let counts = vec![(0, 0); rules.len()];
        Self { rules, course: Mutex::new(Course { lots: fastrand::Rng::with_seed(seed), counts }) }
    }

    /// Whether a name is missing when it is looked up.
    pub fn hide(&self, name: &str) -> bool {
        let strike = self.strike(|Rule { matching, trouble, .. }| {
            let meant = match &matching.target {
                Target::Anywhere => true,
                Target::Name(own) => own == name,
                Target::Server(..) => false,
            };
            meant && *trouble == Trouble::Missing
        });
        strike.is_some()
    }

    /// What becomes of a connection to a server.
    pub fn of_connection(&self, host: &str, port: u16) -> Option<Trouble> {
        self.strike(|Rule { matching, trouble, .. }| {
            matches!(trouble, Trouble::Refused | Trouble::Silent | Trouble::Reset)
                && matching.is_about_connections()
                && matching.target.is(host, port)
        })
    }

    /// Counts for every rule that is about this, and gives the trouble of the first that strikes.
    fn strike(&self, is_about: impl Fn(&Rule) -> bool) -> Option<Trouble> {
        let mut course = self.course.lock().unwrap_or_else(PoisonError::into_inner);
        let Course { lots, counts } = &mut *course;
        let mut struck = None;
        for (rule, (met, strikes)) in self.rules.iter().zip(counts) {
            if !is_about(rule) || !rule.choice.during.is_now() {
                continue;
            }
            *met += 1;
            if struck.is_none() && rule.choice.takes(*met, *strikes, lots) {
                *strikes += 1;
                struck = Some(rule.trouble.clone());
            }
        }
        struck
    }
}

impl Choice {
    fn takes(&self, met: u64, strikes: u64, lots: &mut fastrand::Rng) -> bool {
        self.nth.is_none_or(|nth| met == nth)
            && self.every.is_none_or(|every| met.is_multiple_of(every))
            && self.times.is_none_or(|times| strikes < times)
            && (self.chance >= 1.0 || lots.f64() < self.chance)
    }
}

impl Target {
    fn is(&self, host: &str, port: u16) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Name(own) => own == host,
            Self::Server(own, number) => own == host && *number == port,
        }
    }
}

impl Matching {
    /// Nothing is said of requests.
    fn is_about_connections(&self) -> bool {
        [&self.verb, &self.resource, &self.namespace, &self.name, &self.path].iter().all(|word| word.is_empty())
    }

    fn fits(&self, asked: &Asked<'_>) -> bool {
        let pairs = [
            (&self.verb, asked.verb),
            (&self.resource, asked.resource),
            (&self.namespace, asked.namespace),
            (&self.name, asked.name),
        ];
        let path = match self.path.strip_suffix('*') {
            Some(beginning) => asked.path.starts_with(beginning),
            None => self.path.is_empty() || self.path == asked.path,
        };
        path && pairs.iter().all(|(wanted, found)| wanted.is_empty() || wanted == found)
    }
}
