//! How a conversation is set up and changed.

use super::WireError;
use super::amounts::CapsBody;
use super::command::object;
use arena_core::Metadata;
use arena_core::conversation::{
    Caps, ConversationId, Delivery, Limits, LoopRules, Moderation, OnFailure, OnRefusal, ParticipantId,
    Setup, SetupChange, TurnPolicy, Turns,
};
use arena_realtime::policy::is_residents;
use serde::{Deserialize, Deserializer, Serialize};

/// How long a moderator is waited for where nothing is said, in milliseconds.
const MODERATION_DEADLINE_MS: u64 = 2_000;

/// A conversation to be made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Creation {
    /// Its id, if one was chosen.
    pub(crate) id: Option<ConversationId>,
    /// How it is set up.
    pub(crate) setup: Setup,
    /// What it and everything under it may use, and how often that refills, in milliseconds.
    pub(crate) tree: Option<(Caps, Option<u64>)>,
}

impl Creation {
    /// Words that stand in a conversation's place in a path, or that clients take for steps in one. Residents' talk has
    /// ids that nobody else may choose.
    const RESERVED: [&str; 3] = ["stats", ".", ".."];

    /// Reads one.
    pub(crate) fn read(json: &str) -> Result<Creation, WireError> {
        let body: CreateBody = object(json)?;
        let is_reserved =
            |id: &&ConversationId| Creation::RESERVED.contains(&id.as_str()) || is_residents(id.as_str());
        if let Some(id) = body.id.as_ref().filter(is_reserved) {
            return Err(WireError::Invalid(format!("id: `{id}` is reserved; choose another one")));
        }
        let setup = Setup {
            participants: body.participants.unwrap_or_default(),
            limits: body.limits.unwrap_or_default().into(),
            turns: body.turns.unwrap_or_default().into(),
            delivery: body.delivery.unwrap_or_default(),
            on_refusal: body.on_refusal.unwrap_or_default(),
            loops: body.loops.map(LoopRules::from),
            moderation: body.moderation.map(Moderation::from),
            owner: body.owner,
            parent: body.parent,
            root: None,
            metadata: body.metadata.unwrap_or_default(),
        };
        Ok(Creation { id: body.id, setup, tree: body.tree_limits.map(CapsBody::caps) })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateBody {
    id: Option<ConversationId>,
    participants: Option<Vec<ParticipantId>>,
    limits: Option<LimitsBody>,
    turns: Option<TurnsBody>,
    delivery: Option<Delivery>,
    on_refusal: Option<OnRefusal>,
    loops: Option<LoopsBody>,
    moderation: Option<ModerationBody>,
    owner: Option<ParticipantId>,
    parent: Option<ConversationId>,
    tree_limits: Option<CapsBody>,
    metadata: Option<Metadata>,
}

/// What is to be replaced.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeBody {
    limits: Option<LimitsBody>,
    turns: Option<TurnsBody>,
    delivery: Option<Delivery>,
    on_refusal: Option<OnRefusal>,
    #[serde(default, deserialize_with = "given")]
    loops: Option<Option<LoopsBody>>,
    #[serde(default, deserialize_with = "given")]
    moderation: Option<Option<ModerationBody>>,
    metadata: Option<Metadata>,
}

impl From<ChangeBody> for SetupChange {
    fn from(body: ChangeBody) -> SetupChange {
        SetupChange {
            limits: body.limits.map(Limits::from),
            turns: body.turns.map(Turns::from),
            delivery: body.delivery,
            on_refusal: body.on_refusal,
            loops: body.loops.map(|loops| loops.map(LoopRules::from)),
            moderation: body.moderation.map(|moderation| moderation.map(Moderation::from)),
            metadata: body.metadata,
        }
    }
}

/// `null` takes the thing away; only what is not there leaves it as it is.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// How conversations are set up whose participants come later; left out is as in a creation.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TalkBody {
    limits: Option<LimitsBody>,
    turns: Option<TurnsBody>,
    delivery: Option<Delivery>,
    on_refusal: Option<OnRefusal>,
    loops: Option<LoopsBody>,
    moderation: Option<ModerationBody>,
    metadata: Option<Metadata>,
}

impl From<TalkBody> for Setup {
    fn from(body: TalkBody) -> Setup {
        Setup {
            limits: body.limits.unwrap_or_default().into(),
            turns: body.turns.unwrap_or_default().into(),
            delivery: body.delivery.unwrap_or_default(),
            on_refusal: body.on_refusal.unwrap_or_default(),
            loops: body.loops.map(LoopRules::from),
            moderation: body.moderation.map(Moderation::from),
            metadata: body.metadata.unwrap_or_default(),
            ..Setup::default()
        }
    }
}

impl From<Setup> for TalkBody {
    fn from(setup: Setup) -> TalkBody {
        let SetupBody { limits, turns, delivery, on_refusal, loops, moderation, metadata, .. } = setup.into();
        TalkBody {
            limits: Some(limits),
            turns: Some(turns),
            delivery: Some(delivery),
            on_refusal: Some(on_refusal),
            loops,
            moderation,
            metadata: Some(metadata),
        }
    }
}

/// What bounds a conversation. What is left out is unlimited.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsBody {
    max_replies_per_participant: Option<u64>,
    max_total_messages: Option<u64>,
    max_duration_ms: Option<u64>,
    idle_timeout_ms: Option<u64>,
    max_tokens_per_participant: Option<u64>,
    max_total_tokens: Option<u64>,
    max_cost_micros_per_participant: Option<u64>,
    max_total_cost_micros: Option<u64>,
    guaranteed_per_participant: Option<u64>,
    refill_every_ms: Option<u64>,
}

impl From<LimitsBody> for Limits {
    fn from(body: LimitsBody) -> Limits {
        Limits {
            per_participant: Caps {
                messages: body.max_replies_per_participant,
                tokens: body.max_tokens_per_participant,
                cost_micros: body.max_cost_micros_per_participant,
            },
            total: Caps {
                messages: body.max_total_messages,
                tokens: body.max_total_tokens,
                cost_micros: body.max_total_cost_micros,
            },
            max_duration_ms: body.max_duration_ms,
            idle_timeout_ms: body.idle_timeout_ms,
            guaranteed_per_participant: body.guaranteed_per_participant.unwrap_or_default(),
            refill_every_ms: body.refill_every_ms,
        }
    }
}

impl From<&Limits> for LimitsBody {
    fn from(limits: &Limits) -> LimitsBody {
        LimitsBody {
            max_replies_per_participant: limits.per_participant.messages,
            max_total_messages: limits.total.messages,
            max_duration_ms: limits.max_duration_ms,
            idle_timeout_ms: limits.idle_timeout_ms,
            max_tokens_per_participant: limits.per_participant.tokens,
            max_total_tokens: limits.total.tokens,
            max_cost_micros_per_participant: limits.per_participant.cost_micros,
            max_total_cost_micros: limits.total.cost_micros,
            guaranteed_per_participant: Some(limits.guaranteed_per_participant),
            refill_every_ms: limits.refill_every_ms,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TurnsBody {
    policy: Option<TurnPolicy>,
    timeout_ms: Option<u64>,
}

impl From<TurnsBody> for Turns {
    fn from(TurnsBody { policy, timeout_ms }: TurnsBody) -> Turns {
        Turns { policy: policy.unwrap_or_default(), timeout_ms }
    }
}

/// What is left out is as in [`LoopRules::default`].
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LoopsBody {
    window: Option<u32>,
    max_repeats: Option<u32>,
    pair_messages: Option<u32>,
    pair_window_ms: Option<u64>,
    throttle_ms: Option<u64>,
}

impl From<LoopsBody> for LoopRules {
    fn from(body: LoopsBody) -> LoopRules {
        let rules = LoopRules::default();
        LoopRules {
            window: body.window.unwrap_or(rules.window),
            max_repeats: body.max_repeats.unwrap_or(rules.max_repeats),
            pair_messages: body.pair_messages.unwrap_or(rules.pair_messages),
            pair_window_ms: body.pair_window_ms.unwrap_or(rules.pair_window_ms),
            throttle_ms: body.throttle_ms.unwrap_or(rules.throttle_ms),
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ModerationBody {
    url: String,
    deadline_ms: Option<u64>,
    on_failure: Option<OnFailure>,
}

impl From<ModerationBody> for Moderation {
    fn from(ModerationBody { url, deadline_ms, on_failure }: ModerationBody) -> Moderation {
        Moderation {
            url,
            deadline_ms: deadline_ms.unwrap_or(MODERATION_DEADLINE_MS),
            on_failure: on_failure.unwrap_or_default(),
        }
    }
}

/// A setup as it is shown.
#[derive(Debug, Serialize)]
pub(crate) struct SetupBody {
    participants: Vec<ParticipantId>,
    limits: LimitsBody,
    turns: TurnsBody,
    delivery: Delivery,
    on_refusal: OnRefusal,
    loops: Option<LoopsBody>,
    moderation: Option<ModerationBody>,
    owner: Option<ParticipantId>,
    parent: Option<ConversationId>,
    root: Option<ConversationId>,
    metadata: Metadata,
}

impl From<Setup> for SetupBody {
    fn from(setup: Setup) -> SetupBody {
        SetupBody {
            limits: (&setup.limits).into(),
            turns: TurnsBody { policy: Some(setup.turns.policy), timeout_ms: setup.turns.timeout_ms },
            participants: setup.participants,
            delivery: setup.delivery,
            on_refusal: setup.on_refusal,
            loops: setup.loops.map(|rules| LoopsBody {
                window: Some(rules.window),
                max_repeats: Some(rules.max_repeats),
                pair_messages: Some(rules.pair_messages),
                pair_window_ms: Some(rules.pair_window_ms),
                throttle_ms: Some(rules.throttle_ms),
            }),
            moderation: setup.moderation.map(|Moderation { url, deadline_ms, on_failure }| ModerationBody {
                url,
                deadline_ms: Some(deadline_ms),
                on_failure: Some(on_failure),
            }),
            owner: setup.owner,
            parent: setup.parent,
            root: setup.root,
            metadata: setup.metadata,
        }
    }
}
