use crate::support::{arena, arena_command};
use std::process::Output;

fn run(args: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        arena_command(args).envs(variables.iter().copied()).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn what_is_in_force_is_shown_with_its_source_and_without_passwords() {
    let variables = [
        ("ARENA_DATABASE_URL", "postgres://arena:s3cret@db/arena"),
        ("ARENA_SYNC__CONCURRENCY", "4"),
        ("ARENA_LISTEN", "0.0.0.0:1"),
    ];
    let (code, shown, _) = run(&["config", "show", "--listen", "0.0.0.0:80"], &variables);
    assert_eq!(code, Some(0));
    assert!(!shown.contains("s3cret"));
    for expected in [
        "# > environment variable ARENA_DATABASE_URL; the default is \"\"\nurl = \"postgres://arena:***@db/arena\"",
        "# > environment variable ARENA_SYNC__CONCURRENCY; the default is 32\nconcurrency = 4",
        "# > flag --listen; the default is \"127.0.0.1:7700\"\nlisten = \"0.0.0.0:80\"",
    ] {
        assert!(shown.contains(expected), "{expected}\nis not in\n{shown}");
    }
    let (_, json, _) = run(&["config", "show", "--output", "json"], &variables);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["database"]["url"]["value"], "postgres://arena:***@db/arena");
    assert_eq!(json["sync"]["concurrency"]["value"], 4);
    assert_eq!(json["worlds"]["tick_ms"]["source"], "default");
}

#[test]
fn the_defaults_are_a_file_that_can_be_checked() {
    let file = std::env::temp_dir().join(format!("arena-cli-defaults-{}.toml", std::process::id()));
    let defaults = arena(None, &["config", "show", "--defaults"]).stdout;
    std::fs::write(&file, &defaults).unwrap();
    let (code, _, stderr) = run(&["config", "check"], &[("ARENA_CONFIG", file.to_str().unwrap())]);
    std::fs::write(&file, defaults.replace("tick_ms = 200", "tick_ms = 2\nticks = 5")).unwrap();
    let (bad, _, why) = run(&["config", "check", "--config", file.to_str().unwrap()], &[]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!((code, stderr.as_str()), (Some(0), "the configuration is fine\n"));
    assert_eq!(bad, Some(1));
    let path = file.display();
    assert!(why.starts_with("error: the configuration has 2 problems\n"), "{why}");
    assert!(why.contains(&format!("worlds.tick_ms = 2 (file {path}, line ")), "{why}");
    assert!(why.contains("must be a whole number from 10 to 10000"), "{why}");
}

#[test]
fn nothing_starts_with_a_bad_setting() {
    for command in ["serve", "demo", "migrate"] {
        let (code, _, stderr) = run(&[command, "--listen", "everywhere"], &[("ARENA_SYNC__EVERY", "3")]);
        assert_eq!(code, Some(1));
        assert!(stderr.contains("server.listen = \"everywhere\" (flag --listen): must be"), "{stderr}");
        assert!(
            stderr.contains("sync.every (environment variable ARENA_SYNC__EVERY): unknown key"),
            "{stderr}"
        );
    }
}
