//! `arena token …`

use super::CommandError;
use super::screen::Screen;
use crate::auth::Auth;
use crate::cli::{TokenArgs, TokenCommand};
use crate::progress::say;
use arena_realtime::policy::Grants;
use arena_realtime::token::{Claims, unix_now};
use serde_json::json;

pub(super) fn run(screen: &Screen, command: TokenCommand) -> Result<(), CommandError> {
    let TokenCommand::Create(args) = command;
    let auth = Auth::open(&super::load(&args.config)?)?;
    let claims = claims(*args)?;
    let token = auth.issuer.issue(&claims);
    // A token for another server's data directory looks just as good.
    say(&format!("signed with the secret in {}", auth.source));
    if screen.is_json() {
        let answer = json!({
            "token": token,
            "user": claims.sub,
            "role": claims.role,
            "expires_at_ms": claims.exp.saturating_mul(1_000),
        });
        screen.write_json(&answer.to_string())
    } else {
        screen.write(&format!("{token}\n"))
    }
}

fn claims(args: TokenArgs) -> Result<Claims, CommandError> {
    let now = unix_now();
    let claims = Claims {
        sub: args.user,
        role: args.role,
        exp: now.saturating_add(args.ttl),
        iat: now,
        topics: Grants { read: args.topics_read, write: args.topics_write, presence: args.topics_presence },
        seat: None,
        bot: args.bot,
    };
    if claims.topics.is_too_long() { Err(CommandError::TooManyTopics) } else { Ok(claims) }
}
