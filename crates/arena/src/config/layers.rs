//! Defaults, file, environment and flags, one over the other.

use super::bot_variables;
use super::check;
use super::error::{ConfigError, ConfigProblem};
use super::file::{self, unknown_key, unknown_section};
use super::keys::{KEYS, Key};
use super::redact::HiddenText;
use super::sections::Config;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use toml::Value;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// The file.
    File {
        /// Its path.
        path: PathBuf,
        /// The line, counted from 1, where it is known.
        line: Option<usize>,
    },
    /// An environment variable.
    Variable(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => f.write_str("default"),
            Source::File { path, line: Some(line) } => write!(f, "file {}, line {line}", path.display()),
            Source::File { path, line: None } => write!(f, "file {}", path.display()),
            Source::Variable(name) => write!(f, "environment variable {name}"),
            Source::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A value and where it comes from. It may be a secret, so it has no `Debug`.
#[derive(Clone, PartialEq)]
pub struct Setting {
    /// The value, secrets included.
    pub value: Value,
    /// Where it comes from.
    pub source: Source,
}

/// The values of the command line; they go over everything else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--listen`
    pub listen: Option<String>,
    /// `--data-dir`
    pub data_dir: Option<String>,
    /// `--database-url`
    pub database_url: Option<String>,
    /// `--log`
    pub log: Option<String>,
    /// Flags that only some commands have.
    pub more: Vec<Flag>,
    /// Whether the variables count by which hosted bots are set up, such as `SUPABASE_URL`. They go over the file.
    pub bot_variables: bool,
}

/// A flag that sets a key, and that only some commands have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// As it is typed, dashes included.
    pub name: &'static str,
    /// The section of the key.
    pub section: &'static str,
    /// The name of the key.
    pub key: &'static str,
    /// What was typed.
    pub value: HiddenText,
}

/// A checked configuration that still knows where each value comes from.
#[derive(Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Variables with a project's keys that do not count, because bots connect to something else.
    pub ignored: Vec<&'static str>,
    settings: Settings,
}

// The settings hold secrets as they were written.
impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Loaded {
    /// The value of a key and where it comes from.
    pub fn setting(&self, key: &Key) -> &Setting {
        self.settings.get(key)
    }
}

/// Every key's setting.
#[derive(Clone)]
pub(super) struct Settings(BTreeMap<(&'static str, &'static str), Setting>);

impl Settings {
    fn defaults() -> Settings {
        let table = toml::Table::try_from(Config::default()).expect("invariant: the defaults are TOML");
        let setting =
            |key: &Key| Setting { value: table[key.section][key.name].clone(), source: Source::Default };
        Settings(KEYS.iter().map(|key| ((key.section, key.name), setting(key))).collect())
    }

    pub(super) fn get(&self, key: &Key) -> &Setting {
        self.0.get(&(key.section, key.name)).expect("invariant: every key has a setting")
    }

    pub(super) fn set(&mut self, key: &Key, setting: Setting) {
        self.0.insert((key.section, key.name), setting);
    }

    fn table(&self) -> toml::Table {
        let mut table = toml::Table::new();
        for (&(section, name), setting) in &self.0 {
            let section = table.entry(section).or_insert_with(|| Value::Table(toml::Table::new()));
            if let Value::Table(keys) = section {
                keys.insert(name.to_owned(), setting.value.clone());
            }
        }
        table
    }
}

/// The default of a key.
pub(super) fn default_of(key: &Key) -> Value {
    Settings::defaults().get(key).value.clone()
}

/// Short names of variables. The long name goes over the short one where both are set.
pub(super) const SHORT_VARIABLES: [(&str, &str, &str); 5] = [
    ("ARENA_LISTEN", "server", "listen"),
    ("ARENA_DATA_DIR", "server", "data_dir"),
    ("ARENA_DATABASE_URL", "database", "url"),
    ("ARENA_LOG", "log", "level"),
    ("ARENA_LLM_API_KEY", "fleet", "llm_api_key"),
];

/// Puts the layers over one another and checks the outcome. Takes everything as arguments, so that a test's
/// environment is not the process's.
pub(super) fn load_from(
    file: Option<(PathBuf, String)>,
    variables: impl Iterator<Item = (OsString, OsString)>,
    flags: &Flags,
) -> Result<Loaded, ConfigError> {
    let mut settings = Settings::defaults();
    let mut problems = Vec::new();
    if let Some((path, text)) = &file {
        file::read(path, text, &mut settings, &mut problems);
    }
    let variables: Vec<(OsString, OsString)> = variables.collect();
    let covered = flags.bot_variables.then(|| bot_variables::read(&variables, &mut settings, &mut problems));
    read_variables(variables.iter().cloned(), &mut settings, &mut problems);
    read_flags(flags, &mut settings);
    let ignored = covered.map(|covered| bot_variables::keep_keys_at_home(covered, &variables, &mut settings));
    let ignored = ignored.unwrap_or_default();
    problems.extend(check::check(&settings));
    if !problems.is_empty() {
        return Err(ConfigError { problems });
    }
    match Config::deserialize(Value::Table(settings.table())) {
        Ok(config) => Ok(Loaded { config, ignored, settings }),
        Err(error) => panic!("invariant: what the checks accept is a configuration: {error}"),
    }
}

fn read_variables(
    variables: impl Iterator<Item = (OsString, OsString)>,
    settings: &mut Settings,
    problems: &mut Vec<ConfigProblem>,
) {
    let mut ours: Vec<(String, OsString)> = variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with("ARENA_"))
        .collect();
    // Short names first, so that long ones go over them; and by name, so that errors keep their order.
    ours.sort_by_key(|(name, _)| (name.contains("__"), name.clone()));
    for (name, value) in ours {
        let source = Source::Variable(name.clone());
        let key = match key_of_variable(&name) {
            Ok(Some(key)) => key,
            Ok(None) => continue,
            Err((section, None)) => {
                problems.push(unknown_section(&section, source));
                continue;
            }
            Err((section, Some(key))) => {
                problems.push(unknown_key(&section, &key, source));
                continue;
            }
        };
        match value.into_string() {
            Ok(text) => settings.set(key, Setting { value: key.rule.parse(&text), source }),
            Err(_) => problems.push(ConfigProblem {
                key: Some(key.path()),
                value: None,
                source,
                problem: "is not UTF-8".to_owned(),
            }),
        }
    }
}

/// The key that a variable sets; `None` where it sets none, such as `ARENA_SERVER`; the unknown section, or the
/// section and the unknown name, where it looks as if it should.
fn key_of_variable(name: &str) -> Result<Option<&'static Key>, (String, Option<String>)> {
    if let Some((_, section, key)) = SHORT_VARIABLES.iter().find(|(short, _, _)| *short == name) {
        return Ok(Key::find(section, key));
    }
    let Some((section, key)) = name.strip_prefix("ARENA_").and_then(|rest| rest.split_once("__")) else {
        return Ok(None);
    };
    let (section, key) = (section.to_ascii_lowercase(), key.to_ascii_lowercase());
    if !Key::sections().contains(&section.as_str()) {
        return Err((section, None));
    }
    match Key::find(&section, &key) {
        Some(found) => Ok(Some(found)),
        None => Err((section, Some(key))),
    }
}

fn read_flags(flags: &Flags, settings: &mut Settings) {
    for (flag, value, section, name) in [
        ("--listen", &flags.listen, "server", "listen"),
        ("--data-dir", &flags.data_dir, "server", "data_dir"),
        ("--database-url", &flags.database_url, "database", "url"),
        ("--log", &flags.log, "log", "level"),
    ] {
        if let (Some(text), Some(key)) = (value, Key::find(section, name)) {
            settings.set(key, Setting { value: key.rule.parse(text), source: Source::Flag(flag) });
        }
    }
    for Flag { name, section, key, value } in &flags.more {
        let key = Key::find(section, key).expect("invariant: flags set keys that there are");
        settings.set(key, Setting { value: key.rule.parse(value.expose()), source: Source::Flag(name) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, variables: &[(&str, &str)], flags: Flags) -> Result<Loaded, ConfigError> {
        let file = (!file.is_empty()).then(|| (PathBuf::from("arena.toml"), file.to_owned()));
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        load_from(file, variables, &flags)
    }

    fn problems(file: &str, variables: &[(&str, &str)], flags: Flags) -> Vec<String> {
        let error = load(file, variables, flags).expect_err("the configuration is wrong");
        error.problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn with_nothing_set_everything_is_the_default() {
        assert_eq!(load("", &[], Flags::default()).unwrap().config, Config::default());
    }

    #[test]
    fn a_variable_goes_over_the_file_and_a_flag_over_both() {
        let file =
            "[server]\nlisten = \"127.0.0.1:1\"\n[sync]\nconcurrency = 4\n[database]\npgbouncer = true";
        let loaded = |variables: &[(&str, &str)], flags| load(file, variables, flags).unwrap().config;
        assert_eq!(loaded(&[], Flags::default()).server.listen.port(), 1);
        assert!(loaded(&[], Flags::default()).database.pgbouncer);
        let variables = [("ARENA_LISTEN", "127.0.0.1:2"), ("ARENA_SYNC__CONCURRENCY", "8")];
        assert_eq!(loaded(&variables, Flags::default()).server.listen.port(), 2);
        assert_eq!(loaded(&variables, Flags::default()).sync.concurrency, 8);
        let flags = Flags { listen: Some("127.0.0.1:3".to_owned()), ..Flags::default() };
        assert_eq!(loaded(&variables, flags).server.listen.port(), 3);
    }

    #[test]
    fn a_long_variable_goes_over_its_short_name() {
        let variables = [("ARENA_SERVER__LISTEN", "127.0.0.1:2"), ("ARENA_LISTEN", "127.0.0.1:1")];
        let loaded = load("", &variables, Flags::default()).unwrap();
        assert_eq!(loaded.config.server.listen.port(), 2);
    }

    #[test]
    fn variables_of_the_cli_are_no_settings() {
        let variables = [("ARENA_SERVER", "x"), ("ARENA_OUTPUT", "x"), ("ARENA_CONFIG", "x")];
        assert!(load("", &variables, Flags::default()).is_ok());
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_with_its_place() {
        let file = "[sync]\nconcurrency = \"many\"\nevery = 3\n\n[wolrds]\nmap = \"town\"\n";
        let variables = [("ARENA_WORLDS__TICK_MS", "0"), ("ARENA_WORLDS__TICKS", "1"), ("ARENA_X__Y", "1")];
        let flags = Flags { log: Some("loud".to_owned()), ..Flags::default() };
        assert_eq!(
            problems(file, &variables, flags),
            [
                "sync.every (file arena.toml, line 3): unknown key; [sync] has every_secs, concurrency, \
                 max_deploys_per_run, retry_base_ms, retry_factor, retry_cap_ms, retry_attempts, \
                 retry_jitter_percent",
                "wolrds (file arena.toml, line 5): is not a section; there are server, database, auth, channels, \
                 health, worlds, sync, conversations, matchmaking, realtime, fleet, log",
                "worlds.ticks (environment variable ARENA_WORLDS__TICKS): unknown key; [worlds] has map, \
                 tick_ms, mailbox, max_residents, snapshot_every_ms, cache_ttl_secs, host_timeout_ms, seed, \
                 talk, talk_max_messages, talk_max_replies_per_participant",
                "x (environment variable ARENA_X__Y): is not a section; there are server, database, auth, \
                 channels, health, worlds, sync, conversations, matchmaking, realtime, fleet, log",
                "worlds.tick_ms = 0 (environment variable ARENA_WORLDS__TICK_MS): must be a whole number \
                 from 10 to 10000",
                "sync.concurrency = \"many\" (file arena.toml, line 2): must be a whole number from 1 to 1024",
                "log.level = \"loud\" (flag --log): must be error, warn, info, debug or trace",
            ]
        );
    }

    #[test]
    fn values_that_do_not_fit_each_other_are_refused() {
        let file = "[health]\nwarning_from_percent = 95\n[channels]\nmain = 2000\n[sync]\nretry_cap_ms = 100";
        let problems = problems(file, &[], Flags::default());
        assert_eq!(problems.len(), 3, "{problems:#?}");
        assert!(problems[0].starts_with("channels.main = 2000 (file arena.toml, line 4): must not exceed"));
        assert!(problems[1].starts_with("health.warning_from_percent = 95"));
        assert!(problems[2].starts_with("sync.retry_base_ms = 2000 (default): must not exceed"));
    }

    #[test]
    fn more_bots_than_connections_are_refused_with_what_to_do() {
        let file = |max| format!("[fleet]\nmax = {max}\nmax_connections = 50\n");
        let problems = problems(&file(50), &[], Flags::default());
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert!(
            problems[0].starts_with("fleet.max = 50 (file arena.toml, line 2): must be below"),
            "{problems:?}"
        );
        assert!(problems[0].contains("raise fleet.max_connections"), "{problems:?}");
        assert!(load(&file(49), &[], Flags::default()).is_ok());
    }

    #[test]
    fn a_password_is_in_no_error() {
        let url = "mysql://arena:s3cret@db/arena";
        let flags = Flags { database_url: Some(url.to_owned()), ..Flags::default() };
        let shown = problems("", &[], flags).join("\n");
        assert!(shown.contains("mysql://arena:***@db/arena") && !shown.contains("s3cret"), "{shown}");
        let broken = problems("[database]\nurl = postgres://arena:s3cret@db\n", &[], Flags::default());
        assert!(!broken.join("\n").contains("s3cret"), "{broken:?}");
        assert!(broken[0].starts_with("file arena.toml, line 2: is not TOML"), "{broken:?}");
    }

    #[test]
    fn a_file_that_is_named_must_exist() {
        let error = crate::config::load(Some("no/such.toml".as_ref()), &Flags::default()).unwrap_err();
        assert!(error.to_string().contains("file no/such.toml: cannot be read"), "{error}");
    }
}
