<?php
// Who is signed in: PHP's own session handling does the look-up and slides the expiry.
declare(strict_types=1);
session_start();
header('Cache-Control: no-store');
if (!isset($_SESSION['account_id'])) {
	http_response_code(401);
	header('Content-Type: application/problem+json');
	exit(json_encode(['type' => 'about:blank', 'title' => 'Unauthorized', 'status' => 401]));
}
header('Content-Type: application/json');
echo json_encode([
	'account_id' => $_SESSION['account_id'],
	'given_name' => $_SESSION['given_name'],
	'family_name' => $_SESSION['family_name'],
	'email' => $_SESSION['email'],
	'role' => 'member',
	'created_at' => $_SESSION['created_at'],
	'language' => 'en',
]);
