//! What lots are drawn with.

use serde_json::Value;

pub struct Dice(fastrand::Rng);

impl Dice {
    pub fn with_seed(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub fn below(&mut self, number: usize) -> usize {
        self.0.usize(..number)
    }

    pub fn of<'t, T>(&mut self, these: &'t [T]) -> &'t T {
        &these[self.below(these.len())]
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of a list, the first ones more often than the last ones.
    pub fn early(&mut self, these: &Value) -> Value {
        let these = these.as_array().expect("choices are a list");
        let (first, second) = (self.below(these.len()), self.below(these.len()));
        these[first.min(second)].clone()
    }
}
