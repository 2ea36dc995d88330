-- A person's key is wrapped together with the purposes that the person withholds: four bytes more.
ALTER TABLE {keys}.person_key
	MODIFY COLUMN wrapped VARBINARY(76) NOT NULL;

-- A request for restriction or an objection (GDPR Articles 18 and 21) restricts the account from restricted_at on.
-- lift_at: when that ends after a refusal; lifted_at: it has ended.
ALTER TABLE rights_request
	ADD COLUMN IF NOT EXISTS restricted_at DATETIME(6) NULL,
	ADD COLUMN IF NOT EXISTS lift_at DATETIME(6) NULL,
	ADD COLUMN IF NOT EXISTS lifted_at DATETIME(6) NULL,
	ADD KEY IF NOT EXISTS rights_request_lift (lift_at);
