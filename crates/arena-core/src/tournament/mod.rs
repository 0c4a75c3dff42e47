//! Tournaments: who plays whom, and who has won.

use crate::conversation::ParticipantId;
use serde::{Deserialize, Serialize};

/// Who plays whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Whoever loses is out.
    SingleElimination,
    /// Everybody plays everybody once.
    RoundRobin,
}

/// A tournament. The same entrants in the same order give the same games.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tournament {
    /// Who plays whom.
    pub format: Format,
    /// Who plays, strongest first.
    pub entrants: Vec<ParticipantId>,
}
