-- Persons whom a member enters: a school its students. They have no account; each is a person of its own to the seal, and
-- the row says who provided it. The account cannot go while they are there, so they are erased with it, one by one.
--
-- The notice (GDPR Article 14) carries a link, of which only a keyed hash is kept; it stays until it expires or a new one
-- replaces it. inform_by is the end of the month within which the notice must have arrived.
-- Texts: 4 bytes a character and 64 for the frame of a sealed value.
CREATE TABLE IF NOT EXISTS provided_person (
	id BIGINT UNSIGNED NOT NULL,
	provider_id BIGINT UNSIGNED NOT NULL,
	version INT UNSIGNED NOT NULL DEFAULT 1,
	state TINYINT UNSIGNED NOT NULL,
	lang TINYINT UNSIGNED NOT NULL,
	given_name VARBINARY(464) NOT NULL,
	family_name VARBINARY(464) NOT NULL,
	email VARBINARY(1080) NOT NULL DEFAULT '',
	email_hash BINARY(32) NOT NULL,
	birth_date VARBINARY(104) NOT NULL,
	what_for VARBINARY(864) NOT NULL,
	adult_given_name VARBINARY(464) NOT NULL DEFAULT '',
	adult_family_name VARBINARY(464) NOT NULL DEFAULT '',
	adult_email VARBINARY(1080) NOT NULL DEFAULT '',
	created_at DATETIME(6) NOT NULL,
	last_active_at DATETIME(6) NOT NULL,
	inform_by DATETIME(6) NOT NULL,
	notice_state TINYINT UNSIGNED NOT NULL,
	notice_mail_id BIGINT UNSIGNED NULL,
	noticed_at DATETIME(6) NULL,
	notice_hash BINARY(32) NOT NULL,
	notice_expires_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY provided_person_notice (notice_hash),
	KEY provided_person_provider (provider_id, id),
	KEY provided_person_email (provider_id, email_hash),
	KEY provided_person_mail (notice_mail_id),
	KEY provided_person_active (last_active_at),
	CONSTRAINT provided_person_of_account FOREIGN KEY (provider_id) REFERENCES account (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
