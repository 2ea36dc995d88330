-- Staff see personal data with prior authorisation only: who asked for whose, for which purpose and why, who decided,
-- and, in the log, what was then read.
-- A grant is a row that was approved, until its ends_at. asked_by and decided_by stay when those accounts are gone.
CREATE TABLE IF NOT EXISTS access_request (
	id BIGINT UNSIGNED NOT NULL,
	person_id BIGINT UNSIGNED NOT NULL,
	purpose TINYINT UNSIGNED NOT NULL,
	reason VARBINARY(2064) NOT NULL,
	minutes SMALLINT UNSIGNED NOT NULL,
	asked_by BIGINT UNSIGNED NOT NULL,
	asker_role TINYINT UNSIGNED NOT NULL,
	asked_at DATETIME(6) NOT NULL,
	state TINYINT UNSIGNED NOT NULL,
	decided_by BIGINT UNSIGNED NULL,
	decided_at DATETIME(6) NULL,
	ends_at DATETIME(6) NULL,
	break_glass BOOLEAN NOT NULL,
	verdict TINYINT UNSIGNED NULL,
	reviewed_by BIGINT UNSIGNED NULL,
	reviewed_at DATETIME(6) NULL,
	PRIMARY KEY (id),
	KEY access_request_person (person_id, id),
	KEY access_request_asker (asked_by, person_id, id),
	KEY access_request_due (state, asked_at),
	KEY access_request_asked (asked_at),
	CONSTRAINT access_request_of_account FOREIGN KEY (person_id) REFERENCES account (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- One row a read. Ids have no gap, and each hash covers the hash before it: see storage/access_log.h.
CREATE TABLE IF NOT EXISTS access_log (
	id BIGINT UNSIGNED NOT NULL,
	read_at DATETIME(6) NOT NULL,
	reader_id BIGINT UNSIGNED NOT NULL,
	reader_role TINYINT UNSIGNED NOT NULL,
	person_id BIGINT UNSIGNED NOT NULL,
	purpose TINYINT UNSIGNED NOT NULL,
	fields VARCHAR(600) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	request_id BIGINT UNSIGNED NULL,
	hash BINARY(32) NOT NULL,
	PRIMARY KEY (id),
	KEY access_log_person (person_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The two ends of the chain, in one row that every append locks: what the purge took last, and the last row. The seal is a
-- keyed hash of the others; of zeros where nothing was read yet.
CREATE TABLE IF NOT EXISTS access_chain (
	id TINYINT UNSIGNED NOT NULL,
	start_id BIGINT UNSIGNED NOT NULL,
	start_hash BINARY(32) NOT NULL,
	last_id BIGINT UNSIGNED NOT NULL,
	last_hash BINARY(32) NOT NULL,
	seal BINARY(32) NOT NULL,
	PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT IGNORE INTO access_chain (id, start_id, start_hash, last_id, last_hash, seal)
VALUES (1, 0, REPEAT(CHAR(0), 32), 0, REPEAT(CHAR(0), 32), REPEAT(CHAR(0), 32));
