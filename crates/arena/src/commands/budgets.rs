//! `arena budgets …`

use super::Session;
use super::error::CommandError;
use crate::cli::{BudgetsCommand, SetArgs};
use crate::client::wire::SharedBudget;
use crate::client::{Answer, ApiPath};
use crate::render::budget_details;
use serde_json::json;

pub(super) fn run(session: &Session, command: BudgetsCommand) -> Result<(), CommandError> {
    let path = |budget| ApiPath::new("budgets").segment(budget);
    match command {
        BudgetsCommand::Show { budget } => show(session, &session.client.get(&path(budget))?),
        BudgetsCommand::Set(SetArgs { budget, max_messages, max_tokens, max_cost_micros, refill_every }) => {
            let body = json!({
                "max_messages": max_messages,
                "max_tokens": max_tokens,
                "max_cost_micros": max_cost_micros,
                "refill_every_ms": refill_every,
            });
            show(session, &session.client.put(&path(budget), &body)?)
        }
    }
}

fn show(session: &Session, answer: &Answer) -> Result<(), CommandError> {
    session.screen.show(answer, |budget: &SharedBudget, style| budget_details(budget, style))
}
