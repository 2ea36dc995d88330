-- An answer to a person is a letter of its own, longer than the links and dates that mails carried so far.
ALTER TABLE outbox
	MODIFY COLUMN IF EXISTS fields VARBINARY(20544) NULL;
