//! Bots: creating, importing, moving and mending them.

use crate::error::ServiceError;
use crate::runtime::Shared;
use arena_core::BotId;
use arena_core::admission::{AdmitError, Op};
use arena_core::bot::Bot;
use arena_core::channel::{ChannelName, Status};
use arena_store::{Actor, BotFilter, Enrolled, NewBot, Page, PageRequest, now};
use std::sync::Arc;

/// How a bot is named in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BotRef {
    /// By its id.
    Id(BotId),
    /// By its name.
    Name(String),
}

/// Bots stored in one transaction: others get their turn in between, and a crash loses at most these.
const IMPORT_CHUNK: usize = 500;

/// The service for bots.
#[derive(Debug, Clone)]
pub struct Bots {
    pub(crate) shared: Arc<Shared>,
}

impl Bots {
    /// A page of bots by name.
    pub async fn list(&self, filter: BotFilter, page: PageRequest) -> Result<Page<Bot>, ServiceError> {
        Ok(self.shared.store.bots(&filter, &page).await?)
    }

    /// How many bots there are, and how many of them are live.
    pub async fn totals(&self) -> Result<(u64, u64), ServiceError> {
        Ok(self.shared.store.bot_totals().await?)
    }

    /// Creates one bot and places it in a channel. A channel that is named must have a seat.
    pub async fn create(&self, actor: &Actor, new: NewBot) -> Result<Bot, ServiceError> {
        new.profile.check()?;
        if let Some(channel) = &new.channel {
            self.check_open(channel).await?;
        }
        let name = new.profile.name.clone();
        let enrolled = self.shared.enroll(actor, std::slice::from_ref(&new)).await?;
        if enrolled.created == 0 {
            return Err(arena_store::StoreError::Taken("name".to_owned()).into());
        }
        self.shared.store.bot_named(&name).await?.ok_or(ServiceError::NoBotNamed(name))
    }

    /// Only a courtesy to the caller: if the last seat is taken in between, another channel is found.
    async fn check_open(&self, channel: &ChannelName) -> Result<(), ServiceError> {
        let row = self.shared.store.channel(channel).await?;
        let seats = row.ok_or_else(|| AdmitError::ChannelNotFound(channel.clone()))?.channel.seats;
        let channel = channel.clone();
        match seats.status() {
            Status::Active => Ok(()),
            Status::Full => {
                Err(AdmitError::ChannelFull { channel, limit: seats.max_bots, free: 0, wanted: 1 }.into())
            }
            status => Err(AdmitError::NotAccepting { channel, status }.into()),
        }
    }

    /// Stores a roster; bots whose names exist are left as they are. Every row is checked before the first is
    /// stored; a roster that was cut off half-way can simply be imported again.
    pub async fn import(&self, actor: &Actor, roster: Vec<NewBot>) -> Result<Enrolled, ServiceError> {
        self.import_with(actor, roster, |_| {}).await
    }

    /// The same, telling `progress` how many rows are done.
    pub async fn import_with(
        &self,
        actor: &Actor,
        roster: Vec<NewBot>,
        progress: impl Fn(usize) + Send,
    ) -> Result<Enrolled, ServiceError> {
        crate::roster::check(&roster)?;
        let mut sum = Enrolled::default();
        let mut done = 0;
        for chunk in roster.chunks(IMPORT_CHUNK) {
            let enrolled = self.shared.enroll(actor, chunk).await?;
            sum.created += enrolled.created;
            sum.existing += enrolled.existing;
            sum.opened.extend(enrolled.opened);
            done += chunk.len();
            progress(done);
        }
        Ok(sum)
    }

    /// A bot, and why it is not live.
    pub async fn get(&self, bot: &BotRef) -> Result<(Bot, Option<String>), ServiceError> {
        let bot = match bot {
            BotRef::Id(id) => self.shared.bot(*id).await?,
            BotRef::Name(name) => {
                let found = self.shared.store.bot_named(name).await?;
                found.ok_or_else(|| ServiceError::NoBotNamed(name.clone()))?
            }
        };
        let channel = match &bot.channel {
            Some(channel) => self.shared.store.channel(channel).await?,
            None => None,
        };
        let trouble = bot.channel.as_ref().and_then(|channel| self.shared.log.trouble(channel));
        let seats = channel.as_ref().map(|row| &row.channel.seats);
        let why = bot.why_not_live(seats, trouble.as_deref(), now());
        Ok((bot, why))
    }

    /// Deletes a bot; its body leaves the world at the next sync.
    pub async fn delete(&self, actor: &Actor, bot: BotId) -> Result<(), ServiceError> {
        let deleted = self.shared.store.delete_bot(bot).await?.ok_or(AdmitError::BotNotFound(bot))?;
        self.shared.nudges.nudge(&deleted.channel);
        self.shared.note(actor, "bot.deleted", Some(bot), deleted.channel.as_ref()).await
    }

    /// Puts a bot into a channel, or finds one for it if it has none.
    pub async fn assign(
        &self,
        actor: &Actor,
        bot: BotId,
        channel: Option<ChannelName>,
    ) -> Result<Bot, ServiceError> {
        let op = match channel {
            Some(channel) => Op::Assign { bot, channel },
            None => Op::Place { bot },
        };
        self.shared.carry_out_for(actor, bot, op).await
    }

    /// Moves a bot to another channel.
    pub async fn move_to(&self, actor: &Actor, bot: BotId, to: ChannelName) -> Result<Bot, ServiceError> {
        self.assign(actor, bot, Some(to)).await
    }

    /// Starts a bot's attempts afresh.
    pub async fn retry(&self, actor: &Actor, bot: BotId) -> Result<Bot, ServiceError> {
        let changed = self.shared.store.retry(bot).await?;
        self.changed(actor, "bot.retried", bot, changed).await
    }

    /// Takes a bot out of the worlds, or lets it back in.
    pub async fn set_enabled(&self, actor: &Actor, bot: BotId, enabled: bool) -> Result<Bot, ServiceError> {
        let changed = self.shared.store.set_enabled(bot, enabled).await?;
        let action = if enabled { "bot.enabled" } else { "bot.disabled" };
        self.changed(actor, action, bot, changed).await
    }

    async fn changed(
        &self,
        actor: &Actor,
        action: &'static str,
        id: BotId,
        bot: Option<Bot>,
    ) -> Result<Bot, ServiceError> {
        let bot = bot.ok_or(AdmitError::BotNotFound(id))?;
        self.shared.nudges.nudge(&bot.channel);
        self.shared.note(actor, action, Some(id), bot.channel.as_ref()).await?;
        Ok(bot)
    }
}
