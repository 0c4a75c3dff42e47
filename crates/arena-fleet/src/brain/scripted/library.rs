//! The personas of a fleet: those that are built in, and those of a directory.

use super::file;
use super::persona::Persona;
use crate::brain::error::BrainsError;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files of a directory at most.
const MAX_FILES: usize = 256;
/// The largest file, in bytes.
const MAX_BYTES: u64 = 256 * 1024;

macro_rules! built_in {
    ($($name:literal),*) => {
        [$((concat!("built-in ", $name, ".toml"), include_str!(concat!("../../../personas/", $name, ".toml")))),*]
    };
}

/// The files that are part of the program.
const BUILT_IN: [(&str, &str); 5] = built_in!["ada", "basil", "juno", "marlow", "pip"];

/// Personas by their names.
#[derive(Debug, Clone)]
pub(crate) struct Library(BTreeMap<String, Arc<Persona>>);

impl Library {
    /// The built-in personas and those of the directory, where there is one. One of the directory takes the place of
    /// a built-in one of its name.
    pub(crate) fn open(directory: Option<&Path>) -> Result<Library, BrainsError> {
        let mut library = Library(BTreeMap::new());
        for (file, text) in BUILT_IN {
            library.add(file::parse(file, text)?);
        }
        let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
        for path in directory.map(files_of).transpose()?.unwrap_or_default() {
            let name = path.display().to_string();
            let persona = file::parse(&name, &read(&path)?)?;
            if let Some(other) = files.insert(persona.name.clone(), path) {
                let problem = format!("name: `{}` is the name of {} already", persona.name, other.display());
                return Err(BrainsError::Persona { file: name, line: 1, problem });
            }
            library.add(persona);
        }
        Ok(library)
    }

    fn add(&mut self, persona: Persona) {
        self.0.insert(persona.name.clone(), Arc::new(persona));
    }

    /// The persona of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Persona>> {
        self.0.get(name)
    }

    /// The persona of that name, or one that `seed` picks: a roster may name what is no longer there, and the bot
    /// talks all the same.
    pub(crate) fn get_or_any(&self, name: &str, seed: u64) -> Arc<Persona> {
        let any = || self.0.values().nth((seed % self.0.len().max(1) as u64) as usize);
        Arc::clone(self.get(name).or_else(any).expect("invariant: there are built-in personas"))
    }

    /// All names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> BrainsError {
    let path = path.to_owned();
    move |source| BrainsError::Unreadable { path: path.clone(), source }
}

/// The `.toml` files of a directory, in order.
fn files_of(directory: &Path) -> Result<Vec<PathBuf>, BrainsError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable(directory))? {
        let path = entry.map_err(unreadable(directory))?.path();
        if path.extension() == Some(OsStr::new("toml")) {
            files.push(path);
        }
    }
    if files.len() > MAX_FILES {
        let problem = format!("at most {MAX_FILES} personas are read, and there are {}", files.len());
        return Err(BrainsError::TooMuch { path: directory.to_owned(), problem });
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<String, BrainsError> {
    let bytes = std::fs::metadata(path).map_err(unreadable(path))?.len();
    if bytes > MAX_BYTES {
        let problem = format!("a persona has at most {MAX_BYTES} bytes, and this one has {bytes}");
        return Err(BrainsError::TooMuch { path: path.to_owned(), problem });
    }
    std::fs::read_to_string(path).map_err(unreadable(path))
}
