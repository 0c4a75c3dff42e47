//! The configuration as text: the reference of all keys, and what is in force.

use super::bot_variables::BOT_VARIABLES;
use super::file::shown;
use super::keys::{KEYS, Key};
use super::layers::{Loaded, SHORT_VARIABLES, Source, default_of};
use crate::render::wrap;
use serde_json::json;
use toml::Value;

/// Width of the comments, in columns.
const WIDTH: usize = 100;

/// All keys with their documentation and defaults, as a file that can be used as it is.
pub fn defaults_as_toml() -> String {
    let head = "# All settings of Arena and their defaults. What is left out of a file keeps its default.\n";
    document(head, |key| (default_of(key).to_string(), None))
}

/// What is in force, each key with its documentation; what is not the default says where it comes from. Without
/// secrets.
pub fn effective_as_toml(loaded: &Loaded) -> String {
    let head = "# The settings in force. Those marked with `>` are not from the defaults.\n";
    document(head, |key| {
        let setting = loaded.setting(key);
        let note = (setting.source != Source::Default)
            .then(|| format!("> {}; the default is {}", setting.source, default_of(key)));
        (shown(key, &setting.value), note)
    })
}

/// What is in force, for programs: `{"section": {"key": {"value", "default", "source"}}}`. Without secrets.
pub fn effective_as_json(loaded: &Loaded) -> String {
    let mut sections = serde_json::Map::new();
    for key in KEYS {
        let setting = loaded.setting(key);
        let entry = json!({
            "value": as_json(&key.rule.shown(&setting.value)),
            "default": as_json(&default_of(key)),
            "source": setting.source.to_string(),
        });
        let section = sections.entry(key.section).or_insert_with(|| json!({}));
        if let Some(keys) = section.as_object_mut() {
            keys.insert(key.name.to_owned(), entry);
        }
    }
    let mut text = serde_json::Value::Object(sections).to_string();
    text.push('\n');
    text
}

fn document(head: &str, value_and_note: impl Fn(&Key) -> (String, Option<String>)) -> String {
    let mut text = head.to_owned();
    let mut section = "";
    for key in KEYS {
        if key.section != section {
            section = key.section;
            text.push_str(&format!("\n[{section}]\n"));
        }
        let (value, note) = value_and_note(key);
        for line in wrap(&comment(key), WIDTH - 2).into_iter().chain(note) {
            text.push_str(&format!("# {line}\n"));
        }
        text.push_str(&format!("{} = {value}\n", key.name));
    }
    text
}

/// What a key means, what it allows and which variables set it.
fn comment(key: &Key) -> String {
    let short =
        SHORT_VARIABLES.iter().find(|(_, section, name)| (*section, *name) == (key.section, key.name));
    let short = short.map(|(name, _, _)| format!(" Also {name}.")).unwrap_or_default();
    let bots = BOT_VARIABLES.iter().find(|(_, section, name)| (*section, *name) == (key.section, key.name));
    let bots = bots.map(|(name, _, _)| format!(" For `arena fleet run` also {name}.")).unwrap_or_default();
    format!("{} Allowed: {}.{short}{bots}", key.doc, key.rule.allowed_in_short())
}

fn as_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Integer(n) => json!(n),
        Value::Boolean(b) => json!(b),
        Value::String(text) => json!(text),
        Value::Array(items) => items.iter().map(as_json).collect(),
        other => json!(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Flags, layers::load_from};
    use std::ffi::OsString;

    #[test]
    fn the_documented_defaults_parse_to_exactly_the_defaults() {
        let parsed: Config = toml::from_str(&defaults_as_toml()).unwrap();
        assert_eq!(parsed, Config::default());
    }

    #[test]
    fn what_is_in_force_is_a_usable_file_too() {
        let flags = Flags { listen: Some("0.0.0.0:80".to_owned()), ..Flags::default() };
        let loaded = load_from(None, std::iter::empty(), &flags).unwrap();
        let parsed: Config = toml::from_str(&effective_as_toml(&loaded)).unwrap();
        assert_eq!(parsed, loaded.config);
    }

    #[test]
    fn passwords_are_not_shown() {
        let url = OsString::from("postgres://arena:s3cret@db/arena");
        let variables = std::iter::once((OsString::from("ARENA_DATABASE_URL"), url));
        let loaded = load_from(None, variables, &Flags::default()).unwrap();
        for text in [effective_as_toml(&loaded), effective_as_json(&loaded), format!("{:?}", loaded.config)] {
            assert!(text.contains("postgres://arena:***@db/arena") && !text.contains("s3cret"), "{text}");
        }
        assert_eq!(loaded.config.database.url.expose(), "postgres://arena:s3cret@db/arena");
        let marked = "# > environment variable ARENA_DATABASE_URL; the default is \"\"\nurl = ";
        assert!(effective_as_toml(&loaded).contains(marked));
    }

    #[test]
    fn a_secret_is_shown_nowhere_not_even_where_it_is_wrong() {
        let load = |value: &str| {
            let file = format!("[auth]\njwt_secret = {value}\n");
            load_from(Some(("arena.toml".into(), file)), std::iter::empty(), &Flags::default())
        };
        let secret = "s3cret-s3cret-s3cret-s3cret-s3cret";
        let loaded = load(&format!("\"{secret}\"")).unwrap();
        assert_eq!(loaded.config.auth.jwt_secret.expose(), secret);
        for text in [effective_as_toml(&loaded), effective_as_json(&loaded), format!("{:?}", loaded.config)] {
            assert!(text.contains("***") && !text.contains("s3cret"), "{text}");
        }
        for wrong in ["\"s3cret\"", "[\"s3cret\"]", "{ a = \"s3cret\" }"] {
            let error = load(wrong).unwrap_err().to_string();
            assert!(error.contains("auth.jwt_secret = \"***\"") && !error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_list_is_an_array_in_the_file_and_has_commas_in_a_variable() {
        let variable = ("ARENA_REALTIME__PRIVATE_TOPICS".into(), "room:*, staff ,".into());
        let loaded = load_from(None, std::iter::once(variable), &Flags::default()).unwrap();
        let shown = effective_as_toml(&loaded);
        assert!(shown.contains("private_topics = [\"room:*\", \"staff\"]"), "{shown}");
        assert_eq!(toml::from_str::<Config>(&shown).unwrap(), loaded.config);
        let json: serde_json::Value = serde_json::from_str(&effective_as_json(&loaded)).unwrap();
        assert_eq!(json["realtime"]["private_topics"]["value"], json!(["room:*", "staff"]));
    }

    #[test]
    fn the_reference_is_what_config_show_prints() {
        let reference = include_str!("../../../../docs/config.md");
        assert!(
            reference.contains(&defaults_as_toml()),
            "docs/config.md is out of date: put the output of `arena config show --defaults` into it"
        );
    }
}
