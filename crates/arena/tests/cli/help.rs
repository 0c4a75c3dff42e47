use crate::support::arena;

/// Help pages of every command, as they are without a terminal: 100 columns, no colours.
#[test]
fn help_pages() {
    for page in [
        "",
        "serve",
        "demo",
        "migrate",
        "watch",
        "token",
        "token create",
        "config",
        "config show",
        "config check",
        "completions",
        "channels",
        "channels init",
        "channels list",
        "channels show",
        "channels create",
        "channels configure",
        "channels drain",
        "channels activate",
        "channels delete",
        "channels rebalance",
        "channels migrate",
        "channels health",
        "channels reset",
        "worlds",
        "worlds discover",
        "worlds list",
        "worlds show",
        "worlds wipe",
        "bots",
        "bots import",
        "bots list",
        "bots show",
        "bots assign",
        "bots move",
        "bots retry",
        "bots disable",
        "bots enable",
        "bots delete",
        "conversations",
        "conversations list",
        "conversations show",
        "conversations create",
        "conversations say",
        "conversations messages",
        "conversations capacity",
        "conversations top-up",
        "conversations close",
        "conversations reopen",
        "conversations delete",
        "budgets",
        "budgets show",
        "budgets set",
        "match",
        "match queues",
        "match queue",
        "match set",
        "match delete",
        "match tickets",
        "match ticket",
        "match matches",
        "match match",
        "match close",
        "match reports",
        "match tournaments",
        "match tournament",
        "match simulate",
        "fleet",
        "fleet run",
        "fleet status",
        "fleet bots",
        "fleet pause",
        "fleet resume",
        "fleet drain",
        "fleet scale",
        "fleet talk",
        "activity",
        "activity list",
    ] {
        let mut args: Vec<&str> = page.split_whitespace().collect();
        args.push("--help");
        let help = arena(None, &args);
        assert_eq!(help.code, Some(0), "{page}: {}", help.stderr);
        assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "{}", help.stdout);
        insta::assert_snapshot!(format!("help {page}").trim_end().replace(' ', "-"), help.stdout);
    }
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = arena(None, &["completions", shell]);
        assert_eq!(script.code, Some(0));
        for word in ["discover", "rebalance", "dry-run", "TOURNAMENT"] {
            assert!(script.stdout.contains(word), "{shell} lacks {word}");
        }
    }
}
