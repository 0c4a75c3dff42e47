//! The keys that signatures are checked with.

use super::Secret;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use std::fmt;

/// Keys of several ids and algorithms. To rotate: add the new key, sign with it, and keep the old one until the last
/// token it signed is over.
#[derive(Clone, Default)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
}

/// A key, and the one algorithm that it is for: a token never chooses how it is checked.
#[derive(Clone)]
pub(super) struct VerifyingKey {
    id: Option<String>,
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// Keys that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    /// It is no JSON Web Key Set (RFC 7517).
    #[error("not a JSON Web Key Set: {0}")]
    NotJwks(String),
    /// A key of it is of a kind that is not spoken here.
    #[error("key {0}: only oct, RSA, EC (P-256, P-384) and OKP (Ed25519) keys for signing are known")]
    Unsupported(String),
    /// A shared secret is too short to be one.
    #[error("key {0}: a shared secret needs at least {min} bytes", min = Secret::MIN_BYTES)]
    Weak(String),
    /// More than any rotation needs; each may be tried for a token that names none.
    #[error("{0} keys are too many: at most {max}", max = KeySet::MAX_KEYS)]
    TooMany(usize),
}

impl KeySet {
    /// Keys at most.
    pub const MAX_KEYS: usize = 32;

    /// Also accepts what was signed with this secret, by HS256.
    pub fn with_secret(mut self, secret: &Secret) -> KeySet {
        self.keys.push(VerifyingKey {
            id: secret.id().map(str::to_owned),
            algorithm: Algorithm::HS256,
            key: DecodingKey::from_secret(secret.as_bytes()),
        });
        self
    }

    /// Also accepts what was signed with the keys of a JSON Web Key Set. Keys for encryption are passed over.
    pub fn with_jwks(mut self, json: &str) -> Result<KeySet, BadKeys> {
        let set: JwkSet = serde_json::from_str(json).map_err(|error| BadKeys::NotJwks(error.to_string()))?;
        for (at, jwk) in set.keys.iter().enumerate() {
            if jwk.common.public_key_use != Some(PublicKeyUse::Encryption) {
                self.keys.push(VerifyingKey::from_jwk(jwk, at)?);
            }
        }
        match self.keys.len() {
            len if len > KeySet::MAX_KEYS => Err(BadKeys::TooMany(len)),
            _ => Ok(self),
        }
    }

    /// How many keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no token can be accepted.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that may have signed a token of this algorithm which names this key. Keys without an id, such as a
    /// secret that others sign with under ids of their own, may have signed any.
    pub(super) fn candidates<'a>(
        &'a self,
        id: Option<&'a str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'a VerifyingKey> {
        self.keys.iter().filter(move |key| {
            let named = id.is_none() || key.id.is_none() || key.id.as_deref() == id;
            named && key.algorithm == algorithm
        })
    }
}

impl VerifyingKey {
    fn from_jwk(jwk: &Jwk, at: usize) -> Result<VerifyingKey, BadKeys> {
        let name = || jwk.common.key_id.clone().unwrap_or_else(|| format!("number {}", at + 1));
        let algorithm = algorithm_of(jwk).ok_or_else(|| BadKeys::Unsupported(name()))?;
        let key = DecodingKey::from_jwk(jwk).map_err(|_| BadKeys::Unsupported(name()))?;
        let weak = matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_))
            && key.try_get_as_bytes().is_ok_and(|bytes| bytes.len() < Secret::MIN_BYTES);
        if weak {
            return Err(BadKeys::Weak(name()));
        }
        Ok(VerifyingKey { id: jwk.common.key_id.clone(), algorithm, key })
    }
}

/// What the key is for: what it says, if that fits the kind of key; else what is usual for the kind.
fn algorithm_of(jwk: &Jwk) -> Option<Algorithm> {
    use Algorithm::{ES256, ES384, EdDSA, HS256, HS384, HS512, PS256, PS384, PS512, RS256, RS384, RS512};
    let fitting: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::OctetKey(_) => &[HS256, HS384, HS512],
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => &[ES256],
        AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P384 => &[ES384],
        AlgorithmParameters::OctetKeyPair(okp) if okp.curve == EllipticCurve::Ed25519 => &[EdDSA],
        _ => return None,
    };
    match jwk.common.key_algorithm {
        None => fitting.first().copied(),
        Some(named) => Algorithm::try_from(named).ok().filter(|named| fitting.contains(named)),
    }
}

// Some of the keys are secrets.
impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| (&key.id, key.algorithm))).finish()
    }
}
