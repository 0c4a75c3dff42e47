use super::*;
use crate::brain::error::BrainsError;
use crate::brain::seed::seed;
use std::time::Duration;

const NAMES: [&str; 5] = ["ada", "basil", "juno", "marlow", "pip"];

fn script(persona: &str, place: &str) -> Script {
    let library = Library::open(None).unwrap();
    Script::new(library.get_or_any(persona, 0), "Robin", seed(&[persona, place]))
}

fn heard(text: &str) -> Sensed {
    Sensed::Heard { line: Line { author: "ann".to_owned(), text: text.to_owned() }, last_word: false }
}

fn text_of(acts: &[Act]) -> Option<&str> {
    acts.iter().find_map(|act| match act {
        Act::Say { text, .. } => Some(text.as_str()),
        _ => None,
    })
}

/// What somebody says in a talk of twenty messages and more.
const TALK: [&str; 24] = [
    "hello",
    "how are you?",
    "fine, thanks",
    "what do you do all day?",
    "interesting",
    "I like music",
    "and you?",
    "ok",
    "what's your name?",
    "nice",
    "tell me a joke",
    "haha",
    "do you know the capital of France?",
    "Paris!",
    "it rains here",
    "I work in an office",
    "no",
    "yes",
    "what do you think about time?",
    "hm",
    "ok",
    "ok",
    "ok",
    "so what?",
];

#[test]
fn every_persona_carries_a_long_talk_without_repeating_a_line() {
    for name in NAMES {
        for place in ["conversation:1", "conversation:2", "conversation:3"] {
            let mut script = script(name, place);
            let mut said: Vec<String> = Vec::new();
            for text in TALK {
                let acts = react(&mut script, "robin", &heard(text));
                let line = text_of(&acts).unwrap_or_else(|| panic!("{name} has nothing to say to {text}"));
                assert!(!said.iter().any(|other| other == line), "{name} repeats {line}");
                assert!(!acts.contains(&Act::Leave), "{name} leaves at {text}");
                said.push(line.to_owned());
            }
        }
    }
}

#[test]
fn nothing_is_said_twice_in_a_row_however_long_it_goes_on() {
    for name in NAMES {
        let mut script = script(name, "conversation:long");
        let mut last = String::new();
        for turn in 0..600 {
            let text = ["hi", "are you a bot?", "joke", "what?", "x"][turn / 40 % 5];
            let acts = react(&mut script, "robin", &heard(text));
            let line = text_of(&acts).unwrap_or_default().to_owned();
            assert!(!line.is_empty() && line != last, "{name} at {turn}: {line}");
            last = line;
        }
    }
}

#[test]
fn a_bot_that_is_asked_says_that_it_is_one_even_with_its_last_word() {
    for name in NAMES {
        let mut script = script(name, "conversation:honest");
        for turn in 0..12 {
            let question =
                ["Are you a bot?", "are you human", "hi! am I talking to a real person?"][turn % 3];
            let acts = react(&mut script, "robin", &heard(question));
            let line = text_of(&acts).expect("an answer");
            assert!(honesty::admits(line), "{name}: {line}");
        }
        let line = Line { author: "ann".to_owned(), text: "are you a bot?".to_owned() };
        let acts = react(&mut script, "robin", &Sensed::Heard { line, last_word: true });
        assert!(
            text_of(&acts).is_some_and(honesty::admits) && acts.contains(&Act::Leave),
            "{name}: {acts:?}"
        );
    }
}

#[test]
fn no_line_of_a_built_in_persona_denies_what_it_is() {
    let library = Library::open(None).unwrap();
    assert_eq!(library.names().collect::<Vec<_>>(), NAMES);
    for name in NAMES {
        let persona = library.get(name).unwrap();
        let lines = &persona.lines;
        let all = [
            &lines.greetings,
            &lines.questions,
            &lines.goodbyes,
            &lines.small_talk,
            &lines.reactions,
            &lines.unsure,
            &lines.nudges,
            &lines.disclosures,
        ];
        let rules = persona.rules.iter().flat_map(|rule| &rule.say);
        for line in all.into_iter().flatten().chain(rules) {
            assert!(!denies(line), "{name}: {line}");
        }
    }
}

#[test]
fn whoever_is_sad_is_not_asked_about_something_else() {
    for name in NAMES {
        for place in 0..20 {
            let mut script = script(name, &place.to_string());
            let rules = script.persona().rules.clone();
            let acts = react(&mut script, "robin", &heard("I'm sad today, it was a bad day"));
            let said = text_of(&acts).unwrap();
            assert!(
                rules.iter().any(|rule| !rule.asks_back && rule.say.iter().any(|line| line == said)),
                "{said}"
            );
        }
    }
}

#[test]
fn the_persona_of_the_documentation_is_one() {
    let page = include_str!("../../../../../docs/personas.md");
    let (_, rest) = page.split_once("```toml").unwrap();
    let (persona, _) = rest.split_once("```").unwrap();
    let persona = file::parse("docs/personas.md", persona).unwrap();
    assert_eq!((persona.name.as_str(), persona.rules.len()), ("quill", 2));
    let bare = file::parse("test.toml", GOOD).unwrap();
    assert_eq!(format!("{:?}", persona.typing), format!("{:?}", bare.typing), "the documented defaults");
    assert_eq!(format!("{:?}", persona.silence), format!("{:?}", bare.silence));
}

#[test]
fn a_farewell_is_answered_and_ends_the_talk_once() {
    let mut script = script("ada", "conversation:bye");
    let acts = react(&mut script, "robin", &heard("ok, bye then!"));
    assert!(matches!(acts.as_slice(), [Act::Say { .. }, Act::Leave]), "{acts:?}");
    assert_eq!(react(&mut script, "robin", &Sensed::Leaving), [Act::Leave]);
}

#[test]
fn the_last_word_is_a_goodbye() {
    let mut script = script("juno", "conversation:last");
    let line = Line { author: "ann".to_owned(), text: "tell me more".to_owned() };
    let acts = react(&mut script, "robin", &Sensed::Heard { line, last_word: true });
    let goodbyes = &script.persona().lines.goodbyes;
    assert!(goodbyes.iter().any(|line| Some(line.as_str()) == text_of(&acts)), "{acts:?}");
    assert_eq!(acts.last(), Some(&Act::Leave));
}

#[test]
fn silence_is_met_with_one_nudge_and_then_with_a_goodbye() {
    let mut script = script("basil", "conversation:quiet");
    let mut quiet = |secs| react(&mut script, "robin", &Sensed::Quiet { lasted: Duration::from_secs(secs) });
    assert_eq!(quiet(30), []);
    assert!(matches!(quiet(61).as_slice(), [Act::Say { .. }]));
    assert_eq!(quiet(120), []);
    assert!(matches!(quiet(240).as_slice(), [Act::Say { .. }, Act::Leave]));
    assert_eq!(quiet(241), []);
}

#[test]
fn whoever_asks_before_the_bot_comes_is_answered() {
    let ask = |text: &str| {
        let history = vec![Line { author: "ann".to_owned(), text: text.to_owned() }];
        let acts = react(&mut script("pip", "conversation:first"), "robin", &Sensed::Entered { history });
        text_of(&acts).unwrap().to_owned()
    };
    assert!(ask("what is your name?").contains("Robin"));
    assert!(honesty::admits(&ask("anybody? are you a bot?")));
    let own = vec![Line { author: "robin".to_owned(), text: "what is your name?".to_owned() }];
    let acts = react(&mut script("pip", "conversation:first"), "robin", &Sensed::Entered { history: own });
    assert!(text_of(&acts).unwrap().starts_with(['H', 'Y']), "a greeting: {acts:?}");
}

#[test]
fn the_same_bot_in_the_same_place_says_the_same_and_elsewhere_another_thing() {
    let talk = |place: &str| {
        let mut script = script("marlow", place);
        TALK.map(|text| react(&mut script, "robin", &heard(text)))
    };
    assert_eq!(talk("conversation:1"), talk("conversation:1"));
    assert_ne!(talk("conversation:1"), talk("conversation:2"));
}

#[test]
fn longer_lines_take_longer_to_type_within_the_bounds() {
    let mut script = script("ada", "conversation:typing");
    let persona = script.persona().typing.clone();
    for chars in [1, 40, 80, 5_000] {
        for _ in 0..50 {
            let typing = script.typing(&"x".repeat(chars));
            assert!(typing >= persona.at_least && typing <= persona.at_most);
        }
    }
    let mut mean =
        |chars: usize| (0..200).map(|_| script.typing(&"x".repeat(chars)).as_secs_f64()).sum::<f64>();
    let (short, long) = (mean(10), mean(60));
    assert!(long > short * 2.0, "{short} {long}");
}

const GOOD: &str = r#"
name = "test"
[lines]
greetings = ["Hello."]
goodbyes = ["Bye."]
small_talk = ["One.", "Two.", "Three."]
[[rules]]
when = ["pear"]
say = ["Low."]
[[rules]]
when = ["green pear"]
say = ["Longer."]
[[rules]]
when = ["apple"]
say = ["High."]
priority = 5
"#;

fn problem(text: &str) -> (usize, String) {
    match file::parse("test.toml", text) {
        Err(BrainsError::Persona { line, problem, .. }) => (line, problem),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_rule_of_the_highest_priority_wins_and_then_the_longest() {
    let persona = std::sync::Arc::new(file::parse("test.toml", GOOD).unwrap());
    let say = |text: &str| {
        let mut script = Script::new(std::sync::Arc::clone(&persona), "Robin", 1);
        text_of(&react(&mut script, "robin", &heard(text))).unwrap().to_owned()
    };
    assert_eq!(say("a green pear and an apple"), "High.");
    assert_eq!(say("a green pear"), "Longer.");
    assert_eq!(say("a pear"), "Low.");
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_line_and_what_is_allowed() {
    let (line, text) = problem(&GOOD.replace("priority = 5", "priorty = 5"));
    assert_eq!(line, 16);
    assert!(text.contains("priorty") && text.contains("`priority`") && text.contains("`ends`"), "{text}");

    let (line, text) = problem(&GOOD.replace("name = \"test\"", "name = \"Test!\""));
    assert_eq!(line, 2);
    assert!(text.starts_with("name: ") && text.contains("a-z"), "{text}");

    let (line, text) = problem(&format!("{GOOD}\n[typing]\njitter = 1.5\n"));
    assert_eq!(line, 19);
    assert!(text.starts_with("typing.jitter: 0 to 1 "), "{text}");

    let (line, text) = problem(&GOOD.replace("\"Three.\"", "\"Hi {you}.\""));
    assert_eq!(line, 6);
    assert!(text.starts_with("lines.small_talk: ") && text.contains("{name}"), "{text}");

    let (_, text) = problem(&GOOD.replace(", \"Three.\"", ""));
    assert_eq!(text, "lines.small_talk: at least 3 are needed");
    let (_, text) = problem(&GOOD.replace("\"apple\"", "\"?!\""));
    assert!(text.starts_with("rules.when: "), "{text}");
    let (_, text) = problem(&GOOD.replace("[[rules]]\nwhen = [\"pear\"]", "[[rules]]\nwhen = [pear]"));
    assert!(!text.is_empty());
    let (_, text) = problem("name = \"test\"");
    assert!(text.contains("lines"), "{text}");
}

#[test]
fn a_disclosure_that_hides_the_bot_is_refused() {
    for lie in ["I am a human being.", "I am not a bot.", "Who knows?", "Yes, I am a bot."] {
        let lines = format!("disclosures = [\"I am a bot.\", \"{lie}\"]\n[[rules]]\nwhen = [\"pear\"]");
        let (_, text) = problem(&GOOD.replacen("[[rules]]\nwhen = [\"pear\"]", &lines, 1));
        assert!(text.starts_with("lines.disclosures: "), "{text}");
    }
}

#[test]
fn a_directory_adds_personas_and_replaces_built_in_ones() {
    let dir = arena_testing::TempDir::new("personas").unwrap();
    std::fs::write(dir.path().join("a.toml"), GOOD).unwrap();
    std::fs::write(dir.path().join("b.toml"), GOOD.replace("\"test\"", "\"ada\"")).unwrap();
    std::fs::write(dir.path().join("notes.txt"), "no persona").unwrap();
    let library = Library::open(Some(dir.path())).unwrap();
    assert_eq!(library.names().collect::<Vec<_>>(), ["ada", "basil", "juno", "marlow", "pip", "test"]);
    assert_eq!(library.get("ada").unwrap().lines.greetings, ["Hello."]);

    std::fs::write(dir.path().join("c.toml"), GOOD).unwrap();
    let error = Library::open(Some(dir.path())).unwrap_err().to_string();
    assert!(error.contains("c.toml:1: name: `test`") && error.contains("a.toml"), "{error}");
    let error = Library::open(Some(&dir.path().join("none"))).unwrap_err().to_string();
    assert!(error.contains("none"), "{error}");
}
