//! Order and equality of text, whatever the database's collation is.

use crate::support::*;
use arena_store::{BotFilter, NewBot, PageRequest, Store, StoreOptions};
use arena_testing::{PostgresOptions, PostgresServer, psql};

const NAMES: [&str; 12] = ["a b", "a-b", "ab", "aB", "AB", "Ab", "a_c", "ä", "z", "Z", "Ω", "\u{1F9CA}"];

async fn names_in_pages(store: &Store) -> Vec<String> {
    let roster: Vec<NewBot> = NAMES.iter().map(|name| bot(name)).collect();
    store.enroll(&actor(), &roster).await.unwrap();
    let mut page = PageRequest::first(1);
    let mut names = Vec::new();
    loop {
        let got = store.bots(&BotFilter::default(), &page).await.unwrap();
        names.extend(got.items.into_iter().map(|bot| bot.profile.name));
        match got.next_cursor {
            Some(cursor) => page.cursor = Some(cursor),
            None => return names,
        }
    }
}

fn by_bytes() -> Vec<String> {
    let mut names = NAMES.map(str::to_owned).to_vec();
    names.sort();
    names
}

on_both!(names_are_ordered_by_their_bytes, async |db| {
    assert_eq!(names_in_pages(&db.open().await).await, by_bytes());
});

/// English puts `a` before `B` before `c`; ICU's rules are part of every PostgreSQL that Debian ships.
#[test]
fn names_are_ordered_by_their_bytes_in_an_english_database() {
    let server = PostgresServer::start(PostgresOptions::default()).unwrap();
    let create = "CREATE DATABASE english TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'";
    psql(&server.url(), create).unwrap();
    let url = server.database_url("english");
    let sorts_english = psql(&url, "SELECT 'a' < 'B' AND 'B' < 'c'").unwrap();
    assert_eq!(sorts_english, "t", "the database is English, or this test shows nothing");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&StoreOptions::new(url.clone())).await.unwrap();
        assert_eq!(names_in_pages(&store).await, by_bytes());
        let filter = BotFilter { name_prefix: Some("a".to_owned()), ..BotFilter::default() };
        let found = store.bots(&filter, &PageRequest::first(20)).await.unwrap().items.len();
        assert_eq!(found, NAMES.iter().filter(|name| name.starts_with('a')).count());
        assert_sound(&store).await;
        store.close().await;
    });
    let without = "SELECT table_name || '.' || column_name FROM information_schema.columns \
                   WHERE table_schema = 'public' AND collation_name IS DISTINCT FROM 'C' \
                   AND column_name IN ('id', 'name', 'group_name', 'channel', 'world', 'bot', 'key', 'owner', \
                   'root', 'message_id') AND data_type = 'text' AND table_name <> 'migrations'";
    assert_eq!(psql(&url, without).unwrap(), "", "columns that sort as the database does");
}
