// The process model: what dies is replaced, what is asked by a signal happens, and nothing that was acknowledged is
// lost by a kill -9. Starting under bad conditions is refusals.test.mjs's.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { readdirSync } from 'node:fs';
import { isSignedIn, member, person, register, confirm, setUp, signIn } from '../support/flows.mjs';
import { Foyer, run, sanitized } from '../support/foyer.mjs';
import { allGone, descendantsOf, isAlive } from '../support/processes.mjs';
import { Connection, request } from '../support/raw.mjs';
import { Visitor } from '../support/visitor.mjs';
import { until } from '../support/wait.mjs';

const slower = sanitized ? 4 : 1;

async function serving(options, body) {
  const foyer = await Foyer.start(options);
  try {
    await body(foyer);
  } finally {
    await foyer.stop();
  }
}

const health = (foyer) => new Visitor(foyer).get('/healthz').then((answer) => answer.status);

test('the first start prints the line that says ready, and a set-up link that works once', () => serving({ workers: 2 }, async (foyer) => {
  assert.match(foyer.stdout, /^foyer: ready http:\/\/127\.0\.0\.1:\d+\n/);
  assert.equal(foyer.workers().length, 2);
  assert.ok(foyer.databases().mariadb && foyer.databases().redis);
  await setUp(foyer);
  assert.equal((await new Visitor(foyer).get(new URL(foyer.setUpLink).pathname + new URL(foyer.setUpLink).search)).status, 410);
  const healthcheck = await foyer.run(['healthcheck']);
  assert.equal(healthcheck.code, 0, healthcheck.stderr);
  const doctor = await foyer.run(['doctor']);
  assert.equal(doctor.code, 0, doctor.stdout);
  assert.doesNotMatch(doctor.stdout, /FAIL/);
}));

test('no process writes its memory to a file when it falls, as keys and opened data are in it', () => serving({ workers: 1 }, async (foyer) => {
  const { mariadb, redis } = foyer.databases();
  for (const pid of [foyer.pid, foyer.workers()[0].pid, mariadb.pid, redis.pid])
    assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m, `process ${pid}`);
}));

test('a worker that is killed is replaced, the site answers meanwhile, sessions stay', () => serving({ workers: 2 }, async (foyer) => {
  const { visitor } = await member(foyer);
  for (let round = 0; round < 2; round++) {
    const [victim] = foyer.workers();
    process.kill(victim.pid, 'SIGKILL');
    const statuses = [];
    await until('two workers again', async () => {
      statuses.push(await health(foyer).catch(() => 0));
      return foyer.workers().length === 2 && !foyer.workers().some((one) => one.pid === victim.pid);
    }, 15000 * slower);
    await until('an answer to each of ten requests', async () => {
      for (let i = 0; i < 10; i++) if (await health(foyer).catch(() => 0) !== 200) return false;
      return true;
    }, 15000 * slower);
    assert.ok(statuses.includes(200));
    assert.equal(await isSignedIn(visitor), true);
  }
  assert.match(foyer.stderr, /worker \d+ \(process \d+\) was ended by signal 9/);
}));

test('a worker that dies at once again and again is backed off, and that is said', () => serving({ workers: 2 }, async (foyer) => {
  const first = foyer.workers()[0].pid;
  const other = foyer.workers()[1].pid;
  process.kill(first, 'SIGKILL');
  await until('the report of a worker that ends at once', () => {
    for (const worker of foyer.workers()) if (worker.pid !== other) process.kill(worker.pid, 'SIGKILL');
    return /worker \d+ ended at once \d+ times in a row; the next start is in \d+ s/.test(foyer.stderr);
  }, 30000 * slower);
  assert.ok(isAlive({ pid: other, started: foyer.workers().find((one) => one.pid === other).started }), 'the other worker is left alone');
  await until('an answer', async () => (await health(foyer)) === 200, 20000 * slower);
}));

test('kill -9 of the supervisor leaves no process, and the next start finds everything acknowledged', async () => {
  const foyer = await Foyer.start({ workers: 2 });
  const people = [];
  for (let i = 0; i < 3; i++) people.push(await member(foyer));
  // Registrations that are answered while the kill comes.
  const answered = [];
  const rush = Array.from({ length: 6 }, async () => {
    const who = person();
    await register(foyer, who).then(() => answered.push(who), () => {});
  });
  await until('the first of them to be answered', () => answered.length > 0, 20000 * slower);
  await foyer.kill();
  await Promise.all(rush);
  const sure = [...answered];
  await foyer.start();
  try {
    assert.equal(foyer.exit, null);
    for (const { who, visitor } of people) {
      visitor.server = foyer;
      assert.equal(await isSignedIn(visitor), true, 'the session survived');
      await signIn(foyer, who);
    }
    for (const who of sure) {
      await foyer.mailTo(who.email);
      await confirm(foyer, who);
      await signIn(foyer, who);
    }
  } finally {
    await foyer.stop();
  }
});

test('a second start finds the same data again, and prints a set-up link only while there is no administrator', async () => {
  const foyer = await Foyer.start();
  const first = foyer.setUpLink;
  const { who } = await member(foyer);
  await foyer.stop();
  await foyer.start();
  assert.ok(foyer.setUpLink && foyer.setUpLink !== first);
  await signIn(foyer, who);
  await setUp(foyer);
  await foyer.stop();
  await foyer.start();
  assert.equal(foyer.setUpLink, null);
  await signIn(foyer, who);
  await foyer.stop();
});

test('TERM lets a request in flight finish, refuses new connections, and ends with 0', async () => {
  const foyer = await Foyer.start({ workers: 2 });
  const visitor = new Visitor(foyer);
  const { fields } = (await visitor.get('/contact')).form('/contact');
  const body = new URLSearchParams({ ...fields, name: 'A', email: 'a@example.org', subject: 'in flight', message: 'M', consent: 'yes' }).toString();
  const [connection, idle] = [await Connection.open(foyer), await Connection.open(foyer)];
  connection.send(request(['POST /contact HTTP/1.1', 'Host: localhost', `Cookie: ${visitor.cookieHeader()}`, 'Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`, 'Expect: 100-continue']));
  await connection.when('100 Continue', () => connection.responses().length === 1);
  const family = descendantsOf(foyer.pid);
  foyer.signal('SIGTERM');
  await idle.whenClosed(5000 * slower);
  await until('new connections to be refused', () => Connection.open(foyer).then((one) => { one.destroy(); return false; }, () => true));
  assert.equal(foyer.exit, null, 'it waits for the request');
  connection.send(body);
  const [answer] = await connection.whenAnswered(1);
  assert.equal(answer.status, 303);
  assert.equal(answer.headers.connection, 'close');
  connection.destroy();
  assert.deepEqual(await foyer.ended, { code: 0, signal: null });
  await allGone(family);
  await foyer.start();
  await foyer.stop();
});

test('a client that never finishes does not hold the stop longer than the limit', async () => {
  const foyer = await Foyer.start({ env: { FOYER__SERVER__DRAIN_SECONDS: '1' } });
  const connection = await Connection.open(foyer);
  connection.send(request(['POST /login HTTP/1.1', 'Host: localhost', 'Content-Length: 100', 'Expect: 100-continue']));
  await connection.when('100 Continue', () => connection.responses().length === 1);
  const from = Date.now();
  await foyer.stop();
  assert.ok(Date.now() - from < 15000 * slower);
  connection.destroy();
});

test('INT stops as TERM does', async () => {
  const foyer = await Foyer.start();
  const family = descendantsOf(foyer.pid);
  foyer.signal('SIGINT');
  assert.deepEqual(await foyer.ended, { code: 0, signal: null });
  await allGone(family);
});

test('HUP takes a good configuration, and a bad one keeps the old and says why', () => serving({
  workers: 2, config: '[site]\nname = "Before"\n',
}, async (foyer) => {
  const name = async () => (await new Visitor(foyer).get('/')).text.match(/<title>[^<]* – ([^<]*)<\/title>/)[1];
  assert.equal(await name(), 'Before');
  foyer.writeConfig('[site]\nname = "After"\n');
  foyer.signal('SIGHUP');
  await until('the new name', async () => (await name()) === 'After', 20000 * slower);
  for (const [bad, sentence] of [['[site]\nname = "x"\n[server]\nworkerz = 3\n', /foyer\.toml:4:.*workers/], ['[site\n', /foyer\.toml:1/], ['[limits]\nidle_seconds = 0\n', /idle_seconds/], ['[site]\ndpo_contact = "https://example.org/dpo"\n', /site\.dpo_contact.*is not an address/]]) {
    const before = foyer.stderr.length;
    foyer.writeConfig(bad);
    foyer.signal('SIGHUP');
    await until('the sentence', () => /the old one stays/.test(foyer.stderr.slice(before)), 10000 * slower);
    assert.match(foyer.stderr.slice(before), sentence);
    assert.equal(await name(), 'After');
  }
  foyer.writeConfig('[site]\nname = "Again"\n');
  foyer.signal('SIGHUP');
  await until('the newest name', async () => (await name()) === 'Again', 20000 * slower);
}));

test('USR2 replaces the workers under load without one failed request', () => serving({ workers: 2 }, async (foyer) => {
  const { visitor } = await member(foyer);
  const cookie = visitor.cookieHeader();
  let stop = false;
  const seen = { ok: 0, other: [] };
  const load = Array.from({ length: 6 }, async (_, i) => {
    while (!stop) {
      const client = new Visitor(foyer, { headers: { cookie } });
      try {
        const answer = await client.get(i % 2 ? '/api/v1/session' : '/account');
        if (answer.status === 200) seen.ok++;
        else seen.other.push(answer.status);
      } catch (error) {
        seen.other.push(String(error));
      }
    }
  });
  for (let round = 0; round < 2; round++) {
    const old = foyer.workers();
    const said = foyer.stderr.split('the new program serves').length;
    foyer.signal('SIGUSR2');
    await until('the new program to serve', () => foyer.stderr.split('the new program serves').length > said, 30000 * slower);
    await allGone(old, 40000 * slower);
    assert.equal(foyer.workers().length, 2);
  }
  stop = true;
  await Promise.all(load);
  assert.deepEqual(seen.other, []);
  assert.ok(seen.ok > 20, `${seen.ok} requests`);
  assert.equal(await isSignedIn(visitor), true);
}));

test('USR1 reopens the logs: lines go to the new file, and none is lost', () => serving({ workers: 1 }, async (foyer) => {
  const { renameSync } = await import('node:fs');
  const path = join(foyer.state, 'log/access.log');
  for (let i = 0; i < 5; i++) await new Visitor(foyer).get(`/nowhere?before=${i}`);
  renameSync(path, `${path}.moved`);
  await new Visitor(foyer).get('/nowhere?between=1');
  foyer.signal('SIGUSR1');
  await until('a new file', () => existsSync(path));
  for (let i = 0; i < 5; i++) await new Visitor(foyer).get(`/nowhere?after=${i}`);
  const all = await until('all lines', () => {
    const text = readFileSync(`${path}.moved`, 'utf8') + readFileSync(path, 'utf8');
    return (text.match(/\/nowhere\?/g) ?? []).length >= 11 && text;
  });
  for (const mark of [...[0, 1, 2, 3, 4].flatMap((i) => [`before=${i}`, `after=${i}`]), 'between=1']) assert.equal(all.split(mark).length, 2, mark);
}));

test('the rotation job moves a log aside, compressed, while lines are written, and loses none', () => serving({ workers: 2 }, async (foyer) => {
  let stop = false;
  let sent = 0;
  const load = Array.from({ length: 3 }, async () => {
    while (!stop) {
      const mark = sent++;
      assert.equal((await new Visitor(foyer).get(`/nowhere?mark=${mark}-`)).status, 404);
    }
  });
  await until('some lines', () => sent > 50, 20000 * slower);
  const tomorrow = new Date(Date.now() + 26 * 3600 * 1000).toISOString().replace(/\.\d+Z/, 'Z');
  const names = (await foyer.runJson(['jobs', 'list'])).map((job) => job.name);
  const rotation = names.find((name) => /log|rotat/.test(name));
  assert.ok(rotation, `a job that rotates logs among ${names}`);
  const result = await foyer.run(['jobs', 'run', rotation, '--at', tomorrow]);
  assert.equal(result.code, 0, result.stderr);
  const so_far = sent;
  await until('more lines', () => sent > so_far + 30, 20000 * slower);
  stop = true;
  await Promise.all(load);
  const directory = join(foyer.state, 'log');
  const rotated = readdirSync(directory).filter((name) => /^access\.log-\d{8}/.test(name));
  assert.ok(rotated.length >= 1, readdirSync(directory).join());
  const text = [...rotated, 'access.log'].map((name) => {
    const bytes = readFileSync(join(directory, name));
    return name.endsWith('.gz') ? gunzipSync(bytes).toString('utf8') : bytes.toString('utf8');
  }).join('');
  for (let i = 0; i < sent; i++) assert.equal(text.split(`mark=${i}-`).length, 2, `line ${i} stands once`);
}));

test('the purge says what it would delete, deletes just that, and twice is harmless', () => serving({ workers: 1 }, async (foyer) => {
  const kept = await member(foyer);
  const { who } = await register(foyer, person());
  const later = new Date(Date.now() + 9 * 86400 * 1000).toISOString().replace(/\.\d+Z/, 'Z');
  const dry = await foyer.run(['jobs', 'run', 'purge', '--at', later, '--dry-run']);
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /1/);
  const stillThere = await new Visitor(foyer).submit('/login', '/login', who);
  assert.equal(stillThere.status, 403, 'a dry run deletes nothing');
  for (let i = 0; i < 2; i++) assert.equal((await foyer.run(['jobs', 'run', 'purge', '--at', later])).code, 0);
  assert.equal((await new Visitor(foyer).submit('/login', '/login', who)).status, 422, 'the registration that was never confirmed is gone');
  await signIn(foyer, kept.who);
  const now = await foyer.run(['jobs', 'run', 'nonsense']);
  assert.notEqual(now.code, 0);
}));

test('commands work without a server: they start the databases for themselves and stop them again', async () => {
  const foyer = new Foyer();
  const { stdout: applied } = await foyer.run(['migrate']);
  const traced = foyer.events().filter((one) => one.event === 'db.migrated' && one.by === 'command line');
  assert.equal(traced.map((one) => `${String(one.number).padStart(4, '0')} ${one.name}: applied\n`).join(''), applied);
  assert.notEqual(applied, '');
  const made = await foyer.run(['admin', 'create', '--email', 'boss@example.org', '--given-name', 'B', '--family-name', 'O', '--password-stdin'], { input: 'tramway-Belleville-88-ardoise\n' });
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /^account_id=\d+\n/);
  const again = await foyer.run(['admin', 'create', '--email', 'BOSS@example.org', '--password-stdin'], { input: 'tramway-Belleville-88-ardoise\n' });
  assert.equal(again.code, 1);
  assert.match(again.stderr, /^foyer: .*already.*\n$/);
  const status = await foyer.run(['migrate', '--status']);
  assert.equal(status.code, 0);
  assert.doesNotMatch(status.stdout, /missing/);
  await foyer.start();
  assert.equal(foyer.setUpLink, null);
  const visitor = new Visitor(foyer);
  const answer = await visitor.submit('/manage/login', '/manage/login', { email: 'boss@example.org', password: 'tramway-Belleville-88-ardoise' });
  assert.equal(answer.status, 303);
  await foyer.stop();
});

test('usage: unknown commands and flags are told, help is printed, and the version', async () => {
  assert.equal((await run(['nonsense'])).code, 2);
  assert.equal((await run([])).code, 2);
  assert.equal((await run(['serve', '--nonsense'])).code, 2);
  assert.equal((await run(['serve', '--state'])).code, 2);
  for (const words of [['-h'], ['serve', '-h'], ['check-config', '-h'], ['migrate', '-h'], ['admin', 'create', '-h'], ['sessions', 'list', '-h'], ['sessions', 'revoke', '-h'], ['jobs', 'list', '-h'], ['jobs', 'run', '-h'], ['doctor', '-h'], ['healthcheck', '-h'], ['version', '-h']]) {
    const { code, stdout } = await run(words);
    assert.equal(code, 0, words.join(' '));
    assert.match(stdout, /Usage: foyer/, words.join(' '));
  }
  assert.match((await run(['version'])).stdout, /\d+\.\d+\.\d+/);
});
