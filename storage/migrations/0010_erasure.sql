-- Erasure. An account that shall go has a date; erase_ground says why (1 asked for by the person, 2 inactive).
-- notices counts the warnings of inactivity that were made, next_notice_at is the earliest time of the next, and
-- notice_mail_id the last one while it is on its way.
ALTER TABLE account
	ADD COLUMN IF NOT EXISTS erase_at DATETIME(6) NULL,
	ADD COLUMN IF NOT EXISTS erase_asked_at DATETIME(6) NULL,
	ADD COLUMN IF NOT EXISTS erase_ground TINYINT UNSIGNED NULL,
	ADD COLUMN IF NOT EXISTS notices TINYINT UNSIGNED NOT NULL DEFAULT 0,
	ADD COLUMN IF NOT EXISTS next_notice_at DATETIME(6) NULL,
	ADD COLUMN IF NOT EXISTS notice_mail_id BIGINT UNSIGNED NULL,
	ADD COLUMN IF NOT EXISTS bounces TINYINT UNSIGNED NOT NULL DEFAULT 0,
	ADD KEY IF NOT EXISTS account_erase (erase_at),
	ADD KEY IF NOT EXISTS account_active (state, last_active_at);

-- Proof of a decision outlives the account (register.toml: five years), so it does not go with the row.
ALTER TABLE consent
	DROP FOREIGN KEY IF EXISTS consent_of_account;

-- The key of a person who has nothing left but one last mail ends with it.
ALTER TABLE outbox
	ADD COLUMN IF NOT EXISTS ends_person BOOLEAN NOT NULL DEFAULT FALSE;

-- The erasure ledger: who was erased, by a number that means nothing any more, so that a restored older dump can be
-- held to it. hash is that of the receipt, which names the one before. Beside the keys, whose loss it records.
CREATE TABLE IF NOT EXISTS {keys}.erasure (
	serial BIGINT UNSIGNED NOT NULL,
	person_id BIGINT UNSIGNED NOT NULL,
	reference BINARY(16) NOT NULL,
	ground TINYINT UNSIGNED NOT NULL,
	asked_at DATETIME(6) NOT NULL,
	erased_at DATETIME(6) NOT NULL,
	hash BINARY(32) NOT NULL,
	PRIMARY KEY (serial),
	UNIQUE KEY erasure_person (person_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
