//! Conversations, their logs and what is left in them.

use super::channels::or_dash;
use super::fields::Fields;
use super::style::{Color, Style};
use super::table::{Cell, Column, Table};
use super::text::{clean, counted, thousands};
use super::time::utc;
use crate::client::wire::{
    Amounts, Budget, Capacity, Caps, Conversation, Line, Receipt, Share, SharedBudget,
};
use serde_json::Value;

/// A list of conversations.
pub fn conversations_table(conversations: &[Conversation], style: &Style) -> String {
    let mut table = Table::new([
        Column::elastic("CONVERSATION"),
        Column::text("STATE"),
        Column::number("MESSAGES"),
        Column::text("TURNS"),
        Column::elastic("OWNER"),
        Column::elastic("PARTICIPANTS"),
    ]);
    for conversation in conversations {
        let most = conversation.limits.get("max_total_messages").and_then(Value::as_u64);
        table.row([
            conversation.id.as_str().into(),
            state_cell(conversation.exhausted.as_deref()),
            most.map_or_else(
                || Cell::colored("-", Color::Dim),
                |most| format!("max {}", thousands(most)).into(),
            ),
            conversation.turns.policy.as_str().into(),
            or_dash(conversation.owner.as_deref()),
            roster(conversation).into(),
        ]);
    }
    table.render(style)
}

/// One conversation.
pub fn conversation_details(conversation: &Conversation, style: &Style) -> String {
    let limits = conversation.limits.iter().filter(|(_, value)| !value.is_null() && **value != 0);
    let limits: Vec<String> = limits.map(|(name, value)| format!("{name} {value}")).collect();
    let metadata = conversation.metadata.as_object().filter(|object| !object.is_empty());
    let mut fields = Fields::default();
    fields
        .add("conversation", &conversation.id)
        .add("state", conversation.exhausted.as_deref().unwrap_or("open"))
        .add("participants", roster(conversation))
        .add("limits", if limits.is_empty() { "none".to_owned() } else { limits.join(", ") })
        .add("turns", &conversation.turns.policy)
        .add("delivery", &conversation.delivery)
        .add("on refusal", &conversation.on_refusal)
        .add_some("owner", conversation.owner.as_deref())
        .add_some("parent", conversation.parent.as_deref())
        .add_some("metadata", metadata.map(|object| Value::Object(object.clone()).to_string()))
        .add("created", utc(conversation.created_at_ms));
    fields.render(style)
}

fn roster(conversation: &Conversation) -> String {
    match conversation.participants.as_slice() {
        [] => "anybody".to_owned(),
        names => names.join(", "),
    }
}

fn state_cell(exhausted: Option<&str>) -> Cell {
    match exhausted {
        None => Cell::colored("open", Color::Green),
        Some(reason) => Cell::colored(reason, Color::Yellow),
    }
}

/// What is left: to all together first, then to each.
pub fn capacity_view(capacity: &Capacity, style: &Style) -> String {
    let mut fields = Fields::default();
    fields
        .add("conversation", &capacity.conversation)
        .add("state", capacity.exhausted.as_deref().unwrap_or("open"))
        .add_some("turn", capacity.turn.as_deref())
        .add_some("ends in", capacity.ends_in_ms.map(lasting))
        .add_some("refills in", capacity.refills_in_ms.map(lasting));
    let budgets = || std::iter::once(&capacity.total).chain(capacity.participants.iter().map(|s| &s.budget));
    let shown: Vec<Resource> = RESOURCES
        .into_iter()
        .filter(|resource| resource.always || budgets().any(|budget| resource.is_used(budget)))
        .collect();
    let mut columns = vec![Column::elastic("PARTICIPANT")];
    for resource in &shown {
        columns.extend(resource.heads.map(Column::number));
    }
    columns.extend([Column::text("MAY SEND"), Column::text("REASON")]);
    let mut table = Table::new(columns);
    let mut all = vec![Cell::colored("(all)", Color::Dim)];
    all.extend(shown.iter().flat_map(|resource| resource.cells(&capacity.total)));
    all.extend([Cell::from(""), Cell::from("")]);
    table.row(all);
    for share in &capacity.participants {
        let mut row = vec![Cell::from(share.participant.as_str())];
        row.extend(shown.iter().flat_map(|resource| resource.cells(&share.budget)));
        row.extend(sending(share));
        table.row(row);
    }
    format!("{}\n{}", fields.render(style), table.render(style))
}

fn sending(share: &Share) -> [Cell; 2] {
    let reason = match (&share.reason, share.retry_after_ms) {
        (Some(reason), Some(ms)) => format!("{reason}, {} more", lasting(ms)),
        (Some(reason), None) => reason.clone(),
        (None, _) => String::new(),
    };
    let may =
        if share.may_send { Cell::colored("yes", Color::Green) } else { Cell::colored("no", Color::Red) };
    [may, reason.into()]
}

/// A resource and how it is shown.
struct Resource {
    heads: [&'static str; 3],
    /// Shown even if nobody limits or uses it.
    always: bool,
    used: fn(&Amounts) -> u64,
    cap: fn(&Caps) -> Option<u64>,
}

const RESOURCES: [Resource; 3] = [
    Resource { heads: ["USED", "HELD", "LEFT"], always: true, used: |a| a.messages, cap: |c| c.messages },
    Resource { heads: ["TOKENS", "HELD", "LEFT"], always: false, used: |a| a.tokens, cap: |c| c.tokens },
    Resource {
        heads: ["COST", "HELD", "LEFT"],
        always: false,
        used: |a| a.cost_micros,
        cap: |c| c.cost_micros,
    },
];

impl Resource {
    fn is_used(&self, budget: &Budget) -> bool {
        (self.cap)(&budget.limit).is_some() || (self.used)(&budget.used) + (self.used)(&budget.held) > 0
    }

    fn cells(&self, budget: &Budget) -> [Cell; 3] {
        let held = (self.used)(&budget.held);
        let held = if held == 0 { Cell::from("") } else { thousands(held).into() };
        [thousands((self.used)(&budget.used)).into(), held, left((self.cap)(&budget.remaining))]
    }
}

fn left(cap: Option<u64>) -> Cell {
    match cap {
        None => Cell::colored("no limit", Color::Dim),
        Some(0) => Cell::colored("0", Color::Red),
        Some(left) => thousands(left).into(),
    }
}

/// A length of time to its largest two units.
pub(super) fn lasting(ms: u64) -> String {
    let secs = ms.div_ceil(1_000);
    match (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60, secs % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, s) => format!("{m} min {s} s"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, h, _, _) => format!("{d} d {h} h"),
    }
}

/// What came of something that was asked for, in a sentence.
pub fn receipt_words(receipt: &Receipt) -> String {
    let mut words = match &receipt.dropped {
        Some(dropped) => format!("dropped: {}", clean(&dropped.detail)),
        None if receipt.repeated => format!("was said already, as line {}", receipt.offset),
        None => format!("line {}", receipt.offset),
    };
    let mut add = |text: String| words.push_str(&format!("; {text}"));
    if let Some(share) = &receipt.share
        && let Some(left) = share.budget.remaining.messages
    {
        add(format!("{} left to {}", counted(left, "message"), clean(&share.participant)));
    }
    if let Some(left) = receipt.total.remaining.messages {
        add(format!("{} left to all", counted(left, "message")));
    }
    if let Some(turn) = &receipt.turn {
        add(format!("the turn is {}'s", clean(turn)));
    }
    if let Some(reason) = &receipt.exhausted {
        add(format!("at its end: {}", clean(reason)));
    }
    words + "\n"
}

/// Lines of a log.
pub fn log_table(lines: &[Line], style: &Style) -> String {
    let mut table = Table::new([
        Column::number("LINE"),
        Column::text("AT (UTC)"),
        Column::text("WHO"),
        Column::elastic("WHAT"),
    ]);
    for line in lines {
        let (who, what) = told(line);
        let who = if line.event == "message" { Cell::from(who) } else { Cell::colored(who, Color::Dim) };
        table.row([line.offset.to_string().into(), utc(line.at_ms).into(), who, what.into()]);
    }
    table.render(style)
}

/// One line of a log that is followed.
pub fn log_line(line: &Line, style: &Style) -> String {
    let (who, what) = told(line);
    let head = style.paint(&format!("{} {}", line.offset, utc(line.at_ms)), Color::Dim);
    format!("{head}  {}: {}\n", clean(&who), clean(&what))
}

/// Who, and what: the text of a message, the gist of anything else.
fn told(line: &Line) -> (String, String) {
    let payload = &line.payload;
    let text = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
    let event = || format!("({})", line.event);
    match line.event.as_str() {
        "message" => (text("author"), text("text")),
        "system" => ("(system)".to_owned(), text("text")),
        "exhausted" => (event(), text("reason")),
        "participant_blocked" => (event(), format!("{}: no {} left", text("participant"), text("resource"))),
        "conversation_blocked" => (event(), format!("no {} left", text("resource"))),
        "reserved" | "released" | "turn" | "participant_added" | "participant_removed" => {
            (event(), text("participant"))
        }
        _ => (event(), payload.to_string()),
    }
}

/// A budget that several conversations share.
pub fn budget_details(budget: &SharedBudget, style: &Style) -> String {
    let line = |max: Option<u64>, used: u64, held: u64, left: Option<u64>| {
        let held = if held > 0 { format!(", {} held", thousands(held)) } else { String::new() };
        match (max, left) {
            (Some(max), Some(left)) => {
                format!("{} of {} used{held}, {} left", thousands(used), thousands(max), thousands(left))
            }
            _ => format!("{} used{held}, no limit", thousands(used)),
        }
    };
    let SharedBudget { used, held, remaining, .. } = budget;
    let mut fields = Fields::default();
    fields
        .add("budget", &budget.id)
        .add("messages", line(budget.max_messages, used.messages, held.messages, remaining.messages))
        .add("tokens", line(budget.max_tokens, used.tokens, held.tokens, remaining.tokens))
        .add(
            "cost (micros)",
            line(budget.max_cost_micros, used.cost_micros, held.cost_micros, remaining.cost_micros),
        )
        .add_some("refills every", budget.refill_every_ms.map(lasting))
        .add_some("refills in", budget.refills_in_ms.map(lasting));
    fields.render(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_their_largest_two_units() {
        for (ms, words) in
            [(1, "1 s"), (59_001, "1 min 0 s"), (3_600_000, "1 h 0 min"), (90_061_000, "1 d 1 h")]
        {
            assert_eq!(lasting(ms), words);
        }
    }

    #[test]
    fn a_line_of_a_followed_log_cannot_steer_the_terminal() {
        let line = Line {
            offset: 7,
            at_ms: 0,
            event: "message".to_owned(),
            payload: serde_json::json!({"author": "ada\u{1b}[2J", "text": "a\nb"}),
        };
        assert_eq!(log_line(&line, &Style::PLAIN), "7 1970-01-01 00:00:00  ada [2J: a b\n");
    }
}
