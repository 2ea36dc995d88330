-- What the peers store. Their own database beside Foyer's, in the same MariaDB.
CREATE DATABASE IF NOT EXISTS bench_peer CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
USE bench_peer;
DROP TABLE IF EXISTS account, contact_message;
CREATE TABLE account (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	email VARCHAR(254) NOT NULL,
	password_hash VARCHAR(255) NOT NULL,
	given_name VARCHAR(100) NOT NULL,
	family_name VARCHAR(100) NOT NULL,
	phone VARCHAR(40) NOT NULL,
	town VARCHAR(100) NOT NULL,
	created_at DATETIME(6) NOT NULL,
	UNIQUE KEY account_email (email)
) ENGINE=InnoDB;
CREATE TABLE contact_message (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
	name VARCHAR(200) NOT NULL,
	email VARCHAR(254) NOT NULL,
	subject VARCHAR(200) NOT NULL,
	message TEXT NOT NULL,
	consent_text_version VARCHAR(20) NOT NULL,
	consented_at DATETIME(6) NOT NULL,
	created_at DATETIME(6) NOT NULL,
	KEY contact_message_created (created_at)
) ENGINE=InnoDB;
