<?php
// Checks a password and opens a session of a new name.
declare(strict_types=1);
require __DIR__ . '/common.php';
require_form_token();
$query = db()->prepare('SELECT id, password_hash, given_name, family_name, email FROM account WHERE email = ?');
$query->execute([field('email', 254)]);
$row = $query->fetch();
$password = (string)($_POST['password'] ?? '');
$right = $row && (defined('PASSWORD_ARGON2ID') ? password_verify($password, $row['password_hash'])
	: sodium_crypto_pwhash_str_verify($row['password_hash'], $password));
if (!$right) {
	http_response_code(401);
	exit('E-mail address or password are not right.');
}
session_id(session_create_id());
session_start();
$_SESSION = [
	'account_id' => (int)$row['id'],
	'given_name' => $row['given_name'],
	'family_name' => $row['family_name'],
	'email' => $row['email'],
	'created_at' => time(),
];
see_other('/account');
