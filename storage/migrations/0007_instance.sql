-- What is true of the whole installation, a row a fact: for now the fingerprint of its master key, so that a start
-- with another key is noticed before it writes anything that the right key could not find again.
CREATE TABLE IF NOT EXISTS instance (
	name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	value VARCHAR(200) NOT NULL,
	PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
