-- Mails to be sent. next_attempt_at is when a mail is due: for a queued one the next attempt, for one
-- being sent the moment its claim lapses, NULL for one that is done. So one index finds all work.
-- Address, subject and bodies are NULL once the mail was sent or given up (ended_at).
-- No foreign key on account_id: the row must not hold a lock on the account while mail is written.
CREATE TABLE IF NOT EXISTS outbox (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	account_id BIGINT UNSIGNED NULL,
	template_name VARCHAR(40) NOT NULL,
	lang TINYINT UNSIGNED NOT NULL,
	to_address VARBINARY(1080) NULL,
	subject VARBINARY(1062) NULL,
	body_text MEDIUMBLOB NULL,
	body_html MEDIUMBLOB NULL,
	state TINYINT UNSIGNED NOT NULL,
	attempts SMALLINT UNSIGNED NOT NULL DEFAULT 0,
	created_at DATETIME(6) NOT NULL,
	next_attempt_at DATETIME(6) NULL,
	claimed_by VARCHAR(64) NULL,
	ended_at DATETIME(6) NULL,
	last_error VARCHAR(200) NULL,
	PRIMARY KEY (id),
	KEY outbox_next_attempt (next_attempt_at),
	KEY outbox_state (state),
	KEY outbox_account (account_id),
	KEY outbox_ended (ended_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
