//! Bots that walk about in worlds.
