//! Members that were dismissed while something was on its way to them: sockets cannot bring that about at will.

use super::*;
use crate::codec::Vsn;
use crate::outbox::Outbox;
use crate::policy::Identity;
use arena_bus::{Bus, BusSettings};
use tokio::net::{TcpListener, TcpStream};

struct Setting {
    room: Arc<Room>,
    session: Arc<Session>,
    _client: TcpStream,
}

async fn setting() -> Setting {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let outbox = Outbox::new(listener.accept().await.unwrap().0, 1024);
    let who = Arc::new(Identity::anonymous());
    let session = Arc::new(Session::new(1, Vsn::V2, outbox, who, None, 0));
    let stream = Bus::new(BusSettings::default()).open(&"lobby:a".parse().unwrap()).unwrap();
    let settings = PresenceSettings::default();
    let room = Room::new("realtime:lobby:a".into(), stream, Overflow::CloseSlow, None, settings);
    Setting { room, session, _client: client }
}

impl Setting {
    fn admit(&self, serial: u64) -> MemberId {
        let terms = Terms { user: "ann".into(), serial, dialect: Dialect::V2, echo: false };
        let welcome = |_: View<'_>| Ok::<(), ()>(());
        self.room.admit(&self.session, terms, welcome).unwrap().unwrap()
    }

    fn shown(&self) -> usize {
        self.room.told().presence.len()
    }
}

fn key() -> Arc<str> {
    "key".into()
}

#[tokio::test]
async fn who_is_dismissed_while_it_shows_itself_is_not_shown_for_ever() {
    let setting = setting().await;
    let gone = setting.admit(1);
    setting.room.dismiss(gone, &key());
    assert!(!setting.room.track(&key(), gone, "{}"));
    assert_eq!(setting.shown(), 0);
}

#[tokio::test]
async fn what_is_late_for_one_that_is_dismissed_does_not_hit_the_one_who_has_its_place() {
    let setting = setting().await;
    let gone = setting.admit(1);
    setting.room.dismiss(gone, &key());
    let next = setting.admit(2);
    assert_eq!(gone.place, next.place, "or this tests nothing");
    setting.room.track(&key(), next, "{}");
    setting.room.members().get_mut(next).unwrap().behind = true;

    setting.room.tell_presence(gone);
    assert!(setting.room.members().get_mut(next).unwrap().presence == Hears::Nothing);
    setting.room.catch_up(gone, |_| panic!("nobody is to be caught up with"));
    assert!(!setting.room.is_behind(gone) && setting.room.is_behind(next));
    setting.room.dismiss(gone, &key());
    assert_eq!(setting.shown(), 1, "another's presence under the same key stays");
    setting.room.dismiss(next, &key());
    assert_eq!(setting.shown(), 0);
}

#[tokio::test]
async fn one_that_has_caught_up_already_is_not_given_an_older_state() {
    let setting = setting().await;
    let member = setting.admit(1);
    setting.room.members().get_mut(member).unwrap().behind = true;
    setting.room.catch_up(member, |_| true);
    setting.room.catch_up(member, |_| panic!("it is not behind any more"));
    assert!(!setting.room.is_behind(member));
}

#[tokio::test]
async fn of_two_who_leave_at_once_one_closes_the_room_and_the_other_leaves_its_successor_alone() {
    let setting = setting().await;
    let (one, two) = (setting.admit(1), setting.admit(2));
    setting.room.dismiss(one, &key());
    assert!(!setting.room.close_if_empty());
    setting.room.dismiss(two, &key());
    assert!(setting.room.close_if_empty());
    assert!(!setting.room.close_if_empty(), "it is closed already");
}
