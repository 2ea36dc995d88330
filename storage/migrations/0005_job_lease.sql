-- One row a job: who runs it now, and how the last run went. fence counts the times it was taken.
CREATE TABLE IF NOT EXISTS job_lease (
	name VARCHAR(40) NOT NULL,
	owner VARCHAR(64) NULL,
	fence BIGINT UNSIGNED NOT NULL DEFAULT 0,
	leased_until DATETIME(6) NULL,
	last_started_at DATETIME(6) NULL,
	last_finished_at DATETIME(6) NULL,
	last_result INT NULL,
	last_detail VARCHAR(500) NULL,
	next_due_at DATETIME(6) NULL,
	PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
