//! Coalesces changes into events: the first at once, later ones at most four a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, broadcast};

use crate::event::Topic;

/// The shortest time between two rounds of events.
const PAUSE: Duration = Duration::from_millis(250);

/// Where changes are announced; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Changes {
    pending: Arc<AtomicU8>,
    notify: Arc<Notify>,
    events: broadcast::Sender<Topic>,
    _task: Arc<Task>,
}

/// Ends the task when the last clone goes.
#[derive(Debug)]
struct Task(tokio::task::AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Changes {
    /// Starts the task that sends events; it ends with the last clone.
    pub(crate) fn start() -> Self {
        let (events, _) = broadcast::channel(64);
        let (pending, notify) = (Arc::<AtomicU8>::default(), Arc::<Notify>::default());
        let task = tokio::spawn(announce(
            Arc::clone(&pending),
            Arc::clone(&notify),
            events.clone(),
        ));
        Self {
            pending,
            notify,
            events,
            _task: Arc::new(Task(task.abort_handle())),
        }
    }

    /// Announces that the answers on `topic` are stale.
    pub(crate) fn changed(&self, topic: Topic) {
        let bit = Topic::ALL.iter().position(|one| *one == topic).unwrap_or(0);
        self.pending.fetch_or(1 << bit, Ordering::AcqRel);
        self.notify.notify_one();
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Topic> {
        self.events.subscribe()
    }
}

async fn announce(pending: Arc<AtomicU8>, notify: Arc<Notify>, events: broadcast::Sender<Topic>) {
    loop {
        notify.notified().await;
        let bits = pending.swap(0, Ordering::AcqRel);
        for (index, topic) in Topic::ALL.into_iter().enumerate() {
            if bits & (1 << index) != 0 {
                // Nobody may be listening.
                let _ = events.send(topic);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
