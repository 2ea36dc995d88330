// Legal holds: placed with a reason and a day, seen by the person, stronger than a wish for erasure and than inactivity,
// reviewed, and lifted.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { member, password, setUp, signInToOffice } from '../support/flows.mjs';
import { Foyer } from '../support/foyer.mjs';

const DAY = 86400000;
const at = (days) => new Date(Date.now() + days * DAY).toISOString().replace(/\.\d+Z$/, 'Z');
const isoDay = (days) => new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Paris' }).format(Date.now() + days * DAY);
const inWords = (days) => new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Paris', day: 'numeric', month: 'long', year: 'numeric' }).format(Date.now() + days * DAY);

let foyer;
let office;
before(async () => {
  foyer = await Foyer.start({ workers: 2 });
  await setUp(foyer);
  office = await signInToOffice(foyer);
  await office.get('/manage/holds?lang=en');
});
after(() => foyer.stop());

const place = (fields) => office.submit('/manage/holds', '/manage/holds', fields);

async function job(days, ...flags) {
  const { code, stdout, stderr } = await foyer.run(['jobs', 'run', 'retention', '--at', at(days), '--json', ...flags]);
  assert.equal(code, 0, stderr);
  const { items } = JSON.parse(stdout);
  return (action, object) => items.find((item) => item.action === action && item.object === object)?.count ?? 0;
}

async function english() {
  const { who, visitor } = await member(foyer);
  await visitor.get('/account?lang=en');
  return { who, visitor };
}

test('a hold needs an account, a reason, and a day within a year', async () => {
  const { who } = await english();
  const good = { email: who.email, reason: 'A claim', review_on: isoDay(90) };
  for (const [change, wrong] of [[{ email: '' }, 'email'], [{ email: 'nobody@example.org' }, 'email'], [{ email: 'not an address' }, 'email'], [{ reason: ' ' }, 'reason'],
    [{ review_on: 'soon' }, 'review_on'], [{ review_on: isoDay(0) }, 'review_on'], [{ review_on: isoDay(400) }, 'review_on']]) {
    const refused = await place({ ...good, ...change });
    assert.deepEqual([refused.status, refused.wrong], [422, [wrong]], JSON.stringify(change));
  }
  assert.equal((await place(good)).status, 303);
  const again = await place(good);
  assert.deepEqual([again.status, again.wrong], [422, ['email']]);
  assert.match(again.words, /held already/);
});

test('what is held is not erased, the person sees why and until when, and goes once it is lifted', async () => {
  const { who, visitor } = await english();
  assert.doesNotMatch((await visitor.get('/account/erase')).words, /must be kept/);
  const placed = await place({ email: who.email, reason: 'Unpaid stay <12>,\nsee the file', review_on: isoDay(30) });
  assert.equal(placed.status, 303, placed.words);
  const page = await office.follow(placed);
  assert.ok(page.words.includes('Unpaid stay <12>') && page.words.includes(inWords(30)), page.words);
  assert.ok(!page.words.includes(who.email), 'nobody needs the name');

  const seen = await visitor.get('/account/erase');
  assert.ok(seen.words.includes('Unpaid stay <12>') && seen.words.includes(inWords(30)) && seen.words.includes('17(3)(e)'), seen.words);
  assert.equal((await visitor.submit('/account/erase', '/account/erase', { current_password: password })).status, 303, 'it can be asked for');

  for (const flags of [['--dry-run'], []]) {
    const report = await job(8, ...flags);
    assert.deepEqual([report('erase', 'accounts'), report('leave alone', 'accounts under a legal hold')], [0, 1]);
  }
  assert.equal((await visitor.get('/account')).status, 200, 'nothing was closed');
  const refused = await foyer.run(['person', 'erase', '--email', who.email, '--yes', '--now']);
  assert.equal(refused.code, 1);
  assert.ok(refused.stderr.includes('a legal hold is on this account') && refused.stderr.includes(isoDay(30)), refused.stderr);

  const path = placed.location.split('?')[0];
  const wrong = await office.submit(path, `${path}/review`, { review_on: isoDay(-1) });
  assert.deepEqual([wrong.status, wrong.wrong], [422, ['review_on']]);
  const later = await office.submit(path, `${path}/review`, { review_on: isoDay(200) });
  assert.ok((await office.follow(later)).words.includes(inWords(200)));
  const lifted = await office.submit(path, `${path}/lift`);
  assert.match((await office.follow(lifted)).words, /has been lifted/);
  assert.ok((await office.get('/manage/holds?state=lifted')).text.includes(`href="${path}"`));
  assert.ok(!(await office.get('/manage/holds')).text.includes(`href="${path}"`));
  const report = await job(8);
  assert.deepEqual([report('erase', 'accounts'), report('leave alone', 'accounts under a legal hold')], [1, 0]);
  assert.equal((await office.get(path)).status, 404, 'the hold went with the account');
});

test('who is held is not warned of inactivity', async () => {
  const { who } = await english();
  const before = (await job(672, '--dry-run'))('leave alone', 'accounts under a legal hold');
  assert.equal((await place({ email: who.email, reason: 'A claim', review_on: isoDay(90) })).status, 303);
  assert.equal((await job(672, '--dry-run'))('leave alone', 'accounts under a legal hold'), before + 1);
});
