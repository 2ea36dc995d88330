// A server with a config file: MariaDB and Redis that somebody else runs, with passwords, shared by two servers behind
// one proxy; a unix-socket listener; mail that goes elsewhere.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isSignedIn, member, signIn } from '../support/flows.mjs';
import { Foyer, run, scratch } from '../support/foyer.mjs';
import { isAlive, processOf } from '../support/processes.mjs';
import { Visitor } from '../support/visitor.mjs';
import { inTime, until } from '../support/wait.mjs';

const home = scratch('foyer-shared-');
const started = [];
const key = join(home, 'master.key');

function start(program, args, options = {}) {
  const child = spawn(program, args, { stdio: 'ignore', ...options });
  started.push({ child, known: processOf(child.pid) });
  return child;
}

const answers = (path) => new Promise((resolve) => {
  const socket = net.connect(path, () => { socket.destroy(); resolve(true); });
  socket.on('error', () => resolve(false));
});

// Debian's redis-server without its service: redis-check-rdb is the same program and looks at its name.
const redisProgram = existsSync('/usr/bin/redis-server') ? '/usr/bin/redis-server' : '/usr/bin/redis-check-rdb';
const me = process.getuid() === 0 ? ['--user=root'] : [];

before(async () => {
  const data = join(home, 'mariadb');
  mkdirSync(data);
  // Of its own, as a mariadbd that starts tidies up in its tmpdir.
  const tmpdir = `--tmpdir=${home}`;
  execFileSync('mariadb-install-db', ['--no-defaults', `--datadir=${data}`, '--basedir=/usr', '--auth-root-authentication-method=socket', '--skip-test-db', tmpdir, ...me], { stdio: 'ignore' });
  writeFileSync(join(home, 'init.sql'), "CREATE USER 'platform'@'localhost' IDENTIFIED BY 'p#ss''word';\nCREATE DATABASE platform CHARACTER SET utf8mb4;\nCREATE DATABASE platform_keys CHARACTER SET utf8mb4;\nGRANT ALL ON platform.* TO 'platform'@'localhost';\nGRANT ALL ON `platform\\_keys`.* TO 'platform'@'localhost';\n");
  start('/usr/sbin/mariadbd', ['--no-defaults', `--datadir=${data}`, tmpdir, `--socket=${home}/mariadb.sock`, '--skip-networking', `--init-file=${home}/init.sql`, '--skip-log-bin', '--character-set-server=utf8mb4', '--innodb-log-file-size=16M', ...me]);
  writeFileSync(join(home, 'redis.conf'), 'requirepass "se cret"\n', { mode: 0o600 });
  start(redisProgram, [join(home, 'redis.conf'), '--port', '0', '--unixsocket', join(home, 'redis.sock'), '--save', '', '--dir', home], { argv0: 'redis-server' });
  await until('the databases', async () => (await answers(join(home, 'mariadb.sock'))) && (await answers(join(home, 'redis.sock'))), 30000);
  writeFileSync(join(home, 'redis.pass'), 'se cret\n', { mode: 0o600 });
});

after(async () => {
  for (const { child } of started) child.kill('SIGTERM');
  await until('the databases to end', () => !started.some(({ known }) => known && isAlive(known)), 20000);
});

const config = (more = '') => `[server]
workers = 1
trusted_proxies = ["127.0.0.1/32"]
[database]
hosts = ["unix:${home}/nobody.sock", "unix:${home}/mariadb.sock"]
name = "platform"
user = "platform"
password = "p#ss'word"
[redis]
host = "unix:${home}/redis.sock"
password_file = "${home}/redis.pass"
[keys]
master_key = "${key}"
${more}`;

test('without the master key it refuses to make one up, and says how to make the first', async () => {
  const path = join(home, 'refused.toml');
  writeFileSync(path, config());
  const ended = await run(['serve', '--config', path, '--state', join(home, 'refused'), '--listen', '127.0.0.1:0']);
  assert.equal(ended.code, 78);
  assert.match(ended.stderr, /master key .* is missing; copy it from another server/);
  writeFileSync(key, randomBytes(32), { mode: 0o600 });
});

test('two servers share accounts and sessions, and neither starts a database of its own', async () => {
  const [one, two] = [await Foyer.start({ config: config() }), await Foyer.start({ config: config() })];
  try {
    for (const foyer of [one, two]) assert.deepEqual(foyer.databases(), { mariadb: undefined, redis: undefined });
    const { who, visitor } = await member(one);
    visitor.server = two;
    assert.equal(await isSignedIn(visitor), true);
    assert.equal((await visitor.get('/account')).status, 200);
    const other = await signIn(two, who);
    const { stdout } = await one.run(['sessions', 'revoke', '--person', who.email]);
    assert.equal(stdout, 'revoked=2\n');
    assert.equal(await isSignedIn(other), false);
    assert.equal((await new Visitor(one).get('/readyz')).status, 200, 'the first host of the list is not there, the second is');
  } finally {
    await one.stop();
    await two.stop();
  }
});

test('a wrong password of MariaDB and of Redis is found by doctor', async () => {
  const path = join(home, 'wrong.toml');
  writeFileSync(join(home, 'redis.wrong'), 'wrong', { mode: 0o600 });
  writeFileSync(path, config().replace("p#ss'word", 'wrong').replace('redis.pass', 'redis.wrong'));
  const { code, stdout } = await run(['doctor', '--config', path, '--state', join(home, 'wrong')]);
  assert.equal(code, 1);
  assert.match(stdout, /FAIL +MariaDB.*denied/i);
  assert.match(stdout, /FAIL +Redis/);
  assert.doesNotMatch(stdout, /p#ss|se cret/);
  assert.match(stdout, /note +state directory +\S+wrong does not exist yet/, 'a start will make it');
  const nowhere = await run(['doctor', '--config', path, '--state', join(home, 'no/such/place')]);
  assert.match(nowhere.stdout, /FAIL +state directory/, 'but not the directory that it stands in');
});

test('it listens on a unix socket, for a proxy on the same machine', async () => {
  const socketPath = join(home, 'http.sock');
  const foyer = await Foyer.start({ config: config(`[site]\nname = "x"\naddress = "5, quai <b>, 69002 Lyon"\nphone = "+33 4 00 00 00 00"\n`).replace('workers = 1', `workers = 1\nlisten = ["127.0.0.1:0", "unix:${socketPath}"]\nbase_url = "https://platform.example"`), listen: null });
  try {
    const behind = new Visitor(foyer, { socketPath, headers: { 'x-forwarded-for': '198.51.100.9', 'x-forwarded-proto': 'https' } });
    const answer = await behind.get('/healthz');
    assert.equal(answer.status, 200);
    // The cookie needs HTTPS, which the visitor has as far as the proxy says.
    const login = await inTime('the page', new Visitor(foyer, { socketPath, origin: 'http://platform.example', headers: { 'x-forwarded-proto': 'https' } }).get('/'));
    assert.equal(login.status, 200);
    const legal = await new Visitor(foyer, { socketPath, origin: 'http://platform.example' }).get('/legal');
    assert.equal(legal.words.split('5, quai <b>, 69002 Lyon').length - 1, 2, 'once as the publisher’s, once at the foot');
    assert.ok(legal.words.includes('+33 4 00 00 00 00'));
    const privacy = await new Visitor(foyer, { socketPath, origin: 'http://platform.example' }).get('/privacy');
    assert.ok(privacy.words.includes('x, 5, quai <b>, 69002 Lyon.'));
    assert.doesNotMatch(legal.text + privacy.text, /Tournelles/);
    assert.match(login.headers['strict-transport-security'] ?? '', /max-age/);
  } finally {
    await foyer.stop();
  }
  const again = await Foyer.start({ config: config().replace('workers = 1', `workers = 1\nlisten = ["unix:${socketPath}"]`), listen: null });
  assert.equal(again.origin, `unix:${socketPath}`);
  assert.equal((await new Visitor(again, { socketPath, origin: 'http://platform.example' }).get('/healthz')).status, 200);
  await again.stop();
});
