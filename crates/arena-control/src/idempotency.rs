//! Idempotent requests: the first outcome of a key is the only one.

use crate::error::ServiceError;
use crate::runtime::Shared;
use arena_store::{Begun, StoredReply, now};
use std::sync::Arc;

/// The service for idempotency keys.
#[derive(Debug, Clone)]
pub struct Idempotency {
    pub(crate) shared: Arc<Shared>,
}

impl Idempotency {
    /// Claims a key for a request of this fingerprint, or says what is known of it.
    pub async fn begin(&self, key: &str, fingerprint: &str) -> Result<Begun, ServiceError> {
        Ok(self.shared.store.begin_reply(key, fingerprint, now()).await?)
    }

    /// Stores the outcome of a request whose key was claimed.
    pub async fn finish(&self, key: &str, reply: StoredReply) -> Result<(), ServiceError> {
        Ok(self.shared.store.finish_reply(key, &reply).await?)
    }

    /// Gives a claimed key back.
    pub async fn abandon(&self, key: &str) -> Result<(), ServiceError> {
        Ok(self.shared.store.abandon_reply(key).await?)
    }
}
