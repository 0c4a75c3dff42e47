//! Letting connections in: before the handshake is answered, and after.

use super::Gateway;
use crate::codec::Vsn;
use crate::limits::Connection;
use crate::outbox::Outbox;
use crate::policy::{Caller, Identity};
use crate::session::{Session, run};
use crate::token::{TokenError, unix_now};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::net::TcpStream;

/// What a handshake brings.
#[derive(Debug, Clone, Copy)]
pub struct Handshake<'a> {
    /// The version that is asked for.
    pub vsn: Option<&'a str>,
    /// The token, from the header or the query.
    pub token: Option<&'a str>,
    /// Where it comes from.
    pub caller: Caller<'a>,
}

/// Why a handshake is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct HandshakeRefusal {
    /// The HTTP status.
    pub status: u16,
    /// The `error` of the JSON body, in the words that clients know.
    pub error: String,
    /// After how many seconds to try again, if that may help.
    pub retry_after_secs: Option<u64>,
}

impl HandshakeRefusal {
    fn new(status: u16, error: impl Into<String>) -> HandshakeRefusal {
        HandshakeRefusal { status, error: error.into(), retry_after_secs: None }
    }
}

/// A connection that is let in and counts already. Dropped, it counts no more.
#[derive(Debug)]
#[must_use = "a connection that is not started counts until this is dropped"]
pub struct Admitted {
    vsn: Vsn,
    who: Arc<Identity>,
    token_ends: Option<i64>,
    connection: Connection,
}

impl Gateway {
    /// Decides about a handshake.
    pub fn admit_session(&self, handshake: &Handshake<'_>) -> Result<Admitted, HandshakeRefusal> {
        let admitted = self.consider(handshake);
        if admitted.is_err() {
            self.count(|counters| &counters.refused_handshakes);
        }
        admitted
    }

    fn consider(&self, handshake: &Handshake<'_>) -> Result<Admitted, HandshakeRefusal> {
        if self.inner.stop.is_cancelled() {
            let retry_after_secs = Some(2);
            let error = "RealtimeRestarting: the server is shutting down".to_owned();
            return Err(HandshakeRefusal { status: 503, error, retry_after_secs });
        }
        let vsn = Vsn::from_query(handshake.vsn);
        let vsn = vsn.map_err(|error| HandshakeRefusal::new(400, error.to_string()))?;
        let (who, token_ends) = self.identify(handshake.token, &handshake.caller).map_err(|error| {
            let (status, text) = error.handshake();
            HandshakeRefusal::new(status, text)
        })?;
        let connection = self.inner.limiter.connect(&who.user, handshake.caller.peer).map_err(|refusal| {
            let retry_after_secs = Some(5);
            HandshakeRefusal { status: refusal.status(), error: refusal.to_string(), retry_after_secs }
        })?;
        Ok(Admitted { vsn, who: Arc::new(who), token_ends, connection })
    }

    /// Who shows this token, and until when it is good. Where anonymous access is allowed, no token is needed, and
    /// what is none by its shape counts as none: one official client cannot come without.
    pub fn identify(
        &self,
        token: Option<&str>,
        caller: &Caller<'_>,
    ) -> Result<(Identity, Option<i64>), TokenError> {
        let token = token.unwrap_or_default();
        let is_none = token.split('.').count() != 3;
        if is_none && self.inner.settings.anonymous.allows(caller) {
            return Ok((Identity::anonymous(), None));
        }
        let claims = self.inner.verifier.verify(token, unix_now())?;
        Ok((Identity::of(&claims), Some(claims.exp)))
    }

    /// Serves a connection after its handshake. `early` is what the client sent along with it.
    pub fn start_session(&self, admitted: Admitted, socket: TcpStream, early: Vec<u8>) {
        let Admitted { vsn, who, token_ends, connection } = admitted;
        let outbox = Outbox::new(socket, self.limits().outbox_bytes);
        let session = Session::new(self.next_id(), vsn, outbox, who, token_ends, self.now());
        let session = Arc::new(session);
        self.sessions().insert(session.id, Arc::clone(&session));
        // Either it stands in the list when the sessions are sent away, or it sees here that they are.
        if self.inner.stop.is_cancelled() {
            self.send_away(&session);
        }
        self.inner.counters.accepted.fetch_add(1, Ordering::Relaxed);
        let running = run(self.clone(), session, early);
        self.spawn(async move {
            running.await;
            drop(connection);
        });
    }
}
