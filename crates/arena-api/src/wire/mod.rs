//! What goes over the wire. These types change only with docs/rest.md, whatever happens inside.

mod activity;
mod bot;
mod channel;
mod page;
mod player;
mod world;

pub(crate) use activity::ActivityBody;
pub(crate) use bot::{BotBody, BotWithReason, CreateBot, ImportedBody, StateName};
pub(crate) use channel::{
    AppliedBody, ChannelBody, DiscoveryBody, DrainedBody, InitBody, OpenChannel, PutChannel, ResetBody,
    StatsBody,
};
pub(crate) use page::PageBody;
pub(crate) use player::{JoinBody, PlayerBody};
pub(crate) use world::{ValidityBody, WorldBody, WorldWithResidents};
