//! A language model behind a chat endpoint.

mod stats;

pub use stats::ModelStats;
