-- What persons ask under GDPR Articles 15 to 22, and until when they must have an answer (Article 12(3)).
-- No foreign key to account: the file of a request outlives the account that made it, above all one that asked for
-- erasure. Without an account there are a name and an address instead.
--
-- counts_from is received_at, moved by the time for which the clock stood while identity was unproven; due_at is the
-- end of the first month from there, answer_by that or the end of the extension: what a board sorts by.
-- Texts: 4 bytes a character and 64 for the frame of a sealed value.
CREATE TABLE IF NOT EXISTS rights_request (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	account_id BIGINT UNSIGNED NULL,
	recorded_by BIGINT UNSIGNED NULL,
	kind TINYINT UNSIGNED NOT NULL,
	state TINYINT UNSIGNED NOT NULL,
	lang TINYINT UNSIGNED NOT NULL,
	name VARBINARY(864) NOT NULL DEFAULT '',
	email VARBINARY(1080) NOT NULL DEFAULT '',
	wish VARBINARY(20064) NOT NULL,
	extension_reason VARBINARY(4064) NOT NULL DEFAULT '',
	reply VARBINARY(16064) NOT NULL DEFAULT '',
	refusal_reason VARBINARY(16064) NOT NULL DEFAULT '',
	created_at DATETIME(6) NOT NULL,
	received_at DATETIME(6) NOT NULL,
	counts_from DATETIME(6) NOT NULL,
	clock_stopped_at DATETIME(6) NULL,
	due_at DATETIME(6) NOT NULL,
	extended_until DATETIME(6) NULL,
	answer_by DATETIME(6) NOT NULL,
	ended_at DATETIME(6) NULL,
	PRIMARY KEY (id),
	KEY rights_request_account (account_id, id),
	KEY rights_request_state (state, answer_by, id),
	KEY rights_request_ended (ended_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
