-- A person's account and profile.
--
-- Texts about a person are bytes (UTF-8 today): a value that is sealed later is not text any more and
-- takes 64 bytes more (frame, nonce, tag). So a column holds 4 bytes for each character a form accepts,
-- and those 64. No UTF-8 text begins with 0xFF, which will tell sealed values from plain ones while a
-- job seals them. Nothing is compared or sorted by them; look-ups go through email_hash, a keyed hash.
-- email_hash is NULL once a person has been erased.
CREATE TABLE IF NOT EXISTS account (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	email VARBINARY(1080) NOT NULL,
	email_hash BINARY(32) NULL,
	password_hash VARBINARY(255) NULL,
	given_name VARBINARY(464) NOT NULL,
	family_name VARBINARY(464) NOT NULL,
	phone VARBINARY(224) NOT NULL DEFAULT '',
	position VARBINARY(664) NOT NULL DEFAULT '',
	skills VARBINARY(4064) NOT NULL DEFAULT '',
	passions VARBINARY(4064) NOT NULL DEFAULT '',
	street_address VARBINARY(1064) NOT NULL DEFAULT '',
	postal_code VARBINARY(144) NOT NULL DEFAULT '',
	address_level2 VARBINARY(464) NOT NULL DEFAULT '',
	country VARBINARY(72) NOT NULL DEFAULT '',
	language TINYINT UNSIGNED NOT NULL,
	role TINYINT UNSIGNED NOT NULL,
	state TINYINT UNSIGNED NOT NULL,
	version INT UNSIGNED NOT NULL DEFAULT 1,
	created_at DATETIME(6) NOT NULL,
	confirmed_at DATETIME(6) NULL,
	last_active_at DATETIME(6) NULL,
	password_changed_at DATETIME(6) NULL,
	PRIMARY KEY (id),
	UNIQUE KEY account_email_hash (email_hash),
	KEY account_state_created (state, created_at),
	KEY account_role (role)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
