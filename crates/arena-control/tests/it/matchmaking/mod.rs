//! The matchmaker: tickets, matches and what becomes of them, with outages, crashes and several processes.

mod house;

mod confirming;
mod crashing;
mod life;
mod outages;
mod polling;
mod queues;
mod several;
mod skipping;
mod talking;
mod tournaments;
mod users;
