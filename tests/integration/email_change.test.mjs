// Another address for an account, as its holder and others meet it: asked for with the password, confirmed in the new
// mailbox, told to the old one; who has an account is told by mail alone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isSignedIn, member, otherPassword, pathOf, person, register, signIn } from '../support/flows.mjs';
import { Foyer } from '../support/foyer.mjs';
import { linkIn } from '../support/mail.mjs';
import { sqlOf } from '../support/staff.mjs';
import { Visitor } from '../support/visitor.mjs';

let foyer;
let sql;
before(async () => {
  foyer = await Foyer.start({ workers: 2 });
  sql = sqlOf(foyer);
});
after(() => foyer.stop());

const ask = (visitor, who, email, more = {}) =>
  visitor.submit('/account/security', '/account/email', { new_email: email, email_password: who.password, ...more });
const linkTo = async (email) => pathOf(linkIn(await foyer.mailTo(email, (mail) => mail.text.includes('/email/confirm?token=')), '/email/confirm'));
const flat = (mail) => mail.text.replace(/\s+/g, ' ');
const message = (who) => new Visitor(foyer).submit('/contact', '/contact', { name: 'Zoé', email: who.email, subject: 'Clé', message: 'Perdue', consent: 'yes' });
const records = async (visitor, kind) => (await visitor.get('/api/v1/me/export')).json.records.filter((one) => one.record === kind);

test('one mailbox is not written to more often than others', async () => {
  const { who, visitor } = await member(foyer);
  const { email } = person();
  const answers = [];
  for (let i = 0; i < 8; i++) answers.push(await ask(visitor, who, email));
  assert.deepEqual(answers.slice(0, 6).map((one) => one.status), Array(6).fill(303), answers[5].words);
  assert.deepEqual([answers[7].status, answers[7].wrong], [422, ['new_email']]);
});

test('the address changes when the link in the new mailbox is followed and its button pressed', async () => {
  const { who, visitor } = await member(foyer);
  const { email } = person();
  const elsewhere = await signIn(foyer, who);
  assert.equal((await message(who)).status, 303);
  assert.match((await visitor.get('/account/profile')).text, /href="\/account\/security#email"/, 'who looks in the profile finds the way');
  const asked = await ask(visitor, who, email.replace('zoe', 'Zoe'));
  assert.equal(asked.status, 303, asked.words);
  const page = await visitor.follow(asked);
  assert.match(page.words, /Nous venons d’écrire à la nouvelle adresse/);
  assert.ok(page.words.includes(email.replace('zoe', 'Zoe')));

  const told = await foyer.mailTo(who.email, (mail) => /changement d.adresse/.test(mail.subject));
  assert.match(flat(told), /Rien n’a encore changé.* 48 heures/);
  assert.ok(linkIn(told, '/account/security') && linkIn(told, '/password/forgot'));
  assert.ok(!told.text.includes(email), 'the old mailbox is not told the new address');
  const link = await linkTo(email.replace('zoe', 'Zoe'));
  assert.equal(sql(`SELECT COUNT(*) FROM email_change WHERE LENGTH(email) > 0 AND email LIKE '%example%'`), '0', 'it is sealed');
  const [waiting] = await records(visitor, 'email_change');
  assert.equal(waiting.values[0].value, email.replace('zoe', 'Zoe'));

  const anywhere = new Visitor(foyer);
  const shown = await anywhere.get(link);
  assert.equal(shown.status, 200);
  assert.equal((await visitor.get('/api/v1/me')).json.email, who.email, 'opening the link changes nothing');
  const done = await anywhere.submit(shown, '/email/confirm');
  assert.equal(done.status, 200, done.words);
  assert.match(done.heading, /Votre adresse est changée/);
  assert.equal((await new Visitor(foyer).get(link)).status, 410, 'a link works once');
  assert.deepEqual([await isSignedIn(visitor), await isSignedIn(elsewhere)], [false, false]);
  const farewell = await foyer.mailTo(who.email, (mail) => /a été changée/.test(mail.subject));
  assert.ok(!farewell.text.includes(email));

  assert.equal((await new Visitor(foyer).submit('/login', '/login', who)).status, 422, 'the old address signs nobody in');
  const back = await signIn(foyer, { ...who, email });
  assert.equal((await back.get('/api/v1/me')).json.email, email.replace('zoe', 'Zoe'));
  assert.equal((await records(back, 'contact_message')).length, 1, 'what was written with the old address is found');
  assert.equal((await records(back, 'email_change')).length, 0);
  const { who: next } = await register(foyer, person({ email: who.email }));
  await foyer.mailTo(next.email, (mail) => mail.text.includes('/verify?token='));
});

test('in the browser that asked, the session goes on under another token', async () => {
  const { who, visitor } = await member(foyer);
  const { email } = person();
  const elsewhere = await signIn(foyer, who);
  const thief = new Visitor(foyer);
  for (const [name, value] of visitor.cookies) thief.cookies.set(name, value);
  await ask(visitor, who, email);
  const done = await visitor.submit(await linkTo(email), '/email/confirm');
  assert.deepEqual([done.status, done.location?.split('?')[0]], [303, '/account/security']);
  assert.match((await visitor.follow(done)).words, /Votre adresse est changée/);
  assert.deepEqual([await isSignedIn(visitor), await isSignedIn(elsewhere), await isSignedIn(thief)], [true, false, false]);
});

test('an address that has an account gets the same answer, and its holder a mail; the account stays', async () => {
  const { who: holder } = await member(foyer);
  const { who, visitor } = await member(foyer);
  const { email: free } = person();
  const words = async (email) => (await visitor.follow(await ask(visitor, who, email))).words.replaceAll(email, 'E').replace(/\d+ \p{L}+ \d{4} à [\d:]+/u, 'T');
  assert.equal(await words(holder.email), await words(free));
  const told = await foyer.mailTo(holder.email, (mail) => flat(mail).includes('pour un autre compte'));
  assert.doesNotMatch(told.text, /token=/);
  await linkTo(free);
  assert.equal(foyer.mails().filter((mail) => mail.to === holder.email && mail.text.includes('/email/confirm')).length, 0);
  await signIn(foyer, holder);
  assert.equal((await ask(visitor, who, who.email.toUpperCase())).status, 422, 'the own address is no other one');
});

test('a registration that nobody confirmed does not keep an address from its holder', async () => {
  const { who, visitor } = await member(foyer);
  const { who: stranger } = await register(foyer);
  await ask(visitor, who, stranger.email);
  assert.equal((await visitor.submit(await linkTo(stranger.email), '/email/confirm')).status, 303);
  assert.equal((await visitor.get('/api/v1/me')).json.email, stranger.email);
});

test('a wrong password asks for nothing, and a guess costs what one at sign-in does', async () => {
  const { who, visitor } = await member(foyer);
  const { email } = person();
  const wrong = await ask(visitor, who, email, { email_password: 'not this one at all' });
  assert.deepEqual([wrong.status, wrong.wrong], [422, ['email_password']]);
  assert.equal(wrong.form('/account/email').fields.new_email, email);
  assert.equal(wrong.form('/account/email').fields.email_password, '');
  const both = await ask(visitor, who, 'no address', { email_password: '' });
  assert.deepEqual([both.status, [...both.wrong].sort()], [422, ['email_password', 'new_email']]);
  let status;
  for (let i = 0; i < 10 && status !== 429; i++) ({ status } = await ask(visitor, who, email, { email_password: `wrong ${i}` }));
  assert.equal(status, 429);
  assert.equal(foyer.mails().some((mail) => mail.to === email), false);
});

test('what was asked is cancelled on the page, and by a new password', async () => {
  const { who, visitor } = await member(foyer);
  const { email } = person();
  await ask(visitor, who, email);
  const first = await linkTo(email);
  const cancelled = await visitor.submit('/account/security', '/account/email/cancel');
  const page = await visitor.follow(cancelled);
  assert.match(page.words, /Le changement d’adresse est annulé/);
  assert.ok(!page.words.includes(email));
  assert.equal((await new Visitor(foyer).get(first)).status, 410);
  assert.equal((await visitor.post('/account/email/cancel', { csrf: page.form('/account/email').fields.csrf })).status, 303, 'twice does no harm');

  await ask(visitor, who, email);
  await foyer.mailTo(email, (mail) => mail.text.includes('/email/confirm') && !mail.text.includes(first.split('token=')[1]));
  const changed = await visitor.submit('/account/security', '/account/password', { current_password: who.password, password: otherPassword });
  assert.equal(changed.status, 303, changed.words);
  assert.equal(sql('SELECT COUNT(*) FROM email_change c JOIN account a ON a.id = c.account_id WHERE a.password_changed_at > c.asked_at'), '0');
  assert.ok(!(await visitor.get('/account/security')).words.includes(email));
});

test('the API asks with the password, and takes it back', async () => {
  const { who, visitor } = await member(foyer);
  const { email } = person();
  const post = (body, headers = {}) => visitor.request('POST', '/api/v1/me/email', { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });
  const wrong = await post({ email, password: 'not this one' });
  assert.deepEqual([wrong.status, wrong.json.errors.map((one) => one.pointer)], [422, ['/password']]);
  assert.deepEqual((await post({ email: 'x' })).json.errors.map((one) => one.pointer).sort(), ['/email', '/password']);
  assert.equal((await post({ email, password: who.password }, { origin: 'https://evil.example' })).status, 403);
  const asked = await post({ email, password: who.password });
  assert.equal(asked.status, 202, asked.text);
  assert.equal(asked.json.email, email);
  assert.ok(Math.abs(Date.parse(asked.json.confirm_by) - Date.now() - 48 * 3600e3) < 60e3, asked.json.confirm_by);
  const link = await linkTo(email);
  assert.equal((await visitor.request('DELETE', '/api/v1/me/email')).status, 204);
  assert.equal((await visitor.request('DELETE', '/api/v1/me/email')).status, 404);
  assert.equal((await new Visitor(foyer).get(link)).status, 410);
  assert.equal((await new Visitor(foyer).request('DELETE', '/api/v1/me/email')).status, 401);
});

test('logs name neither address', async () => {
  const { who, visitor } = await member(foyer);
  const { email } = person();
  await ask(visitor, who, email);
  const link = await linkTo(email);
  await visitor.submit(link, '/email/confirm');
  for (const text of [who.email, email, link.split('token=')[1]])
    for (const log of [foyer.log(), foyer.readLog('access.log')]) assert.ok(!log.includes(text), text);
  assert.match(foyer.log(), /email_change\.confirmed/);
});
