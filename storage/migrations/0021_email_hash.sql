-- By which is found what was written with an address, or entered about its holder, for the answer to whoever holds the
-- mailbox: the keyed hash that accounts have, too (GDPR Article 15). A start fills it for rows that are there already. A request
-- of an account has none: the account is its address.
ALTER TABLE contact_message
	ADD COLUMN IF NOT EXISTS email_hash BINARY(32) NULL AFTER email,
	ADD KEY IF NOT EXISTS contact_message_email_hash (email_hash);

ALTER TABLE rights_request
	ADD COLUMN IF NOT EXISTS email_hash BINARY(32) NULL AFTER email,
	ADD KEY IF NOT EXISTS rights_request_email_hash (email_hash);

-- Of somebody who was entered, the own address and that of the responsible adult: each of them may ask.
ALTER TABLE provided_person
	ADD COLUMN IF NOT EXISTS address_hash BINARY(32) NULL AFTER email_hash,
	ADD COLUMN IF NOT EXISTS adult_hash BINARY(32) NULL AFTER adult_email,
	ADD KEY IF NOT EXISTS provided_person_address (address_hash),
	ADD KEY IF NOT EXISTS provided_person_adult (adult_hash);

-- A link to the data of an address belongs to no account: it names the address by that hash, and the person whose key
-- seals the mail, made for this mail alone.
ALTER TABLE one_time_token
	ADD COLUMN IF NOT EXISTS email_hash BINARY(32) NULL AFTER account_id,
	ADD COLUMN IF NOT EXISTS person_id BIGINT UNSIGNED NULL AFTER email_hash,
	ADD KEY IF NOT EXISTS one_time_token_email_hash (email_hash);
