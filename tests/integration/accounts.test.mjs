// The life of an account as its holder sees it: register, confirm, sign in, edit, change the password, sign out, and
// the mails in between. Sessions have a file of their own.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isSignedIn, member, otherPassword, password, pathOf, person, register, confirm, signIn } from '../support/flows.mjs';
import { Foyer } from '../support/foyer.mjs';
import { linkIn } from '../support/mail.mjs';
import { Visitor } from '../support/visitor.mjs';

let foyer;
before(async () => { foyer = await Foyer.start({ workers: 2 }); });
after(() => foyer.stop());

test('a person registers, confirms by mail, signs in, edits the profile, and signs out', async () => {
  const visitor = new Visitor(foyer);
  const { who, answer } = await register(foyer, person({ given_name: 'Aïcha', family_name: "d'Été <b>" }), visitor);
  assert.match(answer.words, new RegExp(who.email.replaceAll('.', '\\.')));

  const early = await visitor.submit('/login', '/login', who);
  assert.equal(early.status, 403, 'the right password does not sign in before the address is confirmed');
  assert.equal(await isSignedIn(visitor), false);

  const mail = await foyer.mailTo(who.email);
  const link = linkIn(mail, '/verify');
  assert.ok(link.startsWith(`${foyer.origin}/verify?token=`));
  assert.equal(mail.subject.length > 5, true);
  assert.match(mail.html, /\/verify\?token=/);
  assert.doesNotMatch(mail.text + mail.html, /Aïcha|Été/, 'an unconfirmed address gets no text that a stranger chose');

  const shown = await visitor.get(pathOf(link));
  assert.equal(shown.status, 200);
  assert.equal((await new Visitor(foyer).submit('/login', '/login', who)).status, 403, 'opening the link confirms nothing');
  const confirmed = await visitor.submit(shown, '/verify');
  assert.equal(confirmed.status, 200, confirmed.words);
  assert.equal((await visitor.get(pathOf(link))).status, 410, 'a link works once');

  const signedIn = await visitor.submit('/login', '/login', who);
  assert.deepEqual([signedIn.status, signedIn.location], [303, '/account']);
  const account = await visitor.follow(signedIn);
  assert.equal(account.status, 200);
  assert.match(account.heading, /Aïcha/);
  assert.ok(account.words.includes("d'Été <b>") && account.text.includes('&lt;b&gt;') && !account.text.includes('<b>'), 'names are escaped');
  assert.ok(account.words.includes(who.email));

  const profile = { phone: '+33 1 44 55 66 77', position: 'Logeuse', skills: 'Cuisine\r\nPiano', passions: 'Randonnée', language: 'fr',
    street_address: '12 rue de l’Ourcq', postal_code: '75019', address_level2: 'Paris', country: 'FR' };
  const saved = await visitor.submit('/account/profile', '/account/profile', profile);
  assert.equal(saved.status, 303, saved.words);
  const reread = (await visitor.follow(saved)).form('/account/profile').fields;
  for (const [name, value] of Object.entries(profile).filter(([name]) => name !== 'phone'))
    assert.equal(reread[name].replaceAll('\r\n', '\n'), value.replaceAll('\r\n', '\n'), name);
  assert.equal(reread.phone.replace(/[^+0-9]/g, ''), '+33144556677');

  const me = (await visitor.get('/api/v1/me')).json;
  assert.equal(me.email, who.email);
  assert.equal(me.address_level2, 'Paris');

  const out = await visitor.submit('/account', '/logout');
  assert.equal(out.status, 303);
  assert.equal(visitor.cookies.size, 0, 'the cookie is taken back');
  assert.equal((await visitor.get('/account')).status, 303);
  assert.equal(await isSignedIn(visitor), false);
});

test('two windows cannot overwrite each other: the second is shown the conflict with what it typed', async () => {
  const { visitor } = await member(foyer);
  const [one, two] = [await visitor.get('/account/profile'), await visitor.get('/account/profile')];
  assert.equal((await visitor.submit(one, '/account/profile', { position: 'first' })).status, 303);
  const late = await visitor.submit(two, '/account/profile', { position: 'second' });
  assert.equal(late.status, 409);
  assert.equal(late.form('/account/profile').fields.position, 'second');
  assert.equal((await visitor.get('/api/v1/me')).json.position, 'first', 'nothing was overwritten');
  assert.equal((await visitor.submit(late, '/account/profile')).status, 303, 'sent again with the fresh version it is taken');
  assert.equal((await visitor.get('/api/v1/me')).json.position, 'second');
});

test('a wrong profile is shown again with every field named, and nothing is saved', async () => {
  const { visitor } = await member(foyer);
  const answer = await visitor.submit('/account/profile', '/account/profile',
    { given_name: '', phone: 'call me', country: 'ZZ', language: 'xx', position: 'x'.repeat(5000) });
  assert.equal(answer.status, 422);
  for (const name of ['given_name', 'phone', 'country', 'position']) assert.ok(answer.wrong.includes(name), `${name} is named: ${answer.wrong}`);
  assert.match(answer.text, /<title>[^<]*(Erreur|Error)/i);
  assert.equal((await visitor.get('/api/v1/me')).json.given_name, 'Zoé');
});

test('PATCH /api/v1/me needs the version it changes', async () => {
  const { visitor } = await member(foyer);
  const first = await visitor.get('/api/v1/me');
  const patch = (body, headers) => visitor.request('PATCH', '/api/v1/me', { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } });
  assert.equal((await patch({ position: 'a' }, {})).status, 428);
  const done = await patch({ position: 'a' }, { 'if-match': first.headers.etag });
  assert.equal(done.status, 200, done.text);
  assert.equal(done.json.position, 'a');
  assert.notEqual(done.headers.etag, first.headers.etag);
  assert.equal((await patch({ position: 'b' }, { 'if-match': first.headers.etag })).status, 412);
  const wrong = await patch({ country: 'ZZ' }, { 'if-match': done.headers.etag });
  assert.equal(wrong.status, 422);
  assert.equal(wrong.headers['content-type'], 'application/problem+json');
  assert.match(wrong.json.detail, /\.$/);
  assert.deepEqual(wrong.json.errors.map((one) => one.pointer), ['/country']);
  const listed = await patch(['a'], { 'if-match': done.headers.etag });
  assert.deepEqual([listed.status, listed.json.detail], [400, 'The body is not a JSON object.']);
  const form = await patch({}, { 'if-match': done.headers.etag, 'content-type': 'text/plain' });
  assert.deepEqual([form.status, form.json.detail], [415, 'The body must be JSON: application/json or application/merge-patch+json.']);
  const other = await patch({ position: 'c' }, { 'if-match': done.headers.etag, origin: 'https://evil.example' });
  assert.equal(other.status, 403, 'another site cannot use the cookie');
});

test('registering a known address shows the same page; its holder hears of it by mail', async () => {
  const { who } = await member(foyer);
  const fresh = person();
  const known = await new Visitor(foyer).submit('/register', '/register', { ...fresh, email: who.email });
  const unknown = await new Visitor(foyer).submit('/register', '/register', fresh);
  assert.deepEqual([known.status, unknown.status], [200, 200]);
  assert.equal(known.words.replaceAll(who.email, 'E'), unknown.words.replaceAll(fresh.email, 'E'));
  const told = await foyer.mailTo(who.email, (mail) => mail.text.includes('/login'));
  assert.doesNotMatch(told.text, /\/verify\?token=/);
  assert.equal((await new Visitor(foyer).submit('/login', '/login', who)).status, 303, 'the password of the account is the old one');
  const upper = await new Visitor(foyer).submit('/register', '/register', { ...fresh, email: who.email.replace('zoe', 'ZOE').replace('example.org', 'EXAMPLE.ORG') });
  assert.equal(upper.status, 200);
});

test('a form with mistakes names each field and keeps what was typed, but never the password', async () => {
  const visitor = new Visitor(foyer);
  const answer = await visitor.submit('/register', '/register', { given_name: 'Ann', family_name: '', email: 'no address', password: 'short' });
  assert.equal(answer.status, 422);
  assert.deepEqual([...answer.wrong].sort(), ['email', 'family_name', 'password']);
  const { fields } = answer.form('/register');
  assert.equal(fields.given_name, 'Ann');
  assert.equal(fields.email, 'no address');
  assert.equal(fields.password, '');
  assert.doesNotMatch(answer.text, /value="short"/);
});

test('a name that nobody can see is no name', async () => {
  for (const name of ['\u3164', 'Zo\u2800é', '\u200d', '\ue001', '\uffa0\u115f']) {
    const answer = await new Visitor(foyer).submit('/register', '/register', person({ given_name: name, family_name: name }));
    assert.equal(answer.status, 422, escape(name));
    assert.deepEqual([...answer.wrong].sort(), ['family_name', 'given_name']);
    assert.match(answer.words, /caractères qui ne s.affichent pas/);
  }
});

test('weak passwords are refused: short, common, and the person’s own name', async () => {
  for (const weak of ['abc', 'aaaaaaaaaaaaaaaaaaaa', 'password1234', '12345678901234567890']) {
    const answer = await new Visitor(foyer).submit('/register', '/register', person({ password: weak }));
    assert.equal(answer.status, 422, weak);
    assert.deepEqual(answer.wrong, ['password'], weak);
  }
  const who = person();
  const own = await new Visitor(foyer).submit('/register', '/register', { ...who, password: who.email });
  assert.equal(own.status, 422);
});

test('a forgotten password: the same page for everybody, one link, all sessions ended', async () => {
  const { who, visitor } = await member(foyer);
  const stranger = person();
  const ask = (email) => new Visitor(foyer).submit('/password/forgot', '/password/forgot', { email });
  const known = await ask(who.email);
  const unknown = await ask(stranger.email);
  assert.deepEqual([known.status, unknown.status], [200, 200]);
  assert.equal(known.words.replaceAll(who.email, 'E'), unknown.words.replaceAll(stranger.email, 'E'));

  const mail = await foyer.mailTo(who.email, (one) => one.text.includes('/password/reset?token='));
  const path = pathOf(linkIn(mail, '/password/reset'));
  assert.equal(foyer.mails().some((one) => one.to === stranger.email), false, 'no mail goes to an address without an account');
  const weak = await new Visitor(foyer).submit(path, '/password/reset', { password: 'short' });
  assert.equal(weak.status, 422);
  const done = await new Visitor(foyer).submit(weak, '/password/reset', { password: otherPassword });
  // The page of another visitor was used: its form token belongs to a cookie that this visitor does not have.
  assert.equal(done.status, 409);
  const fresh = new Visitor(foyer);
  const reset = await fresh.submit(path, '/password/reset', { password: otherPassword });
  assert.equal(reset.status, 200, reset.words);
  assert.equal(await isSignedIn(visitor), false, 'whoever was signed in with the old password is out');
  assert.equal((await new Visitor(foyer).get(path)).status, 410, 'the link works once');
  assert.equal((await new Visitor(foyer).submit('/login', '/login', who)).status, 422);
  await signIn(foyer, { ...who, password: otherPassword });
});

test('a changed password ends the other sessions, gives this one a new token, and is told by mail', async () => {
  const { who, visitor: here } = await member(foyer);
  const there = await signIn(foyer, who);
  const thief = new Visitor(foyer);
  for (const [name, value] of here.cookies) thief.cookies.set(name, value);
  const page = await here.get('/account/security');
  const fields = page.form('/account/password').fields;
  const field = Object.keys(fields).find((name) => /password/.test(name) && name !== 'current_password');
  const wrong = await here.submit(page, '/account/password', { current_password: 'not this one at all', [field]: otherPassword });
  assert.equal(wrong.status, 422);
  assert.ok(wrong.wrong.includes('current_password'));
  assert.equal(await isSignedIn(there), true);
  const changed = await here.submit('/account/security', '/account/password', { current_password: who.password, [field]: otherPassword });
  assert.equal(changed.status, 303, changed.words);
  assert.equal(await isSignedIn(here), true);
  assert.equal(await isSignedIn(there), false);
  assert.equal(await isSignedIn(thief), false, 'a copy of the cookie is worth nothing any more');
  assert.equal((await here.get('/api/v1/me/sessions')).json.sessions.length, 1);
  await foyer.mailTo(who.email, (mail) => mail.text.includes('/password/forgot'));
  await signIn(foyer, { ...who, password: otherPassword });
});

// That both cost one hash is test_hasher.c's: a time would depend on what else the machine does.
test('an unknown account and a wrong password get the same answer', async () => {
  const { who } = await member(foyer);
  const attempt = (email) => new Visitor(foyer).submit('/login', '/login', { email, password: 'not the password' });
  const stranger = person();
  const [known, unknown] = [await attempt(who.email), await attempt(stranger.email)];
  assert.deepEqual([known.status, unknown.status], [422, 422]);
  assert.equal(known.words.replaceAll(who.email, 'E'), unknown.words.replaceAll(stranger.email, 'E'));
});

test('after many failures an account asks for patience, whoever knocks, and says how long', async () => {
  const { who } = await member(foyer);
  let answer;
  for (let i = 0; i < 40; i++) {
    answer = await new Visitor(foyer).submit('/login', '/login', { email: who.email, password: `wrong ${i}` });
    if (answer.status === 429) break;
    assert.equal(answer.status, 422);
  }
  assert.equal(answer.status, 429);
  assert.ok(Number(answer.headers['retry-after']) > 0);
});

test('a link that was never made, or was cut in the mail, is answered with a way to a new one', async () => {
  for (const path of ['/verify', '/verify?token=', '/verify?token=abc', `/verify?token=${'A'.repeat(43)}`, '/password/reset?token=x', '/setup?token=x']) {
    const answer = await new Visitor(foyer).get(path);
    assert.equal(answer.status, 410, path);
    assert.match(answer.text, /<h1/);
  }
  const { who } = await register(foyer);
  await foyer.mailTo(who.email);
  const before = foyer.mails().length;
  const again = await new Visitor(foyer).submit('/verify', '/verify/again', { email: who.email });
  assert.equal(again.status, 200, again.words);
  await foyer.mailTo(who.email, () => foyer.mails().length > before);
  await confirm(foyer, who);
});

test('the consent given with the confirmation is kept, shown and withdrawn', async () => {
  const { visitor } = await member(foyer, {}, undefined, { market_research: 'yes' });
  const page = await visitor.get('/account/privacy');
  assert.equal(page.form('/account/privacy').fields.market_research, 'yes');
  const withdrawn = await visitor.post('/account/privacy', { csrf: page.form('/account/privacy').fields.csrf });
  assert.equal(withdrawn.status, 303);
  assert.equal((await visitor.get('/account/privacy')).form('/account/privacy').fields.market_research, undefined);
  const other = await member(foyer);
  assert.equal((await other.visitor.get('/account/privacy')).form('/account/privacy').fields.market_research, undefined, 'not ticked is not given');
  assert.equal(password.length > 12, true);
});

test('a browser that opts out is told what that means, and consents to nothing', async () => {
  const gpc = { headers: { 'sec-gpc': '1' } };
  const ticked = (answer) => answer.form('/account/privacy').fields.market_research;
  const who = person();
  await register(foyer, who, new Visitor(foyer, gpc));
  const link = pathOf(linkIn(await foyer.mailTo(who.email), '/verify'));
  const page = await new Visitor(foyer, gpc).get(link);
  assert.match(page.words, /Global Privacy Control/);
  assert.doesNotMatch(page.text, /name="market_research"/);
  assert.doesNotMatch((await new Visitor(foyer).get(link)).words, /Global Privacy Control/);
  await confirm(foyer, who, new Visitor(foyer, gpc), { market_research: 'yes' });
  const visitor = await signIn(foyer, who, new Visitor(foyer, gpc));
  const privacy = await visitor.get('/account/privacy');
  assert.match(privacy.words, /Global Privacy Control/);
  assert.doesNotMatch(privacy.text, /name="market_research"/);
  await visitor.submit(privacy, '/account/privacy', { market_research: 'yes' });
  const { visitor: other } = await member(foyer, {}, undefined, { market_research: 'yes' });
  visitor.headers['sec-gpc'] = '0';
  assert.equal(ticked(await visitor.get('/account/privacy')), undefined, 'nothing was kept');
  other.headers['sec-gpc'] = '1';
  const given = await other.get('/account/privacy');
  assert.equal(ticked(given), 'yes', 'what was given before can be seen');
  await other.submit(given, '/account/privacy', { market_research: undefined });
  assert.doesNotMatch((await other.get('/account/privacy')).text, /name="market_research"/, 'and withdrawn');
});

test('logs say what happened, and name nobody', async () => {
  const { who, visitor } = await member(foyer, { given_name: 'Xanthippe' });
  await visitor.get('/account');
  const logs = foyer.log();
  assert.ok(logs.length > 0);
  for (const text of [who.email, 'Xanthippe', who.password, [...visitor.cookies.values()][0].slice(0, 43)])
    assert.ok(!logs.includes(text), `foyer.log does not hold ${text}`);
  assert.ok(!foyer.readLog('access.log').includes(who.email));
  assert.ok(!foyer.readLog('access.log').includes([...visitor.cookies.values()][0].slice(0, 43)));
});

test('nobody gets an account by having its holder confirm a password of theirs', async () => {
  const holder = person();
  const stranger = { ...holder, password: 'the stranger chose this one 71' };
  await new Visitor(foyer).submit('/register', '/register', stranger);
  const first = await foyer.mailTo(holder.email, (mail) => mail.text.includes('/verify?token='));
  await new Visitor(foyer).submit('/register', '/register', holder);
  const second = await foyer.mailTo(holder.email, (mail) => mail.text.includes('/password/reset?token='));
  const token = (mail, path) => mail.text.match(new RegExp(`${path}\\?token=([\\w-]+)`))[1];
  const confirming = new Visitor(foyer);
  await confirming.submit(`/verify?token=${token(first, '/verify')}`, '/verify', { token: token(first, '/verify') });
  const refused = await new Visitor(foyer).submit('/login', '/login', { email: holder.email, password: stranger.password });
  assert.equal(refused.status, 422, 'the stranger must stay outside');
  const choosing = new Visitor(foyer);
  const reset = token(second, '/password/reset');
  const chosen = await choosing.submit(`/password/reset?token=${reset}`, '/password/reset', { token: reset, password: holder.password });
  assert.equal(chosen.status, 200, chosen.words);
  await signIn(foyer, holder);
});

// What a stranger ticks with somebody else's address is not the holder's decision, however the holder comes to the account.
test('a consent that a stranger gave with the address of another counts for nobody', async () => {
  const consents = async (visitor) => {
    const { fields } = (await visitor.get('/account/privacy')).form('/account/privacy');
    return [fields.market_research, (await visitor.get('/api/v1/me/export')).json.records.filter((one) => one.record === 'consent').length];
  };
  const strange = async (who) => {
    const visitor = new Visitor(foyer);
    const { fields } = (await visitor.get('/register')).form('/register');
    const answer = await visitor.post('/register', { ...fields, ...who, password: 'the stranger chose this one 71', market_research: 'yes' });
    assert.equal(answer.status, 200, answer.words);
  };

  const twice = person();
  await strange(twice);
  await register(foyer, twice, new Visitor(foyer, { headers: { 'sec-gpc': '1' } }));
  const mail = await foyer.mailTo(twice.email, (one) => one.text.includes('/password/reset?token='));
  const chosen = await new Visitor(foyer).submit(pathOf(linkIn(mail, '/password/reset')), '/password/reset', { password: twice.password });
  assert.equal(chosen.status, 200, chosen.words);
  assert.deepEqual(await consents(await signIn(foyer, twice)), [undefined, 0], 'not after the holder registered, too');

  const once = person();
  await strange(once);
  await confirm(foyer, once);
  assert.deepEqual(await consents(await signIn(foyer, { ...once, password: 'the stranger chose this one 71' })), [undefined, 0],
    'not after the holder merely confirmed');
});
