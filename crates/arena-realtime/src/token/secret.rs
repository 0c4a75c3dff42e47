//! The shared secret that our own tokens are signed with, and its file.

use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file's name in the data directory.
pub const FILE_NAME: &str = "jwt.secret";

/// A shared secret, as text: its bytes are the key, as Supabase has it. It prints as nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    id: Option<String>,
}

/// A secret that is too short: those can be found by trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret needs at least {min} bytes", min = Secret::MIN_BYTES)]
pub struct WeakSecret;

impl Secret {
    /// The shortest secret, in bytes: as long as the hash of HS256 (RFC 7518, 3.2).
    pub const MIN_BYTES: usize = 32;

    /// A secret that others sign with too, under whatever key id they please.
    pub fn shared(text: &str) -> Result<Secret, WeakSecret> {
        match text.len() {
            len if len < Secret::MIN_BYTES => Err(WeakSecret),
            _ => Ok(Secret { text: text.to_owned(), id: None }),
        }
    }

    /// A secret of our own. Its id is a digest of it, so that it is the same wherever the secret is.
    pub fn own(text: &str) -> Result<Secret, WeakSecret> {
        let secret = Secret::shared(text)?;
        let key = DecodingKey::from_secret(secret.as_bytes());
        let digest = Jwk::from_decoding_key(&key, Some(Algorithm::HS256))
            .and_then(|jwk| jwk.thumbprint(ThumbprintHash::SHA256))
            .expect("invariant: a shared secret has a thumbprint");
        Ok(Secret { id: Some(digest.chars().take(16).collect()), ..secret })
    }

    /// A new one: 256 bits from the system, in hexadecimal.
    pub fn generate() -> io::Result<Secret> {
        let mut bytes = [0u8; 32];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Secret::own(&text).expect("invariant: 64 digits are long enough"))
    }

    /// The key's id, if it has one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The key.
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why the file's secrets cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The file, or its directory, cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others may read the file.
    #[error("{}: others can read it (mode {mode:03o}); `chmod 600` it, and replace the secret if somebody might have", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// A line of it is too short for a secret.
    #[error("{}, line {line}: {source}", path.display())]
    Weak {
        /// Which.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// Why.
        source: WeakSecret,
    },
    /// It holds no secret.
    #[error("{}: holds no secret; remove it to have one made", .0.display())]
    Empty(PathBuf),
}

/// The secrets of `jwt.secret` in `data_dir`, one a line: the first signs, and all of them are accepted. Makes
/// directory and file where they are missing; of several processes that do so at once, all get the same secret.
pub fn load_or_create(data_dir: &Path) -> Result<Vec<Secret>, SecretFileError> {
    let path = data_dir.join(FILE_NAME);
    let failed = |source| SecretFileError::Io { path: path.clone(), source };
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create(data_dir, &path).map_err(failed)?;
            File::open(&path).map_err(failed)?
        }
        opened => opened.map_err(failed)?,
    };
    check_mode(&file, &path)?;
    let text = io::read_to_string(file).map_err(failed)?;
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let secrets = lines.filter(|(_, text)| !text.is_empty()).map(|(line, text)| {
        Secret::own(text).map_err(|source| SecretFileError::Weak { path: path.clone(), line, source })
    });
    match secrets.collect::<Result<Vec<Secret>, _>>()? {
        secrets if secrets.is_empty() => Err(SecretFileError::Empty(path)),
        secrets => Ok(secrets),
    }
}

/// Puts a new secret where there is none yet. It is written elsewhere first and then linked, which fails if somebody
/// else was faster: so nobody ever sees half a secret, and none replaces another.
fn create(data_dir: &Path, path: &Path) -> io::Result<()> {
    fs::create_dir_all(data_dir)?;
    let secret = Secret::generate()?;
    let draft = data_dir.join(format!(".{FILE_NAME}.{}", uuid::Uuid::new_v4().simple()));
    let written = write_private(&draft, &secret).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let removed = fs::remove_file(&draft);
    written.and(removed)
}

fn write_private(path: &Path, secret: &Secret) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{}", secret.text)?;
    file.sync_all()
}

#[cfg(unix)]
fn check_mode(file: &File, path: &Path) -> Result<(), SecretFileError> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |source| SecretFileError::Io { path: path.to_owned(), source };
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(SecretFileError::Open { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_file: &File, _path: &Path) -> Result<(), SecretFileError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::Barrier;

    fn directory() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn write(dir: &tempfile::TempDir, text: &str) {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(dir.path().join(FILE_NAME)).unwrap().write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn a_secret_is_made_once_and_kept_in_a_directory_that_is_made_too() {
        let dir = directory();
        let data_dir = dir.path().join("a/b");
        let made = load_or_create(&data_dir).unwrap();
        assert_eq!(made.len(), 1);
        assert_eq!(made[0].as_bytes().len(), 64);
        assert_eq!(load_or_create(&data_dir).unwrap(), made);
        assert_ne!(load_or_create(dir.path()).unwrap(), made);
        let files: Vec<_> = fs::read_dir(&data_dir).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, [FILE_NAME], "no draft is left behind");
    }

    #[test]
    fn all_who_make_it_at_once_get_the_same_secret() {
        const AT_ONCE: usize = 16;
        for _ in 0..20 {
            let dir = directory();
            let start = Barrier::new(AT_ONCE);
            let ids: BTreeSet<String> = std::thread::scope(|scope| {
                let one = || {
                    start.wait();
                    load_or_create(dir.path()).unwrap()[0].id().unwrap().to_owned()
                };
                let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(one)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            assert_eq!(ids.len(), 1, "{ids:?}");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no draft is left behind");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused_and_ours_is_not() {
        use std::os::unix::fs::PermissionsExt;
        let dir = directory();
        load_or_create(dir.path()).unwrap();
        let path = dir.path().join(FILE_NAME);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for (mode, fine) in [(0o400, true), (0o600, true), (0o640, false), (0o604, false), (0o620, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let loaded = load_or_create(dir.path());
            match loaded {
                Ok(_) => assert!(fine, "{mode:o}"),
                Err(error) => {
                    assert!(!fine && error.to_string().contains(&format!("mode {mode:o}")), "{error}");
                }
            }
        }
    }

    #[test]
    fn the_first_line_signs_and_empty_lines_are_none() {
        let dir = directory();
        let (new, old) = ("n".repeat(32), "o".repeat(40));
        write(&dir, &format!("\n{new}\r\n\n  {old}\n"));
        let texts: Vec<_> = load_or_create(dir.path()).unwrap().into_iter().map(|s| s.text).collect();
        assert_eq!(texts, [new, old]);
    }

    #[test]
    fn a_file_without_a_proper_secret_is_refused_and_left_alone() {
        let dir = directory();
        for (text, why) in [
            ("", "holds no secret"),
            ("\n \n", "holds no secret"),
            ("short\n", "line 1: a secret needs at least 32 bytes"),
            (&format!("{}\n\nshort\n", "n".repeat(32)), "line 3: a secret needs at least 32 bytes"),
        ] {
            write(&dir, text);
            let error = load_or_create(dir.path()).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("nnn"), "{error}");
            assert_eq!(fs::read_to_string(dir.path().join(FILE_NAME)).unwrap(), text);
        }
    }

    #[test]
    fn a_directory_that_is_none_is_named() {
        let dir = directory();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let error = load_or_create(&file).unwrap_err().to_string();
        assert!(error.contains("file/jwt.secret"), "{error}");
    }
}
