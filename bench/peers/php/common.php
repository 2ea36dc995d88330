<?php
// What the endpoints share. config.php beside it is written by bench/run: sockets, user, the key of form tokens.
declare(strict_types=1);
require __DIR__ . '/config.php';

function db(): PDO
{
	return new PDO('mysql:unix_socket=' . DB_SOCKET . ';dbname=bench_peer;charset=utf8mb4', DB_USER, '', [
		PDO::ATTR_PERSISTENT => true,
		PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
		PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
	]);
}

// Form tokens are derived from the cookie, so that a form needs no look-up.
function csrf_token(): string
{
	return hash_hmac('sha256', $_COOKIE['sid'] ?? '', FORM_KEY);
}

function require_form_token(): void
{
	if (!hash_equals(csrf_token(), (string)($_POST['csrf'] ?? ''))) {
		http_response_code(403);
		exit('The form is out of date.');
	}
}

function field(string $name, int $max): string
{
	$value = trim((string)($_POST[$name] ?? ''));
	if ($value === '' || characters($value) > $max) {
		http_response_code(422);
		exit('Please check the field ' . htmlspecialchars($name) . '.');
	}
	return $value;
}

// Characters of UTF-8 text, without the mbstring extension, which a plain PHP does not have.
function characters(string $text): int
{
	return (int)preg_match_all('/./su', $text);
}

function see_other(string $path): never
{
	header('Location: ' . $path, true, 303);
	exit;
}
