//! Pure rules of the bot service: what a failure means, how long to wait, who may try, how many bots there should be.
//!
//! Times are durations since some start that the caller chooses; random numbers in 0..1 are the caller's too.

mod backoff;
mod breaker;
mod bucket;
mod fault;
mod ramp;
mod target;

pub use backoff::{Backoff, Failure, LONGEST_ASKED};
pub use breaker::{Breaker, BreakerState, Turn};
pub use bucket::TokenBucket;
pub use fault::{Fault, FaultClass, NextStep};
pub use ramp::Ramp;
pub use target::{Demand, Doing, Member, Plan, for_talk, plan, to_start};
