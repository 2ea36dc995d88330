"""The MariaDB and the Redis that every server under test shares: reached through the sockets of a state directory.

Normally they are Foyer's own, in embedded mode; with --peers-only this module starts a pair with the same settings
and the same places. It also fills the peers' database and sessions. Called by bench/run.
"""
import getpass
import json
import os
import shutil
import socket
import subprocess

from harness import machine, processes

REDIS_DB = 1
SESSION_SECONDS = 14 * 24 * 3600

# The same as embedded mode's, so that figures with and without Foyer can be laid side by side.
MARIADB = [
    '--skip-networking', '--skip-name-resolve', '--skip-log-bin', '--skip-symbolic-links',
    '--character-set-server=utf8mb4', '--collation-server=utf8mb4_unicode_ci', '--default-time-zone=+00:00',
    '--innodb-flush-log-at-trx-commit=1', '--innodb-buffer-pool-size=96M', '--innodb-log-file-size=64M',
    '--innodb-buffer-pool-dump-at-shutdown=OFF', '--innodb-buffer-pool-load-at-startup=OFF',
    '--performance-schema=OFF', '--key-buffer-size=1M', '--aria-pagecache-buffer-size=8M', '--max-connections=300',
    '--local-infile=OFF', '--log-warnings=1',
]


class Backends:
    """Names the sockets, and the processes for their CPU time."""

    def __init__(self, state):
        self.state = state
        self.db_socket = os.path.join(state, 'run', 'mariadb.sock')
        self.redis_socket = os.path.join(state, 'run', 'redis.sock')
        self.db_user = getpass.getuser()
        self.mariadb_pids, self.redis_pids = [], []

    def adopt(self, root):
        """Those that Foyer runs, below its pid."""
        self.mariadb_pids = processes.named(root, 'mariadbd')
        self.redis_pids = processes.named(root, 'redis-server')

    def start_own(self):
        """A private pair, for --peers-only."""
        data, run = os.path.join(self.state, 'mariadb'), os.path.join(self.state, 'run')
        # A tmpdir of its own: at its start mariadbd removes what looks like its leftovers, also another server's.
        tmp = os.path.join(self.state, 'tmp')
        for directory in (run, tmp, os.path.join(self.state, 'redis'), os.path.join(self.state, 'log')):
            os.makedirs(directory, mode=0o700, exist_ok=True)
        user = ['--user=root'] if os.geteuid() == 0 else []
        install = subprocess.run(['mariadb-install-db', '--no-defaults', f'--datadir={data}', '--basedir=/usr',
                                  '--auth-root-authentication-method=socket', '--skip-test-db', *user],
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if install.returncode:
            raise processes.Failed('mariadb-install-db: ' + install.stdout.strip().split('\n')[-1])
        db = processes.start('mariadbd', ['/usr/sbin/mariadbd', '--no-defaults', f'--datadir={data}', f'--tmpdir={tmp}',
                                          f'--socket={self.db_socket}', f'--pid-file={run}/mariadb.pid', *user,
                                          *MARIADB],
                             log=os.path.join(self.state, 'log', 'mariadb.log'))
        # redis-tools brings the server under another name; see machine.PROGRAMS.
        redis_program = shutil.which('redis-server') or '/usr/bin/redis-check-rdb'
        redis = processes.start('redis-server', ['redis-server', '--port', '0', '--unixsocket', self.redis_socket,
                                                 '--unixsocketperm', '700', '--dir', os.path.join(self.state, 'redis'),
                                                 '--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '',
                                                 '--maxmemory-policy', 'noeviction'],
                                executable=redis_program, log=os.path.join(self.state, 'log', 'redis.log'))
        processes.wait_until(db, lambda: answers(self.db_socket), 60, 'mariadbd')
        processes.wait_until(redis, lambda: answers(self.redis_socket), 20, 'redis-server')
        self.mariadb_pids, self.redis_pids = [db.pid], [redis.pid]

    def sql(self, text, database=None):
        """Runs statements as the user who started the server; returns the rows' text."""
        command = ['mariadb', '--no-defaults', '--protocol=socket', f'--socket={self.db_socket}',
                   f'--user={self.db_user}', '--batch', '--skip-column-names', *([database] if database else [])]
        done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
        if done.returncode:
            raise processes.Failed('MariaDB: ' + done.stderr.strip())
        return done.stdout

    def redis(self, *commands):
        """Runs commands in the peers' logical database."""
        lines = [['SELECT', str(REDIS_DB)], *commands]
        wire = b''.join(b'*%d\r\n' % len(line) + b''.join(
            b'$%d\r\n%s\r\n' % (len(part.encode()), part.encode()) for part in line) for line in lines)
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(self.redis_socket)
            s.sendall(wire)
            with s.makefile('rb') as answers_file:
                for line in lines:
                    answer = answers_file.readline()
                    if not answer.startswith((b'+', b':')):
                        raise processes.Failed(f'Redis, {line[0]}: {answer!r}')


def answers(path):
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
        return True
    except OSError:
        return False


def password_hash(password):
    done = subprocess.run([os.path.join(machine.BUILT, 'argon2'), 'hash', password], check=True, capture_output=True,
                          text=True)
    return done.stdout.strip()


def fill(backends, people, sessions):
    """Gives the peers their accounts and live sessions, each in the form that its framework writes.

    `people` is a list of dicts of equal passwords: one hash serves all, since its salt changes nothing about its cost.
    """
    with open(os.path.join(machine.BENCH, 'peers', 'schema.sql')) as f:
        backends.sql(f.read())
    hashed = password_hash(people[0]['password'])
    rows = ',\n'.join(
        f"({i + 1}, '{p['email']}', '{hashed}', '{p['given_name']}', '{p['family_name']}',"
        f" '+33 1 70 18 00 {i % 100:02d}', 'Paris', NOW(6))" for i, p in enumerate(people))
    backends.sql('INSERT INTO account (id, email, password_hash, given_name, family_name, phone, town, created_at)\n'
                 'VALUES ' + rows + ';', 'bench_peer')
    commands, created = [['FLUSHDB']], 1_790_000_000
    for i, sid in enumerate(sessions):
        p, number = people[i % len(people)], i % len(people) + 1
        fields = {'account_id': number, 'given_name': p['given_name'], 'family_name': p['family_name'],
                  'email': p['email'], 'created_at': created}
        commands.append(['SET', 'fastify:' + sid, json.dumps(fields), 'EX', str(SESSION_SECONDS)])
        commands.append(['SET', 'PHPREDIS_SESSION:' + sid, php_session(fields), 'EX', str(SESSION_SECONDS)])
    backends.redis(*commands)


def php_session(fields):
    """PHP's default form of a session: name|serialized;name|serialized;"""
    return ''.join(f'{name}|' + (f'i:{value};' if isinstance(value, int) else f's:{len(value.encode())}:"{value}";')
                   for name, value in fields.items())
