// Erasure as people meet it: asked for with the password, taken back, done by the job or the command; afterwards no file
// knows the person any more, and the receipt can be checked anywhere.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isSignedIn, member, owner, password, setUp, signIn } from '../support/flows.mjs';
import { Foyer, run } from '../support/foyer.mjs';
import { Visitor } from '../support/visitor.mjs';

const DAY = 86400000;
const at = (days) => new Date(Date.now() + days * DAY).toISOString().replace(/\.\d+Z$/, 'Z');

let foyer;
before(async () => { foyer = await Foyer.start({ workers: 2 }); });
after(() => foyer.stop());

const ask = (visitor) => visitor.submit('/account/erase', '/account/erase', { current_password: password });
const job = async (days, ...flags) => {
  const { code, stdout, stderr } = await run(['jobs', 'run', 'retention', '--at', at(days), '--json', '--state', foyer.state, ...flags]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
};
const erased = (report) => report.items.find((item) => item.action === 'erase')?.count ?? 0;

const receiptOf = (who) => foyer.mailTo(who.email, (one) => one.text.includes('foyer erasure receipt'));

test('a person asks for erasure with the password, sees the date, and changes their mind', async () => {
  const { who, visitor } = await member(foyer);
  const wrong = await visitor.submit('/account/erase', '/account/erase', { current_password: 'perdu-perdu-perdu' });
  assert.equal(wrong.status, 422);
  const asked = await ask(visitor);
  assert.equal(asked.status, 303, asked.words);
  const shown = await visitor.follow(asked);
  const date = new Intl.DateTimeFormat('fr-FR', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'Europe/Paris' })
    .format(new Date(Date.now() + 7 * DAY)).replace(/^1 /, '1er ');
  assert.ok(shown.words.replaceAll('\u00a0', ' ').includes(date), shown.words);
  assert.match((await visitor.get('/account')).words, /Votre compte sera effacé le/);
  const mail = await foyer.mailTo(who.email, (one) => one.text.includes('/account/erase'));
  assert.ok(mail.text.replaceAll('\u00a0', ' ').includes(date));
  assert.equal(erased(await job(6)), 0, 'not before its date');
  const kept = await visitor.submit('/account/erase', '/account/erase/keep');
  assert.equal(kept.status, 303);
  assert.equal(erased(await job(8)), 0);
  assert.equal(await isSignedIn(visitor), true);
});

test('after the days of grace sessions, data and key go, and the receipt comes', async () => {
  const { who, visitor } = await member(foyer, { given_name: 'Colibrine', family_name: 'Mésangeau' });
  const saved = await visitor.submit('/account/profile', '/account/profile', { phone: '+33 1 41 11 22 33', position: 'Ornithologue', skills: 'Roucoulement',
    passions: 'Nichoirs', street_address: '7 rue des Hirondelles', postal_code: '75019', address_level2: 'Pigeonville', country: 'FR' });
  assert.equal(saved.status, 303);
  const written = await new Visitor(foyer).submit('/contact', '/contact', { name: 'Colibrine Mésangeau', email: who.email.toUpperCase(), subject: 'Mangeoire', message: 'Graines de tournesol', consent: 'yes' });
  assert.equal(written.status, 303, written.words);
  await new Visitor(foyer).submit('/privacy/request', '/privacy/request', { email: who.email });
  const phone = new Visitor(foyer);
  await signIn(foyer, who, phone);
  assert.equal((await ask(visitor)).status, 303);
  const dry = await job(7.1, '--dry-run');
  assert.equal(erased(dry), 1);
  assert.equal(await isSignedIn(phone), true, 'a dry run changes nothing');
  const real = await job(7.1);
  assert.equal(erased(real), 1);
  assert.deepEqual(real.items, dry.items);
  assert.equal(await isSignedIn(visitor), false);
  assert.equal(await isSignedIn(phone), false);
  const refused = await new Visitor(foyer).submit('/login', '/login', who);
  assert.ok([401, 403, 422].includes(refused.status));

  const mail = await receiptOf(who);
  assert.doesNotMatch(mail.text.slice(mail.text.indexOf('foyer erasure receipt')).split('\n\n')[0], /Colibrine|colibrine|example/);
  const file = join(foyer.state, 'receipt.txt');
  writeFileSync(file, mail.text);
  const key = (await new Visitor(foyer).get('/.well-known/foyer-receipt-key')).text.trim();
  const verified = await run(['receipt', 'verify', file, '--key', key]);
  assert.deepEqual([verified.code, /^good/.test(verified.stdout)], [0, true], verified.stderr);
  assert.equal((await run(['receipt', 'verify', file, '--state', foyer.state])).code, 0, 'or with the key of the installation');
  writeFileSync(file, mail.text.replace('serial: ', 'serial: 9'));
  const changed = await run(['receipt', 'verify', file, '--key', key]);
  assert.equal(changed.code, 1);
  assert.match(changed.stderr, /was changed/);
  assert.equal((await run(['receipt', 'verify', file, '--key', '00'])).code, 2);
  rmSync(file);
  const nothing = await run(['person', 'export', '--email', who.email, '--state', foyer.state]);
  assert.match(nothing.stderr, /nothing is held/);

  await foyer.stop();
  const words = [who.email, 'Colibrine', 'sangeau', '41 11 22', '41112233', 'Ornithologue', 'Roucoulement', 'Nichoirs', 'Hirondelles', 'Pigeonville', 'Mangeoire', 'tournesol'];
  const mails = join(foyer.state, 'mail');
  const names = readdirSync(foyer.state, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
    .map((one) => join(one.parentPath ?? one.path, one.name)).filter((name) => !name.startsWith(mails)); // mails were sent
  assert.ok(names.length > 20);
  for (const name of names) {
    const bytes = readFileSync(name);
    for (const word of words) assert.ok(!bytes.includes(word), `${word} is in ${name}`);
  }
  foyer = await Foyer.start({ workers: 2, state: foyer.state });
});

test('while Redis is away sessions cannot end, so the account is closed but stays; the next run finishes', async () => {
  const { who, visitor } = await member(foyer);
  assert.equal((await ask(visitor)).status, 303);
  const redis = foyer.databases().redis;
  process.kill(redis.pid, 'SIGSTOP');
  const stuck = await run(['jobs', 'run', 'retention', '--at', at(8), '--state', foyer.state]);
  process.kill(redis.pid, 'SIGCONT');
  assert.equal(stuck.code, 1, stuck.stdout);
  assert.match(stuck.stderr + stuck.stdout, /Redis|deadline/);
  assert.equal(erased(await job(8)), 1);
  assert.equal(await isSignedIn(visitor), false);
  assert.match((await receiptOf(who)).text, /foyer erasure receipt/);
});

test('a sign-in that is under way while the account goes leaves no session', async () => {
  const slow = await Foyer.start({ env: { FOYER__PASSWORDS__MEMORY_MIB: '128', FOYER__PASSWORDS__PASSES: '8' } });
  try {
    const { who } = await member(slow);
    const late = new Visitor(slow);
    const signingIn = late.submit('/login', '/login', { email: who.email, password: who.password });
    const erasing = await run(['person', 'erase', '--email', who.email, '--yes', '--now', '--state', slow.state]);
    assert.equal(erasing.code, 0, erasing.stderr);
    await signingIn;
    assert.equal(await isSignedIn(late), false);
    assert.deepEqual(await slow.runJson(['sessions', 'list']), []);
  } finally {
    await slow.stop();
  }
});

test('one account that cannot be erased keeps no other, and is erased by a later run', async () => {
  const sql = (text) => execFileSync('mariadb', ['--no-defaults', `--socket=${foyer.state}/run/mariadb.sock`, '-ufoyer', 'foyer', '-Ne', text], { encoding: 'utf8' }).trim();
  const people = [];
  for (let i = 0; i < 2; i++) {
    const { visitor } = await member(foyer);
    people.push(sql('SELECT MAX(id) FROM account'));
    assert.equal((await ask(visitor)).status, 303);
  }
  const [stuck, free] = people;
  const left = () => sql(`SELECT COUNT(*) FROM account WHERE id IN (${people})`);
  sql(`CREATE TABLE stuck (account_id BIGINT UNSIGNED NOT NULL, FOREIGN KEY (account_id) REFERENCES account (id)) SELECT ${stuck} AS account_id`);
  const failed = await run(['jobs', 'run', 'retention', '--at', at(8), '--state', foyer.state]);
  assert.equal(failed.code, 1);
  assert.match(failed.stdout + failed.stderr, new RegExp(`${stuck}`), 'it is named');
  assert.equal(left(), '1');
  assert.equal(sql(`SELECT COUNT(*) FROM account WHERE id = ${free}`), '0');
  sql('DROP TABLE stuck');
  assert.equal(erased(await job(8)), 1);
  assert.equal(left(), '0');
});

test('over the API: a password, a date, and a way back', async () => {
  const { visitor } = await member(foyer);
  const send = (method, body) => visitor.request(method, '/api/v1/me/erasure', {
    ...(body ? { body: JSON.stringify(body) } : {}), headers: { origin: foyer.origin, ...(body ? { 'content-type': 'application/json' } : {}) } });
  assert.equal((await send('POST', { password: 'falsch-falsch' })).status, 422);
  const asked = await send('POST', { password });
  assert.equal(asked.status, 202, asked.text);
  assert.ok(Math.abs(new Date(asked.json.erase_at) - Date.now() - 7 * DAY) < 60000);
  const again = await send('POST', { password });
  assert.deepEqual([again.status, again.json.erase_at], [202, asked.json.erase_at], 'the date stands');
  assert.equal((await send('DELETE')).status, 204);
  assert.equal((await send('DELETE')).status, 404);
});

test('the last owner cannot go', async () => {
  const fresh = await Foyer.start({ workers: 1 });
  try {
    const { visitor } = await setUp(fresh);
    await signIn(fresh, owner, visitor);
    const answer = await visitor.submit('/account/erase', '/account/erase', { current_password: owner.password });
    assert.equal(answer.status, 409);
    assert.match(answer.words, /dernier administrateur/);
    const command = await run(['person', 'erase', '--email', owner.email, '--yes', '--state', fresh.state]);
    assert.equal(command.code, 1);
    assert.match(command.stderr, /last owner/);
  } finally {
    await fresh.stop();
  }
});

test('foyer person erase: a dry run, a question, and at once with a receipt', async () => {
  const { who, visitor } = await member(foyer);
  const erase = (...flags) => run(['person', 'erase', '--email', who.email, '--state', foyer.state, ...flags], { input: flags.includes('--yes') ? '' : 'no\n' });
  const dry = await erase('--dry-run');
  assert.deepEqual([dry.code, /would be deleted/.test(dry.stdout)], [0, true], dry.stderr);
  assert.equal((await erase('--now')).code, 1, 'no is no');
  assert.equal(await isSignedIn(visitor), true);
  const dated = await erase('--yes');
  assert.match(dated.stdout, /erase_at=\d+/);
  const now = await erase('--yes', '--now');
  assert.equal(now.code, 0, now.stderr);
  assert.match(now.stdout, /^foyer erasure receipt 1$/m);
  assert.equal(await isSignedIn(visitor), false);
  const piped = await run(['receipt', 'verify', '-', '--state', foyer.state], { input: now.stdout });
  assert.equal(piped.code, 0, piped.stderr);
  assert.equal((await erase('--yes')).code, 1, 'there is nobody any more');
  assert.equal((await run(['person', 'erase'])).code, 2);
});
