//! The service over a database of its own, and conversations to talk in.

use super::listener::Listener;
use crate::databases::{Database, open};
use crate::hosts;
use anyhow::{Context, ensure};
use arena_bus::{Bus, Sink};
use arena_control::{Control, ControlSettings, ConversationSettings, Conversations};
use arena_core::admission::AdmissionRules;
use arena_core::conversation::{Caps, Command, ConversationId, Limits, ParticipantId, Say, Setup, Turns};
use arena_store::{Actor, Store};
use arena_testing::TestDatabase;
use arena_worlds::native::NativeHost;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

const HOUR: Duration = Duration::from_secs(3_600);
const PATIENCE: Duration = Duration::from_secs(30);
/// Conversations that are asked for something at the same time while everything is made ready.
const AT_ONCE: usize = 256;
/// Nobody ever says so much; it has to be looked at all the same.
const PLENTY: u64 = 1_000_000_000_000;

/// The control plane without bots.
pub struct Rig {
    store: Store,
    native: NativeHost,
    control: Control,
    /// The service.
    pub conversations: Conversations,
}

impl Rig {
    /// Over a database, which may have been used before.
    pub async fn start(database: &TestDatabase, settings: ConversationSettings) -> anyhow::Result<Rig> {
        let store = open(database, AdmissionRules::default()).await?;
        Rig::over(store, settings)
    }

    /// Over a store.
    pub fn over(store: Store, conversations: ConversationSettings) -> anyhow::Result<Rig> {
        let native = hosts::native()?;
        let settings = ControlSettings { sync_every: HOUR, conversations, ..ControlSettings::default() };
        let control = Control::start(store.clone(), Arc::new(native.clone()), Bus::default(), settings);
        let conversations = control.services().conversations;
        Ok(Rig { store, native, control, conversations })
    }

    /// Ends in good order.
    pub async fn stop(self) -> anyhow::Result<()> {
        ensure!(self.control.shutdown(PATIENCE).await, "the control plane did not stop in time");
        self.native.shutdown().await;
        self.store.close().await;
        Ok(())
    }
}

/// A new database and the service over it.
pub async fn fresh(database: &Database) -> anyhow::Result<(TestDatabase, Rig)> {
    let own = database.create()?;
    let rig = Rig::start(&own, ConversationSettings::default()).await?;
    Ok((own, rig))
}

/// A conversation, and somebody who listens to it.
#[derive(Debug)]
pub struct Talk {
    /// Its id.
    pub id: ConversationId,
    /// Who listens.
    pub listener: Arc<Listener>,
}

/// Budgets of every kind, none of which is ever spent.
pub fn never_spent(participants: Vec<ParticipantId>, turns: Turns) -> Setup {
    let plenty = Caps { messages: Some(PLENTY), tokens: Some(PLENTY), cost_micros: Some(PLENTY) };
    let limits = Limits {
        per_participant: plenty,
        total: plenty,
        max_duration_ms: Some(30 * 86_400_000),
        idle_timeout_ms: Some(86_400_000),
        ..Limits::default()
    };
    Setup { participants, limits, turns, ..Setup::default() }
}

/// `participant-0` and so on.
pub fn participants(count: usize) -> anyhow::Result<Vec<ParticipantId>> {
    (0..count).map(|n| Ok(format!("participant-{n}").parse()?)).collect()
}

/// Creates conversations called `<name>-0` and so on.
pub async fn create(
    conversations: &Conversations,
    name: &str,
    count: usize,
    setup: &Setup,
) -> anyhow::Result<Vec<ConversationId>> {
    let ids = (0..count).map(|n| Ok(format!("{name}-{n}").parse()?));
    let ids = ids.collect::<anyhow::Result<Vec<ConversationId>>>()?;
    each(&ids, |id| {
        let (conversations, setup) = (conversations.clone(), setup.clone());
        async move {
            conversations.create(&Actor::system(), Some(id), setup, None).await?;
            Ok(())
        }
    })
    .await?;
    Ok(ids)
}

/// Lets somebody listen to each.
pub async fn listen(conversations: &Conversations, ids: &[ConversationId]) -> anyhow::Result<Vec<Talk>> {
    let mut talks = Vec::with_capacity(ids.len());
    for id in ids {
        let listening = conversations.listen(id).await?;
        let listener = Arc::new(Listener::after(listening.position.offset));
        listening.stream.attach(Arc::clone(&listener) as Arc<dyn Sink>);
        talks.push(Talk { id: id.clone(), listener });
    }
    Ok(talks)
}

/// Does the same to each conversation, many at the same time.
pub async fn each<F: Future<Output = anyhow::Result<()>> + Send + 'static>(
    ids: &[ConversationId],
    act: impl Fn(ConversationId) -> F,
) -> anyhow::Result<()> {
    for chunk in ids.chunks(AT_ONCE) {
        let mut tasks = JoinSet::new();
        for id in chunk {
            tasks.spawn(act(id.clone()));
        }
        while let Some(ended) = tasks.join_next().await {
            ended?.with_context(|| format!("with one of `{}` and those after it", chunk[0]))?;
        }
    }
    Ok(())
}

/// A message.
pub fn say(author: &ParticipantId, text: &str) -> Command {
    Command::Say(Say {
        author: author.clone(),
        id: None,
        text: text.to_owned(),
        data: None,
        tokens: 0,
        cost_micros: 0,
        reservation: None,
    })
}
