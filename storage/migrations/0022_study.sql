-- Invitations to market research, written by the team: about nobody. States: 1 draft, 2 being sent, 3 ended, 4 stopped
-- (studies.h). persons: how many had agreed when it was sent, NULL until they are counted; accounts up to cursor_id are
-- done. Who was told is not kept: the cursor alone says that nobody is told twice.
CREATE TABLE IF NOT EXISTS study (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	version INT UNSIGNED NOT NULL DEFAULT 1,
	state TINYINT UNSIGNED NOT NULL,
	title_fr VARCHAR(120) NOT NULL,
	title_en VARCHAR(120) NOT NULL,
	text_fr TEXT NOT NULL,
	text_en TEXT NOT NULL,
	link VARCHAR(500) NOT NULL,
	created_at DATETIME(6) NOT NULL,
	created_by BIGINT UNSIGNED NOT NULL,
	sent_at DATETIME(6) NULL,
	sent_by BIGINT UNSIGNED NULL,
	persons INT UNSIGNED NULL,
	told INT UNSIGNED NOT NULL DEFAULT 0,
	cursor_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
	ended_at DATETIME(6) NULL,
	stopped_by BIGINT UNSIGNED NULL,
	PRIMARY KEY (id),
	KEY study_state (state, sent_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The consent that a mail rests on (enum fy_consent_purpose); 0: on none. Such a mail is opened for that purpose when it
-- is delivered, which its person may have withdrawn meanwhile.
ALTER TABLE outbox
	ADD COLUMN IF NOT EXISTS consent TINYINT UNSIGNED NOT NULL DEFAULT 0 AFTER lang;
