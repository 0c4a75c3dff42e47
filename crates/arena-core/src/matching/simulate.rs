//! Replays seeded arrivals through the rules.
