-- The versions of the policy that this installation has run with, and how far telling people of them has come
-- (announcements.h). version and effective_on are days, "2026-11-23". persons: how many have to be told, NULL until they
-- are counted; accounts up to cursor_id are done; ended_at: nothing is left to do.
CREATE TABLE IF NOT EXISTS policy_version (
	version CHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	fingerprint CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	effective_on CHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	noted_at DATETIME(6) NOT NULL,
	persons INT UNSIGNED NULL,
	told INT UNSIGNED NOT NULL DEFAULT 0,
	cursor_id BIGINT UNSIGNED NOT NULL DEFAULT 0,
	ended_at DATETIME(6) NULL,
	PRIMARY KEY (version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The newest version that a person was told of, with the registration or by a mail. NULL: before this was noted.
ALTER TABLE account
	ADD COLUMN IF NOT EXISTS policy_told CHAR(10) CHARACTER SET ascii COLLATE ascii_bin NULL;
