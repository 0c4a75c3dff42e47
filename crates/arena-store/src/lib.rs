//! arena-store
