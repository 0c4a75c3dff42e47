use std::net::{Ipv4Addr, TcpListener};

use crate::random::random;

/// Ports below Linux's ephemeral range (32768 and up): an outgoing connection never takes the port of a
/// server that a test has stopped and will start again.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A loopback TCP port that nobody listens on at this moment.
///
/// # Panics
/// When a hundred random ports are all taken.
pub fn free_port() -> u16 {
    (0..100)
        .map(|_| FIRST + (random() % u64::from(COUNT)) as u16)
        .find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .expect("one of a hundred random loopback ports should be free")
}
