<?php
header('Content-Type: application/json');
header('Cache-Control: no-store');
echo '{"status":"ok"}';
