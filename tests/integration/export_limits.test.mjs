// Exports of thousands of rows: how much memory they take, somebody who hangs up in the middle, and what happens while a
// database is away.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import http from 'node:http';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { member, pathOf, signIn } from '../support/flows.mjs';
import { Foyer } from '../support/foyer.mjs';
import { linkIn } from '../support/mail.mjs';
import { evalRedis } from '../support/redis.mjs';
import { Visitor } from '../support/visitor.mjs';
import { until } from '../support/wait.mjs';
import { unzip } from '../support/zip.mjs';

const MESSAGES = 3000;
const BYTES = 5000;

let foyer;
let who;
let visitor;
const sql = (text) => execFileSync('mariadb', ['--no-defaults', `--socket=${foyer.state}/run/mariadb.sock`, '-ufoyer', 'foyer', '-Ne', text], { encoding: 'utf8' }).trim();

// Messages of an earlier version are sealed by the next start.
before(async () => {
  foyer = await Foyer.start({ workers: 1 });
  const { state } = foyer;
  ({ who } = await member(foyer));
  sql(`INSERT INTO contact_message (id, reference, name, email, subject, message, consent_text_version, consented_at, lang, state, created_at)
    SELECT seq, seq, 'Zoé', '${who.email}', 's', REPEAT('m', ${BYTES}), '1', NOW(), 0, 1, NOW() FROM seq_1_to_${MESSAGES}; DELETE FROM instance WHERE name = 'sealed'`);
  await foyer.stop();
  foyer = await Foyer.start({ workers: 1, state });
  visitor = await signIn(foyer, who);
});
after(() => foyer.stop());

const memory = (field) => {
  const [{ pid }] = foyer.workers();
  return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(new RegExp(`${field}:\\s+(\\d+)`))[1]) / 1024;
};

test('an export of thousands of messages takes a few times their length, and gives it back', async () => {
  const length = (MESSAGES * BYTES) / (1 << 20);
  const before = memory('VmRSS');
  const json = await visitor.get('/api/v1/me/export', { headers: { accept: 'application/json' } });
  assert.equal(json.json.records.filter((one) => one.record === 'contact_message').length, MESSAGES);
  const zip = await visitor.submit('/account/privacy', '/account/privacy/export');
  assert.equal(JSON.parse(unzip(zip.bytes)['data.json']).records.length, json.json.records.length);
  const peak = memory('VmHWM') - before;
  assert.ok(peak < 3 * length, `${peak.toFixed(0)} MiB for ${length.toFixed(0)} MiB`);
});

// Reads a little and goes, so that the worker has begun to send.
const hangUp = () => new Promise((resolve, reject) => {
  const request = http.get(new URL('/api/v1/me/export', foyer.origin), { headers: { accept: 'application/json', cookie: visitor.cookieHeader() } }, (answer) => {
    answer.once('data', () => { answer.destroy(); resolve(answer.statusCode); });
  });
  request.once('error', reject);
});

test('somebody who hangs up in the middle leaves nothing behind', async () => {
  const [{ pid }] = foyer.workers();
  for (let i = 0; i < 12; i++) { // more than fit into what a process may hold
    assert.equal(await hangUp(), 200, `no. ${i}`);
    await evalRedis(foyer, "for _, key in ipairs(redis.call('KEYS', 'thr:*')) do redis.call('DEL', key) end return 1");
  }
  assert.equal((await visitor.get('/api/v1/me/export', { headers: { accept: 'application/json' } })).status, 200);
  assert.equal(foyer.workers()[0].pid, pid, 'the same worker');
});

for (const which of ['mariadb', 'redis']) {
  test(`while ${which} is away the answer says so, and a mailed link stays good`, async () => {
    await new Visitor(foyer).submit('/privacy/request', '/privacy/request', { email: who.email });
    const link = pathOf(linkIn(await foyer.mailTo(who.email, (mail) => mail.text.includes('/privacy/request/data?token=')), '/privacy/request/data'));
    const guest = new Visitor(foyer);
    const { fields } = (await guest.get(link)).form('/privacy/request/data');
    const { pid } = foyer.databases()[which];
    process.kill(pid, 'SIGSTOP');
    const away = await guest.post('/privacy/request/data', fields).finally(() => process.kill(pid, 'SIGCONT'));
    assert.ok([503, 504].includes(away.status), `${away.status}`);
    assert.equal(away.headers['content-disposition'], undefined);
    await until(`${which} to be back`, async () => (await guest.get('/readyz')).status === 200);
    assert.equal((await guest.get(link)).status, 200);
    assert.equal((await guest.post('/privacy/request/data', fields)).status, 200);
    assert.equal((await guest.post('/privacy/request/data', fields)).status, 410);
  });
}
