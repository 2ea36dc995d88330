-- What visitors write in the contact form, with the wording of the consent box they ticked.
-- The reference is random: it stands in the acknowledgement, and must not tell how many wrote.
-- Widths as in account: 4 bytes a character and 64 for the frame of a sealed value.
CREATE TABLE IF NOT EXISTS contact_message (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	reference VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	name VARBINARY(864) NOT NULL,
	email VARBINARY(1080) NOT NULL,
	subject VARBINARY(864) NOT NULL,
	message VARBINARY(20064) NOT NULL,
	consent_text_version VARCHAR(20) NOT NULL,
	consented_at DATETIME(6) NOT NULL,
	lang TINYINT UNSIGNED NOT NULL,
	state TINYINT UNSIGNED NOT NULL,
	created_at DATETIME(6) NOT NULL,
	closed_at DATETIME(6) NULL,
	PRIMARY KEY (id),
	UNIQUE KEY contact_message_reference (reference),
	KEY contact_message_state (state, id),
	KEY contact_message_created (created_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
