//! Queues, tickets, matches and tournaments.

use super::channels::or_dash;
use super::conversations::lasting;
use super::fields::Fields;
use super::style::{Color, Style};
use super::table::{Cell, Column, Table};
use super::text::thousands;
use super::time::utc;
use crate::client::wire::{Game, Match, Queue, Report, Ticket, Tournament};
use serde_json::Value;

/// All queues.
pub fn queues_table(queues: &[Queue], style: &Style) -> String {
    let mut table = Table::new([
        Column::elastic("QUEUE"),
        Column::number("HUMANS"),
        Column::number("BOTS"),
        Column::text("LONGEST"),
        Column::number("PROPOSED"),
        Column::number("MATCHED"),
        Column::number("LAST HOUR"),
        Column::text("P50"),
        Column::text("P95"),
        Column::number("QUALITY"),
        Column::number("GAVE UP"),
    ]);
    for queue in queues {
        let (now, hour) = (&queue.waiting, &queue.last_hour);
        table.row([
            queue.name.as_str().into(),
            thousands(now.humans).into(),
            thousands(now.bots).into(),
            or_dash(now.oldest_wait_ms.map(wait).as_deref()),
            thousands(queue.proposed).into(),
            thousands(queue.matched).into(),
            thousands(hour.matched).into(),
            or_dash(hour.wait_p50_ms.map(wait).as_deref()),
            or_dash(hour.wait_p95_ms.map(wait).as_deref()),
            or_dash(hour.quality.map(|quality| quality.to_string()).as_deref()),
            thousands(hour.abandoned).into(),
        ]);
    }
    table.render(style)
}

/// A wait: to a tenth of a second while it is short.
pub(super) fn wait(ms: u64) -> String {
    match ms {
        // A wait of a minute and more in words.
        60_000.. => lasting(ms),
        _ => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
    }
}

/// One queue, and its rules as they can be given back.
pub fn queue_details(queue: &Queue, style: &Style) -> String {
    let (now, hour) = (&queue.waiting, &queue.last_hour);
    let mut fields = Fields::default();
    fields
        .add("queue", &queue.name)
        .add("version", queue.version.to_string())
        .add("waiting", format!("{} humans, {} bots", thousands(now.humans), thousands(now.bots)))
        .add_some("longest", now.oldest_wait_ms.map(wait))
        .add("proposed", thousands(queue.proposed))
        .add("matched", thousands(queue.matched))
        .add(
            "last hour",
            format!(
                "{} matched, {} gave up, {} matches failed",
                thousands(hour.matched),
                thousands(hour.abandoned),
                thousands(hour.failed)
            ),
        )
        .add_some("wait p50", hour.wait_p50_ms.map(wait))
        .add_some("wait p95", hour.wait_p95_ms.map(wait))
        .add_some("quality", hour.quality.map(|quality| quality.to_string()));
    let rules = Value::Object(queue.rules.clone());
    let rules = serde_json::to_string_pretty(&rules).unwrap_or_default();
    format!("{}\n{rules}\n", fields.render(style))
}

/// A list of tickets.
pub fn tickets_table(tickets: &[Ticket], style: &Style) -> String {
    let mut table = Table::new([
        Column::text("TICKET"),
        Column::elastic("QUEUE"),
        Column::elastic("USER"),
        Column::text("KIND"),
        Column::text("STATE"),
        Column::text("SINCE"),
        Column::text("WAITED"),
        Column::elastic("WITH"),
    ]);
    for ticket in tickets {
        table.row([
            ticket.id.as_str().into(),
            ticket.queue.as_str().into(),
            users(&ticket.user, &ticket.party).into(),
            ticket.kind.as_str().into(),
            state_cell(&ticket.state, ticket.ended.as_deref()),
            utc(ticket.since_ms).into(),
            or_dash(ticket.waited_ms.map(wait).as_deref()),
            or_dash(ticket.r#match.as_ref().map(|met| partners(met, &ticket.user)).as_deref()),
        ]);
    }
    table.render(style)
}

fn users(user: &str, party: &[String]) -> String {
    std::iter::once(user).chain(party.iter().map(String::as_str)).collect::<Vec<_>>().join(" + ")
}

/// Everybody else in a match.
fn partners(met: &Match, user: &str) -> String {
    let others = met.members.iter().filter(|member| member.user != user);
    others.map(|member| users(&member.user, &member.party)).collect::<Vec<_>>().join(", ")
}

fn state_cell(state: &str, ended: Option<&str>) -> Cell {
    match (state, ended) {
        (_, Some(why)) => Cell::colored(format!("{state}: {why}"), Color::Dim),
        ("matched" | "standing", None) => Cell::colored(state, Color::Green),
        ("proposed", None) => Cell::colored(state, Color::Yellow),
        (_, None) => state.into(),
    }
}

/// One ticket, and its match.
pub fn ticket_details(ticket: &Ticket, style: &Style) -> String {
    let attributes = ticket.attributes.iter().map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    });
    let mut fields = Fields::default();
    fields
        .add("ticket", &ticket.id)
        .add("queue", &ticket.queue)
        .add("user", users(&ticket.user, &ticket.party))
        .add("kind", &ticket.kind)
        .add("state", state_words(&ticket.state, ticket.ended.as_deref()))
        .add_some("region", ticket.region.as_deref())
        .add_some("language", ticket.language.as_deref())
        .add_some("interests", Some(ticket.interests.join(", ")))
        .add_some("rating", ticket.rating.map(|rating| rating.to_string()))
        .add_some("attributes", Some(attributes.collect::<Vec<_>>().join(", ")))
        .add_some("avoids", Some(ticket.avoid.join(", ")))
        .add("requeue", if ticket.requeue { "yes" } else { "no" })
        .add("version", ticket.version.to_string())
        .add("waits since", utc(ticket.since_ms))
        .add_some("waited", ticket.waited_ms.map(wait))
        .add("made", utc(ticket.created_at_ms))
        .add("changed", utc(ticket.changed_at_ms));
    let met = ticket.r#match.as_ref().map(|met| format!("\n{}", match_details(met, style)));
    format!("{}{}", fields.render(style), met.unwrap_or_default())
}

fn state_words(state: &str, ended: Option<&str>) -> String {
    ended.map_or_else(|| state.to_owned(), |why| format!("{state}: {why}"))
}

/// A list of matches, or of tournaments.
pub fn matches_table(matches: &[Match], style: &Style) -> String {
    let mut table = Table::new([
        Column::text("MATCH"),
        Column::elastic("QUEUE"),
        Column::text("STATE"),
        Column::elastic("BY"),
        Column::number("QUALITY"),
        Column::text("MADE"),
        Column::elastic("WHO"),
    ]);
    for met in matches {
        table.row([
            met.id.as_str().into(),
            met.queue.as_str().into(),
            state_cell(&met.state, met.ended.as_deref()),
            or_dash(met.ended_by.as_deref()),
            met.quality.to_string().into(),
            utc(met.made_at_ms).into(),
            who(met).into(),
        ]);
    }
    table.render(style)
}

/// Who is in a match: their names while they are few.
fn who(met: &Match) -> String {
    const FEW: usize = 4;
    match met.members.as_slice() {
        members if members.len() > FEW => format!("{} tickets", members.len()),
        members => {
            members.iter().map(|member| users(&member.user, &member.party)).collect::<Vec<_>>().join(", ")
        }
    }
}

/// One match, and who is in it.
pub fn match_details(met: &Match, style: &Style) -> String {
    let mut table = Table::new([
        Column::elastic("USER"),
        Column::text("KIND"),
        Column::elastic("NAME"),
        Column::number("TEAM"),
        Column::text("CONFIRMED"),
        Column::text("TICKET"),
    ]);
    for member in &met.members {
        table.row([
            users(&member.user, &member.party).into(),
            member.kind.as_str().into(),
            or_dash(member.name.as_deref()),
            (member.team + 1).to_string().into(),
            if member.confirmed { Cell::colored("yes", Color::Green) } else { "no".into() },
            or_dash(member.ticket.as_deref()),
        ]);
    }
    format!("{}\n{}", match_fields(met).render(style), table.render(style))
}

fn match_fields(met: &Match) -> Fields {
    let mut fields = Fields::default();
    fields
        .add("match", &met.id)
        .add("queue", &met.queue)
        .add("state", state_words(&met.state, met.ended.as_deref()))
        .add_some("ended by", met.ended_by.as_deref())
        .add_some("conversation", met.conversation.as_deref())
        .add_some("channel", met.channel.as_deref())
        .add("quality", met.quality.to_string())
        .add("made", utc(met.made_at_ms))
        .add("changed", utc(met.changed_at_ms));
    fields
}

/// A list of reports.
pub fn reports_table(reports: &[Report], style: &Style) -> String {
    let mut table = Table::new([
        Column::text("WHEN"),
        Column::elastic("REPORTED"),
        Column::elastic("BY"),
        Column::elastic("REASON"),
        Column::text("MATCH"),
    ]);
    for report in reports {
        table.row([
            utc(report.created_at_ms).into(),
            report.reported.as_str().into(),
            report.reporter.as_str().into(),
            report.reason.as_str().into(),
            report.r#match.as_str().into(),
        ]);
        if !report.detail.is_empty() {
            table.note(&report.detail);
        }
    }
    table.render(style)
}

/// A tournament: its games, and who stands where.
pub fn tournament_view(cup: &Tournament, style: &Style) -> String {
    let mut fields = match_fields(&cup.of);
    fields
        .add("format", &cup.format)
        .add("entrants", cup.entrants.len().to_string())
        .add_some("champion", cup.champion.as_deref());
    let mut games = Table::new([
        Column::number("GAME"),
        Column::number("ROUND"),
        Column::elastic("A"),
        Column::elastic("B"),
        Column::text("RESULT"),
    ]);
    for game in &cup.games {
        games.row([
            game.number.to_string().into(),
            game.round.to_string().into(),
            or_dash(game.a.as_deref()),
            or_dash(game.b.as_deref()),
            result(game),
        ]);
    }
    let mut standings = Table::new([
        Column::number("PLACE"),
        Column::elastic("USER"),
        Column::number("WON"),
        Column::number("DRAWN"),
        Column::number("LOST"),
        Column::number("POINTS"),
        Column::text(""),
    ]);
    for standing in &cup.standings {
        standings.row([
            standing.rank.to_string().into(),
            standing.user.as_str().into(),
            standing.won.to_string().into(),
            standing.drawn.to_string().into(),
            standing.lost.to_string().into(),
            standing.points.to_string().into(),
            if standing.withdrawn { Cell::colored("has left", Color::Dim) } else { "".into() },
        ]);
    }
    format!("{}\n{}\n{}", fields.render(style), games.render(style), standings.render(style))
}

fn result(game: &Game) -> Cell {
    let Some(result) = &game.result else { return Cell::colored("-", Color::Dim) };
    let score = result.score.map(|(a, b)| format!(", {a}:{b}")).unwrap_or_default();
    match &result.winner {
        Some(winner) if result.forfeit => format!("{winner} (forfeit)").into(),
        None if result.forfeit => "forfeit".into(),
        Some(winner) => Cell::colored(format!("{winner}{score}"), Color::Green),
        None => format!("draw{score}").into(),
    }
}
