use crate::support::*;
use arena_store::{Store, StoreError};
use sqlx::Row;

async fn connect(db: &Db) -> Store {
    Store::connect(&db.options()).await.unwrap()
}

/// The schema as the database describes it.
async fn schema(db: &Db) -> Vec<String> {
    let sql = if db.is_postgres() {
        "SELECT CAST(CONCAT_WS(' ', table_name, column_name, data_type, is_nullable, collation_name) AS TEXT) \
         FROM information_schema.columns WHERE table_schema = 'public' \
         UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
         UNION ALL SELECT CAST(CONCAT(conname, ' ', pg_get_constraintdef(oid)) AS TEXT) FROM pg_constraint \
         UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
    } else {
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY 1"
    };
    let pool = db.raw().await;
    let rows = sqlx::query(sql).fetch_all(&pool).await.unwrap();
    pool.close().await;
    rows.iter().map(|row| row.get(0)).collect()
}

on_both!(an_empty_database_gets_the_schema_once, async |db| {
    let store = connect(db).await;
    let applied = store.migrate().await.unwrap();
    assert!(applied.len() >= 10, "{applied:?}");
    assert!(applied.is_sorted(), "{applied:?}");
    let fresh = schema(db).await;
    assert_eq!(store.migrate().await.unwrap(), Vec::<String>::new());
    assert_eq!(schema(db).await, fresh);
});

on_both!(a_start_keeps_what_is_stored, async |db| {
    let store = db.open().await;
    enroll(&store, 3).await;
    store.close().await;
    let again = db.open().await;
    assert_eq!(all_bots(&again).await.len(), 3);
});

on_both!(a_database_of_the_version_before_catches_up_to_a_fresh_schema, async |db| {
    let store = connect(db).await;
    store.migrate().await.unwrap();
    let fresh = schema(db).await;
    enroll(&store, 3).await;
    // What the migrations since those of players made, undone.
    let function = if db.is_postgres() { "DROP FUNCTION count_players" } else { "SELECT 1" };
    let undo = format!(
        "DROP TABLE players; {function}; ALTER TABLE channels DROP COLUMN players; \
         DROP TABLE conversations; DROP TABLE conversation_log; DROP TABLE accounts; \
         DROP TABLE deleted_conversations; DROP TABLE match_queues; DROP TABLE ticket_users; DROP TABLE tickets; \
         DROP TABLE match_members; DROP TABLE tournaments; DROP TABLE matches; DROP TABLE match_partings; \
         DROP TABLE match_blocks; DROP TABLE match_reports; DELETE FROM migrations WHERE name > '0009'"
    );
    raw_sql(db, &undo).await.unwrap();
    assert_ne!(schema(db).await, fresh);
    let again = [
        "0009_players",
        "0010_player_seats",
        "0011_player_users",
        "0012_conversations",
        "0013_conversation_log",
        "0014_accounts",
        "0015_deleted_conversations",
        "0016_matchmaking",
    ];
    assert_eq!(store.migrate().await.unwrap(), again);
    assert_eq!(schema(db).await, fresh);
    assert_eq!(loads(&store).await, expected(&[("main", 3)]));
    assert_sound(&store).await;
});

on_both!(processes_that_start_at_once_migrate_once, async |db| {
    for _ in 0..3 {
        let applied = at_once(6, |_| {
            let options = db.options();
            async move {
                let store = Store::connect(&options).await.unwrap();
                store.migrate().await.unwrap().len()
            }
        })
        .await;
        assert!(applied.iter().filter(|count| **count > 0).count() <= 1, "{applied:?}");
    }
    assert_sound(&db.open().await).await;
});

on_both!(an_edited_migration_is_refused, async |db| {
    let store = db.open().await;
    raw_sql(db, "UPDATE migrations SET text_hash = text_hash + 1 WHERE name = '0002_bots'").await.unwrap();
    let refused = store.migrate().await.unwrap_err();
    assert!(matches!(&refused, StoreError::Unusable(text) if text.contains("0002_bots")), "{refused}");
});

on_both!(a_database_of_a_newer_version_is_refused, async |db| {
    db.open().await.close().await;
    raw_sql(db, "INSERT INTO migrations (name, text_hash, applied_at) VALUES ('9999_wings', 1, 1)")
        .await
        .unwrap();
    let refused = Store::open(&db.options()).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Unusable(text) if text.contains("upgrade")), "{refused}");
});

on_both!(a_migration_that_fails_leaves_nothing_behind, async |db| {
    raw_sql(db, "CREATE TABLE positions (something_else TEXT)").await.unwrap();
    Store::open(&db.options()).await.unwrap_err();
    raw_sql(db, "DROP TABLE positions").await.unwrap();
    assert_sound(&db.open().await).await;
});
