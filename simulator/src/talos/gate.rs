//! Something that is open until it is closed for good.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

#[derive(Debug, Default)]
pub struct Gate {
    closed: AtomicBool,
    told: Notify,
}

impl Gate {
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.told.notify_waiters();
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Waits until it is closed.
    pub async fn closed(&self) {
        let told = self.told.notified();
        tokio::pin!(told);
        // From here on nothing is missed.
        told.as_mut().enable();
        if !self.is_closed() {
            told.await;
        }
    }

    /// Does this for as long as it is open.
    pub async fn while_open<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.closed() => None,
            done = work => Some(done),
        }
    }
}
