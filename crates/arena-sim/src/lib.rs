//! Pure simulation of one world.
