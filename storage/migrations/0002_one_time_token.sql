-- The links in mails. Only a keyed hash of the token is kept. account_id is NULL for the link that sets
-- up the first owner, who has no account yet. used_at is also set when a newer token replaces this one.
CREATE TABLE IF NOT EXISTS one_time_token (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	account_id BIGINT UNSIGNED NULL,
	purpose TINYINT UNSIGNED NOT NULL,
	token_hash BINARY(32) NOT NULL,
	created_at DATETIME(6) NOT NULL,
	expires_at DATETIME(6) NOT NULL,
	used_at DATETIME(6) NULL,
	PRIMARY KEY (id),
	UNIQUE KEY one_time_token_hash (token_hash),
	KEY one_time_token_account (account_id, purpose),
	KEY one_time_token_expires (expires_at),
	CONSTRAINT one_time_token_of_account FOREIGN KEY (account_id) REFERENCES account (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
