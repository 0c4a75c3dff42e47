//! How many connections there are.

use super::{Refusal, Scope};
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts connections: all, by user, by address. Its maps have no more entries than there are connections.
#[derive(Debug)]
pub struct Connections {
    max: u32,
    max_per_user: u32,
    max_per_address: u32,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: u32,
    by_user: HashMap<Arc<str>, u32>,
    by_address: HashMap<IpAddr, u32>,
}

/// A connection that counts until this is dropped.
#[derive(Debug)]
#[must_use = "a connection counts until this is dropped"]
pub struct Connection {
    connections: Arc<Connections>,
    user: Arc<str>,
    address: IpAddr,
}

impl Connections {
    /// At most `max` in all, and as many of one user and from one address; 0 is no limit for the latter two.
    pub fn new(max: u32, max_per_user: u32, max_per_address: u32) -> Arc<Connections> {
        Arc::new(Connections { max, max_per_user, max_per_address, open: Mutex::default() })
    }

    /// One more connection, by this user from this address.
    pub fn open(self: &Arc<Self>, user: &Arc<str>, address: IpAddr) -> Result<Connection, Refusal> {
        let address = network(address);
        let mut open = self.lock();
        let full = |scope| Err(Refusal::Connections { scope });
        if open.all >= self.max {
            return full(Scope::Node);
        }
        if is_full(open.by_user.get(user), self.max_per_user) {
            return full(Scope::User);
        }
        if is_full(open.by_address.get(&address), self.max_per_address) {
            return full(Scope::Address);
        }
        open.all += 1;
        *open.by_user.entry(Arc::clone(user)).or_default() += 1;
        *open.by_address.entry(address).or_default() += 1;
        Ok(Connection { connections: Arc::clone(self), user: Arc::clone(user), address })
    }

    /// Connections that are open.
    pub fn count(&self) -> u32 {
        self.lock().all
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        open.all -= 1;
        release(&mut open.by_user, &self.user);
        release(&mut open.by_address, &self.address);
    }
}

fn is_full(count: Option<&u32>, max: u32) -> bool {
    max != 0 && count.is_some_and(|count| *count >= max)
}

fn release<K: Hash + Eq>(counts: &mut HashMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// Whom an address stands for: of IPv6, a subscriber has at least a /64 network (RFC 6177).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
        v4 => v4,
    }
}
