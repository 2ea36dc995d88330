-- Consents to optional purposes, one row a decision: the last one of a purpose counts, the earlier ones are the
-- proof of what was agreed to, when, and in which words (GDPR Article 7(1)).
CREATE TABLE IF NOT EXISTS consent (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	account_id BIGINT UNSIGNED NOT NULL,
	purpose TINYINT UNSIGNED NOT NULL,
	text_version VARCHAR(20) NOT NULL,
	given BOOLEAN NOT NULL,
	decided_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	KEY consent_account (account_id, purpose, id),
	CONSTRAINT consent_of_account FOREIGN KEY (account_id) REFERENCES account (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
