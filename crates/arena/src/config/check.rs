//! Whether the values are allowed, each by itself and all together.

use super::error::ConfigProblem;
use super::file::shown;
use super::keys::{KEYS, Key};
use super::layers::Settings;

/// Section and name of a key.
type Path = (&'static str, &'static str);

/// Pairs of which the first must not exceed the second.
const NOT_ABOVE: [(Path, Path); 16] = [
    // A channel's world must hold all of its bots.
    (("channels", "main"), ("worlds", "max_residents")),
    (("channels", "regional"), ("worlds", "max_residents")),
    (("channels", "vip"), ("worlds", "max_residents")),
    (("channels", "test"), ("worlds", "max_residents")),
    (("channels", "tournament"), ("worlds", "max_residents")),
    (("health", "warning_from_percent"), ("health", "critical_above_percent")),
    (("sync", "retry_base_ms"), ("sync", "retry_cap_ms")),
    // What may be sent must fit into a frame, and into the outbox of whoever gets it.
    (("realtime", "payload_limit_bytes"), ("realtime", "frame_limit_bytes")),
    (("realtime", "payload_limit_bytes"), ("realtime", "outbox_bytes")),
    (("realtime", "presence_limit_bytes"), ("realtime", "payload_limit_bytes")),
    (("conversations", "max_text_bytes"), ("realtime", "payload_limit_bytes")),
    (("realtime", "drain_spread_secs"), ("realtime", "drain_deadline_secs")),
    (("fleet", "min"), ("fleet", "max")),
    (("fleet", "stagger_min_ms"), ("fleet", "stagger_max_ms")),
    (("fleet", "retry_base_ms"), ("fleet", "retry_cap_ms")),
    (("fleet", "llm_stall_timeout_secs"), ("fleet", "llm_timeout_secs")),
];

/// A text that must not be empty where the other is not.
const NEEDS: [(Path, Path); 1] = [(("fleet", "llm_model"), ("fleet", "llm_base_url"))];

/// Everything that is wrong with the values.
pub(super) fn check(settings: &Settings) -> Vec<ConfigProblem> {
    let mut problems: Vec<ConfigProblem> = KEYS
        .iter()
        .filter(|key| !key.rule.accepts(&settings.get(key).value))
        .map(|key| bad(key, settings))
        .collect();
    for (low, high) in NOT_ABOVE {
        problems.extend(not_above(low, high, settings));
    }
    for (needed, by) in NEEDS {
        problems.extend(needs(needed, by, settings));
    }
    problems.extend(too_many_bots(settings));
    problems
}

/// A connection holds a topic once, so that each bot in the lobby needs one of its own, and the one who counts humans too.
/// Bots beyond that would wait for ever.
fn too_many_bots(settings: &Settings) -> Option<ConfigProblem> {
    let (max, connections) = (Key::find("fleet", "max")?, Key::find("fleet", "max_connections")?);
    let limit = settings.get(connections).value.as_integer()?;
    (settings.get(max).value.as_integer()? >= limit).then(|| {
        let detail = format!(
            "must be below fleet.max_connections, which is {limit}: each bot needs a connection of its own in the lobby, and \
             counting humans takes one more; raise fleet.max_connections (ARENA_FLEET__MAX_CONNECTIONS), or want fewer bots"
        );
        problem(max, settings, detail)
    })
}

fn bad(key: &Key, settings: &Settings) -> ConfigProblem {
    problem(key, settings, format!("must be {}", key.rule.allowed()))
}

fn not_above(low: Path, high: Path, settings: &Settings) -> Option<ConfigProblem> {
    let (low, high) = (Key::find(low.0, low.1)?, Key::find(high.0, high.1)?);
    let limit = settings.get(high).value.as_integer()?;
    (settings.get(low).value.as_integer()? > limit)
        .then(|| problem(low, settings, format!("must not exceed {}, which is {limit}", high.path())))
}

fn needs(needed: Path, by: Path, settings: &Settings) -> Option<ConfigProblem> {
    let (needed, by) = (Key::find(needed.0, needed.1)?, Key::find(by.0, by.1)?);
    let is_empty = |key: &Key| settings.get(key).value.as_str().is_some_and(str::is_empty);
    (is_empty(needed) && !is_empty(by))
        .then(|| problem(needed, settings, format!("must be set where {} is", by.path())))
}

fn problem(key: &Key, settings: &Settings, problem: String) -> ConfigProblem {
    let setting = settings.get(key);
    ConfigProblem {
        key: Some(key.path()),
        value: Some(shown(key, &setting.value)),
        source: setting.source.clone(),
        problem,
    }
}
