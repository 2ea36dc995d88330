// While MariaDB or Redis is away: pages that need neither answer, the others say 503 and when to come back, at once;
// /readyz names what is missing; and all heals without a restart.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isSignedIn, member, person, register, setUp, signIn, signInToOffice } from '../support/flows.mjs';
import { Foyer, sanitized } from '../support/foyer.mjs';
import { freeze } from '../support/processes.mjs';
import { Visitor } from '../support/visitor.mjs';
import { until } from '../support/wait.mjs';

const slower = sanitized ? 4 : 1;
const AT_ONCE_MS = 2500 * slower;

async function timed(promise) {
  const from = Date.now();
  const answer = await promise;
  return { answer, ms: Date.now() - from };
}

// A 503 with Retry-After, as a page or as a problem, and soon.
async function isAway(visitor, path, options) {
  const { answer, ms } = await timed(options?.body !== undefined ? visitor.post(path, options.body) : visitor.get(path));
  assert.equal(answer.status, 503, `${path}: ${answer.status} ${answer.heading}`);
  assert.ok(Number(answer.headers['retry-after']) > 0, `${path} has Retry-After`);
  assert.ok(answer.text.length > 50);
  assert.ok(ms < AT_ONCE_MS, `${path} took ${ms} ms`);
}

// Each worker heals by itself; connections are spread over them, so a dozen good answers in a row mean all.
function healed(what, ask, within = 40000 * slower) {
  return until(what, async () => {
    for (let i = 0; i < 12; i++) if ((await ask()).status !== 200) return false;
    return true;
  }, within);
}

const still = ['/', '/login', '/register', '/contact', '/privacy', '/cookies', '/legal', '/accessibility', '/password/forgot', '/healthz', '/robots.txt', '/.well-known/security.txt'];

// kill -9 of a database. The lock that its replacement waits for is held until release(), so that "away" lasts as
// long as the test looks.
async function holdBack(foyer, which) {
  const victim = foyer.databases()[which];
  const holder = spawn('flock', [join(foyer.state, 'run', `${which}.lock`), 'sh', '-c', 'echo held; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  holder.stdout.setEncoding('utf8').on('data', (piece) => (text += piece));
  try {
    // It waits in the queue for the lock before the lock comes free: "->" marks who waits.
    await until('the lock to be asked for', () => readFileSync('/proc/locks', 'latin1').split('\n').some((line) => / -> FLOCK /.test(line) && line.includes(` ${holder.pid} `)));
    process.kill(victim.pid, 'SIGKILL');
    await until('the lock to be held', () => text === 'held\n');
  } catch (error) {
    holder.kill('SIGKILL');
    throw error;
  }
  return { release: () => holder.stdin.end() };
}

test('MariaDB is killed: what needs it says so, the rest answers, and it heals by itself', async () => {
  const foyer = await Foyer.start({ workers: 2 });
  let hold;
  try {
    const { who, visitor } = await member(foyer);
    await setUp(foyer);
    const office = await signInToOffice(foyer);
    const { id, account_id: account } = (await visitor.get('/api/v1/session')).json;
    const { fields } = (await visitor.get('/account/profile')).form('/account/profile');
    // While it is gone its lock is held by us, so that the replacement waits as long as the test looks.
    hold = await holdBack(foyer, 'mariadb');
    await until('readyz to name MariaDB', async () => {
      const ready = await new Visitor(foyer).get('/readyz');
      return ready.status === 503 && ready.json.components.mariadb === 'away' && ready.json.components.redis === 'ok' && Number(ready.headers['retry-after']) > 0;
    }, 10000 * slower);
    for (const path of still) assert.equal((await new Visitor(foyer).get(path)).status, 200, path);
    assert.equal(await isSignedIn(visitor), true, 'the session look-up needs no MariaDB');
    await isAway(visitor, '/account');
    await isAway(visitor, '/api/v1/me');
    // Who is signed in is known by number alone.
    const nameless = (list) => list.filter((one) => one.id === id).map((one) => [one.account_id, one.name, one.email]);
    const list = await office.get('/api/v1/manage/sessions');
    assert.deepEqual(nameless(list.json.sessions), [[account, null, null]]);
    assert.deepEqual(nameless(await foyer.runJson(['sessions', 'list', '--names'])), [[account, null, null]]);
    const page = await office.get('/manage/sessions');
    assert.equal(page.status, 200);
    assert.ok(page.words.includes(`Compte n° ${account}`), page.words);
    await isAway(visitor, '/account/profile', { body: fields });
    const stranger = new Visitor(foyer);
    const login = (await stranger.get('/login')).form('/login').fields;
    await isAway(stranger, '/login', { body: { ...login, email: who.email, password: who.password } });
    const contact = (await stranger.get('/contact')).form('/contact').fields;
    await isAway(stranger, '/contact', { body: { ...contact, name: 'A', email: 'a@example.org', subject: 's', message: 'm', consent: 'yes' } });
    hold.release();
    await healed('ready again', () => new Visitor(foyer).get('/readyz'));
    await healed('the account page', () => visitor.get('/account'));
    await signIn(foyer, who);
    await register(foyer, person());
    assert.equal(foyer.exit, null);
  } finally {
    hold?.release();
    await foyer.stop();
  }
});

test('Redis is killed: visitors see the pages as strangers, and sessions come back with it', async () => {
  const foyer = await Foyer.start({ workers: 2 });
  let hold;
  try {
    const { who, visitor } = await member(foyer);
    const { csrf } = (await visitor.get('/account')).form('/logout').fields;
    hold = await holdBack(foyer, 'redis');
    await until('readyz to name Redis', async () => {
      const ready = await new Visitor(foyer).get('/readyz');
      return ready.status === 503 && ready.json.components.redis === 'away' && ready.json.components.mariadb === 'ok';
    }, 10000 * slower);
    for (const path of still) {
      assert.equal((await new Visitor(foyer).get(path)).status, 200, path);
      const known = await timed(visitor.get(path));
      assert.equal(known.answer.status, 200, path);
      assert.ok(known.ms < AT_ONCE_MS, path);
    }
    await isAway(visitor, '/account');
    await isAway(visitor, '/api/v1/session');
    await isAway(visitor, '/logout', { body: { csrf } });
    const stranger = new Visitor(foyer);
    const login = (await stranger.get('/login')).form('/login').fields;
    await isAway(stranger, '/login', { body: { ...login, email: who.email, password: who.password } });
    assert.equal(visitor.cookies.size, 1, 'the cookie is not thrown away over an outage');
    hold.release();
    await healed('ready again', () => new Visitor(foyer).get('/readyz'));
    assert.equal(await isSignedIn(visitor), true, 'the session survived');
    await signIn(foyer, who);
  } finally {
    hold?.release();
    await foyer.stop();
  }
});

test('a database that hangs is as good as away: answers come in bounded time, and it heals', async () => {
  const foyer = await Foyer.start({ workers: 1, env: { FOYER__REDIS__COMMAND_SECONDS: '1', FOYER__DATABASE__WAIT_SECONDS: '1', FOYER__LIMITS__REQUEST_SECONDS: '3' } });
  try {
    const { visitor } = await member(foyer);
    for (const [which, path] of [['redis', '/api/v1/session'], ['mariadb', '/account']]) {
      const { pid } = foyer.databases()[which];
      await freeze(pid);
      try {
        const answers = await Promise.all(Array.from({ length: 8 }, () => timed(visitor.get(path))));
        for (const { answer, ms } of answers) {
          assert.equal(answer.status, 503, which);
          assert.ok(ms < 8000 * slower, `${which}: ${ms} ms`);
        }
        assert.equal((await new Visitor(foyer).get('/healthz')).status, 200);
        assert.equal((await new Visitor(foyer).get('/')).status, 200);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await until(`${path} again`, async () => (await visitor.get(path)).status === 200, 20000 * slower);
    }
  } finally {
    await foyer.stop();
  }
});
