//! `arena conversations …`

use super::values::{ConfirmArgs, PagingArgs, json_object, millis};
use arena_core::conversation::{ConversationId, MessageId, ParticipantId};
use clap::{Args, Subcommand};
use serde_json::Value;

/// `arena conversations …`
#[derive(Debug, Subcommand)]
pub enum ConversationsCommand {
    /// List conversations
    List {
        /// Which.
        #[command(flatten)]
        filter: ConversationFilter,
        /// How many.
        #[command(flatten)]
        paging: PagingArgs,
    },
    /// Show a conversation and how it is set up
    Show {
        /// The conversation
        conversation: ConversationId,
    },
    /// Begin a conversation
    Create(Box<CreateConversationArgs>),
    /// Say something in somebody's name
    Say(SayArgs),
    /// Show what was said, and go on as more is said
    Messages(LogArgs),
    /// Show what is left to everybody, and who may send
    Capacity {
        /// The conversation
        conversation: ConversationId,
    },
    /// Raise limits, and go on with what they had ended
    TopUp(TopUpArgs),
    /// End it, until it is reopened
    Close {
        /// The conversation
        conversation: ConversationId,
    },
    /// Open it again, if it was closed
    Reopen {
        /// The conversation
        conversation: ConversationId,
    },
    /// Delete a conversation and its log
    Delete {
        /// The conversation
        conversation: ConversationId,
        /// Whether to ask.
        #[command(flatten)]
        confirm: ConfirmArgs,
    },
}

/// Which conversations.
#[derive(Debug, Args)]
pub struct ConversationFilter {
    /// Only those of this owner
    #[arg(long)]
    pub owner: Option<ParticipantId>,
    /// Only this one and those under it
    #[arg(long, value_name = "CONVERSATION")]
    pub root: Option<ConversationId>,
    /// Only those that are at their end, or those that are not
    #[arg(long, value_name = "BOOL")]
    pub exhausted: Option<bool>,
}

/// Arguments of `arena conversations create`.
#[derive(Debug, Args)]
pub struct CreateConversationArgs {
    /// Its id; without one, one is made up that cannot be guessed
    pub id: Option<ConversationId>,
    /// Who may speak, in the order of turns; can be given several times. Without any, anybody
    #[arg(long = "participant", value_name = "NAME")]
    pub participants: Vec<ParticipantId>,
    /// Messages of each participant at most
    #[arg(long, value_name = "N")]
    pub max_replies: Option<u64>,
    /// Limits of all together.
    #[command(flatten)]
    pub limits: AllowArgs,
    /// How long it may last: a number and s, m, h or d
    #[arg(long, value_name = "TIME", value_parser = millis)]
    pub duration: Option<u64>,
    /// How long nobody may say anything
    #[arg(long, value_name = "TIME", value_parser = millis)]
    pub idle: Option<u64>,
    /// How often budgets begin anew
    #[arg(long, value_name = "TIME", value_parser = millis)]
    pub refill_every: Option<u64>,
    /// Who may speak next
    #[arg(long, value_name = "POLICY")]
    #[arg(value_parser = ["free", "round_robin", "least_spoken_first", "mention_first", "moderator"])]
    pub turns: Option<String>,
    /// Whose budget owner:OWNER it is charged to
    #[arg(long)]
    pub owner: Option<ParticipantId>,
    /// The conversation that it belongs under
    #[arg(long, value_name = "CONVERSATION")]
    pub parent: Option<ConversationId>,
    /// Free JSON object to keep with it
    #[arg(long, value_name = "JSON", value_parser = json_object)]
    pub metadata: Option<Value>,
    /// All else, as docs/rest.md has it; the options above go over it
    #[arg(long, value_name = "JSON", value_parser = json_object)]
    pub setup: Option<Value>,
}

/// Limits of all together.
#[derive(Debug, Args)]
pub struct AllowArgs {
    /// Messages at most
    #[arg(long, value_name = "N")]
    pub max_messages: Option<u64>,
    /// Tokens at most
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<u64>,
    /// Money at most, in millionths of a currency's unit
    #[arg(long, value_name = "N")]
    pub max_cost_micros: Option<u64>,
}

/// Arguments of `arena conversations say`.
#[derive(Debug, Args)]
pub struct SayArgs {
    /// The conversation
    pub conversation: ConversationId,
    /// What to say
    pub text: String,
    /// In whose name
    #[arg(long = "as", value_name = "NAME")]
    pub author: ParticipantId,
    /// The message's id; a second one under the same id is not said again
    #[arg(long, value_name = "ID")]
    pub id: Option<MessageId>,
    /// JSON object to go with it
    #[arg(long, value_name = "JSON", value_parser = json_object)]
    pub data: Option<Value>,
    /// Tokens that it took
    #[arg(long, value_name = "N")]
    pub tokens: Option<u64>,
    /// Money that it took, in millionths of a currency's unit
    #[arg(long, value_name = "N")]
    pub cost_micros: Option<u64>,
}

/// Arguments of `arena conversations messages`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// The conversation
    pub conversation: ConversationId,
    /// Begin after this line
    #[arg(long, value_name = "OFFSET", default_value_t = 0)]
    pub after: u64,
    /// Lines at most, 1 to 1000 [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), conflicts_with = "follow")]
    pub limit: Option<u32>,
    /// Every line
    #[arg(long, conflicts_with_all = ["follow", "limit"])]
    pub all: bool,
    /// Go on as lines are written, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
    /// With --follow: end after so many lines
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), requires = "follow")]
    pub count: Option<u64>,
}

/// Arguments of `arena conversations top-up`.
#[derive(Debug, Args)]
#[command(override_usage = "arena conversations top-up [OPTIONS] <--messages|--tokens|...> <CONVERSATION>")]
#[command(group = clap::ArgGroup::new("by").required(true).multiple(true).args(["messages", "tokens", "cost_micros", "duration"]))]
pub struct TopUpArgs {
    /// The conversation
    pub conversation: ConversationId,
    /// More messages
    #[arg(long, value_name = "N")]
    pub messages: Option<u64>,
    /// More tokens
    #[arg(long, value_name = "N")]
    pub tokens: Option<u64>,
    /// More money, in millionths of a currency's unit
    #[arg(long, value_name = "N")]
    pub cost_micros: Option<u64>,
    /// More time: a number and s, m, h or d
    #[arg(long, value_name = "TIME", value_parser = millis)]
    pub duration: Option<u64>,
    /// Raise the share of each participant, not the total
    #[arg(long)]
    pub each: bool,
    /// Raise the share of this participant, not the total; can be given several times
    #[arg(long = "participant", value_name = "NAME", conflicts_with = "each")]
    pub participants: Vec<ParticipantId>,
}
