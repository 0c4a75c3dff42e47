use crate::support::{FakeServer, Reply, arena, bot, channel, page};
use serde_json::Value;

#[test]
fn lists_are_tables() {
    let bots = [
        bot(1, "Benício Ferraz", "live"),
        bot(2, "Eleni Makris", "backoff"),
        bot(3, "卡拉", "pending"),
        bot(4, "Evil \u{1b}[2J\nName", "disabled"),
    ];
    let server = FakeServer::answering(200, page(&bots, None));
    insta::assert_snapshot!("bots-list", arena(Some(&server), &["bots", "list"]).stdout);

    let mut regional = channel("us-west-2-regional", 30, 30);
    regional["kind"] = "REGIONAL".into();
    regional["region"] = "us-west-2".into();
    regional["world"] = Value::Null;
    let channels = [channel("main", 24, 30), regional, channel("test", 1, 100)];
    let server = FakeServer::answering(200, page(&channels, None));
    insta::assert_snapshot!("channels-list", arena(Some(&server), &["channels", "list"]).stdout);
}

#[test]
fn an_empty_list_is_no_data() {
    let server = FakeServer::answering(200, page(&[], None));
    let run = arena(Some(&server), &["bots", "list", "--state", "failed"]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (Some(0), "", "no bots\n"));
}

#[test]
fn filters_are_encoded() {
    let server = FakeServer::answering(200, page(&[], None));
    let args = ["bots", "list", "--channel", "-", "--kind", "vip", "--name", "Zoë & co", "--limit", "7"];
    assert_eq!(arena(Some(&server), &args).code, Some(0));
    assert_eq!(server.lines(), ["GET /api/bots?channel=-&kind=VIP&name=Zo%C3%AB%20%26%20co&limit=7"]);
}

/// Three pages of bots.
fn paged() -> FakeServer {
    FakeServer::start(|seen| {
        let body = match seen.path.split_once("cursor=").map(|(_, cursor)| cursor) {
            None => page(&[bot(1, "Ada", "live")], Some("p2")),
            Some("p2") => page(&[bot(2, "Bo", "live")], Some("p3")),
            _ => page(&[bot(3, "Cy", "live")], None),
        };
        Reply::Json(200, body)
    })
}

#[test]
fn one_page_says_where_the_next_one_begins() {
    let server = paged();
    let run = arena(Some(&server), &["bots", "list"]);
    assert!(run.stdout.contains("Ada") && !run.stdout.contains("Bo"));
    assert_eq!(run.stderr, "there are more: --cursor p2, or --all\n");
    let run = arena(Some(&server), &["bots", "list", "--cursor", "p2"]);
    assert!(run.stdout.contains("Bo") && !run.stdout.contains("Cy"));
}

#[test]
fn all_pages_are_one_list() {
    let server = paged();
    let run = arena(Some(&server), &["bots", "list", "--all", "--output", "json"]);
    let list: Value = serde_json::from_str(&run.stdout).unwrap();
    let names: Vec<&str> =
        list["items"].as_array().unwrap().iter().filter_map(|bot| bot["name"].as_str()).collect();
    assert_eq!((names.as_slice(), &list["next_cursor"]), (&["Ada", "Bo", "Cy"][..], &Value::Null));
    assert_eq!(
        server.lines(),
        [
            "GET /api/bots?limit=1000",
            "GET /api/bots?limit=1000&cursor=p2",
            "GET /api/bots?limit=1000&cursor=p3"
        ]
    );
}

#[test]
fn a_list_that_goes_round_in_circles_ends() {
    let server = FakeServer::answering(200, page(&[bot(1, "Ada", "live")], Some("again")));
    let run = arena(Some(&server), &["bots", "list", "--all"]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
}
