// What is sealed stays sealed: nothing readable about persons in the database, a new master key while people work, and
// a clear stop where the key is the wrong one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isSignedIn, member, person, register, signIn } from '../support/flows.mjs';
import { Foyer, run } from '../support/foyer.mjs';
import { Visitor } from '../support/visitor.mjs';

let foyer;
before(async () => { foyer = await Foyer.start({ workers: 2 }); });
after(() => foyer.stop());

// Every file of the state directory as bytes, but the mails, which were sent to whom they name.
const files = (state) => readdirSync(state, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .filter((name) => !name.startsWith(join(state, 'mail')));

test('no file of the databases or the logs holds anything readable about persons', async () => {
  const { who, visitor } = await member(foyer, { given_name: 'Canarine', family_name: 'Serinette' });
  const saved = await visitor.submit('/account/profile', '/account/profile', { phone: '+33 1 40 00 12 34', position: 'Canaricultrice',
    skills: 'Sifflet', passions: 'Volière', street_address: '4 quai de la Mégisserie', postal_code: '75001', address_level2: 'Pariscanari', country: 'FR' });
  assert.equal(saved.status, 303, saved.words);
  const sent = await new Visitor(foyer).submit('/contact', '/contact', { name: 'Canarine Serinette', email: who.email, subject: 'Le perchoir',
    message: 'Un message de canari', consent: 'on' });
  assert.ok(sent.status < 400, sent.words);
  await foyer.stop(); // what the databases held in memory goes to their files
  const words = ['Canarine', 'Serinette', who.email, '40 00 12', '40001234', 'Canaricultrice', 'Sifflet', 'Voli', 'gisserie', 'Pariscanari',
    'perchoir', 'message de canari'];
  const found = files(foyer.state);
  assert.ok(found.some((name) => name.endsWith('account.ibd')) && found.some((name) => name.endsWith('access.log')), found.join(' '));
  for (const name of found) {
    const bytes = readFileSync(name);
    for (const word of words) assert.ok(!bytes.includes(word), `${word} is in ${name}`);
  }
  foyer = await Foyer.start({ workers: 2, state: foyer.state });
  assert.match((await (await signIn(foyer, who)).get('/account')).heading, /Canarine/);
});

test('of two rotations at once the second is refused', async () => {
  const holder = spawn('python3', ['-c', `import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.lockf(file, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()`,
    join(foyer.state, '.keys-rotate.job')]);
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  for (const flags of [[], ['--prepare']]) {
    const refused = await run(['keys', 'rotate', ...flags, '--state', foyer.state]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /another rotation is running/);
  }
  holder.stdin.end();
  await new Promise((resolve) => holder.once('exit', resolve));
  assert.ok(!existsSync(join(foyer.state, 'master.key.next')));
});

test('a new master key while people work: nobody notices, and the old one opens nothing', async () => {
  const key = join(foyer.state, 'master.key');
  const old = `${key}.old`;
  const { who, visitor } = await member(foyer, { given_name: 'Rosa' });
  copyFileSync(key, old);
  let going = true;
  const others = [];
  const coming = (async () => { while (going) others.push((await register(foyer, person(), new Visitor(foyer))).who); })();
  const rotated = await run(['keys', 'rotate', '--state', foyer.state]);
  going = false;
  await coming;
  assert.equal(rotated.code, 0, rotated.stderr);
  assert.match(rotated.stdout, /^rotated=\d+ fingerprint=[0-9a-f]{16}$/m);
  assert.ok(!existsSync(`${key}.next`));
  assert.notDeepEqual(readFileSync(key), readFileSync(old));
  assert.equal(await isSignedIn(visitor), true, 'sessions go on');
  assert.match((await visitor.get('/account')).heading, /Rosa/);
  others.push((await register(foyer)).who);
  for (const one of others) await foyer.mailTo(one.email);
  await signIn(foyer, who);

  await foyer.stop();
  copyFileSync(key, `${key}.new`);
  copyFileSync(old, key);
  const refused = await run(['serve', '--state', foyer.state, '--listen', '127.0.0.1:0']);
  assert.equal(refused.code, 78);
  assert.match(refused.stderr, /the master key is not the one that this database was made with/);
  const command = await run(['keys', 'rotate', '--state', foyer.state]);
  assert.notEqual(command.code, 0, 'nor does a command touch anything with it');
  rmSync(`${key}.next`, { force: true });
  copyFileSync(`${key}.new`, key);
  foyer = await Foyer.start({ workers: 1, state: foyer.state });
  assert.match((await (await signIn(foyer, who)).get('/account')).heading, /Rosa/);
});
