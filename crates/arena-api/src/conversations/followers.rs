//! How many follow logs: all, and of them those of one user.

use super::wire::Speaker;
use arena_realtime::limits::{Connection, Connections};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Logs that one user follows at once; of those whose name is not known, one address. Services are counted among all
/// only: they follow for others.
const MAX_OF_ONE: u32 = 16;

/// Bounds those who follow logs, or wait for news of tickets. There is no queue: who finds no slot is turned away at once.
#[derive(Debug, Clone)]
pub(crate) struct Followers {
    all: Arc<Semaphore>,
    users: Arc<Connections>,
    addresses: Arc<Connections>,
}

/// One who follows a log, and counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Following {
    _of_all: OwnedSemaphorePermit,
    _of_one: Option<Connection>,
}

impl Followers {
    /// At most `max` in all.
    pub(crate) fn new(max: usize) -> Followers {
        let of_one = |per_user, per_address| Connections::new(u32::MAX, per_user, per_address);
        Followers {
            all: Arc::new(Semaphore::new(max.min(Semaphore::MAX_PERMITS))),
            users: of_one(MAX_OF_ONE, 0),
            addresses: of_one(0, MAX_OF_ONE),
        }
    }

    /// One more. An error says why not.
    pub(crate) fn begin(&self, who: &Speaker, address: IpAddr) -> Result<Following, &'static str> {
        let of_one = match &who.user {
            _ if who.service => None,
            Some(user) => Some(self.users.open(&user.as_str().into(), Ipv4Addr::UNSPECIFIED.into())),
            None => Some(self.addresses.open(&"".into(), address)),
        };
        let of_one = of_one.transpose().map_err(|_| "as much is followed by you as may be")?;
        let of_all = Arc::clone(&self.all).try_acquire_owned();
        let of_all = of_all.map_err(|_| "as much is followed as may be")?;
        Ok(Following { _of_all: of_all, _of_one: of_one })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_slots_and_services_take_what_there_is() {
        let followers = Followers::new(40);
        let (here, there) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let (ada, nobody) = (Speaker::user("ada".parse().unwrap()), Speaker::nobody());
        let mut kept: Vec<_> = (0..16).map(|_| followers.begin(&ada, here).unwrap()).collect();
        assert!(followers.begin(&ada, there).is_err(), "wherever it comes from");
        kept.extend((0..16).map(|_| followers.begin(&nobody, here).unwrap()));
        assert!(followers.begin(&nobody, here).is_err());
        kept.push(followers.begin(&nobody, there).unwrap());
        kept.extend((0..7).map(|_| followers.begin(&Speaker::service(), here).unwrap()));
        assert!(followers.begin(&Speaker::service(), there).is_err(), "of all there are no more");
        kept.clear();
        followers.begin(&ada, here).unwrap();
    }
}
