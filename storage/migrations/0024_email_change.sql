-- The address that an account is to get, until whoever holds its mailbox confirms it (email_change.h): one for each
-- account, sealed like the account's own. Of the link only a keyed hash is kept.
CREATE TABLE IF NOT EXISTS email_change (
	account_id BIGINT UNSIGNED NOT NULL,
	email VARBINARY(1080) NOT NULL,
	token_hash BINARY(32) NOT NULL,
	asked_at DATETIME(6) NOT NULL,
	expires_at DATETIME(6) NOT NULL,
	PRIMARY KEY (account_id),
	UNIQUE KEY email_change_token (token_hash),
	KEY email_change_expires (expires_at),
	CONSTRAINT email_change_of_account FOREIGN KEY (account_id) REFERENCES account (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
