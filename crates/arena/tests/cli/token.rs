use crate::support::arena_command;
use arena_realtime::token::{Claims, KeySet, Role, Secret, TokenError, Verifier, secret, unix_now};
use std::path::Path;

const SHARED: &str = "a secret that is long enough to be one";

fn create(data_dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let data_dir = data_dir.to_str().unwrap();
    let args = [&["token", "create", "--data-dir", data_dir], args].concat();
    let output = arena_command(&args).envs(variables.iter().copied()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn verify(secrets: &[Secret], token: &str) -> Result<Claims, TokenError> {
    Verifier::new(secrets.iter().fold(KeySet::default(), KeySet::with_secret)).verify(token, unix_now())
}

#[test]
fn a_token_is_all_of_standard_output_and_the_server_of_the_same_directory_accepts_it() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let topics = ["--topics-read", "room:*", "--topics-read", "staff", "--topics-write", "room:7"];
    let args = [&["--user", "ann", "--ttl", "30m"][..], &topics].concat();
    let (code, stdout, stderr) = create(&data_dir, &args, &[]);
    assert_eq!(code, Some(0), "{stderr}");
    let token = stdout.strip_suffix('\n').unwrap();
    let claims = verify(&secret::load_or_create(&data_dir).unwrap(), token).unwrap();
    assert_eq!((claims.sub.as_deref(), claims.role), (Some("ann"), Role::Authenticated));
    assert_eq!((claims.exp - claims.iat, claims.bot), (1_800, false));
    assert_eq!(claims.topics.read.iter().map(ToString::to_string).collect::<Vec<_>>(), ["room:*", "staff"]);
    assert_eq!((claims.topics.write.len(), claims.topics.presence.len()), (1, 0));
    assert!(stderr.contains(&format!("signed with the secret in {}", data_dir.display())), "{stderr}");
}

#[test]
fn for_programs_it_says_whose_token_it_is_and_when_it_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, _) = create(dir.path(), &["--role", "anon", "--bot", "--output", "json"], &[]);
    assert_eq!(code, Some(0));
    let answer: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let secrets = secret::load_or_create(dir.path()).unwrap();
    let claims = verify(&secrets, answer["token"].as_str().unwrap()).unwrap();
    assert_eq!((claims.sub, claims.role, claims.bot), (None, Role::Anon, true));
    assert_eq!((&answer["user"], &answer["role"]), (&serde_json::Value::Null, &"anon".into()));
    assert_eq!(answer["expires_at_ms"], claims.exp * 1_000);
}

#[test]
fn a_secret_of_the_settings_leaves_the_directory_alone() {
    let dir = tempfile::tempdir().unwrap();
    let variables = [("ARENA_AUTH__JWT_SECRET", SHARED)];
    let (code, stdout, stderr) = create(dir.path(), &["--user", "ann"], &variables);
    assert_eq!(code, Some(0), "{stderr}");
    verify(&[Secret::shared(SHARED).unwrap()], stdout.trim_end()).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    assert!(!stderr.contains(SHARED) && stderr.contains("auth.jwt_secret"), "{stderr}");
}

#[test]
fn what_cannot_be_a_token_is_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    let many = ["--topics-read", "a"].repeat(65);
    for (args, why) in [
        (&[][..], "--user"),
        (&["--user", ""], "1 to 128 bytes"),
        (&["--user", "ann", "--role", "root"], "possible values"),
        (&["--user", "ann", "--ttl", "1y"], "such as 30m"),
        (&["--user", "ann", "--topics-read", "a*b"], "a topic's beginning"),
        (&[&["--user", "ann"][..], &many].concat(), "64 topics"),
    ] {
        let (code, stdout, stderr) = create(dir.path(), args, &[]);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}: {stderr}");
        assert!(stderr.contains(why), "{args:?}: {stderr}");
    }
}

#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_signs_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    secret::load_or_create(dir.path()).unwrap();
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(dir.path().join(secret::FILE_NAME), open).unwrap();
    let (code, stdout, stderr) = create(dir.path(), &["--user", "ann"], &[]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("others can read it (mode 644)"), "{stderr}");
}
