//! Script threads: how they block on a future, and how they branch.

use futures::future::BoxFuture;

/// The stack of a thread that runs a script: one level of script recursion takes up to 100 KB in a debug build.
pub const STACK: usize = 32 << 20;

/// One branch of a `parallel` block.
pub type Branch<'a> = Box<dyn FnOnce() + Send + 'a>;

/// The bridge from scripts, which block, to futures, which don't.
///
/// A rehearsal runs its script threads one at a time, so that virtual time can't jump while one computes; that is why a
/// script thread must block on nothing else.
pub trait Threads: Send + Sync {
    /// Blocks this script thread until the work is done.
    fn drive(&self, work: BoxFuture<'static, ()>);

    /// Runs the branches, each on a script thread of its own, until all have ended.
    fn fork(&self, branches: Vec<Branch<'_>>);
}
