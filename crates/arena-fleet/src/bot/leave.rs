//! When a bot is to be gone.

use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long a goodbye may take, of what time there is.
const GOODBYE: Duration = Duration::from_secs(5);

/// A bot is to leave. Whoever has nobody to talk to leaves at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leave {
    /// Until when it may go on with its talk; then it says goodbye.
    pub goodbye_at: Instant,
    /// When it has to be gone.
    pub by: Instant,
}

impl Leave {
    /// Its talk may go on; it is gone after so long.
    pub fn within(deadline: Duration) -> Leave {
        let by = Instant::now() + deadline;
        Leave { goodbye_at: by - GOODBYE.min(deadline), by }
    }

    /// When a goodbye has to be said, so that some time is left to leave the channel.
    pub(super) fn said_by(self) -> Instant {
        self.by - (self.by.saturating_duration_since(self.goodbye_at) / 4).min(Duration::from_secs(1))
    }

    /// It says goodbye now, and is gone after so long.
    pub fn now(deadline: Duration) -> Leave {
        let now = Instant::now();
        Leave { goodbye_at: now, by: now + deadline }
    }
}

/// Where a bot is told. The last word counts; who told it and went away has said nothing new.
pub(super) type LeaveWatch = watch::Receiver<Option<Leave>>;

/// Waits until a bot is told to leave, or told anew.
pub(super) async fn told(leave: &mut LeaveWatch) {
    if leave.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits for this time; for ever where there is none.
pub(crate) async fn at(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when).await,
        None => std::future::pending().await,
    }
}
