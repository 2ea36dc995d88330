<?php
// The account page: the session, one indexed SELECT, and the markup of account.html, which bench/run puts below with
// each {{name}} as an escaped value.
declare(strict_types=1);
require __DIR__ . '/common.php';
session_start();
if (!isset($_SESSION['account_id']))
	see_other('/login');
$query = db()->prepare('SELECT given_name, family_name, email, phone, town, created_at FROM account WHERE id = ?');
$query->execute([$_SESSION['account_id']]);
$view = $query->fetch();
if (!$view)
	see_other('/login');
$view['csrf'] = csrf_token();
header('Cache-Control: no-store');
?>
