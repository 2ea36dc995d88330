<?php
// Saves one message of the contact form; the statement commits by itself.
declare(strict_types=1);
require __DIR__ . '/common.php';
require_form_token();
$name = field('name', 200);
$email = field('email', 254);
$subject = field('subject', 200);
$message = field('message', 5000);
field('consent', 10);
if (!filter_var($email, FILTER_VALIDATE_EMAIL)) {
	http_response_code(422);
	exit('Please check the field email.');
}
db()->prepare('INSERT INTO contact_message (name, email, subject, message, consent_text_version, consented_at,
	created_at) VALUES (?, ?, ?, ?, ?, NOW(6), NOW(6))')->execute([$name, $email, $subject, $message, '1']);
see_other('/contact/done');
