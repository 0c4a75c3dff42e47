//! Making tokens.

use super::{Claims, Secret};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use std::fmt;

/// Signs claims with a secret, by HS256.
pub struct Issuer {
    header: Header,
    key: EncodingKey,
}

impl Issuer {
    /// Signs with this secret. Tokens name it, so that a verifier with several keys finds it.
    pub fn new(secret: &Secret) -> Issuer {
        let header = Header { kid: secret.id().map(str::to_owned), ..Header::new(Algorithm::HS256) };
        Issuer { header, key: EncodingKey::from_secret(secret.as_bytes()) }
    }

    /// The token that says this.
    pub fn issue(&self, claims: &Claims) -> String {
        encode(&self.header, claims, &self.key)
            .expect("invariant: claims are JSON, and HS256 signs with any key")
    }
}

// The key is a secret.
impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("kid", &self.header.kid).finish_non_exhaustive()
    }
}
