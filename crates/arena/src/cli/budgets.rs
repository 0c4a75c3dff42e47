//! `arena budgets …`

use super::values::millis;
use arena_core::conversation::AccountId;
use clap::{Args, Subcommand};

/// `arena budgets …`
#[derive(Debug, Subcommand)]
pub enum BudgetsCommand {
    /// Show a budget and what of it is used
    Show {
        /// The budget: owner:OWNER or tree:CONVERSATION
        budget: AccountId,
    },
    /// Set what a budget allows; what was used stays used
    Set(SetArgs),
}

/// Arguments of `arena budgets set`.
#[derive(Debug, Args)]
pub struct SetArgs {
    /// The budget: owner:OWNER or tree:CONVERSATION
    pub budget: AccountId,
    /// Messages; without it, any number
    #[arg(long, value_name = "N")]
    pub max_messages: Option<u64>,
    /// Tokens; without it, any number
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<u64>,
    /// Money in millionths of a currency's unit; without it, any sum
    #[arg(long, value_name = "N")]
    pub max_cost_micros: Option<u64>,
    /// How often it begins anew: a number and s, m, h or d; without it, never
    #[arg(long, value_name = "TIME", value_parser = millis)]
    pub refill_every: Option<u64>,
}
