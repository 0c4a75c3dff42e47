//! Whether the values are allowed, each by itself and all together.

use super::error::ConfigProblem;
use super::file::shown;
use super::keys::{KEYS, Key};
use super::layers::Settings;

/// Section and name of a key.
type Path = (&'static str, &'static str);

/// Pairs of which the first must not exceed the second.
const NOT_ABOVE: [(Path, Path); 12] = [
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
];

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
    problems
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

fn problem(key: &Key, settings: &Settings, problem: String) -> ConfigProblem {
    let setting = settings.get(key);
    ConfigProblem {
        key: Some(key.path()),
        value: Some(shown(key, &setting.value)),
        source: setting.source.clone(),
        problem,
    }
}
