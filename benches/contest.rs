//! Commands measured one after the other, in turns, so that what disturbs the machine disturbs all of them.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// How long each round of a command took.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn median(&self) -> Duration {
        self.quantile(0.5)
    }

    /// The time that so many of the rounds did not take longer than, from 0 to 1.
    pub fn quantile(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted[((sorted.len() as f64 * share) as usize).min(sorted.len() - 1)]
    }

    pub fn min(&self) -> Duration {
        *self.0.iter().min().expect("a contest has a round")
    }
}

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        Self(times.into_iter().collect())
    }
}

/// What takes part: it is made ready, which isn't measured, and gives the command that is.
pub type Contestant<'c> = &'c dyn Fn() -> Command;

/// Runs every contestant once without looking, and then all of them in turns.
pub fn contest<const N: usize>(rounds: usize, contestants: [Contestant; N]) -> [Times; N] {
    let mut times: [Times; N] = std::array::from_fn(|_| Times::default());
    for round in 0..=rounds {
        for (contestant, times) in contestants.iter().zip(&mut times) {
            let took = timed(contestant());
            if round > 0 {
                times.0.push(took);
            }
        }
    }
    times
}

/// How long a command takes, which must succeed: the time of a failure says nothing.
fn timed(mut command: Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let status = command.status().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let took = started.elapsed();
    assert!(status.success(), "{command:?} ended with {status}");
    took
}
