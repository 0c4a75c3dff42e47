//! The services behind every door of Arena (REST, CLI, demo, timers) and the loops that keep the worlds right.
//!
//! Every change of assignments goes through the committer, every bot's body through sync: there is one path for each.
//! Must not import: HTTP, SQL, the command line.

mod activity;
mod bots;
mod channels;
mod committer;
mod conversations;
mod error;
mod health;
mod housekeeping;
mod idempotency;
mod matchmaking;
mod players;
pub mod roster;
mod runtime;
mod settings;
mod sync;
mod viewing;
mod worlds;

pub use activity::ActivityLog;
pub use bots::{BotRef, Bots};
pub use channels::{ChannelPatch, ChannelStats, Channels, NewChannel, ResetItem};
pub use conversations::{
    Context, ConversationSettings, ConversationStats, Conversations, Listening, LogLine, LogPage, Receipt,
    Residents, SubmitError, Summary, TalkLimits,
};
pub use error::{ErrorClass, ServiceError};
pub use health::Health;
pub use idempotency::Idempotency;
pub use matchmaking::{
    Claim, Cup, MatchBody, MatchError, Matchmaking, MatchmakingSettings, MatchmakingStats, MemberBody,
    QueueView, ReportBody, TicketBody, TicketView,
};
pub use players::{Entered, PlayerEvent, PlayerSettings, Players, Reservation, ReserveRequest};
pub use runtime::{Control, Services};
pub use settings::ControlSettings;
pub use sync::{SyncRecord, SyncTotals};
pub use viewing::InputError;
pub use worlds::Worlds;

pub use arena_store::{
    Activity, ActivityFilter, Actor, Begun, BotFilter, ChannelFilter, ChannelRef, ChannelRow as ChannelView,
    ConversationFilter, Enrolled as Imported, MatchFilter, MatchRow, MemberRow, NewBot, Page, PageRequest,
    PlayerFilter, QueueCounts, QueueRow, ReportRow, StoredReply, TicketFilter, TicketRow, WaitStats,
};
pub use arena_worlds::{Discovered as Discovery, Source, Validity, WorldSummary, WorldView};
