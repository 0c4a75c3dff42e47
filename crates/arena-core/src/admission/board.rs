//! The board: channels, groups, the bots and players at hand, and how each operation changes them.

use super::changes::{Applied, Changes, Move};
use super::op::{AdmitError, Newcomer, Op, Want};
use crate::channel::{ChannelKind, ChannelName, GroupName, Mode, Region, Seats};
use crate::ids::{BotId, PlayerId};
use crate::player::NewPlayer;
use std::collections::{BTreeMap, BTreeSet};

/// The default limit of each kind of channel, in bots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindLimits {
    /// MAIN.
    pub main: u32,
    /// REGIONAL.
    pub regional: u32,
    /// VIP.
    pub vip: u32,
    /// TEST.
    pub test: u32,
    /// TOURNAMENT.
    pub tournament: u32,
}

impl Default for KindLimits {
    /// The design's defaults: 30, VIP 20, TEST 10.
    fn default() -> Self {
        KindLimits { main: 30, regional: 30, vip: 20, test: 10, tournament: 30 }
    }
}

impl KindLimits {
    /// The limit of `kind`.
    pub fn of(&self, kind: ChannelKind) -> u32 {
        match kind {
            ChannelKind::Main => self.main,
            ChannelKind::Regional => self.regional,
            ChannelKind::Vip => self.vip,
            ChannelKind::Test => self.test,
            ChannelKind::Tournament => self.tournament,
        }
    }
}

/// Numbers that admission decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdmissionRules {
    /// Limits of new channels.
    pub limits: KindLimits,
    /// A placement that would take a group's load over this share of its seats, in percent, opens a new shard.
    pub shard_above_percent: u32,
    /// Seats that the players of one user may have at once; 0 is no limit.
    pub max_seats_per_user: u32,
}

impl Default for AdmissionRules {
    fn default() -> Self {
        AdmissionRules { limits: KindLimits::default(), shard_above_percent: 80, max_seats_per_user: 0 }
    }
}

/// What the shards of a group share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: GroupName,
    /// What its channels are for.
    pub kind: ChannelKind,
    /// The region they are bound to.
    pub region: Option<Region>,
    /// The number of the next shard. It only rises, so no living shard's number is taken again.
    pub next_shard: u32,
}

/// What the board knows of a bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotSeat {
    /// The kind of channel it wants.
    pub kind: ChannelKind,
    /// Its region.
    pub region: Option<Region>,
    /// Where it is.
    pub channel: Option<ChannelName>,
}

/// Channels, groups, and the bots and players that the operations at hand concern.
#[derive(Debug, Clone)]
pub struct Board {
    rules: AdmissionRules,
    groups: BTreeMap<GroupName, Group>,
    channels: BTreeMap<ChannelName, Seats>,
    bots: BTreeMap<BotId, BotSeat>,
    players: BTreeMap<PlayerId, ChannelName>,
    /// How many seats a user has, of those who ask for one.
    seats_of_users: BTreeMap<String, u32>,
    dirty: Dirty,
}

#[derive(Debug, Clone, Default)]
struct Dirty {
    groups: BTreeSet<GroupName>,
    opened: BTreeSet<ChannelName>,
    updated: BTreeSet<ChannelName>,
    closed: BTreeSet<ChannelName>,
    /// Where each bot was before its first move.
    moved: BTreeMap<BotId, Option<ChannelName>>,
    enrolled: BTreeSet<BotId>,
    reserved: BTreeMap<PlayerId, NewPlayer>,
    vacated: BTreeSet<PlayerId>,
}

impl Board {
    /// A board of what the database holds.
    pub fn new(
        rules: AdmissionRules,
        groups: impl IntoIterator<Item = Group>,
        channels: impl IntoIterator<Item = Seats>,
        bots: impl IntoIterator<Item = (BotId, BotSeat)>,
    ) -> Board {
        Board {
            rules,
            groups: groups.into_iter().map(|g| (g.name.clone(), g)).collect(),
            channels: channels.into_iter().map(|c| (c.name.clone(), c)).collect(),
            bots: bots.into_iter().collect(),
            players: BTreeMap::new(),
            seats_of_users: BTreeMap::new(),
            dirty: Dirty::default(),
        }
    }

    /// The same board with these players on it, each with its seat's channel; the channels count them already.
    pub fn with_players(mut self, players: impl IntoIterator<Item = (PlayerId, ChannelName)>) -> Board {
        self.players.extend(players);
        self
    }

    /// The same board, knowing how many seats these users have. A user that it does not know has none. A seat that is
    /// freed by an operation counts until the next board: its user may have to ask once more, and never gets too many.
    pub fn with_seats_of(mut self, users: impl IntoIterator<Item = (String, u32)>) -> Board {
        self.seats_of_users.extend(users);
        self
    }

    /// The channels as they stand.
    pub fn channels(&self) -> impl Iterator<Item = &Seats> {
        self.channels.values()
    }

    /// The bots as they stand.
    pub fn bots(&self) -> impl Iterator<Item = (BotId, &BotSeat)> {
        self.bots.iter().map(|(id, seat)| (*id, seat))
    }

    /// The players as they stand, and the channels of their seats.
    pub fn players(&self) -> impl Iterator<Item = (PlayerId, &ChannelName)> {
        self.players.iter().map(|(id, channel)| (*id, channel))
    }

    /// Applies `op` whole, or changes nothing and says why.
    pub fn apply(&mut self, op: &Op) -> Result<Applied, AdmitError> {
        let before = (!op.is_batchable()).then(|| self.clone());
        let mut applied = Applied::default();
        let result = self.apply_to(op, &mut applied);
        if let (Err(_), Some(before)) = (&result, before) {
            *self = before;
        }
        result.map(|()| applied)
    }

    /// What has to be written after all operations.
    pub fn into_changes(self) -> Changes {
        let seats = |names: &BTreeSet<ChannelName>| -> Vec<Seats> {
            names.iter().filter_map(|name| self.channels.get(name)).cloned().collect()
        };
        let at = |bot: &BotId| self.bots.get(bot).and_then(|seat| seat.channel.clone());
        Changes {
            groups: self.dirty.groups.iter().filter_map(|name| self.groups.get(name)).cloned().collect(),
            opened: seats(&self.dirty.opened),
            updated: seats(&(&self.dirty.updated - &self.dirty.opened)),
            moves: (self.dirty.moved.iter())
                .map(|(bot, from)| Move { bot: *bot, from: from.clone(), to: at(bot) })
                .filter(|m| m.from != m.to)
                .collect(),
            enrolled: self.dirty.enrolled.iter().filter_map(|bot| Some((*bot, at(bot)?))).collect(),
            vacated: self.dirty.vacated.iter().copied().collect(),
            reserved: (self.dirty.reserved.iter())
                .filter_map(|(id, player)| Some((player.clone(), self.players.get(id)?.clone())))
                .collect(),
            closed: self.dirty.closed.iter().cloned().collect(),
        }
    }

    fn apply_to(&mut self, op: &Op, applied: &mut Applied) -> Result<(), AdmitError> {
        match op {
            Op::Assign { bot, channel } => self.assign(*bot, channel, applied),
            Op::Place { bot } => self.place(*bot, None, applied),
            Op::Adopt { bot } => self.place(*bot, Some(ChannelKind::Main), applied),
            Op::Remove { bot, from } => self.remove(*bot, from.as_ref(), applied),
            Op::Enroll { bots } => bots.iter().try_for_each(|newcomer| self.enroll(newcomer, applied)),
            Op::Migrate { from, to, bots } => self.migrate(from, to, bots.as_deref(), applied),
            Op::Rebalance { group } => self.rebalance(group.as_ref(), applied),
            Op::Open { name, kind, region, max_bots } => {
                self.open(name.as_ref(), *kind, region.as_ref(), *max_bots, applied)
            }
            Op::Configure { channel, max_bots, mode } => self.configure(channel, *max_bots, *mode, applied),
            Op::Close { channel } => self.close(channel, applied),
            Op::Reserve { player, want } => self.reserve(player, want, applied),
            Op::Vacate { player } => self.vacate(*player, applied),
        }
    }

    fn assign(&mut self, bot: BotId, channel: &ChannelName, applied: &mut Applied) -> Result<(), AdmitError> {
        let seat = self.bot(bot)?;
        let target = self.channel(channel)?;
        if seat.channel.as_ref() == Some(channel) {
            return Ok(());
        }
        check_accepts(target, 1)?;
        self.put(bot, Some(channel.clone()), applied);
        Ok(())
    }

    /// Finds a seat for a bot that has none; one that has a channel keeps it.
    fn place(
        &mut self,
        bot: BotId,
        kind: Option<ChannelKind>,
        applied: &mut Applied,
    ) -> Result<(), AdmitError> {
        let seat = self.bot(bot)?;
        if seat.channel.is_some() {
            return Ok(());
        }
        let (kind, region) = (kind.unwrap_or(seat.kind), seat.region.clone());
        let channel = self.find_by_kind(kind, region.as_ref(), applied)?;
        self.put(bot, Some(channel), applied);
        Ok(())
    }

    fn remove(
        &mut self,
        bot: BotId,
        from: Option<&ChannelName>,
        applied: &mut Applied,
    ) -> Result<(), AdmitError> {
        let seat = self.bot(bot)?;
        if let Some(expected) = from
            && seat.channel.as_ref() != Some(expected)
        {
            self.channel(expected)?;
            return Err(AdmitError::NotInChannel { bot, channel: expected.clone() });
        }
        if seat.channel.is_some() {
            self.put(bot, None, applied);
        }
        Ok(())
    }

    fn enroll(&mut self, newcomer: &Newcomer, applied: &mut Applied) -> Result<(), AdmitError> {
        let named = newcomer.channel.as_ref().and_then(|name| self.channels.get(name));
        let channel = match named.filter(|seats| check_accepts(seats, 1).is_ok()) {
            Some(seats) => seats.name.clone(),
            None => self.find_by_kind(newcomer.kind, newcomer.region.as_ref(), applied)?,
        };
        let seat = BotSeat { kind: newcomer.kind, region: newcomer.region.clone(), channel: None };
        self.bots.insert(newcomer.bot, seat);
        self.dirty.enrolled.insert(newcomer.bot);
        self.put(newcomer.bot, Some(channel), applied);
        Ok(())
    }

    fn migrate(
        &mut self,
        from: &ChannelName,
        to: &ChannelName,
        bots: Option<&[BotId]>,
        applied: &mut Applied,
    ) -> Result<(), AdmitError> {
        self.channel(from)?;
        let target = self.channel(to)?;
        let bots: BTreeSet<BotId> = match bots {
            Some(bots) => bots.iter().copied().collect(),
            None => self.bots_of(from).into_iter().collect(),
        };
        if from == to || bots.is_empty() {
            return Ok(());
        }
        check_accepts(target, u32::try_from(bots.len()).unwrap_or(u32::MAX))?;
        for bot in &bots {
            if self.bot(*bot)?.channel.as_ref() != Some(from) {
                return Err(AdmitError::NotInChannel { bot: *bot, channel: from.clone() });
            }
        }
        bots.into_iter().for_each(|bot| self.put(bot, Some(to.clone()), applied));
        Ok(())
    }

    fn rebalance(&mut self, group: Option<&GroupName>, applied: &mut Applied) -> Result<(), AdmitError> {
        if let Some(group) = group {
            let known = self.channels.values().any(|seats| seats.group == *group);
            return known
                .then(|| self.even_out(group, applied))
                .ok_or(AdmitError::GroupNotFound(group.clone()));
        }
        let groups: Vec<GroupName> = self.groups.keys().cloned().collect();
        groups.iter().for_each(|group| self.even_out(group, applied));
        Ok(())
    }

    /// Moves one bot at a time from the fullest to the emptiest shard while that narrows the gap.
    fn even_out(&mut self, group: &GroupName, applied: &mut Applied) {
        let mut bots: BTreeMap<ChannelName, Vec<BotId>> = BTreeMap::new();
        for (bot, seat) in &self.bots {
            if let Some(channel) = &seat.channel {
                bots.entry(channel.clone()).or_default().push(*bot);
            }
        }
        loop {
            let active = || self.channels.values().filter(|c| c.group == *group && c.mode == Mode::Active);
            let by_load = |a: &&Seats, b: &&Seats| a.load().total_cmp(&b.load()).then(a.name.cmp(&b.name));
            // Players stay where they are: a shard that holds nobody else has nothing to give.
            let with_bots = active().filter(|c| c.bots > 0);
            let (Some(full), Some(empty)) = (with_bots.max_by(by_load), active().min_by(by_load)) else {
                return;
            };
            let share = |taken: u32, seats: &Seats| f64::from(taken) / f64::from(seats.max_bots.max(1));
            if share(full.taken() - 1, full) < share(empty.taken() + 1, empty) || empty.free() == 0 {
                return;
            }
            let target = empty.name.clone();
            let Some(bot) = bots.get_mut(&full.name).and_then(Vec::pop) else { return };
            self.put(bot, Some(target.clone()), applied);
            bots.entry(target).or_default().insert(0, bot);
        }
    }

    fn open(
        &mut self,
        name: Option<&ChannelName>,
        kind: ChannelKind,
        region: Option<&Region>,
        max_bots: Option<u32>,
        applied: &mut Applied,
    ) -> Result<(), AdmitError> {
        if kind == ChannelKind::Regional && region.is_none() {
            return Err(AdmitError::RegionRequired);
        }
        let max_bots = max_bots.unwrap_or(self.rules.limits.of(kind));
        let Some(name) = name else {
            let group = GroupName::default_for(kind, region);
            self.claim_group(&group, kind, region)?;
            return self.open_shard(&group, max_bots, applied).map(|_| ());
        };
        if self.channels.contains_key(name) {
            return Err(AdmitError::ChannelExists(name.clone()));
        }
        let (group, shard) = name.split();
        self.claim_group(&group, kind, region)?;
        self.insert_shard(&group, shard, name.clone(), max_bots, applied);
        Ok(())
    }

    /// Makes sure that a group of this kind and region exists. One whose channels are all gone is free to be
    /// claimed for another kind.
    fn claim_group(
        &mut self,
        name: &GroupName,
        kind: ChannelKind,
        region: Option<&Region>,
    ) -> Result<(), AdmitError> {
        let next_shard = match self.groups.get(name) {
            Some(group) if group.kind == kind && group.region.as_ref() == region => return Ok(()),
            Some(group) if self.channels.values().any(|c| c.group == *name) => {
                let (kind, region) = (group.kind, group.region.clone());
                return Err(AdmitError::GroupConflict { group: name.clone(), kind, region });
            }
            Some(group) => group.next_shard,
            None => 1,
        };
        let group = Group { name: name.clone(), kind, region: region.cloned(), next_shard };
        self.groups.insert(name.clone(), group);
        self.dirty.groups.insert(name.clone());
        Ok(())
    }

    fn open_shard(
        &mut self,
        group: &GroupName,
        max_bots: u32,
        applied: &mut Applied,
    ) -> Result<ChannelName, AdmitError> {
        let shard =
            self.groups.get(group).ok_or_else(|| AdmitError::GroupNotFound(group.clone()))?.next_shard;
        let name = ChannelName::of_shard(group, shard).map_err(|_| AdmitError::NameTooLong(group.clone()))?;
        self.insert_shard(group, shard, name.clone(), max_bots, applied);
        Ok(name)
    }

    fn insert_shard(
        &mut self,
        group: &GroupName,
        shard: u32,
        name: ChannelName,
        max_bots: u32,
        applied: &mut Applied,
    ) {
        let entry =
            self.groups.get_mut(group).expect("invariant: a shard is opened in a group that is known");
        entry.next_shard = entry.next_shard.max(shard.saturating_add(1));
        let seats = Seats {
            name: name.clone(),
            group: group.clone(),
            kind: entry.kind,
            region: entry.region.clone(),
            mode: Mode::Active,
            max_bots,
            bots: 0,
            players: 0,
        };
        self.dirty.groups.insert(group.clone());
        self.dirty.opened.insert(name.clone());
        applied.opened.push(name.clone());
        self.channels.insert(name, seats);
    }

    fn configure(
        &mut self,
        channel: &ChannelName,
        max_bots: Option<u32>,
        mode: Option<Mode>,
        applied: &mut Applied,
    ) -> Result<(), AdmitError> {
        let seats =
            self.channels.get_mut(channel).ok_or_else(|| AdmitError::ChannelNotFound(channel.clone()))?;
        seats.mode = mode.unwrap_or(seats.mode);
        seats.max_bots = max_bots.unwrap_or(seats.max_bots);
        let (group, draining) = (seats.group.clone(), seats.mode == Mode::Draining);
        let tournament = seats.kind == ChannelKind::Tournament;
        self.dirty.updated.insert(channel.clone());
        if mode.is_some() && draining {
            for bot in self.bots_of(channel) {
                let target = if tournament {
                    self.find_home(bot, applied)?
                } else {
                    self.find_in_group(&group, applied)?
                };
                self.put(bot, Some(target), applied);
            }
        }
        let seats = self.channel(channel)?;
        if seats.taken() > seats.max_bots {
            let (bots, players, max_bots) = (seats.bots, seats.players, seats.max_bots);
            return Err(AdmitError::BelowLoad { channel: channel.clone(), bots, players, max_bots });
        }
        Ok(())
    }

    fn close(&mut self, channel: &ChannelName, applied: &mut Applied) -> Result<(), AdmitError> {
        let (group, kind) = (self.channel(channel)?.group.clone(), self.channel(channel)?.kind);
        let bots = self.bots_of(channel);
        // Out of the way first, so that no bot finds its way back in.
        self.channels.get_mut(channel).expect("invariant: looked up above").mode = Mode::Draining;
        let has_siblings = self.channels.values().any(|c| c.group == group && c.mode == Mode::Active);
        for bot in bots {
            let target = if kind == ChannelKind::Tournament {
                self.find_home(bot, applied)?
            } else if has_siblings {
                self.find_in_group(&group, applied)?
            } else {
                let region = self.bot(bot)?.region.clone();
                self.find_by_kind(ChannelKind::Main, region.as_ref(), applied)?
            };
            self.put(bot, Some(target), applied);
        }
        let seated = |(id, at): (&PlayerId, &ChannelName)| (at == channel).then_some(*id);
        for player in self.players.iter().filter_map(seated).collect::<Vec<_>>() {
            self.vacate(player, applied)?;
        }
        self.channels.remove(channel);
        self.dirty.closed.insert(channel.clone());
        applied.closed = Some(channel.clone());
        Ok(())
    }

    fn reserve(&mut self, player: &NewPlayer, want: &Want, applied: &mut Applied) -> Result<(), AdmitError> {
        if let Some(channel) = self.players.get(&player.id) {
            applied.reserved = Some((player.id, channel.clone()));
            return Ok(());
        }
        let (limit, had) = (self.rules.max_seats_per_user, self.seats_of_users.get(&player.user).copied());
        let had = had.unwrap_or(0);
        if limit > 0 && had >= limit {
            return Err(AdmitError::TooManySeats { user: player.user.clone(), limit });
        }
        let channel = match want {
            Want::ByName(channel) => channel.clone(),
            Want::Find { kind, region } => self.find_by_kind(*kind, region.as_ref(), applied)?,
        };
        check_accepts(self.channel(&channel)?, 1)?;
        self.channels.get_mut(&channel).expect("invariant: looked up above").players += 1;
        self.players.insert(player.id, channel.clone());
        self.seats_of_users.insert(player.user.clone(), had + 1);
        self.dirty.reserved.insert(player.id, player.clone());
        applied.reserved = Some((player.id, channel));
        Ok(())
    }

    fn vacate(&mut self, player: PlayerId, applied: &mut Applied) -> Result<(), AdmitError> {
        let channel = self.players.remove(&player).ok_or(AdmitError::PlayerNotFound(player))?;
        if let Some(seats) = self.channels.get_mut(&channel) {
            seats.players = seats.players.saturating_sub(1);
        }
        // One that was reserved in the same transaction was never written.
        if self.dirty.reserved.remove(&player).is_none() {
            self.dirty.vacated.insert(player);
        }
        applied.vacated.push((player, channel));
        Ok(())
    }

    /// The least loaded channel that suits, or a new shard of the default group.
    fn find_by_kind(
        &mut self,
        kind: ChannelKind,
        region: Option<&Region>,
        applied: &mut Applied,
    ) -> Result<ChannelName, AdmitError> {
        if kind == ChannelKind::Regional && region.is_none() {
            return Err(AdmitError::RegionRequired);
        }
        if let Some(found) = self.least_loaded(|seats| seats.suits(kind, region)) {
            return Ok(found);
        }
        let bound = kind.bound_region(region);
        let group = GroupName::default_for(kind, bound);
        self.claim_group(&group, kind, bound)?;
        self.open_for_one(&group, kind, applied)
    }

    /// The least loaded channel of a group, or a new shard of it.
    fn find_in_group(&mut self, group: &GroupName, applied: &mut Applied) -> Result<ChannelName, AdmitError> {
        if let Some(found) = self.least_loaded(|seats| seats.group == *group) {
            return Ok(found);
        }
        let kind = self.groups.get(group).ok_or_else(|| AdmitError::GroupNotFound(group.clone()))?.kind;
        self.open_for_one(group, kind, applied)
    }

    fn open_for_one(
        &mut self,
        group: &GroupName,
        kind: ChannelKind,
        applied: &mut Applied,
    ) -> Result<ChannelName, AdmitError> {
        match self.rules.limits.of(kind) {
            0 => Err(AdmitError::NoSeats(kind)),
            max_bots => self.open_shard(group, max_bots, applied),
        }
    }

    /// The least loaded active channel among those that suit, unless one more seat would take their common load
    /// over the share at which a new shard is due.
    fn least_loaded(&self, suits: impl Fn(&Seats) -> bool) -> Option<ChannelName> {
        let (mut taken, mut seats_in_all) = (1_u64, 0_u64);
        let mut best: Option<&Seats> = None;
        for seats in self.channels.values().filter(|c| c.mode == Mode::Active && suits(c)) {
            taken += u64::from(seats.taken());
            seats_in_all += u64::from(seats.max_bots);
            if seats.free() > 0 && best.is_none_or(|b| seats.load() < b.load()) {
                best = Some(seats);
            }
        }
        let within = taken * 100 <= seats_in_all * u64::from(self.rules.shard_above_percent);
        best.filter(|_| within).map(|seats| seats.name.clone())
    }

    /// Moves a bot and keeps both counts; the caller has checked that there is a seat.
    fn put(&mut self, bot: BotId, to: Option<ChannelName>, applied: &mut Applied) {
        let seat = self.bots.get_mut(&bot).expect("invariant: the caller looked the bot up");
        let from = std::mem::replace(&mut seat.channel, to.clone());
        if let Some(seats) = from.as_ref().and_then(|name| self.channels.get_mut(name)) {
            seats.bots = seats.bots.saturating_sub(1);
        }
        if let Some(seats) = to.as_ref().and_then(|name| self.channels.get_mut(name)) {
            seats.bots += 1;
        }
        if !self.dirty.enrolled.contains(&bot) {
            self.dirty.moved.entry(bot).or_insert_with(|| from.clone());
        }
        applied.moves.push(Move { bot, from, to });
    }

    fn bot(&self, bot: BotId) -> Result<&BotSeat, AdmitError> {
        self.bots.get(&bot).ok_or(AdmitError::BotNotFound(bot))
    }

    fn channel(&self, name: &ChannelName) -> Result<&Seats, AdmitError> {
        self.channels.get(name).ok_or_else(|| AdmitError::ChannelNotFound(name.clone()))
    }

    /// Where a bot lives that is in no tournament any more: nobody is moved from one into another.
    fn find_home(&mut self, bot: BotId, applied: &mut Applied) -> Result<ChannelName, AdmitError> {
        let seat = self.bot(bot)?;
        let kind = if seat.kind == ChannelKind::Tournament { ChannelKind::Main } else { seat.kind };
        let region = seat.region.clone();
        self.find_by_kind(kind, region.as_ref(), applied)
    }

    fn bots_of(&self, channel: &ChannelName) -> Vec<BotId> {
        let here = |seat: &BotSeat| seat.channel.as_ref() == Some(channel);
        self.bots.iter().filter(|(_, seat)| here(seat)).map(|(bot, _)| *bot).collect()
    }
}

/// Whether a channel takes `wanted` more bots or players in.
fn check_accepts(seats: &Seats, wanted: u32) -> Result<(), AdmitError> {
    let (channel, free) = (seats.name.clone(), seats.free());
    if seats.mode != Mode::Active {
        return Err(AdmitError::NotAccepting { channel, status: seats.status() });
    }
    if free < wanted {
        return Err(AdmitError::ChannelFull { channel, limit: seats.max_bots, free, wanted });
    }
    Ok(())
}
