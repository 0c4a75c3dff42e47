use super::*;
use proptest::prelude::*;

const AT: Timestamp = Timestamp(1);

fn user(nth: usize) -> ParticipantId {
    format!("u{nth}").parse().unwrap()
}

fn tournament(format: Format, entrants: usize) -> Tournament {
    Tournament::new(format, (1..=entrants).map(user).collect()).unwrap()
}

fn elimination(entrants: usize) -> Tournament {
    tournament(Format::SingleElimination, entrants)
}

fn round_robin(entrants: usize) -> Tournament {
    tournament(Format::RoundRobin, entrants)
}

/// Who plays whom in a round, as far as it is known.
fn round(tournament: &Tournament, round: u32) -> Vec<(String, String)> {
    let name = |user: Option<ParticipantId>| user.map_or("?".to_owned(), |user| user.to_string());
    let games = tournament.games().into_iter().filter(|game| game.round == round);
    games.map(|game| (name(game.a), name(game.b))).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

/// Reports a game as won by the one of this number.
fn won(tournament: &mut Tournament, game: u32, nth: usize) -> Result<bool, TournamentError> {
    tournament.report(game, Some(&user(nth)), None, None, AT)
}

/// Whoever has the lower number wins, to the end.
fn favourites_win(tournament: &mut Tournament) {
    let seeds: BTreeMap<ParticipantId, usize> = tournament.entrants.iter().cloned().zip(0..).collect();
    loop {
        let open = tournament.open_games();
        if open.is_empty() {
            break;
        }
        for game in open {
            let (a, b) = (game.a.unwrap(), game.b.unwrap());
            let winner = if seeds[&a] < seeds[&b] { a } else { b };
            assert_eq!(tournament.report(game.number, Some(&winner), None, None, AT), Ok(true));
        }
    }
}

#[test]
fn a_bracket_is_seeded_so_that_the_strongest_meet_last() {
    let eight = elimination(8);
    assert_eq!(round(&eight, 1), pairs(&[("u1", "u8"), ("u4", "u5"), ("u2", "u7"), ("u3", "u6")]));
    assert_eq!(round(&eight, 3), pairs(&[("?", "?")]));
    for entrants in [4, 7, 8, 33, 64, 256] {
        let mut tournament = elimination(entrants);
        favourites_win(&mut tournament);
        let rounds = tournament.rounds();
        assert_eq!(round(&tournament, rounds), pairs(&[("u1", "u2")]), "{entrants}");
        let semifinal = round(&tournament, rounds - 1);
        assert_eq!(semifinal, pairs(&[("u1", "u4"), ("u2", "u3")]), "{entrants}");
    }
}

#[test]
fn the_strongest_go_on_without_a_game_when_there_are_too_few() {
    let six = elimination(6);
    assert_eq!(round(&six, 1), pairs(&[("u4", "u5"), ("u3", "u6")]));
    assert_eq!(round(&six, 2), pairs(&[("u1", "?"), ("u2", "?")]));
    assert_eq!(six.open_games().iter().map(|game| game.number).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn the_number_of_entrants_is_bounded_and_nobody_enters_twice() {
    let of = |many: usize| Tournament::new(Format::RoundRobin, (0..many).map(user).collect());
    assert_eq!(of(1), Err(TournamentError::Entrants { got: 1 }));
    assert_eq!(of(257), Err(TournamentError::Entrants { got: 257 }));
    assert!(of(2).is_ok() && of(256).is_ok());
    let twice = Tournament::new(Format::SingleElimination, vec![user(1), user(2), user(1)]);
    assert_eq!(twice, Err(TournamentError::Twice(user(1))));
}

#[test]
fn the_same_result_may_be_reported_again_and_another_one_may_not() {
    let mut games = elimination(4);
    let by = user(4);
    assert_eq!(games.report(1, Some(&user(1)), None, Some(&by), AT), Ok(true));
    let before = games.clone();
    assert_eq!(games.report(1, Some(&user(1)), None, Some(&user(1)), Timestamp(2)), Ok(false));
    assert_eq!(games, before, "nothing has changed");
    let refused = won(&mut games, 1, 4).unwrap_err();
    assert_eq!(refused.to_string(), "game 1 has a result already: `u1` has won");
    assert_eq!(games.report(1, Some(&user(1)), Some((2, 1)), None, AT), Ok(true), "a score is added");
    assert_eq!(games.report(1, Some(&user(1)), Some((2, 1)), None, AT), Ok(false));
    assert!(games.report(1, Some(&user(1)), Some((3, 1)), None, AT).is_err());
    assert_eq!(games.game(1).unwrap().result.unwrap().score, Some((2, 1)));
    assert_eq!(games.game(1).unwrap().result.unwrap().by, Some(by));
}

#[test]
fn results_that_make_no_sense_are_refused() {
    let mut games = elimination(4);
    let before = games.clone();
    assert_eq!(won(&mut games, 0, 1), Err(TournamentError::UnknownGame { game: 0, games: 3 }));
    assert_eq!(won(&mut games, 4, 1), Err(TournamentError::UnknownGame { game: 4, games: 3 }));
    assert_eq!(won(&mut games, 3, 1), Err(TournamentError::PlayersNotKnown { game: 3 }));
    let stranger = TournamentError::NotAPlayer { user: user(2), game: 1 };
    assert_eq!(won(&mut games, 1, 2), Err(stranger.clone()));
    assert_eq!(games.report(1, Some(&user(1)), None, Some(&user(2)), AT), Err(stranger));
    assert_eq!(games.report(1, None, None, None, AT), Err(TournamentError::NeedsWinner { game: 1 }));
    for score in [(1, 2), (1, 1)] {
        let refused = games.report(1, Some(&user(1)), Some(score), None, AT);
        assert_eq!(refused, Err(TournamentError::Score { game: 1, score }));
    }
    assert_eq!(games, before);
    let mut league = round_robin(3);
    let draw = league.report(1, None, Some((1, 0)), None, AT).unwrap_err();
    assert!(draw.to_string().contains("1 to 0"), "{draw}");
    assert_eq!(league.report(1, None, Some((1, 1)), None, AT), Ok(true));
}

#[test]
fn whoever_leaves_loses_what_is_still_to_be_played() {
    let mut games = elimination(4);
    won(&mut games, 1, 1).unwrap();
    assert_eq!(games.withdraw(&user(1), AT), Ok(true));
    assert_eq!(games.game(1).unwrap().result.unwrap().winner, Some(user(1)), "what is played stands");
    assert!(!games.is_over(), "its next opponent is not known yet");
    won(&mut games, 2, 3).unwrap();
    assert_eq!(games.champion(), Some(user(3)), "the final is not played");
    assert!(games.game(3).unwrap().result.unwrap().forfeit);
    assert_eq!(won(&mut games, 3, 3), Ok(false), "reported as it was decided");
    let late = won(&mut games, 3, 1).unwrap_err().to_string();
    assert!(late.ends_with("as it was not played"), "{late}");
    assert_eq!(games.withdraw(&user(3), AT), Ok(false), "it is over");
    assert_eq!(games.champion(), Some(user(3)));
    assert_eq!(games.withdraw(&user(9), AT), Err(TournamentError::NotEntered(user(9))));
}

#[test]
fn both_lose_when_both_have_left() {
    let mut games = elimination(4);
    assert_eq!(games.withdraw_all(&[user(1), user(4)], AT), Ok(true));
    assert_eq!(games.withdraw_all(&[user(1), user(4)], AT), Ok(false));
    let first = games.game(1).unwrap().result.unwrap();
    assert_eq!((first.winner, first.forfeit), (None, true));
    won(&mut games, 2, 2).unwrap();
    assert_eq!(games.champion(), Some(user(2)), "nobody is left to play the final against");
    let standings = games.standings();
    assert_eq!(standings.iter().map(|standing| standing.rank).collect::<Vec<_>>(), [1, 2, 2, 2]);
    let mut league = round_robin(3);
    league.withdraw_all(&[user(1), user(2)], AT).unwrap();
    let points: Vec<(String, u32)> =
        league.standings().into_iter().map(|standing| (standing.user.to_string(), standing.points)).collect();
    assert_eq!(points, [("u3".to_owned(), 6), ("u1".to_owned(), 0), ("u2".to_owned(), 0)]);
}

#[test]
fn nobody_has_won_when_everybody_has_left() {
    for format in [Format::SingleElimination, Format::RoundRobin] {
        let mut games = tournament(format, 5);
        games.withdraw_all(&(1..=5).map(user).collect::<Vec<_>>(), AT).unwrap();
        assert!(games.is_over() && games.open_games().is_empty());
        assert_eq!(games.champion(), None, "{format:?}");
    }
}

/// Plays a round robin with these scores, by the numbers of the entrants.
fn league(entrants: usize, scores: &[(usize, usize, u32, u32)]) -> Vec<String> {
    let mut games = round_robin(entrants);
    for (a, b, for_a, for_b) in scores {
        let game = games
            .games()
            .into_iter()
            .find(|game| game.a.as_ref() == Some(&user(*a)) && game.b.as_ref() == Some(&user(*b)));
        let winner = match for_a.cmp(for_b) {
            std::cmp::Ordering::Greater => Some(user(*a)),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Less => Some(user(*b)),
        };
        games.report(game.unwrap().number, winner.as_ref(), Some((*for_a, *for_b)), None, AT).unwrap();
    }
    games.standings().into_iter().map(|standing| standing.user.to_string()).collect()
}

#[test]
fn a_league_goes_by_points_then_difference_then_direct_games_then_seed() {
    assert_eq!(league(3, &[]), ["u1", "u2", "u3"], "seed");
    let by_points = [(1, 2, 0, 1), (1, 3, 5, 5), (2, 3, 0, 0)];
    assert_eq!(league(3, &by_points), ["u2", "u3", "u1"]);
    let by_difference = [(1, 2, 1, 0), (2, 3, 3, 0), (1, 3, 0, 1)];
    assert_eq!(league(3, &by_difference), ["u2", "u1", "u3"], "each has won once");
    let direct = [(1, 2, 0, 1), (1, 3, 1, 0), (1, 4, 1, 0), (2, 3, 1, 0), (2, 4, 0, 1), (3, 4, 0, 0)];
    assert_eq!(league(4, &direct), ["u2", "u1", "u4", "u3"], "u1 and u2 have 6 points and +1; u2 has won");
}

#[test]
fn standings_of_an_elimination_go_by_the_round_reached() {
    let mut games = elimination(6);
    favourites_win(&mut games);
    let standings = games.standings();
    let row = |standing: &Standing| (standing.rank, standing.user.to_string(), standing.round);
    let expected = [(1, "u1", 4), (2, "u2", 3), (3, "u3", 2), (3, "u4", 2), (5, "u5", 1), (5, "u6", 1)];
    let rows: Vec<_> = standings.iter().map(row).collect();
    assert_eq!(rows, expected.map(|(rank, user, round)| (rank, user.to_owned(), round)));
}

#[test]
fn a_tournament_survives_json() {
    for format in [Format::SingleElimination, Format::RoundRobin] {
        let mut games = tournament(format, 7);
        let first = games.open_games().remove(0);
        games.report(first.number, first.b.as_ref(), Some((1, 2)), first.a.as_ref(), Timestamp(5)).unwrap();
        games.withdraw(&user(7), Timestamp(6)).unwrap();
        let json = serde_json::to_string(&games).unwrap();
        let read: Tournament = serde_json::from_str(&json).unwrap();
        assert_eq!(read, games);
        assert_eq!(read.games(), games.games());
    }
}

/// Plays to the end: each number says which of the open games are next, who wins, and whether somebody leaves instead.
fn play(mut games: Tournament, chances: &[u32], leave_one_in: u32) -> Tournament {
    let mut chances = chances.iter().cycle().copied();
    let mut next = move || chances.next().unwrap();
    for _ in 0..1_000 {
        let mut open = games.open_games();
        if open.is_empty() {
            break;
        }
        let from = next() as usize % open.len();
        open.rotate_left(from);
        for game in open.drain(..).take(1 + next() as usize % 100) {
            let (a, b) = (game.a.clone().unwrap(), game.b.clone().unwrap());
            if games.has_withdrawn(&a) || games.has_withdrawn(&b) {
                assert!(games.game(game.number).unwrap().result.unwrap().forfeit, "who has left plays on");
                continue;
            }
            let chance = next();
            let winner = match chance % 3 {
                0 if games.format == Format::RoundRobin => None,
                1 => Some(&a),
                _ => Some(&b),
            };
            if leave_one_in > 0 && chance % leave_one_in == 0 {
                games.withdraw(&a, AT).unwrap();
            } else {
                assert_eq!(games.report(game.number, winner, None, Some(&b), AT), Ok(true));
            }
        }
    }
    games
}

fn check_schedule(games: &Tournament) {
    let entrants = games.entrants.len();
    let all = games.games();
    assert_eq!(
        all.iter().map(|game| game.number).collect::<Vec<_>>(),
        (1..=all.len() as u32).collect::<Vec<_>>()
    );
    let expected = match games.format {
        Format::SingleElimination => entrants - 1,
        Format::RoundRobin => entrants * (entrants - 1) / 2,
    };
    assert_eq!(all.len(), expected);
    let mut in_round = BTreeSet::new();
    let mut met = BTreeSet::new();
    for game in &all {
        let (a, b) = (game.a.clone(), game.b.clone());
        for user in [&a, &b].into_iter().flatten() {
            assert!(in_round.insert((game.round, user.clone())), "{user} plays twice in a round");
        }
        let pair = if a <= b { (a, b) } else { (b, a) };
        assert!(pair.0.is_none() || met.insert(pair), "two meet twice");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn every_tournament_comes_to_one_champion(
        entrants in 2..=64usize,
        robin in any::<bool>(),
        chances in proptest::collection::vec(any::<u32>(), 1..200),
        leave_one_in in prop_oneof![Just(0), 2..20u32],
    ) {
        let format = if robin { Format::RoundRobin } else { Format::SingleElimination };
        let fresh = tournament(format, entrants);
        check_schedule(&fresh);
        let played = play(fresh.clone(), &chances, leave_one_in);
        check_schedule(&played);
        prop_assert!(played.is_over(), "{:?}", played.open_games());
        let champion = played.champion().expect("somebody has won");
        let standings = played.standings();
        prop_assert_eq!(&standings[0].user, &champion);
        prop_assert_eq!(standings.iter().filter(|standing| standing.rank == 1).count(), 1);
        prop_assert_eq!(standings.len(), entrants);
        if format == Format::SingleElimination {
            let lost: u32 = standings.iter().map(|standing| standing.lost).sum();
            prop_assert_eq!(lost as usize, entrants - 1, "everybody but the champion has lost once");
            prop_assert!(standings.iter().all(|standing| standing.lost <= 1));
        }
        prop_assert_eq!(played, play(fresh, &chances, leave_one_in), "the same results, the same end");
    }
}

#[test]
fn every_number_of_entrants_is_played_to_its_end() {
    for entrants in 2..=64 {
        for format in [Format::SingleElimination, Format::RoundRobin] {
            let mut games = tournament(format, entrants);
            check_schedule(&games);
            favourites_win(&mut games);
            assert_eq!(games.champion(), Some(user(1)), "{entrants} {format:?}");
        }
    }
}
