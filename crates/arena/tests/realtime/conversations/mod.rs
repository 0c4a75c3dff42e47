//! Conversations of the built binary: over REST and over the socket, by plain clients and by published ones.

mod agents;
mod capacity;
mod coming_back;
mod crowd;
mod following;
mod refusals;
mod rejections;
mod talk;
