-- The keys of persons, in the database beside this one ("{keys}" stands for its name), so that a dump of this one
-- never holds a key beside what it seals.
-- A key names the master key that wrapped it; a master key that a key still needs cannot be taken out, and one that
-- is out wraps nothing any more, whatever a server still believes.
CREATE DATABASE IF NOT EXISTS {keys} CHARACTER SET utf8mb4;

CREATE TABLE IF NOT EXISTS {keys}.master_key (
	id BIGINT UNSIGNED NOT NULL,
	created_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

CREATE TABLE IF NOT EXISTS {keys}.person_key (
	person_id BIGINT UNSIGNED NOT NULL,
	master_key_id BIGINT UNSIGNED NOT NULL,
	wrapped VARBINARY(72) NOT NULL,
	created_at DATETIME(6) NOT NULL,
	PRIMARY KEY (person_id),
	KEY person_key_master (master_key_id),
	CONSTRAINT person_key_of_master FOREIGN KEY (master_key_id) REFERENCES {keys}.master_key (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A mail belongs to a person, with an account or without. What waits was written before mails were sealed.
UPDATE outbox
SET state = 4, ended_at = UTC_TIMESTAMP(6), next_attempt_at = NULL, claimed_by = NULL, to_address = NULL,
	fields = NULL, last_error = 'queued by an earlier version'
WHERE state IN (1, 2);

ALTER TABLE outbox
	CHANGE COLUMN IF EXISTS account_id person_id BIGINT UNSIGNED NULL;
