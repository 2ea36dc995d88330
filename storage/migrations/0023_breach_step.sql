-- The history of a breach: one row a change, never changed itself, with what the deadline and the decision hang on as
-- they stood afterwards. Who turns the clock back is seen. What is there already begins with a row of its own.
CREATE TABLE IF NOT EXISTS breach_step (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	breach_id BIGINT UNSIGNED NOT NULL,
	at DATETIME(6) NOT NULL,
	by_account_id BIGINT UNSIGNED NOT NULL,
	act TINYINT UNSIGNED NOT NULL,
	state TINYINT UNSIGNED NOT NULL,
	risk TINYINT UNSIGNED NOT NULL,
	aware_at DATETIME(6) NOT NULL,
	PRIMARY KEY (id),
	KEY breach_step_breach (breach_id, id),
	CONSTRAINT breach_step_of_breach FOREIGN KEY (breach_id) REFERENCES breach (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

INSERT INTO breach_step (breach_id, at, by_account_id, act, state, risk, aware_at)
SELECT b.id, b.created_at, b.created_by, 1, b.state, b.risk, b.aware_at
FROM breach b
WHERE NOT EXISTS (SELECT 1 FROM breach_step s WHERE s.breach_id = b.id);
