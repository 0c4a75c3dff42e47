//! The keys that the settings name.

use crate::config::Config;
use arena_realtime::token::secret::{self, SecretFileError};
use arena_realtime::token::{BadKeys, Issuer, KeySet, Secret, WeakSecret};
use std::io;
use std::path::PathBuf;

/// Signs tokens, and the keys to check them with.
#[derive(Debug)]
pub struct Auth {
    /// Signs.
    pub issuer: Issuer,
    /// What is accepted: what `issuer` signs, and whatever else the settings name.
    pub keys: KeySet,
    /// Where the secret is, in words.
    pub source: String,
}

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The secret's file.
    #[error(transparent)]
    SecretFile(#[from] SecretFileError),
    /// The secret of the settings.
    #[error("auth.jwt_secret: {0}")]
    Secret(#[from] WeakSecret),
    /// The key set cannot be read.
    #[error("auth.jwks_file {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key set cannot be used.
    #[error("auth.jwks_file {}: {source}", path.display())]
    Keys {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: BadKeys,
    },
}

impl Auth {
    /// Reads the keys. Where no secret is set and none is in the data directory, one is made there.
    pub fn open(config: &Config) -> Result<Auth, AuthError> {
        let (secrets, source) = match &config.auth.jwt_secret {
            none if none.is_empty() => {
                let data_dir = &config.server.data_dir;
                let source = data_dir.join(secret::FILE_NAME).display().to_string();
                (secret::load_or_create(data_dir)?, source)
            }
            text => (vec![Secret::shared(text.expose())?], "auth.jwt_secret".to_owned()),
        };
        let keys = secrets.iter().fold(KeySet::default(), KeySet::with_secret);
        Ok(Auth { issuer: Issuer::new(&secrets[0]), keys: with_file(keys, config)?, source })
    }
}

/// Adds the keys of `auth.jwks_file`, where one is named.
fn with_file(keys: KeySet, config: &Config) -> Result<KeySet, AuthError> {
    let path = &config.auth.jwks_file;
    if path.as_os_str().is_empty() {
        return Ok(keys);
    }
    let text = std::fs::read_to_string(path)
        .map_err(|source| AuthError::Unreadable { path: path.clone(), source })?;
    keys.with_jwks(&text).map_err(|source| AuthError::Keys { path: path.clone(), source })
}
