//! Who is in which conversation on this node, and what of that the backstage does not know yet.
//!
//! It is told when the first session of a user comes into a conversation whose roster names the user, and when the last
//! one has gone. Thousands may go in one moment: what there is to tell is a set, of which a few tellers take one after
//! the other, and of whoever comes and goes meanwhile only the newest is told.

use super::Gateway;
use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Users whose coming or going waits to be told when one goes. Beyond that it is not told at all, and counted: the
/// backstage finds out by not hearing of them.
const MAX_NEWS: usize = 100_000;

/// The same when one comes: nothing else says that whoever was said to be gone is back. One more is left out.
const MAX_RETURNS: usize = 4 * MAX_NEWS;

/// Calls of the backstage at once.
const MAX_TELLERS: u32 = 8;

/// A user in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) conversation: Arc<str>,
    pub(crate) user: Arc<str>,
}

/// All of them. Taken last of all locks, and held for a look-up only.
#[derive(Debug, Default)]
pub(super) struct Company(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Whoever is there, or was when it was told last. As long as memberships and `news` together.
    places: HashMap<Place, Here>,
    /// What there is to tell. Each place is in it once.
    news: VecDeque<Place>,
    tellers: u32,
}

#[derive(Debug, Default)]
struct Here {
    sessions: u32,
    /// It is in the news, or being told.
    waits: bool,
}

impl Known {
    /// Notes that it is to be told about a place. Returns whether there was room for that.
    fn note(&mut self, place: &Place) -> bool {
        let Some(here) = self.places.get_mut(place) else { return true };
        if here.waits {
            return true;
        }
        let is_there = here.sessions > 0;
        here.waits = self.news.len() < if is_there { MAX_RETURNS } else { MAX_NEWS };
        if here.waits {
            // Who is back must not be taken for lost while it is told of who has gone.
            if is_there {
                self.news.push_front(place.clone())
            } else {
                self.news.push_back(place.clone())
            }
            return true;
        }
        self.forget_if_gone(place);
        false
    }

    fn forget_if_gone(&mut self, place: &Place) {
        if self.places.get(place).is_some_and(|here| here.sessions == 0 && !here.waits) {
            self.places.remove(place);
        }
    }
}

impl Company {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more session. Returns whether what there is to tell could be noted.
    fn come(&self, place: &Place) -> bool {
        let mut known = self.known();
        let here = known.places.entry(place.clone()).or_default();
        here.sessions += 1;
        here.sessions > 1 || known.note(place)
    }

    /// One session less.
    fn go(&self, place: &Place) -> bool {
        let mut known = self.known();
        let Some(here) = known.places.get_mut(place) else { return true };
        here.sessions = here.sessions.saturating_sub(1);
        here.sessions > 0 || known.note(place)
    }

    /// Forgets what it would tell of somebody who has gone: the whole node goes, and its users do not.
    fn go_unnoticed(&self, place: &Place) {
        if let Entry::Occupied(mut here) = self.known().places.entry(place.clone()) {
            here.get_mut().sessions = here.get().sessions.saturating_sub(1);
            if here.get().sessions == 0 && !here.get().waits {
                here.remove();
            }
        }
    }

    /// Whether one more teller has something to do; it counts from then on.
    fn hire(&self) -> bool {
        let mut known = self.known();
        let wanted = u32::try_from(known.news.len()).unwrap_or(u32::MAX).min(MAX_TELLERS);
        let hired = known.tellers < wanted;
        known.tellers += u32::from(hired);
        hired
    }

    /// What a teller is to tell next: where, and whether the user is there. With none its work is over.
    fn next(&self) -> Option<(Place, bool)> {
        let mut known = self.known();
        let Some(place) = known.news.pop_front() else {
            known.tellers -= 1;
            return None;
        };
        let present = known.places.get(&place).is_some_and(|here| here.sessions > 0);
        Some((place, present))
    }

    /// It was told. What has changed meanwhile is news again.
    fn told(&self, place: &Place, present: bool) {
        let mut known = self.known();
        let Some(here) = known.places.get_mut(place) else { return };
        here.waits = (here.sessions > 0) != present;
        if here.waits {
            known.news.push_back(place.clone());
        } else {
            known.forget_if_gone(place);
        }
    }
}

impl Gateway {
    /// A session of a user who is in the roster comes into a conversation.
    pub(super) fn come(&self, place: &Place) {
        if !self.inner.company.come(place) {
            self.count(|counters| &counters.unattended);
        }
    }

    /// It has left it. Whoever goes because the server does is coming back, and is not said to be away.
    pub(super) fn go(&self, place: &Place) {
        if self.inner.stop.is_cancelled() {
            self.inner.company.go_unnoticed(place);
        } else if !self.inner.company.go(place) {
            self.count(|counters| &counters.unattended);
        }
    }

    /// Tells the backstage what is new, beside everything else that goes on.
    pub(super) fn tell_company(&self) {
        let stop = &self.inner.stop;
        while !stop.is_cancelled() && self.inner.company.hire() {
            let gateway = self.clone();
            self.spawn(async move {
                let (company, backstage) = (&gateway.inner.company, &gateway.inner.backstage);
                while !gateway.inner.stop.is_cancelled()
                    && let Some((place, present)) = company.next()
                {
                    backstage.attend(&place.conversation, &place.user, present).await;
                    company.told(&place, present);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: usize) -> Place {
        Place { conversation: "7".into(), user: format!("u{number}").into() }
    }

    /// Everything that one teller tells now.
    fn tell(company: &Company) -> Vec<(Place, bool)> {
        assert!(company.hire());
        let mut all = Vec::new();
        while let Some((place, present)) = company.next() {
            company.told(&place, present);
            all.push((place, present));
        }
        all
    }

    #[test]
    fn the_first_who_comes_and_the_last_who_goes_are_told() {
        let (company, ann) = (Company::default(), place(1));
        company.come(&ann);
        assert_eq!(tell(&company), [(ann.clone(), true)]);
        company.come(&ann);
        assert!(!company.hire(), "she was there already");
        company.go(&ann);
        assert!(!company.hire(), "a session is left");
        company.go(&ann);
        assert_eq!(tell(&company), [(ann, false)]);
        assert!(company.known().places.is_empty());
    }

    #[test]
    fn of_coming_and_going_in_between_the_newest_is_told_once() {
        let (company, ann) = (Company::default(), place(1));
        for _ in 0..3 {
            company.come(&ann);
            company.go(&ann);
        }
        assert_eq!(tell(&company), [(ann, false)]);
    }

    #[test]
    fn what_changes_while_it_is_told_is_told_afterwards_and_never_by_two_at_once() {
        let (company, ann) = (Company::default(), place(1));
        company.come(&ann);
        assert!(company.hire());
        assert_eq!(company.next(), Some((ann.clone(), true)));
        company.go(&ann);
        assert!(!company.hire(), "the one who tells of ann goes on with her");
        company.told(&ann, true);
        assert_eq!(company.next(), Some((ann.clone(), false)));
        company.told(&ann, false);
        assert_eq!((company.next(), company.known().tellers), (None, 0));
        assert!(company.known().places.is_empty());
    }

    #[test]
    fn a_storm_has_few_tellers_and_goings_beyond_the_bound_are_left_out() {
        let company = Company::default();
        assert!((0..=MAX_NEWS).all(|number| company.come(&place(number))));
        tell(&company);
        assert!((0..MAX_NEWS).all(|number| company.go(&place(number))));
        assert!(!company.go(&place(MAX_NEWS)), "it is not told");
        assert_eq!(company.known().places.len(), MAX_NEWS, "and not remembered");
        assert!(company.come(&place(0)), "it takes no more room to tell something else of the same one");
        let tellers = std::iter::repeat_with(|| company.hire()).take_while(|hired| *hired).count();
        assert_eq!(tellers, MAX_TELLERS as usize);
    }

    #[test]
    fn whoever_comes_back_is_told_of_before_all_who_have_gone_however_many_they_are() {
        let company = Company::default();
        assert!((0..MAX_NEWS).all(|number| company.come(&place(number))));
        tell(&company);
        assert!((0..MAX_NEWS).all(|number| company.go(&place(number))));
        let back = place(MAX_NEWS);
        assert!(company.come(&back));
        assert!(company.hire());
        assert_eq!(company.next(), Some((back, true)));
    }

    #[test]
    fn whoever_goes_with_the_server_is_not_said_to_have_gone() {
        let (company, ann) = (Company::default(), place(1));
        company.come(&ann);
        tell(&company);
        company.go_unnoticed(&ann);
        assert!(!company.hire() && company.known().places.is_empty());
    }
}
