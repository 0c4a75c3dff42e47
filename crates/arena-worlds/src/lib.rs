//! arena-worlds
