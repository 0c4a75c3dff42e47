//! The environment variables by which hosted bots are set up elsewhere. `arena fleet run` takes them, so that a service
//! that has them needs no settings of ours: they go over the file, and our own variables and flags go over them. The keys
//! among them go to the project that they belong to and nowhere else.

use super::error::ConfigProblem;
use super::keys::Key;
use super::layers::{Setting, Settings, Source};
use std::ffi::OsString;
use toml::Value;
use ureq::http::Uri;

/// The variable that says where the project is.
const PROJECT: &str = "SUPABASE_URL";

/// The variables with the project's keys.
const KEYS_OF_PROJECT: [&str; 2] = ["SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_JWT_SECRET"];

/// The variables, and the section and name of the key that each sets.
pub(super) const BOT_VARIABLES: [(&str, &str, &str); 7] = [
    (PROJECT, "fleet", "endpoint"),
    ("SUPABASE_SERVICE_ROLE_KEY", "fleet", "apikey"),
    ("SUPABASE_JWT_SECRET", "fleet", "jwt_secret"),
    ("BOT_MIN_COUNT", "fleet", "min"),
    ("BOT_MAX_COUNT", "fleet", "max"),
    (TARGET_PERCENTAGE, "fleet", "target_percent"),
    ("MAINTENANCE_INTERVAL_MS", "fleet", "maintenance_ms"),
];

/// The one that is written as a share by some and as a percentage by others.
const TARGET_PERCENTAGE: &str = "BOT_TARGET_PERCENTAGE";

/// What the keys of the project were put over.
pub(super) struct Covered(Vec<(&'static str, &'static Key, Setting)>);

/// Puts the variables that are set, and not empty, over `settings`.
pub(super) fn read(
    variables: &[(OsString, OsString)],
    settings: &mut Settings,
    problems: &mut Vec<ConfigProblem>,
) -> Covered {
    let mut covered = Vec::new();
    for (name, section, key) in BOT_VARIABLES {
        let Some((_, value)) = variables.iter().find(|(set, value)| set == name && !value.is_empty()) else {
            continue;
        };
        let key = Key::find(section, key).expect("invariant: these variables set keys that there are");
        let source = Source::Variable(name.to_owned());
        if KEYS_OF_PROJECT.contains(&name) {
            covered.push((name, key, settings.get(key).clone()));
        }
        match read_one(name, key, value) {
            Ok(value) => settings.set(key, Setting { value, source }),
            Err((value, problem)) => {
                problems.push(ConfigProblem { key: Some(key.path()), value, source, problem });
            }
        }
    }
    Covered(covered)
}

/// Takes the keys of the project away again where bots connect to something else. Gives the variables that do not count
/// for that. To be called when everything else has been read.
pub(super) fn keep_keys_at_home(
    covered: Covered,
    variables: &[(OsString, OsString)],
    settings: &mut Settings,
) -> Vec<&'static str> {
    let endpoint = Key::find("fleet", "endpoint").map(|key| settings.get(key));
    let project = variables.iter().find(|(name, _)| name == PROJECT).and_then(|(_, value)| value.to_str());
    let is_home = endpoint.is_some_and(|endpoint| match &endpoint.source {
        Source::Variable(name) if name == PROJECT => true,
        _ => place(endpoint.value.as_str()).is_some_and(|there| Some(there) == place(project)),
    });
    if is_home {
        return Vec::new();
    }
    let mut ignored = Vec::new();
    for (name, key, before) in covered.0 {
        if matches!(&settings.get(key).source, Source::Variable(from) if from == name) {
            settings.set(key, before);
            ignored.push(name);
        }
    }
    ignored
}

/// Host, port and whether what is sent there is encrypted.
fn place(url: Option<&str>) -> Option<(String, u16, bool)> {
    let url: Uri = url?.trim().parse().ok()?;
    let is_secret = matches!(url.scheme_str()?, "wss" | "https");
    let port = url.port_u16().unwrap_or(if is_secret { 443 } else { 80 });
    Some((url.host()?.to_ascii_lowercase(), port, is_secret))
}

/// The value; or what may be shown of it, and what is wrong.
fn read_one(name: &str, key: &Key, value: &OsString) -> Result<Value, (Option<String>, String)> {
    let text = value.to_str().ok_or_else(|| (None, "is not UTF-8".to_owned()))?.trim();
    if name != TARGET_PERCENTAGE {
        return Ok(key.rule.parse(text));
    }
    percent(text).map(Value::Integer).ok_or_else(|| {
        let allowed =
            "must be a share up to 1, such as 0.3, or a percentage above 1, such as 30, up to 10000";
        (Some(Value::from(text).to_string()), allowed.to_owned())
    })
}

/// `0.3` and `30` are the same.
fn percent(text: &str) -> Option<i64> {
    let number: f64 = text.parse().ok().filter(|number| (0.0..=10_000.0).contains(number))?;
    let percent = if number <= 1.0 { number * 100.0 } else { number };
    // In range, as checked above.
    #[expect(clippy::cast_possible_truncation, reason = "0 to 10,000")]
    Some(percent.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::layers::load_from;
    use crate::config::{Config, ConfigError, Flag, Flags, HiddenText};

    /// Whether the project's key is shown at this endpoint.
    fn goes_to(endpoint: &str, project: &str) -> bool {
        let flag = |key, value: &str| Flag {
            name: "--x",
            section: "fleet",
            key,
            value: HiddenText::new(value.to_owned()),
        };
        let more = if endpoint.is_empty() { vec![] } else { vec![flag("endpoint", endpoint)] };
        let variables = [
            ("SUPABASE_URL", project),
            ("SUPABASE_SERVICE_ROLE_KEY", "the-key"),
            ("SUPABASE_JWT_SECRET", "0123456789abcdef0123456789abcdef"),
        ];
        let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let file = ("arena.toml".into(), "[fleet]\napikey = \"from-the-file\"\n".to_owned());
        let flags = Flags { bot_variables: true, more, ..Flags::default() };
        let loaded = load_from(Some(file), variables.into_iter(), &flags).unwrap();
        let fleet = &loaded.config.fleet;
        match fleet.apikey.expose() {
            "the-key" => {
                assert!(loaded.ignored.is_empty() && !fleet.jwt_secret.is_empty());
                true
            }
            other => {
                assert_eq!((other, fleet.jwt_secret.is_empty()), ("from-the-file", true));
                assert_eq!(loaded.ignored, KEYS_OF_PROJECT);
                false
            }
        }
    }

    #[test]
    fn the_keys_of_a_project_go_to_that_project_and_nowhere_else() {
        let project = "https://ref.supabase.co";
        assert!(goes_to("", project));
        assert!(goes_to("wss://REF.supabase.co/realtime/v1", project));
        for other in
            ["ws://other", "wss://other.supabase.co", "ws://ref.supabase.co", "wss://ref.supabase.co:444"]
        {
            assert!(!goes_to(other, project), "{other}");
        }
        assert!(!goes_to("wss://ref.supabase.co", ""), "whose key it is is not known");
        assert!(!goes_to("", ""), "this server is no project");
        assert!(goes_to("ws://127.0.0.1:54321/realtime/v1", "http://127.0.0.1:54321"));
    }

    #[test]
    fn a_key_of_ones_own_counts_whatever_the_endpoint() {
        let variables = [("SUPABASE_SERVICE_ROLE_KEY", "theirs"), ("ARENA_FLEET__APIKEY", "ours")];
        let fleet =
            load("[fleet]\nendpoint = \"wss://other\"\n", &variables, Flags::default()).unwrap().fleet;
        assert_eq!(fleet.apikey.expose(), "ours");
    }

    fn load(file: &str, variables: &[(&str, &str)], flags: Flags) -> Result<Config, ConfigError> {
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let flags = Flags { bot_variables: true, ..flags };
        load_from(Some(("arena.toml".into(), file.to_owned())), variables, &flags).map(|loaded| loaded.config)
    }

    #[test]
    fn a_target_is_a_share_or_a_percentage() {
        for (text, expected) in
            [("0.3", 30), ("30", 30), ("1", 100), ("1.0", 100), ("150", 150), ("0", 0), ("12.5", 13)]
        {
            let loaded = load("", &[("BOT_TARGET_PERCENTAGE", text)], Flags::default()).unwrap();
            assert_eq!(loaded.fleet.target_percent, expected, "{text}");
        }
        for wrong in ["30%", "-1", "NaN", "inf", "10001", "a third"] {
            let error = load("", &[("BOT_TARGET_PERCENTAGE", wrong)], Flags::default()).unwrap_err();
            let expected = format!(
                "fleet.target_percent = {wrong:?} (environment variable BOT_TARGET_PERCENTAGE): must be a share"
            );
            assert!(error.to_string().contains(&expected), "{error}");
        }
    }

    #[test]
    fn they_go_over_the_file_and_under_our_own_variables_and_flags() {
        let file = "[fleet]\nmin = 1\nmax = 2\nmaintenance_ms = 100\n";
        let variables = [
            ("SUPABASE_URL", "https://ref.supabase.co"),
            ("BOT_MIN_COUNT", "10"),
            ("BOT_MAX_COUNT", "20"),
            ("MAINTENANCE_INTERVAL_MS", ""),
            ("ARENA_FLEET__MAX", "30"),
        ];
        let value = HiddenText::new("25".to_owned());
        let min = Flag { name: "--min", section: "fleet", key: "min", value };
        let fleet = load(file, &variables, Flags { more: vec![min], ..Flags::default() }).unwrap().fleet;
        assert_eq!(fleet.endpoint, "https://ref.supabase.co");
        assert_eq!((fleet.min, fleet.max, fleet.maintenance_ms), (25, 30, 100));
    }

    #[test]
    fn a_bad_one_is_named_with_what_is_allowed_and_keys_are_not_shown() {
        let variables = [
            ("SUPABASE_URL", "ref.supabase.co"),
            ("SUPABASE_SERVICE_ROLE_KEY", "s3cret with spaces"),
            ("SUPABASE_JWT_SECRET", "s3cret"),
            ("BOT_MIN_COUNT", "many"),
            ("BOT_MAX_COUNT", "-1"),
        ];
        let error = load("", &variables, Flags::default()).unwrap_err().to_string();
        for (name, _) in variables {
            assert!(error.contains(&format!("(environment variable {name}): must be ")), "{name}\n{error}");
        }
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn other_commands_do_not_look_at_them() {
        let variable = ("BOT_MIN_COUNT".into(), "many".into());
        assert!(load_from(None, std::iter::once(variable), &Flags::default()).is_ok());
    }
}
