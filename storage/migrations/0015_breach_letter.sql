-- The letter to the persons concerned (GDPR Article 34(2)), one a language: the parts that somebody must write. The
-- contact of the data protection officer is the installation's.
CREATE TABLE IF NOT EXISTS breach_letter (
	breach_id BIGINT UNSIGNED NOT NULL,
	lang TINYINT UNSIGNED NOT NULL,
	version INT UNSIGNED NOT NULL DEFAULT 1,
	nature TEXT NOT NULL,
	consequences TEXT NOT NULL,
	measures TEXT NOT NULL,
	advice TEXT NOT NULL,
	updated_at DATETIME(6) NOT NULL,
	PRIMARY KEY (breach_id, lang),
	CONSTRAINT breach_letter_of_breach FOREIGN KEY (breach_id) REFERENCES breach (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
