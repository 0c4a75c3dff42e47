//! Reads a body into memory, up to a limit.

use crate::problem::Problem;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};

/// A body that has come in whole.
pub(super) struct ReadBody {
    pub(super) bytes: Bytes,
    /// SHA-256.
    pub(super) hash: [u8; 32],
}

/// Reads at most `limit` bytes. A body that announces more is refused before any of it is read. It is hashed piece
/// by piece: hashing 32 MiB at once would keep a worker thread from its other tasks.
pub(super) async fn read(mut body: Body, limit: usize) -> Result<ReadBody, Problem> {
    let too_large = || {
        let detail = format!("the body is larger than the {limit} bytes that are taken here");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
    };
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let mut hash = Sha256::new();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Problem::new(StatusCode::BAD_REQUEST, "incomplete_body", "the body broke off before its end")
        })?;
        let Ok(piece) = frame.into_data() else { continue };
        if piece.len() > limit - bytes.len() {
            return Err(too_large());
        }
        hash.update(&piece);
        bytes.extend_from_slice(&piece);
    }
    Ok(ReadBody { bytes: bytes.into(), hash: hash.finalize().into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_may_be_as_large_as_the_limit_and_not_larger() {
        assert_eq!(read(Body::from("12345"), 5).await.map(|body| body.bytes.len()).ok(), Some(5));
        assert!(read(Body::from("123456"), 5).await.is_err());
        assert!(read(Body::empty(), 0).await.is_ok());
    }
}
