//! Tells sessions that the seats they hold were freed.

use arena_control::PlayerEvent;
use arena_realtime::Gateway;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Runs until the services are gone.
pub(crate) async fn end_lost_seats(gateway: Gateway, mut events: Receiver<PlayerEvent>) {
    loop {
        match events.recv().await {
            Ok(PlayerEvent::Lost { player, holder }) => {
                let told = gateway.end_seat(holder, "the seat was freed; join again to get another");
                tracing::debug!(%player, told, "a seat was freed under its session");
            }
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "sessions were not told that their seats were freed");
            }
            Err(RecvError::Closed) => return,
        }
    }
}
