//! arena-testing
