-- Accounts that may not be erased for the time being, as they are needed for a claim (GDPR Article 17(3)(e)). A hold has
-- a reason and a day on which somebody looks again; lifted_at NULL: it is in force. Gone with the account.
CREATE TABLE IF NOT EXISTS legal_hold (
	id BIGINT UNSIGNED NOT NULL,
	account_id BIGINT UNSIGNED NOT NULL,
	reason VARBINARY(2064) NOT NULL,
	placed_by BIGINT UNSIGNED NOT NULL,
	placed_at DATETIME(6) NOT NULL,
	review_at DATETIME(6) NOT NULL,
	lifted_by BIGINT UNSIGNED NULL,
	lifted_at DATETIME(6) NULL,
	PRIMARY KEY (id),
	KEY legal_hold_account (account_id),
	KEY legal_hold_review (lifted_at, review_at, id),
	CONSTRAINT legal_hold_of_account FOREIGN KEY (account_id) REFERENCES account (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
