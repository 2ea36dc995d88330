// A release with a new version of the policy: who is told of it and in which words, what the pages say until its day, and
// that a kill in between tells nobody twice. The next release is foyer-next (tests/support/next_register.py): from
// 2099-01-01 on phone numbers get the purpose of billing, and sessions of the back office are kept for longer.
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { member, owner, setUp, signIn, signInToOffice } from '../support/flows.mjs';
import { binary, Foyer, scratch } from '../support/foyer.mjs';
import { linkIn } from '../support/mail.mjs';
import { Visitor } from '../support/visitor.mjs';
import { until } from '../support/wait.mjs';

const next = join(dirname(binary), 'tests/support/foyer-next');
const date = '2098-12-01';
const state = join(scratch(), 'var');
let foyer;
let callers;
let silent;

const announcements = () => foyer.mails().filter((mail) => /politique de confidentialité|privacy policy/.test(mail.subject));
const start = async (env = {}) => {
  foyer = await Foyer.start({ state, program: next, env });
};

// What the timers do within a minute.
async function announce() {
  assert.equal((await foyer.run(['jobs', 'run', 'policy'])).code, 0);
  await foyer.run(['jobs', 'run', 'mail']);
}

async function withPhone(given_name) {
  const { who, visitor } = await member(foyer, { given_name });
  const saved = await visitor.submit('/account/profile', '/account/profile', { phone: '01 42 00 00 00' });
  assert.equal(saved.status, 303, saved.words);
  return who;
}

before(async () => {
  foyer = await Foyer.start({ state });
  await setUp(foyer);
  callers = [await withPhone('Ada'), await withPhone('Bea'), await withPhone('Cleo')];
  silent = (await member(foyer, { given_name: 'Dora' })).who;
  const { stdout } = await foyer.run(['jobs', 'run', 'policy', '--json']);
  assert.match(stdout, /nothing to do/, 'the first version is announced to nobody');
  assert.deepEqual(announcements(), []);
  const visitor = await signIn(foyer, callers[0]);
  assert.doesNotMatch((await visitor.get('/account')).words, /politique de confidentialité change/);
  await foyer.stop();
});
after(() => foyer.stop());

test('the next release tells each person concerned once, however often it is killed', async () => {
  await start({ FOYER__MAIL__ANNOUNCEMENTS_PER_RUN: '1' });
  assert.equal((await foyer.run(['jobs', 'run', 'policy'])).code, 0);
  await foyer.kill();
  await start({ FOYER__MAIL__ANNOUNCEMENTS_PER_RUN: '1' });
  await until('the first announcement', () => announcements().length === 1, 30000);
  const planned = await foyer.run(['jobs', 'run', 'policy', '--dry-run']);
  assert.match(planned.stdout, /would send 1 announcement of a change of the policy/);
  for (let mails = 2; mails <= 3; mails++) {
    await announce();
    await until(`${mails} announcements`, () => announcements().length === mails, 30000);
  }
  const office = await signInToOffice(foyer);
  const record = await office.get('/manage/privacy?lang=en');
  assert.match(record.words, /Announced to 3 of 4 persons so far/);
  assert.ok(!record.words.includes('Hobbies') && record.words.includes('Passions'), 'the record is of the version in force');
  const { text: csv } = await office.get('/manage/privacy/record.csv');
  assert.ok(csv.includes('2026-') && !csv.includes(date) && !csv.includes('Hobbies'), csv.slice(0, 300));
  await foyer.kill();
  await start();
  await until('all to be told', async () => {
    await announce();
    return announcements().length >= 4;
  }, 30000);
  assert.deepEqual(announcements().map((mail) => mail.to).sort(), [...callers.map((who) => who.email), owner.email].sort());
  await foyer.stop();
  await start();
  assert.equal((await foyer.run(['jobs', 'run', 'policy'])).code, 0);
  assert.match((await (await signInToOffice(foyer)).get('/manage/privacy?lang=en')).words, /Announced to 4 persons, ended on/);
  assert.equal(announcements().length, 4);
});

test('a mail says what changes for its reader, and what can be done about it', async () => {
  const mail = await foyer.mailTo(callers[0].email, (one) => announcements().some((other) => other.file === one.file));
  const words = mail.text.replace(/\s+/g, ' ');
  assert.match(mail.subject, /change le 1er janvier 2099/);
  assert.match(words, /Téléphone \(Compte\) : nouvelle finalité, facturation\./);
  assert.match(words, /ne servira pas à une nouvelle finalité : le chiffrement l’empêche/);
  assert.doesNotMatch(words, /Session de l’administration|Loisirs/, 'only what concerns a member, and no word that was replaced');
  assert.equal(linkIn(mail, '/privacy'), `${foyer.origin.replace(/:\d+$/, '')}:${new URL(linkIn(mail, '/privacy')).port}/privacy/versions/${date}/changes`);
  for (const path of ['/account/requests', '/account/privacy', '/account/erase']) assert.ok(linkIn(mail, path));
  const officers = foyer.mails().find((one) => one.to === owner.email && /politique/.test(one.subject));
  assert.match(officers.text.replace(/\s+/g, ' '), /Session de l’administration\) : la durée passe de/);
  assert.doesNotMatch(officers.text, /Téléphone/, 'no phone number is held of the owner');
});

test('until its day the pages say what is in force, and what is to come', async () => {
  const visitor = await signIn(foyer, silent);
  const account = await visitor.get('/account?lang=en');
  assert.match(account.words, /Our privacy policy changes on 1 January 2099\. See what changes/);
  assert.ok(account.text.includes(`href="/privacy/versions/${date}/changes"`));
  const policy = await new Visitor(foyer).get('/privacy?lang=en');
  assert.match(policy.words, /A new version takes effect on 1 January 2099/);
  assert.doesNotMatch(policy.words, /Hobbies/, 'the words of the version in force');
  const versions = await new Visitor(foyer).get('/privacy/versions?lang=en');
  assert.match(versions.words, /Version of 1 December 2098 takes effect on 1 January 2099 major change .* in force/);
  const changes = await new Visitor(foyer).get(`/privacy/versions/${date}/changes?lang=en`);
  for (const words of ['It takes effect on 1 January 2099.', 'Phone number (Account): new purpose, billing.', '“Passions” is now called “Hobbies”'])
    assert.ok(changes.words.includes(words), words);
  const file = await new Visitor(foyer).get(`/privacy/versions/${date}/file`);
  assert.equal(file.json.effective, '2099-01-01');
});

test('an administrator who is named when all others have been told is told as well', async () => {
  const email = 'late.boss@example.org';
  assert.equal((await foyer.run(['admin', 'create', '--email', email, '--given-name', 'Lou', '--family-name', 'Roy'])).code, 0);
  await foyer.run(['jobs', 'run', 'mail']);
  await foyer.mailTo(email, (mail) => /politique de confidentialité change/.test(mail.subject));
  await foyer.run(['jobs', 'run', 'policy']);
  await foyer.run(['jobs', 'run', 'mail']);
  assert.equal(announcements().filter((mail) => mail.to === email).length, 1);
});

test('who registers meanwhile, and has nothing that the change is about, is told nothing', async () => {
  const who = await withPhone('Eve');
  await foyer.run(['jobs', 'run', 'policy']);
  assert.ok(announcements().every((mail) => mail.to !== who.email));
  const jobs = await foyer.runJson(['jobs', 'list']);
  assert.equal(jobs.find((job) => job.name === 'policy').detail, 'nothing to do');
});
