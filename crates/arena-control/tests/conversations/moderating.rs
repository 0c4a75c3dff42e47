//! Moderators that allow, refuse, hang, fail and lie.

use crate::support::{Db, House, actor, id, limits, say, setup};
use arena_control::ConversationSettings;
use arena_core::conversation::{Code, Moderation, OnFailure, Setup};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What a moderator does with a text that begins with this word.
const ANSWERS: [(&str, &str); 6] = [
    ("fine", "HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"allow\":true}"),
    ("rude", "HTTP/1.1 200 OK\r\ncontent-length: 35\r\n\r\n{\"allow\":false,\"reason\":\"manners!\"}"),
    ("fails", "HTTP/1.1 500 Oh\r\ncontent-length: 14\r\n\r\n{\"allow\":true}"),
    ("lies", "HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n{\"allow\":\"maybe\"}"),
    ("leads", "HTTP/1.1 302 Go\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"),
    ("drops", ""),
];

/// A moderator of its own port.
struct Moderator {
    url: String,
    asked: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Moderator {
    async fn start() -> Moderator {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/moderate", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                let counter = Arc::clone(&counter);
                connections.spawn(async move {
                    let mut request = Vec::new();
                    while !request.ends_with(b"}") {
                        let mut more = [0; 4_096];
                        match socket.read(&mut more).await {
                            Ok(0) | Err(_) => return,
                            Ok(read) => request.extend_from_slice(&more[..read]),
                        }
                    }
                    counter.fetch_add(1, Ordering::SeqCst);
                    let request = String::from_utf8_lossy(&request).into_owned();
                    let answer =
                        ANSWERS.iter().find(|(word, _)| request.contains(&format!("\"text\":\"{word}")));
                    match answer {
                        Some((_, answer)) => {
                            let _ = socket.write_all(answer.as_bytes()).await;
                        }
                        // It hangs.
                        None => std::future::pending().await,
                    }
                });
            }
        });
        Moderator { url, asked, _serving: serving }
    }

    fn moderates(&self, on_failure: OnFailure, deadline_ms: u64) -> Setup {
        let moderation = Moderation { url: self.url.clone(), deadline_ms, on_failure };
        Setup { moderation: Some(moderation), ..setup(&[], limits(None, Some(3))) }
    }
}

on_both!(a_moderator_is_asked_before_a_message_is_charged, async |db: &Db| {
    let (house, moderator) = (House::open(db).await, Moderator::start().await);
    house.begin("c", moderator.moderates(OnFailure::Closed, 5_000)).await;
    house.said("c", "a", "fine").await;
    let refusal = house.refused("c", say("a", "rude words")).await;
    assert_eq!(refusal.code, Code::ModerationRejected);
    assert!(refusal.detail.contains("manners!"), "{refusal:?}");
    assert_eq!(house.count("c", "message").await, 1);
    assert_eq!(house.capacity(&id("c")).await.unwrap().total.used.messages, 1);
    house.said("c", "a", "fine").await;
    house.said("c", "a", "fine").await;
    assert_eq!(house.code("c", "a").await, Code::TotalLimit, "and not about what is refused anyhow");
    assert_eq!(moderator.asked.load(Ordering::SeqCst), 4);
    house.close().await;
});

on_both!(a_moderator_that_is_no_help_closes_or_opens_as_was_agreed, async |db: &Db| {
    let (house, moderator) = (House::open(db).await, Moderator::start().await);
    for (n, word) in ["fails", "lies", "leads", "drops", "hangs"].into_iter().enumerate() {
        let (closed, open) = (format!("closed-{n}"), format!("open-{n}"));
        house.begin(&closed, moderator.moderates(OnFailure::Closed, 500)).await;
        house.begin(&open, moderator.moderates(OnFailure::Open, 500)).await;
        let begun = Instant::now();
        let refusal = house.refused(&closed, say("a", word)).await;
        assert_eq!(refusal.code, Code::ModerationUnavailable, "{word}");
        assert!(refusal.retry_after_ms.is_some());
        assert_eq!(house.count(&closed, "message").await, 0);
        house.said(&open, "a", word).await;
        assert_eq!(house.count(&open, "message").await, 1);
        assert!(begun.elapsed() < Duration::from_secs(20), "{word}: a deadline is kept");
    }
    house.close().await;
});

on_both!(a_moderator_that_hangs_holds_up_nobody_else, async |db: &Db| {
    let moderator = Moderator::start().await;
    let settings = ConversationSettings { max_moderated: 8, ..ConversationSettings::default() };
    let house = House::open_with(db, settings).await;
    house.begin("stuck", moderator.moderates(OnFailure::Closed, 10_000)).await;
    house.begin("free", setup(&[], limits(None, None))).await;
    let waiting: Vec<_> = (0..20).map(|_| house.submit(&actor(), &id("stuck"), say("a", "hangs"))).collect();
    for n in 0..100 {
        house.said("free", "b", &n.to_string()).await;
    }
    let mut refused = 0;
    for waiting in waiting {
        let soon = tokio::time::timeout(Duration::from_millis(200), waiting).await;
        refused += usize::from(matches!(soon, Ok(Err(_))));
    }
    assert_eq!(refused, 12, "more than may wait are refused at once");
    house.close().await;
});

on_both!(messages_that_a_moderator_let_through_still_meet_the_limit, async |db: &Db| {
    let (house, moderator) = (House::open(db).await, Moderator::start().await);
    house.begin("c", moderator.moderates(OnFailure::Closed, 5_000)).await;
    let handed_in: Vec<_> = (0..10).map(|_| house.submit(&actor(), &id("c"), say("a", "fine"))).collect();
    let mut said = 0;
    for outcome in handed_in {
        said += usize::from(outcome.await.is_ok());
    }
    assert_eq!((said, house.count("c", "message").await), (3, 3));
    house.close().await;
});

on_both!(a_moderator_elsewhere_is_not_asked, async |db: &Db| {
    let house = House::open(db).await;
    for url in ["http://10.0.0.1/", "file:///etc/passwd", "http://127.0.0.1:80@example.com/", "nonsense"] {
        let moderation = Moderation { url: url.to_owned(), deadline_ms: 100, on_failure: OnFailure::Open };
        let setup = Setup { moderation: Some(moderation), ..Setup::default() };
        let refused = house.create(&actor(), None, setup, None).await.unwrap_err();
        assert_eq!(refused.code(), "invalid_conversation", "{url}");
    }
    house.close().await;
});
