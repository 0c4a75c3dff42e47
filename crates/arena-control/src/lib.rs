//! arena-control
