//! arena-api
