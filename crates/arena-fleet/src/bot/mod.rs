//! One bot: its place in the lobby, its ticket at the matchmaker, its talk, its world.

mod around;
mod leave;
mod life;
mod lobby;
mod rest_seats;
mod seat;
mod seat_line;
mod talk;
mod thought;
mod ticket;
mod wish;
mod world;

pub use around::{Around, BotSettings, BrainFor, Open, TokenFor};
pub use leave::Leave;
pub(crate) use leave::at;
pub use life::{Bot, BotEnd, Note, Order};
pub use rest_seats::RestSeats;
pub use seat::{Seat, Seats};
pub(crate) use seat_line::SeatLine;

#[cfg(test)]
mod tests;
