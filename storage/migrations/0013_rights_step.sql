-- The history of a request: one row a step, never changed, gone with the request. from_state 0 is its beginning.
-- account_id is the person's, as in rights_request; by_account_id who did it, NULL where nobody was signed in.
CREATE TABLE IF NOT EXISTS rights_step (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	request_id BIGINT UNSIGNED NOT NULL,
	account_id BIGINT UNSIGNED NULL,
	at DATETIME(6) NOT NULL,
	from_state TINYINT UNSIGNED NOT NULL,
	to_state TINYINT UNSIGNED NOT NULL,
	by_account_id BIGINT UNSIGNED NULL,
	note VARBINARY(4064) NOT NULL DEFAULT '',
	PRIMARY KEY (id),
	KEY rights_step_request (request_id, id),
	KEY rights_step_account (account_id),
	CONSTRAINT rights_step_of_request FOREIGN KEY (request_id) REFERENCES rights_request (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
