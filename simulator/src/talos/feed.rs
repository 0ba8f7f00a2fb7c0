//! What happens one after the other, for whoever looks back at it or follows it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Everything that was told, in its order.
#[derive(Debug)]
pub struct Feed<T> {
    told: Mutex<Told<T>>,
    more: Notify,
}

#[derive(Debug)]
struct Told<T> {
    items: Vec<T>,
    ended: bool,
}

impl<T> Default for Feed<T> {
    fn default() -> Self {
        Self { told: Mutex::new(Told { items: Vec::new(), ended: false }), more: Notify::new() }
    }
}

impl<T: Clone> Feed<T> {
    pub fn tell(&self, item: T) {
        self.lock().items.push(item);
        self.more.notify_waiters();
    }

    /// Nothing more will be told.
    pub fn end(&self) {
        self.lock().ended = true;
        self.more.notify_waiters();
    }

    pub fn all(&self) -> Vec<T> {
        self.lock().items.clone()
    }

    pub fn len(&self) -> usize {
        self.lock().items.len()
    }

    /// What was told after so many others, as soon as it is told; nothing, if that will never be.
    pub async fn after(&self, others: usize) -> Option<T> {
        loop {
            let more = self.more.notified();
            tokio::pin!(more);
            // From here on nothing is missed.
            more.as_mut().enable();
            {
                let told = self.lock();
                if let Some(item) = told.items.get(others) {
                    return Some(item.clone());
                }
                if told.ended {
                    return None;
                }
            }
            more.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Told<T>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
