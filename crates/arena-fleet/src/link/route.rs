//! Which topics a connection has, and who hears what is said there.

use super::Told;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Topics that were left lately: what is on its way from there is no lie.
const LEFT: usize = 16;

/// A topic that is joined, or about to be.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) topic: Arc<str>,
    /// The ref of its join.
    pub(super) join: u64,
    /// `None` after it overflowed: whoever reads it sees its end and gives the lease back.
    pub(super) told: Option<mpsc::Sender<Told>>,
    pub(super) presence: bool,
}

/// All topics of a connection: ten at most, so looking is cheaper than a map.
#[derive(Debug, Default)]
pub(super) struct Routes {
    routes: Vec<Route>,
    left: VecDeque<Arc<str>>,
}

impl Routes {
    pub(super) fn add(&mut self, route: Route) {
        self.remove(&route.topic.clone());
        self.routes.push(route);
    }

    pub(super) fn get(&self, topic: &str) -> Option<&Route> {
        self.routes.iter().find(|route| &*route.topic == topic)
    }

    pub(super) fn get_mut(&mut self, topic: &str) -> Option<&mut Route> {
        self.routes.iter_mut().find(|route| &*route.topic == topic)
    }

    pub(super) fn remove(&mut self, topic: &str) -> Option<Route> {
        let at = self.routes.iter().position(|route| &*route.topic == topic)?;
        let route = self.routes.swap_remove(at);
        self.left.push_back(Arc::clone(&route.topic));
        if self.left.len() > LEFT {
            self.left.pop_front();
        }
        Some(route)
    }

    pub(super) fn was_here(&self, topic: &str) -> bool {
        self.left.iter().any(|left| &**left == topic)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }
}
