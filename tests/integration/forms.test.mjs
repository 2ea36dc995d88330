// What stands between a form and what it changes: the form token, the origin, the consent box, the language it is
// read in; and the way of a contact message from the visitor to the staff.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isSignedIn, member, owner, person, setUp, signIn, signInToOffice } from '../support/flows.mjs';
import { Foyer } from '../support/foyer.mjs';
import { Visitor } from '../support/visitor.mjs';
import { until } from '../support/wait.mjs';

let foyer;
let office;

before(async () => {
  foyer = await Foyer.start({ workers: 2 });
  await setUp(foyer);
  office = await signInToOffice(foyer);
});
after(() => foyer.stop());

const message = (more = {}) => ({ name: 'Paul Ô’Brien', email: 'paul@example.org', subject: 'Une chambre <à> louer', message: 'Bonjour,\r\n\r\nest-elle libre ?\r\n.\r\nFin', consent: 'yes', ...more });

test('a form without its token, with another’s, or twice, changes nothing', async () => {
  const { visitor } = await member(foyer);
  const { visitor: other } = await member(foyer);
  const { fields } = (await visitor.get('/account/profile')).form('/account/profile');
  const foreign = (await other.get('/account/profile')).form('/account/profile').fields.csrf;
  for (const csrf of [undefined, '', 'x', 'A'.repeat(43), foreign, `${fields.csrf}x`]) {
    const answer = await visitor.post('/account/profile', { ...fields, position: 'forged', csrf });
    assert.equal(answer.status, 409, `csrf=${csrf}`);
    assert.match(answer.text, /<h1/);
  }
  const twice = await visitor.post('/account/profile', `csrf=${fields.csrf}&csrf=${fields.csrf}&version=${fields.version}&position=forged`);
  assert.equal(twice.status, 400);
  assert.equal((await visitor.get('/api/v1/me')).json.position, '');
  for (const [path, action] of [['/login', '/login'], ['/register', '/register'], ['/contact', '/contact'], ['/password/forgot', '/password/forgot']]) {
    const stranger = new Visitor(foyer);
    assert.equal((await stranger.post(action, { ...person(), ...message() })).status, 409, `${action} without a visit to ${path}`);
  }
});

test('a form that another site sends is refused, with the right token, too', async () => {
  const { visitor } = await member(foyer);
  const send = (headers) => visitor.submit('/account/profile', '/account/profile', { position: 'forged' }, { headers });
  for (const headers of [{ origin: 'https://evil.example' }, { origin: foyer.origin.replace('http:', 'https:').replace(/\d+$/, '1') },
    { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }])
    assert.equal((await send(headers)).status, 403, JSON.stringify(headers));
  assert.equal((await visitor.get('/api/v1/me')).json.position, '');
  for (const headers of [{ origin: foyer.origin }, { 'sec-fetch-site': 'same-origin', origin: foyer.origin }, {}])
    assert.equal((await send(headers)).status, 303, JSON.stringify(headers));
});

test('signing out needs the token, too, and GET does not do it', async () => {
  const { visitor } = await member(foyer);
  assert.equal((await visitor.post('/logout', {})).status, 409);
  assert.equal((await visitor.get('/logout')).status, 405);
  assert.equal(await isSignedIn(visitor), true);
});

test('after signing in one is where one wanted to be, and nowhere else', async () => {
  const { who } = await member(foyer);
  const visitor = new Visitor(foyer);
  const asked = await visitor.get('/account/profile');
  assert.equal(asked.status, 303);
  const page = await visitor.follow(asked);
  const answer = await visitor.submit(page, '/login', who);
  assert.equal(answer.location, '/account/profile');
  for (const next of ['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)', '\t//evil.example']) {
    const tempted = new Visitor(foyer);
    const result = await tempted.submit(await tempted.get(`/login?next=${encodeURIComponent(next)}`), '/login', { ...who, next });
    assert.equal(result.status, 303, next);
    assert.equal(result.location, '/account', next);
    assert.equal(result.headers['set-cookie'].length, 1);
  }
  for (const next of ['/logout', '/logout?x=1', '/nowhere', '/account/password', '/api/v1/me', '/manage/sessions', '/healthz']) {
    const result = await new Visitor(foyer).submit(`/login?next=${encodeURIComponent(next)}`, '/login', who);
    assert.deepEqual([result.status, result.location], [303, '/account'], next);
  }
  for (const next of ['/manage/logout', '/account', '/manage/login'])
    assert.equal((await new Visitor(foyer).submit(`/manage/login?next=${encodeURIComponent(next)}`, '/manage/login', owner)).location, '/manage/sessions', next);
  assert.equal((await new Visitor(foyer).submit('/manage/login?next=/manage/contact?state=open', '/manage/login', owner)).location, '/manage/contact?state=open');
  const split = new Visitor(foyer);
  const refused = await split.submit('/login', '/login', { ...who, next: '/x\r\nSet-Cookie: a=b' });
  assert.equal(refused.status, 422);
  assert.equal(split.cookies.has('a'), false);
});

test('a page says only what happened on it', async () => {
  const { visitor } = await member(foyer);
  const says = async (who, path) => /class="notice/.test((await who.get(path)).text);
  const said = ['password_changed', 'profile_saved', 'consent_given', 'others_ended&n=3', 'signed_out', 'setup_done', 'sessions_ended&n=3', 'job_done', 'sign_in_needed', 'session_ended'];
  const belongs = { '/account/profile': ['profile_saved'], '/account/security': ['password_changed', 'others_ended&n=3'], '/account/privacy': ['consent_given'] };
  for (const [path, own] of Object.entries(belongs))
    for (const what of said) assert.equal(await says(visitor, `${path}?said=${what}`), own.includes(what), `${path} ${what}`);
  for (const what of said) {
    assert.equal(await says(new Visitor(foyer), `/login?said=${what}`), what === 'signed_out', what);
    assert.equal(await says(office, `/manage/sessions?said=${what}`), what === 'sessions_ended&n=3', what);
  }
});

test('a contact message needs the box; with it, it is stored, acknowledged, listed, and changes state', async () => {
  const visitor = new Visitor(foyer);
  const without = await visitor.submit('/contact', '/contact', message({ consent: undefined }));
  assert.equal(without.status, 422);
  assert.deepEqual(without.wrong, ['consent']);
  assert.equal(without.form('/contact').fields.subject, message().subject, 'what was typed stays');

  const sent = await visitor.submit(without, '/contact', { consent: 'yes' });
  assert.equal(sent.status, 303, sent.words);
  const done = await visitor.follow(sent);
  const reference = new URL(sent.location, foyer.origin).searchParams.get('reference');
  assert.ok(done.words.includes(reference));
  const mail = await foyer.mailTo('paul@example.org', (one) => one.raw.includes(reference));
  assert.ok(!mail.text.includes('est-elle libre') && !mail.subject.includes('chambre'), 'the form carries no text to strangers');

  const list = await office.get('/manage/contact?state=open');
  for (const sealed of ['Une chambre', 'Paul Ô’Brien', 'paul@example.org']) assert.ok(!list.words.includes(sealed), 'the list opens nothing');
  const [, id] = list.text.match(new RegExp(`href="/manage/contact/(\\d+)"[^>]*>${reference}<`));
  const shown = await office.get(`/manage/contact/${id}`);
  assert.ok(shown.words.includes('Une chambre <à> louer') && shown.words.includes('Paul Ô’Brien') && shown.words.includes('est-elle libre ?'));
  assert.match(shown.text, /\d{4}-\d{2}/, 'which wording of the box was ticked');
  assert.doesNotMatch(shown.text, /<à>/);
  const answered = await office.submit(shown, `/manage/contact/${id}/state`, { state: 'answered' });
  assert.equal(answered.status, 303);
  assert.ok(!(await office.get('/manage/contact?state=open')).text.includes(`/manage/contact/${id}"`));
  assert.ok((await office.get('/manage/contact?state=answered')).text.includes(`/manage/contact/${id}"`));
  assert.equal((await office.submit(`/manage/contact/${id}`, `/manage/contact/${id}/state`, { state: 'nonsense' })).status, 400);
  for (const path of ['/manage/contact/999999', '/manage/contact/0', '/manage/contact/-1', '/manage/contact/x', '/manage/contact/99999999999999999999'])
    assert.equal((await office.get(path)).status, 404, path);
  assert.equal((await office.get('/manage/contact?state=nonsense')).status, 400);
});

test('a message that is sent twice from one page arrives once', async () => {
  const subject = `twice-${process.pid}`;
  const visitor = new Visitor(foyer);
  const before = Number((await office.get('/manage/contact')).text.match(/<caption[^>]*>(\d+)/)?.[1] ?? 0);
  const page = await visitor.get('/contact');
  const both = await Promise.all([0, 1, 2].map(() => visitor.submit(page, '/contact', message({ subject }))));
  both.push(await visitor.submit(page, '/contact', message({ subject })));
  assert.deepEqual(both.map((one) => [one.status, one.location]), both.map(() => [303, both[0].location]));
  const count = async () => Number((await office.get('/manage/contact')).text.match(/<caption[^>]*>(\d+)/)[1]);
  assert.equal(await count(), before + 1);
  const changed = await visitor.submit(page, '/contact', message({ subject: `${subject}, again` }));
  assert.notEqual(changed.location, both[0].location, 'other words are another message');
  assert.notEqual((await visitor.submit('/contact', '/contact', message({ subject }))).location, both[0].location, 'and so is another page');
  assert.equal(await count(), before + 3);
});

test('each field of the contact form is judged, and none can write into the mail’s head', async () => {
  const visitor = new Visitor(foyer);
  const wrong = await visitor.submit('/contact', '/contact', message({ name: '', email: 'x', subject: 's'.repeat(201), message: '' }));
  assert.equal(wrong.status, 422);
  assert.deepEqual([...wrong.wrong].sort(), ['email', 'message', 'name', 'subject']);
  const before = foyer.mails().length;
  for (const evil of [{ email: 'paul@example.org\r\nBcc: victim@example.org' }, { email: 'paul@example.org, victim@example.org' }, { email: 'paul@example.org%0ABcc: victim@example.org' }]) {
    const answer = await visitor.submit('/contact', '/contact', message(evil));
    assert.equal(answer.status, 422, JSON.stringify(evil));
    assert.ok(answer.wrong.includes('email'));
  }
  const subject = await visitor.submit('/contact', '/contact', message({ subject: 'a\r\nBcc: victim@example.org', email: 'mallory@example.org' }));
  if (subject.status === 303) await foyer.mailTo('mallory@example.org');
  for (const mail of foyer.mails().slice(before)) {
    assert.doesNotMatch(mail.raw, /^Bcc:/im);
    assert.ok(!mail.raw.includes('victim@'));
  }
});

test('no form is a way to flood a stranger with mail', async () => {
  const victim = `victim.${process.pid}@example.org`;
  const who = person({ email: victim });
  await member(foyer, who);
  const before = foyer.mails().filter((mail) => mail.to === victim).length;
  const crowd = Array.from({ length: 8 }, () => new Visitor(foyer));
  for (const one of crowd) {
    assert.equal((await one.submit('/contact', '/contact', message({ email: victim }))).status, 303);
    assert.equal((await one.submit('/register', '/register', who)).status, 200);
  }
  const mails = () => foyer.mails().filter((mail) => mail.to === victim).slice(before);
  await until('the mails that may go', () => mails().length === 6);
  await foyer.run(['jobs', 'run', 'mail']);
  assert.equal(mails().length, 6);
  // Nothing of it hurts the holder, who signs in and can have a link.
  await signIn(foyer, who);
  for (const one of crowd) assert.equal((await one.submit('/password/forgot', '/password/forgot', { email: victim })).status, 200);
  await until('the links', () => mails().filter((mail) => mail.text.includes('/password/reset?')).length === 6);
  await foyer.run(['jobs', 'run', 'mail']);
  assert.equal(mails().length, 12);
});

test('many messages at once are all stored, once each', async () => {
  const tag = `rush-${process.pid}`;
  const visitors = await Promise.all(Array.from({ length: 12 }, async () => { const one = new Visitor(foyer); await one.get('/contact'); return one; }));
  const answers = await Promise.all(visitors.map((visitor, i) => visitor.submit(visitor.last, '/contact', message({ subject: `${tag}-${i}-end` }))));
  assert.deepEqual(answers.map((one) => one.status), answers.map(() => 303));
  let text = '';
  let path = '/manage/contact';
  while (path) {
    const page = await office.get(path);
    text += page.text;
    path = page.text.match(/href="(\/manage\/contact\?[^"]*cursor=[^"]+)"/)?.[1].replaceAll('&amp;', '&');
  }
  for (const { location } of answers) assert.equal(text.split(`>${new URL(location, foyer.origin).searchParams.get('reference')}<`).length - 1, 1, `${location} is there once`);
});

test('the language follows Accept-Language, a choice sticks, and an account has its own', async () => {
  const english = new Visitor(foyer, { headers: { 'accept-language': 'en-GB,en;q=0.9,fr;q=0.5' } });
  assert.equal((await english.get('/login')).language, 'en');
  assert.equal((await new Visitor(foyer).get('/login')).language, 'fr', 'French where nobody says');
  assert.equal((await new Visitor(foyer, { headers: { 'accept-language': 'de, *;q=0.1' } }).get('/')).language, 'fr');
  assert.equal((await new Visitor(foyer, { headers: { 'accept-language': 'en;q=0.1, fr;q=0.9' } }).get('/')).language, 'fr');

  assert.equal((await english.get('/?lang=fr')).language, 'fr');
  assert.equal((await english.get('/contact')).language, 'fr', 'a choice sticks');
  assert.equal(english.cookies.size, 1, 'no cookie of its own');
  const page = await english.get('/login');
  assert.match(page.text, /href="[^"]*lang=en"/);
  assert.equal((await english.get('/login?lang=en')).language, 'en');
  assert.equal((await english.get('/nowhere')).status, 404);

  const { visitor, who } = await member(foyer);
  assert.equal((await visitor.submit('/account/profile', '/account/profile', { language: 'en' })).status, 303);
  const there = new Visitor(foyer, { headers: { 'accept-language': 'fr' } });
  await there.submit('/login', '/login', who);
  assert.equal((await there.get('/account')).language, 'en', 'the account’s language wins over the browser’s');
  assert.equal((await there.get('/account?lang=fr')).language, 'fr');
  assert.equal((await there.get('/account/security')).language, 'fr');
});

test('mails are written in the language of their reader', async () => {
  const visitor = new Visitor(foyer, { headers: { 'accept-language': 'en' } });
  const who = person();
  await visitor.submit('/register', '/register', who);
  const mail = await foyer.mailTo(who.email);
  assert.match(mail.html, /<html lang="en"/);
  assert.ok(mail.fields.date && mail.fields['message-id']);
  assert.equal(mail.fields['mime-version'], '1.0');
});

test('the office shows its jobs, and runs one', async () => {
  const page = await office.get('/manage/jobs');
  assert.equal(page.status, 200);
  const names = page.forms.filter((form) => form.action === '/manage/jobs/run').map((form) => form.fields.name);
  assert.ok(names.includes('purge'), names.join());
  const form = page.forms.find((one) => one.fields.name === 'purge');
  const ran = await office.post('/manage/jobs/run', form.fields);
  assert.equal(ran.status, 303);
  assert.equal((await office.follow(ran)).status, 200);
  // What the runs did is told in the reader's language.
  const said = async (lang) => (await office.get(`/manage/jobs?lang=${lang}`)).words;
  assert.match(await said('en'), /nothing to do|deleted \d+/);
  assert.doesNotMatch(await said('fr'), /nothing to do|deleted|delete\|/);
  assert.match(await said('fr'), /rien à faire|supprimé : \d+/);
  assert.equal((await office.post('/manage/jobs/run', { ...form.fields, name: 'nonsense' })).status, 404);
});
