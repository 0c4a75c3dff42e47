//! Pure rules of the bot service: what a failure means, how long to wait, who may try, how many bots there should be.

mod fault;

pub use fault::{Fault, FaultClass, NextStep};
