//! Chance that nobody can guess, for secrets; it is never drawn from a run's seed.

pub trait Entropy: Send + Sync {
    /// Fills the bytes.
    fn fill(&self, bytes: &mut [u8]);
}
