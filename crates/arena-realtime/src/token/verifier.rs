//! Checking tokens.

use super::claims::RawClaims;
use super::keys::VerifyingKey;
use super::{Claims, KeySet, TokenError};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header};
use std::sync::{Arc, PoisonError, RwLock};

/// Checks tokens against keys that can be exchanged while it runs.
#[derive(Debug)]
pub struct Verifier {
    keys: RwLock<Arc<KeySet>>,
}

impl Verifier {
    /// The longest token that is looked at, in bytes. Supabase's are below 2 KiB, and header lines above 8 KiB are
    /// refused by most servers anyway.
    pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

    /// Checks against these keys.
    pub fn new(keys: KeySet) -> Verifier {
        Verifier { keys: RwLock::new(Arc::new(keys)) }
    }

    /// From now on checks against these keys; checks that run end with the old ones.
    pub fn replace(&self, keys: KeySet) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// The keys.
    pub fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a token says at `now_secs` (seconds since 1970), if somebody we trust has signed it and it is in force.
    /// The signature is checked first, so that nobody learns anything about a token they made up.
    pub fn verify(&self, token: &str, now_secs: i64) -> Result<Claims, TokenError> {
        if token.is_empty() {
            return Err(TokenError::Missing);
        }
        if token.len() > Verifier::MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed("it is too long"));
        }
        let header = decode_header(token).map_err(|_| TokenError::Malformed("its header cannot be read"))?;
        // RFC 7515, 4.1.11: who does not understand a critical extension must refuse, and we know of none.
        if header.crit.is_some() {
            return Err(TokenError::Malformed("it has critical extensions"));
        }
        let keys = self.keys();
        let mut refusal = TokenError::UnknownKey;
        for key in keys.candidates(header.kid.as_deref(), header.alg) {
            match check(token, key) {
                Ok(claims) => return claims.check(now_secs),
                Err(error) => refusal = error,
            }
            if refusal != TokenError::Signature {
                break;
            }
        }
        Err(refusal)
    }
}

/// Checks the signature, by the key's algorithm, and reads the claims. Everything about time is checked by
/// ourselves, at the caller's time.
fn check(token: &str, key: &VerifyingKey) -> Result<RawClaims, TokenError> {
    let mut validation = Validation::new(key.algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    // Tokens of other services have audiences of their own; the secret says whom we trust.
    validation.validate_aud = false;
    let read = decode::<RawClaims>(token, &key.key, &validation);
    read.map(|token| token.claims).map_err(|error| match error.kind() {
        ErrorKind::Json(_) | ErrorKind::Utf8(_) => TokenError::Malformed("its claims cannot be read"),
        _ => TokenError::Signature,
    })
}
