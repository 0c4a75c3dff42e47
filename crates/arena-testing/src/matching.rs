//! What holds of the matchmaker's rows at every moment, whatever happened.

/// What must hold, and a query for the rows that break it. All of them are one text for SQLite and PostgreSQL, and one
/// row found is one too many.
pub const MATCHING_RULES: &[(&str, &str)] = &[
    (
        "a ticket that is proposed or matched is in a match that is proposed or stands",
        "SELECT t.id FROM tickets AS t WHERE t.state IN ('proposed', 'matched') AND NOT EXISTS (SELECT 1 \
         FROM matches AS m JOIN match_members AS mm ON mm.match_id = m.id WHERE m.id = t.match_id \
         AND mm.ticket = t.id AND m.state = CASE t.state WHEN 'proposed' THEN 'proposed' ELSE 'standing' END)",
    ),
    (
        "the tickets of a match that is proposed or stands are in it",
        "SELECT mm.ticket FROM matches AS m JOIN match_members AS mm ON mm.match_id = m.id \
         LEFT JOIN tickets AS t ON t.id = mm.ticket WHERE m.state <> 'over' AND (t.id IS NULL OR t.match_id <> m.id \
         OR t.state <> CASE m.state WHEN 'proposed' THEN 'proposed' ELSE 'matched' END)",
    ),
    ("a match has members", "SELECT id FROM matches WHERE id NOT IN (SELECT match_id FROM match_members)"),
    (
        "a member is the user of its ticket",
        "SELECT mm.ticket FROM match_members AS mm JOIN tickets AS t ON t.id = mm.ticket \
         WHERE t.user_id <> mm.user_id OR t.kind <> mm.kind OR COALESCE(t.name, '') <> COALESCE(mm.name, '') \
         OR COALESCE(t.party, '') <> COALESCE(mm.party, '')",
    ),
    (
        "nobody is in two matches that are not over",
        "SELECT mm.user_id FROM match_members AS mm JOIN matches AS m ON m.id = mm.match_id \
         WHERE m.state <> 'over' GROUP BY mm.user_id HAVING COUNT(*) > 1",
    ),
    (
        "who acts for a ticket that is not over is on it",
        "SELECT t.id FROM tickets AS t WHERE t.state <> 'over' AND NOT EXISTS (SELECT 1 FROM ticket_users AS u \
         WHERE u.user_id = t.user_id AND u.ticket = t.id)",
    ),
    (
        "nobody is on a ticket that is over",
        "SELECT u.user_id FROM ticket_users AS u JOIN tickets AS t ON t.id = u.ticket WHERE t.state = 'over'",
    ),
    (
        "only those with a party are more than one on a ticket",
        "SELECT t.id FROM tickets AS t JOIN ticket_users AS u ON u.ticket = t.id WHERE t.party IS NULL \
         GROUP BY t.id HAVING COUNT(*) > 1",
    ),
    (
        "a match stands if, and only if, everybody has confirmed",
        "SELECT m.id FROM matches AS m WHERE m.state <> 'over' AND (m.state = 'standing') = EXISTS (SELECT 1 \
         FROM match_members AS mm WHERE mm.match_id = m.id AND mm.confirmed_at IS NULL)",
    ),
    (
        "a match that is not over has its conversation or its channel",
        "SELECT id FROM matches WHERE state <> 'over' AND conversation IS NULL AND channel IS NULL",
    ),
    (
        "a ticket that waits has a queue",
        "SELECT id FROM tickets WHERE state = 'waiting' AND queue NOT IN (SELECT name FROM match_queues)",
    ),
    (
        "nobody waits for a member of a match that is over",
        "SELECT mm.ticket FROM match_members AS mm JOIN matches AS m ON m.id = mm.match_id \
         WHERE m.state = 'over' AND mm.away_since IS NOT NULL",
    ),
];
