"""The servers under test: Foyer and its peers, each started with two workers on a loopback port of its own.

A server knows its base address, its processes, and how to make the cookies and forms that its visitors send. The
loads are in load.py, the rows in rows.py. Called by bench/run.
"""
import hashlib
import hmac
import http.client
import json
import os
import shutil
import socket
import urllib.parse

from harness import backends as shared
from harness import machine, processes

WORKERS = 2
PHP_CHILDREN = 16
FORM_KEY = 'a key of the benchmarks, which guards nothing'


def ask(port, method, path, headers=None, body=None):
    """One request on a connection of its own: (status, headers in lower case, body)."""
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def listens(port):
    try:
        with socket.create_connection(('127.0.0.1', port), timeout=5):
            return True
    except OSError:
        return False


class Server:
    """What the rows ask of each server. `port` is known after start()."""

    name = title = ''
    # The names of programs that run below this one and are counted apart.
    apart = ()

    def __init__(self):
        self.port, self.processes = 0, []

    def pids(self):
        return [pid for p in self.processes for pid in processes.family(p.pid, self.apart)]

    def worker_pids(self):
        """The processes that answer requests; masters and supervisors only wait."""
        return self.pids()

    def stop(self):
        for process in reversed(self.processes):
            processes.stop(process)
        self.processes = []


class Peer(Server):
    """A server that reads the peers' own database; signed-in cookies and form tokens are made here."""

    def __init__(self, directory, stores):
        super().__init__()
        self.directory, self.stores = os.path.join(directory, self.name), stores
        os.makedirs(self.directory, exist_ok=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def forms(self, _path, fields):
        """(cookie, body) for each dict of fields, by a visitor who is not signed in."""
        sid = 'visitor' + 'v' * 30
        token = hmac.new(FORM_KEY.encode(), sid.encode(), hashlib.sha256).hexdigest()
        return [('sid=' + sid, urllib.parse.urlencode({**f, 'csrf': token})) for f in fields]

    def contact_rows(self):
        return int(self.stores.sql('SELECT COUNT(*) FROM contact_message', 'bench_peer'))

    def clear_contact(self):
        self.stores.sql('TRUNCATE contact_message', 'bench_peer')


NGINX = '''daemon off;
{user}worker_processes {workers};
worker_rlimit_nofile {files};
pid {dir}/nginx.pid;
error_log {dir}/error.log warn;
events {{ worker_connections 16384; }}
http {{
	access_log off;
	client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
	keepalive_requests 1000000000; keepalive_timeout 75s; tcp_nodelay on; tcp_nopush on;
{servers}
}}
'''


def start_nginx(directory, servers):
    with open(os.path.join(directory, 'nginx.conf'), 'w') as f:
        f.write(NGINX.format(dir=directory, servers=servers, workers=WORKERS, files=20000,
                             user='user root;\n' if os.geteuid() == 0 else ''))
    return processes.start('nginx', ['/usr/sbin/nginx', '-p', directory, '-c', os.path.join(directory, 'nginx.conf')],
                           log=os.path.join(directory, 'nginx.log'))


class Nginx(Peer):
    """`return 200` with the body of /healthz; a second port does the same with an access log."""

    name, title = 'nginx', 'nginx'

    def start(self):
        self.port, self.log_port = free_port(), free_port()
        answer = "location = /healthz { default_type application/json; return 200 '{\"status\":\"ok\"}'; }"
        self.processes = [start_nginx(self.directory, f'''
	server {{ listen 127.0.0.1:{self.port} backlog=4096; {answer} }}
	server {{ listen 127.0.0.1:{self.log_port} backlog=4096; access_log {self.path('access.log')} combined;
		{answer} }}''')]
        processes.wait_until(self.processes[0], lambda: listens(self.port) and listens(self.log_port), 10, 'nginx')


class Php(Peer):
    """nginx in front of PHP-FPM: one script an endpoint, no framework, opcache without looking at the files again."""

    name, title = 'php', 'nginx + PHP-FPM'
    scripts = {'/healthz': 'healthz', '/api/v1/session': 'session', '/account': 'account', '/contact': 'contact',
               '/login': 'login'}

    def write_scripts(self):
        shutil.copytree(os.path.join(machine.BENCH, 'peers', 'php'), self.path('scripts'), dirs_exist_ok=True)
        with open(self.path('scripts/config.php'), 'w') as f:
            f.write('<?php\n' + ''.join(f"const {name} = '{value}';\n" for name, value in (
                ('DB_SOCKET', self.stores.db_socket), ('DB_USER', self.stores.db_user), ('FORM_KEY', FORM_KEY))))
        with open(self.path('scripts/account_head.php')) as f:
            page = f.read()
        with open(os.path.join(machine.BENCH, 'peers', 'account.html')) as f:
            parts = f.read().split('{{')
        page += parts[0]
        for part in parts[1:]:
            name, rest = part.split('}}', 1)
            page += f"<?= htmlspecialchars($view['{name}']) ?>" + rest
        with open(self.path('scripts/account.php'), 'w') as f:
            f.write(page)

    def write_pool(self):
        user = 'user = root\n' if os.geteuid() == 0 else ''
        with open(self.path('fpm.conf'), 'w') as f:
            f.write(f'''[global]
error_log = {self.path('fpm-error.log')}
daemonize = no
[bench]
{user}listen = {self.path('fpm.sock')}
listen.backlog = 4096
pm = static
pm.max_children = {PHP_CHILDREN}
catch_workers_output = yes
php_admin_value[memory_limit] = 256M
php_admin_value[error_log] = {self.path('php-error.log')}
php_admin_value[opcache.enable] = 1
php_admin_value[opcache.validate_timestamps] = 0
php_admin_value[session.name] = sid
php_admin_value[session.cookie_httponly] = 1
php_admin_value[session.cookie_samesite] = Lax
php_admin_value[session.gc_maxlifetime] = {shared.SESSION_SECONDS}
php_admin_value[session.gc_probability] = 0
php_admin_value[session.save_handler] = redis
php_admin_value[session.save_path] = "unix://{self.stores.redis_socket}?persistent=1&database={shared.REDIS_DB}&weight=1"
''')

    def start(self):
        self.write_scripts()
        self.write_pool()
        self.port = free_port()
        as_root = ['-R'] if os.geteuid() == 0 else []
        fpm = processes.start('php-fpm', [machine.php_fpm(), '-F', '-y', self.path('fpm.conf'), *as_root],
                              log=self.path('fpm.log'))
        self.processes = [fpm]
        processes.wait_until(fpm, lambda: shared.answers(self.path('fpm.sock')), 10, 'php-fpm')
        locations = '\n'.join(
            f'\t\tlocation = {path} {{ fastcgi_pass unix:{self.path("fpm.sock")}; include /etc/nginx/fastcgi_params; '
            f'fastcgi_param SCRIPT_FILENAME {self.path("scripts")}/{script}.php; }}'
            for path, script in self.scripts.items())
        nginx = start_nginx(self.directory,
                            f'\tserver {{ listen 127.0.0.1:{self.port} backlog=4096;\n{locations}\n\t}}')
        self.processes.append(nginx)
        processes.wait_until(nginx, lambda: listens(self.port), 10, 'nginx')

    def worker_pids(self):
        return [pid for p in self.processes for pid in processes.family(p.pid) if pid != p.pid]


class Fastify(Peer):
    """Two processes of node:cluster."""

    name, title = 'fastify', 'Fastify'

    def start(self):
        self.port = free_port()
        config = {
            'port': self.port, 'workers': WORKERS, 'redisSocket': self.stores.redis_socket, 'redisDb': shared.REDIS_DB,
            'dbSocket': self.stores.db_socket, 'dbUser': self.stores.db_user, 'dbPool': 10, 'formKey': FORM_KEY,
            'sessionSeconds': shared.SESSION_SECONDS, 'template': os.path.join(machine.BENCH, 'peers', 'account.html'),
        }
        log = self.path('fastify.log')
        node = processes.start('node', ['node', os.path.join(machine.FASTIFY, 'server.js')], log=log,
                               env={'BENCH_CONFIG': json.dumps(config), 'NODE_ENV': 'production'})
        self.processes = [node]

        def both_listen():
            with open(log, errors='replace') as f:
                return f.read().count('listening') == WORKERS

        processes.wait_until(node, both_listen, 30, 'Fastify')

    def worker_pids(self):
        return [pid for p in self.processes for pid in processes.family(p.pid) if pid != p.pid]
