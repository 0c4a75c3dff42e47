-- How many seats a user has is counted whenever they ask for another one.
CREATE INDEX players_by_user ON players (user_id);
