//! Why a token is not accepted, in the words that clients know.

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error("API key is missing")]
    Missing,
    /// It is no JSON Web Token.
    #[error("The token provided is not a valid JWT: {0}")]
    Malformed(&'static str),
    /// Nobody we trust has signed it.
    #[error("Failed to validate JWT signature")]
    Signature,
    /// It names a key, or an algorithm, that none of our keys has.
    #[error("Failed to validate JWT signature: no key of that id and algorithm")]
    UnknownKey,
    /// It is over.
    #[error("Token has expired {secs_ago} seconds ago")]
    Expired {
        /// For how long.
        secs_ago: i64,
    },
    /// It begins later.
    #[error("Token is not valid for another {in_secs} seconds")]
    NotYet {
        /// How much later.
        in_secs: i64,
    },
    /// It lacks a claim.
    #[error("Fields `role` and `exp` are required in JWT; `{0}` is missing")]
    MissingClaim(&'static str),
    /// A claim does not say what it should.
    #[error("Field `{0}` of the JWT {1}")]
    BadClaim(&'static str, &'static str),
}

impl TokenError {
    /// The code that reasons begin with; clients match on it.
    pub fn code(&self) -> &'static str {
        match self {
            TokenError::Missing | TokenError::Malformed(_) => "MalformedJWT",
            TokenError::Signature | TokenError::UnknownKey => "JwtSignatureError",
            TokenError::Expired { .. }
            | TokenError::NotYet { .. }
            | TokenError::MissingClaim(_)
            | TokenError::BadClaim(..) => "InvalidJWTToken",
        }
    }

    /// The `reason` of a refused join, and the message of a closed topic: `Code: text`.
    pub fn join_reason(&self) -> String {
        format!("{}: {self}", self.code())
    }

    /// The HTTP status and the `error` of a refused handshake.
    pub fn handshake(&self) -> (u16, &'static str) {
        let text = match self {
            TokenError::Missing => "API key is missing",
            TokenError::Malformed(_) => "The token provided is not a valid JWT",
            TokenError::Signature | TokenError::UnknownKey => "Failed to validate JWT signature",
            TokenError::Expired { .. } => "Token has expired",
            TokenError::NotYet { .. } => "Token is not valid yet",
            TokenError::MissingClaim(_) => "Fields `role` and `exp` are required in JWT",
            TokenError::BadClaim(..) => "The claims of the JWT are not valid",
        };
        (401, text)
    }
}
