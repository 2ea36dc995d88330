// People whom a member enters, a school its students: told who entered them and what is held, by a link that needs no
// account; corrected, restricted and erased by themselves; erased where they cannot be told. GDPR Articles 14 to 21.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { member, password, pathOf, person, register } from '../support/flows.mjs';
import { Foyer, sanitized } from '../support/foyer.mjs';
import { linkIn } from '../support/mail.mjs';
import { MailServer } from '../support/smtp.mjs';
import { Visitor } from '../support/visitor.mjs';
import { until } from '../support/wait.mjs';

const DAY = 86400000;
const slower = sanitized ? 4 : 1;
const school = { given_name: 'Claire', family_name: 'Dupont' };

let foyer;
before(async () => { foyer = await Foyer.start({ workers: 2, env: { FOYER__SITE__DPO_CONTACT: 'dpo@example.org' } }); });
after(() => foyer.stop());

const sqlOf = (server) => (text) => execFileSync('mariadb', ['--no-defaults', `--socket=${server.state}/run/mariadb.sock`, '-ufoyer', 'foyer', '-Ne', text], { encoding: 'utf8' }).trim();
const sql = (text) => sqlOf(foyer)(text);
const at = (days) => new Date(Date.now() + days * DAY).toISOString().replace(/\.\d+Z$/, 'Z');
const bornYearsAgo = (years) => `${new Date().getUTCFullYear() - years}-01-02`;

let count = 0;
function student(more = {}) {
  count++;
  return { given_name: 'Mei', family_name: 'Wang', email: `mei.${process.pid}.${count}@example.org`, birth_date: '2001-05-17', language: 'fr', what_for: 'Séjour linguistique', ...more };
}
function child(more = {}) {
  return student({ email: '', birth_date: bornYearsAgo(12), adult_given_name: 'Lan', adult_family_name: 'Wang', adult_email: `lan.${process.pid}.${count}@example.org`, ...more });
}

const NEW = '/account/people/new';
async function enter(visitor, who) {
  const answer = await visitor.submit(NEW, NEW, who);
  assert.equal(answer.status, 303, answer.words);
  const list = await visitor.follow(answer);
  return Number(list.text.match(/href="\/account\/people\/(\d+)"/)[1]);
}

const noticeTo = (address, server = foyer) => server.mailTo(address, (mail) => mail.text.includes('/notice?token='));
async function given(more = {}) {
  const { who: provider, visitor } = await member(foyer, school);
  const who = student(more);
  const id = await enter(visitor, who);
  const mail = await noticeTo(who.adult_email || who.email);
  return { provider, visitor, who, id, mail, link: pathOf(linkIn(mail, '/notice')) };
}

async function retention(days, ...flags) {
  const { code, stdout, stderr } = await foyer.run(['jobs', 'run', 'retention', '--at', at(days), '--json', ...flags]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}
const erasedOf = (report, object) => report.items.find((item) => item.action === 'erase' && item.object === object)?.count ?? 0;

const words = {
  fr: { subject: /^Nous avons reçu vos données/, school: /Claire Dupont vous a inscrit/, source: /Ces données viennent de Claire Dupont/, purpose: 'contractualisation', basis: 'intérêt légitime', kept: /2 ans après/,
    corrected: /C’est corrigé/, taken: /Corrigée par la personne/, objected: /plus personne ne se sert/, restricted: /La personne s’oppose/, confirm: /Cochez la case/, erased: /C’est effacé/, gone: /ne fonctionne plus/, bye: /^Vos données ont été effacées/ },
  en: { subject: /^We have received your data/, school: /Claire Dupont has entered you/, source: /These data come from Claire Dupont/, purpose: 'contractualisation', basis: 'legitimate interest', kept: /2 years after/,
    corrected: /It is corrected/, taken: /Corrected by the person/, objected: /nobody uses these data/, restricted: /The person objects/, confirm: /Tick the box/, erased: /It is erased/, gone: /no longer works/, bye: /^Your data have been erased/ },
};

for (const language of ['fr', 'en']) {
  test(`a person who was entered is told, sees everything, corrects, objects and erases (${language})`, async () => {
    const w = words[language];
    const { provider, visitor, who, id, mail, link } = await given({ language, what_for: 'Séjour <b>à Paris</b>' });
    if (language === 'en') await visitor.get('/account?lang=en');

    // The notice: who, what, why, how long, rights, complaint; and nothing that the provider could have written but names.
    assert.match(mail.subject, w.subject);
    for (const part of [w.school, w.kept, /Mei/, /CNIL/, /dpo@example\.org/, /RGPD|GDPR/]) assert.match(mail.text, part);
    for (const part of [w.purpose, w.basis]) assert.ok(mail.text.includes(part), mail.text);
    assert.ok(!mail.text.includes('Paris</b>') && !mail.text.includes(provider.email) && !mail.text.includes('2001'), 'no more than that');
    assert.equal([...mail.text.matchAll(/https?:\/\/[^\s>]+/g)].filter(([one]) => one.startsWith(foyer.origin) && one.includes('?')).length, 1, 'one link');

    // Programs that read mails follow links, and ask twice: nothing changes.
    const row = () => sql(`SELECT state, version, last_active_at, notice_hash FROM provided_person WHERE id = ${id}`);
    const before = row();
    for (const method of ['GET', 'HEAD', 'GET']) assert.equal((await new Visitor(foyer).request(method, link)).status, 200);
    for (const act of ['correct', 'object', 'allow', 'erase', 'again']) assert.equal((await new Visitor(foyer).get(`/notice/${act}${link.slice(7)}`)).status, 405);
    assert.equal(row(), before);

    const me = new Visitor(foyer);
    const page = await me.get(`${link}&lang=${language}`);
    assert.equal(page.language, language);
    assert.match(page.words, w.source);
    for (const held of ['Mei', 'Wang', who.email, 'Séjour <b>à Paris</b>', 'dpo@example.org', language === 'fr' ? '17 mai 2001' : '17 May 2001']) assert.ok(page.words.includes(held), held);
    assert.ok(!page.text.includes(provider.email), 'nothing of the provider but the name');
    assert.equal(page.headers['cache-control'], 'no-store');
    assert.doesNotMatch(foyer.readLog('access.log'), /notice\?token/);

    const wrong = await me.submit(page, '/notice/correct', { given_name: '', birth_date: '2999-01-01' });
    assert.deepEqual([wrong.status, [...wrong.wrong].sort()], [422, ['birth_date', 'given_name']]);
    assert.ok(wrong.text.includes('token='), 'the language switch keeps the link');
    const corrected = await me.submit(page, '/notice/correct', { family_name: 'Wáng', language });
    assert.equal(corrected.status, 303, corrected.words);
    const now = await me.follow(corrected);
    assert.match(now.words, w.corrected);
    assert.ok(now.words.includes('Wáng'));

    // The provider reads the correction, and has no form to undo it.
    const theirs = await visitor.get(`/account/people/${id}`);
    assert.match(theirs.words, w.taken);
    assert.ok(theirs.words.includes('Wáng'));
    assert.equal(theirs.forms.some((form) => form.action === `/account/people/${id}`), false);
    const csrf = theirs.form('/logout').fields.csrf;
    assert.equal((await visitor.post(`/account/people/${id}`, { ...who, csrf, version: '2' })).status, 409);

    const objected = await me.follow(await me.submit(now, '/notice/object'));
    assert.match(objected.words, w.objected);
    const hidden = await visitor.get(`/account/people/${id}`);
    assert.match(hidden.words, w.restricted);
    for (const secret of [who.email, 'Séjour', '2001']) assert.ok(!hidden.text.includes(secret), secret);
    assert.equal((await visitor.post(`/account/people/${id}/remove`, { csrf })).status, 409);
    assert.ok(!(await visitor.get('/account/people')).text.includes(who.email));
    await me.follow(await me.submit(objected, '/notice/allow'));
    assert.ok((await visitor.get(`/account/people/${id}`)).words.includes('Séjour <b>à Paris</b>'));

    const unsure = await me.submit(link, '/notice/erase');
    assert.deepEqual([unsure.status, unsure.wrong], [422, ['confirm']]);
    assert.match(unsure.words, w.confirm);
    const form = (await me.get(link)).form('/notice/erase').fields;
    const erased = await me.submit(link, '/notice/erase', { confirm: 'yes' });
    assert.equal(erased.status, 200, erased.words);
    assert.match(erased.words, w.erased);
    assert.match(erased.words, /foyer erasure receipt 1/);
    const bye = await foyer.mailTo(who.email, (one) => one.text.includes('foyer erasure receipt'));
    assert.match(bye.subject, w.bye);
    const file = join(foyer.state, 'provided-receipt.txt');
    writeFileSync(file, bye.text);
    assert.equal((await foyer.run(['receipt', 'verify', file])).code, 0);
    const told = await foyer.mailTo(provider.email, (one) => one.text.includes('/account/people'));
    assert.ok(told.text.includes('Mei Wáng'));

    // A replayed link leads nowhere, whatever it asks.
    const replayed = await me.get(link);
    assert.equal(replayed.status, 410);
    assert.match(replayed.words, w.gone);
    for (const act of ['correct', 'object', 'allow', 'erase', 'again'])
      assert.equal((await me.post(`/notice/${act}`, { ...form, ...who, confirm: 'yes' })).status, 410, act);
    assert.equal((await visitor.get(`/account/people/${id}`)).status, 404);
    assert.equal(sql(`SELECT (SELECT COUNT(*) FROM provided_person WHERE id = ${id}) + (SELECT COUNT(*) FROM foyer_keys.person_key WHERE person_id = ${id})`), '0');
    assert.equal(sql(`SELECT COUNT(*) FROM foyer_keys.erasure WHERE person_id = ${id}`), '1');
  });
}

test('of a minor the responsible adult is told, about both', async () => {
  const { visitor } = await member(foyer, school);
  const lost = await visitor.submit(NEW, NEW, child({ adult_given_name: '', adult_family_name: '', adult_email: '' }));
  assert.deepEqual([lost.status, [...lost.wrong].sort()], [422, ['adult_email', 'adult_family_name', 'adult_given_name']]);
  const who = child({ email: `child.${process.pid}@example.org`, language: 'en' });
  const id = await enter(visitor, who);
  const mail = await noticeTo(who.adult_email);
  for (const part of [/Hello Lan,/, /Mei Wang/, /responsible adult/, /your name and e-mail address/]) assert.match(mail.text, part);
  const page = await new Visitor(foyer).get(`${pathOf(linkIn(mail, '/notice'))}&lang=en`);
  for (const part of ['Mei Wang', who.adult_email, who.email, 'responsible adult']) assert.ok(page.words.includes(part), part);
  assert.ok(page.words.includes('Lan Wang'));
  assert.equal(foyer.mails().some((one) => one.to === who.email), false, 'the child gets no mail');
  // The child comes of age: no adult is needed, and none is kept.
  const grown = await visitor.submit(`/account/people/${id}`, `/account/people/${id}`, { birth_date: bornYearsAgo(19) });
  assert.equal(grown.status, 303, grown.words);
  await noticeTo(who.email);
  assert.ok(!(await visitor.get(`/account/people/${id}`)).text.includes(who.adult_email));
});

test('who comes of age decides alone: the adult’s link ends, and the person gets an own one', async () => {
  const { visitor } = await member(foyer, school);
  const who = child({ email: `grown.${process.pid}@example.org`, adult_email: `adult.${process.pid}@example.org` });
  await enter(visitor, who);
  const link = pathOf(linkIn(await noticeTo(who.adult_email), '/notice'));
  const adult = new Visitor(foyer);
  const answer = await adult.submit(link, '/notice/correct', { birth_date: bornYearsAgo(19), adult_given_name: '', adult_family_name: '', adult_email: '' });
  assert.equal(answer.status, 200, answer.words);
  assert.equal((await adult.get(link)).status, 410, 'the adult’s link is over');
  const own = await new Visitor(foyer).get(pathOf(linkIn(await noticeTo(who.email), '/notice')));
  assert.ok(own.words.includes(who.email) && !own.words.includes(who.adult_email));

  const soon = new Date(Date.now() + 3 * 86400000);
  const almost = child({ email: `almost.${process.pid}@example.org`, adult_email: `adult2.${process.pid}@example.org`, given_name: 'Almost',
    birth_date: new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Paris' }).format(new Date(soon).setFullYear(soon.getFullYear() - 18)) });
  await enter(visitor, almost);
  assert.match((await noticeTo(almost.adult_email)).text, /\b[34] jours\b/, 'no longer than until the birthday');
});

test('what is no name, date or address is refused, and what was typed stays', async () => {
  const { visitor } = await member(foyer, school);
  for (const [field, values] of Object.entries({
    given_name: ['', 'www.evil.example', 'Win 1000 €', 'a@b', 'http://x', 'é'.repeat(101)],
    family_name: ['', 'Click: here', 'x/y'],
    birth_date: ['', '17/05/2001', '2001-02-29', '1899-12-31', at(2).slice(0, 10), '0000-00-00', 'x'],
    email: ['', 'x', 'mei@', 'mei wang@example.org'],
    language: ['de'],
    what_for: ['', ' ', 'x'.repeat(201)],
  })) {
    for (const value of values) {
      const answer = await visitor.submit(NEW, NEW, student({ [field]: value }));
      assert.deepEqual([answer.status, answer.wrong], [422, [field]], `${field}: ${value.slice(0, 30)}`);
      if (value.length < 20) assert.equal(answer.form(NEW).fields.what_for, field === 'what_for' ? value.trim() : 'Séjour linguistique');
    }
  }
  const kept = await visitor.submit(NEW, NEW, student({ given_name: '1', birth_date: '17/05/2001' }));
  assert.equal(kept.form(NEW).fields.birth_date, '17/05/2001');
  const who = student();
  await enter(visitor, who);
  const twice = await visitor.submit(NEW, NEW, { ...who, email: who.email.toUpperCase(), given_name: 'May' });
  assert.equal(twice.status, 409);
  assert.match(twice.words, /déjà inscrit cette personne/);
  const { visitor: shady } = await member(foyer, { given_name: 'Gagnez', family_name: 'sur casino.example' });
  const named = await shady.submit(NEW, NEW, student());
  assert.equal(named.status, 422);
  assert.match(named.words, /dans votre profil/);
});

test('that somebody has an account is not told, and who enters them sees no difference', async () => {
  const { who: known } = await member(foyer);
  const { visitor } = await member(foyer, school);
  const seen = [];
  for (const email of [known.email, student().email]) {
    const answer = await visitor.submit(NEW, NEW, student({ email }));
    const id = Number((await visitor.follow(answer)).text.match(/href="\/account\/people\/(\d+)"/)[1]);
    await noticeTo(email);
    const page = await visitor.get(`/account/people/${id}`);
    seen.push([answer.status, answer.location, page.words.replaceAll(email, 'EMAIL').replaceAll(/\d+ \w+ 20\d\d/g, 'DATE')]);
  }
  assert.deepEqual(seen[0], seen[1]);
});

test('nor by how many mails the address had for other reasons', async () => {
  const { who: known } = await member(foyer);
  const { visitor } = await member(foyer, school);
  const answers = [];
  for (const email of [known.email, student().email]) {
    for (let i = 0; i < 8; i++) {
      await register(foyer, { ...known, email });
      for (const path of ['/password/forgot', '/privacy/request']) await new Visitor(foyer).submit(path, path, { email });
      await new Visitor(foyer).submit('/contact', '/contact', { name: 'X', email, subject: 'x', message: `x ${i}`, consent: 'yes' });
    }
    answers.push((await visitor.submit(NEW, NEW, student({ email }))).status);
  }
  assert.deepEqual(answers, [303, 303]);
});

test('a member who restricted the use of the own data is still named as the source', async () => {
  const { visitor, link } = await given();
  assert.equal((await visitor.submit('/account/requests', '/account/requests', { kind: 'restriction', wish: 'Ne vous en servez plus.' })).status, 303);
  assert.match((await new Visitor(foyer).get(link)).words, /Ces données viennent de Claire Dupont/);
  const who = student();
  await enter(visitor, who);
  assert.match((await noticeTo(who.email)).text, /Claire Dupont vous a inscrit/);
});

test('nobody sees or changes whom another entered', async () => {
  const { id, who } = await given();
  const { visitor: other } = await member(foyer, { given_name: 'Paul' });
  const own = await enter(other, student());
  const form = (await other.get(`/account/people/${own}`)).form(`/account/people/${own}`).fields;
  assert.equal((await other.get(`/account/people/${id}`)).status, 404);
  assert.equal((await other.post(`/account/people/${id}`, { ...form, ...who })).status, 404);
  assert.equal((await other.post(`/account/people/${id}/remove`, { csrf: form.csrf })).status, 404);
  assert.ok(!(await other.get('/account/people')).text.includes(`/account/people/${id}"`));
  const json = { headers: { 'content-type': 'application/json', origin: foyer.origin, 'if-match': '"v1.1"' }, body: '{"given_name":"Eve"}' };
  assert.equal((await other.get(`/api/v1/people/${id}`)).status, 404);
  assert.equal((await other.request('PATCH', `/api/v1/people/${id}`, json)).status, 404);
  assert.equal((await other.request('DELETE', `/api/v1/people/${id}`, { headers: { origin: foyer.origin } })).status, 404);
  assert.equal((await new Visitor(foyer).get('/account/people')).status, 303);
  assert.equal((await new Visitor(foyer).get('/api/v1/people')).status, 401);
  assert.equal(sql(`SELECT state FROM provided_person WHERE id = ${id}`), '1');
  for (const bad of ['x', '0', '-1', '99999999']) assert.equal((await other.get(`/account/people/${bad}`)).status, 404, bad);
  assert.equal((await other.get('/account/people?cursor=x')).status, 400);
  assert.match((await other.get('/account/privacy')).words, /Vous avez inscrit 1 personne\./);
});

test('the provider edits and removes; a change of address sends another notice', async () => {
  const { visitor, who, id, link } = await given();
  const path = `/account/people/${id}`;
  const stale = (await visitor.get(path)).form(path).fields;
  const saved = await visitor.submit(path, path, { what_for: 'Stage en mars' });
  assert.match((await visitor.follow(saved)).words, /La fiche est enregistrée\./);
  assert.equal(foyer.mails().filter((mail) => mail.to === who.email).length, 1, 'no other notice for that');
  const conflict = await visitor.post(path, { ...stale, given_name: 'May' });
  assert.equal(conflict.status, 409);
  assert.ok(conflict.words.includes('Stage en mars') || conflict.form(path).fields.what_for === 'Stage en mars');
  const moved = student().email;
  assert.match((await visitor.follow(await visitor.submit(path, path, { email: moved }))).words, /un nouveau message est en route/);
  const fresh = pathOf(linkIn(await noticeTo(moved), '/notice'));
  assert.equal((await new Visitor(foyer).get(link)).status, 410, 'the wrong mailbox has no link any more');
  assert.equal((await new Visitor(foyer).get(fresh)).status, 200);
  await until('it is delivered', async () => (await visitor.get(path)).words.includes('Remis'), 15000 * slower);
  const removed = await visitor.submit(path, `${path}/remove`);
  assert.equal(removed.location.split('?')[0], '/account/people');
  assert.equal((await visitor.get(path)).status, 404);
  const bye = await foyer.mailTo(moved, (one) => one.text.includes('foyer erasure receipt'));
  assert.match(bye.text, /vous a retiré/);
});

test('over the API: enter, list, read, change with the version that was read, remove', async () => {
  const { visitor } = await member(foyer, school);
  const send = (method, path, body, headers = {}) => visitor.request(method, path, {
    ...(body ? { body: JSON.stringify(body) } : {}), headers: { accept: 'application/json', origin: foyer.origin, ...(body ? { 'content-type': 'application/json' } : {}), ...headers } });
  const who = student({ language: 'en' });
  const entered = await send('POST', '/api/v1/people', who);
  assert.equal(entered.status, 201, entered.text);
  const path = entered.location;
  assert.equal(path, `/api/v1/people/${entered.json.id}`);
  assert.deepEqual([entered.json.state, entered.json.email, entered.json.birth_date, entered.json.language], ['entered', who.email, '2001-05-17', 'en']);
  assert.ok(Math.abs(new Date(entered.json.inform_by) - Date.now() - 30 * DAY) < 60000);
  assert.equal((await send('POST', '/api/v1/people', who)).status, 409);
  const bad = await send('POST', '/api/v1/people', { given_name: 'x1', birth_date: bornYearsAgo(10) });
  assert.equal(bad.status, 422);
  assert.deepEqual(bad.json.errors.map((one) => one.pointer.replace(/^#?\//, '')).sort(), ['adult_email', 'adult_family_name', 'adult_given_name', 'family_name', 'given_name', 'what_for']);
  const mail = await noticeTo(who.email);
  await until('it is delivered', async () => (await send('GET', path)).json.notice === 'delivered', 15000 * slower);
  const read = await send('GET', path);
  assert.equal(read.json.inform_by, null);
  assert.equal((await send('PATCH', path, { given_name: 'May' })).status, 428);
  assert.equal((await send('PATCH', path, { given_name: 'May' }, { 'if-match': '"v9.1"' })).status, 412);
  const changed = await send('PATCH', path, { given_name: 'May' }, { 'if-match': read.headers.etag });
  assert.deepEqual([changed.status, changed.json.given_name, changed.json.family_name], [200, 'May', 'Wang']);
  await send('POST', '/api/v1/people', student());
  const list = await send('GET', '/api/v1/people?limit=1');
  assert.equal(list.json.people.length, 1);
  const next = list.headers.link.match(/<([^>]+)>; rel="next"/)[1];
  assert.deepEqual((await send('GET', next)).json.people.map((one) => one.id), [entered.json.id]);

  const me = new Visitor(foyer);
  await me.submit(pathOf(linkIn(mail, '/notice')), '/notice/object');
  const restricted = await send('GET', path);
  assert.deepEqual([restricted.json.state, restricted.json.given_name, restricted.json.email, restricted.json.birth_date], ['restricted', 'May', null, null]);
  assert.equal((await send('PATCH', path, { given_name: 'Eve' }, { 'if-match': restricted.headers.etag })).status, 409);
  assert.equal((await send('DELETE', path)).status, 409);
  await me.submit(pathOf(linkIn(mail, '/notice')), '/notice/allow');
  assert.equal((await send('DELETE', path)).status, 204);
  assert.equal((await send('GET', path)).status, 404);
  const foreign = await send('POST', '/api/v1/people', student(), { origin: 'https://evil.example' });
  assert.equal(foreign.status, 403);
});

test('a link grows old and then only brings a new one to the mailbox', async () => {
  const { visitor, who, id, link } = await given();
  sql(`UPDATE provided_person SET notice_expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND WHERE id = ${id}`);
  const me = new Visitor(foyer);
  const old = await me.get(link);
  assert.equal(old.status, 410);
  for (const secret of ['Mei', 'Wang', who.email, 'Claire']) assert.ok(!old.text.includes(secret), secret);
  for (const act of ['correct', 'object', 'erase']) assert.equal((await me.post(`/notice/${act}`, { ...old.form('/notice/again').fields, ...who, confirm: 'yes' })).status, 410, act);
  assert.equal((await me.submit(old, '/notice/again')).status, 200);
  const fresh = await foyer.mailTo(who.email, (mail) => mail.text.includes('/notice?token=') && !mail.text.includes(link));
  assert.equal((await new Visitor(foyer).get(pathOf(linkIn(fresh, '/notice')))).status, 200);
  // A member who calls themselves something else since is not quoted.
  await visitor.submit('/account/profile', '/account/profile', { given_name: 'Gagnez', family_name: 'sur casino.example' });
  sql(`UPDATE provided_person SET notice_expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND WHERE id = ${id}`);
  await me.submit(pathOf(linkIn(fresh, '/notice')), '/notice/again');
  const last = await foyer.mailTo(who.email, (mail) => mail.text.includes('Un membre de notre site'));
  assert.doesNotMatch(last.text + (await me.get(pathOf(linkIn(last, '/notice')))).text, /casino/);
  const spent = await me.get(link);
  assert.equal(spent.status, 410);
  assert.equal(spent.forms.some((form) => form.action === '/notice/again'), false);
  for (const bad of ['', 'x', 'A'.repeat(43), 'A'.repeat(64)]) assert.equal((await me.get(`/notice?token=${bad}`)).status, 410, bad);
  assert.equal((await new Visitor(foyer).post('/notice/erase', { token: link.slice(14), confirm: 'yes' })).status, 409, 'no form, no act');
});

test('one account writes to so many strangers a day, whatever it removes again', async () => {
  const strict = await Foyer.start({ env: { FOYER__LIMITS__PEOPLE_PER_DAY: '2' } });
  try {
    const { visitor } = await member(strict, school);
    const send = (method, path, body) => visitor.request(method, path, { ...(body ? { body: JSON.stringify(body) } : {}), headers: { accept: 'application/json', origin: strict.origin, 'content-type': 'application/json' } });
    const first = await send('POST', '/api/v1/people', student());
    assert.equal((await visitor.request('DELETE', first.location, { headers: { origin: strict.origin } })).status, 204);
    const second = await send('POST', '/api/v1/people', student());
    assert.equal(second.status, 201);
    const third = await send('POST', '/api/v1/people', student());
    assert.equal(third.status, 429);
    assert.ok(Number(third.headers['retry-after']) > 3600, third.headers['retry-after']);
    const page = await visitor.submit(NEW, NEW, student());
    assert.equal(page.status, 429);
    assert.match(page.words, /reprenez demain/);
    // Nor does a wrong address that is mended again and again.
    const patched = await visitor.request('PATCH', second.location, { body: JSON.stringify({ email: student().email }), headers: { origin: strict.origin, 'content-type': 'application/json', 'if-match': second.headers.etag } });
    assert.ok([412, 429].includes(patched.status), `${patched.status}`);
    const fresh = await visitor.get(second.location);
    const again = await visitor.request('PATCH', second.location, { body: JSON.stringify({ email: student().email }), headers: { origin: strict.origin, 'content-type': 'application/json', 'if-match': fresh.headers.etag } });
    assert.equal(again.status, 429);
    // And one stranger is not flooded by many accounts.
    const victim = student().email;
    const answers = [];
    for (let i = 0; i < 8; i++) {
      const { visitor: one } = await member(strict, school);
      answers.push((await one.submit(NEW, NEW, student({ email: victim }))).status);
    }
    assert.ok(answers.includes(429), answers.join());
  } finally {
    await strict.stop();
  }
});

test('a notice that bounces is shown with what to do, and without one the record goes after 30 days', async () => {
  const server = await MailServer.start({});
  const bounced = student({ language: 'en' });
  const reached = student();
  server.unknown.add(bounced.email);
  const posted = await Foyer.start({ env: { FOYER__MAIL__TRANSPORT: 'smtp', FOYER__MAIL__SMTP_URL: `smtp://127.0.0.1:${server.port}`, FOYER__MAIL__SMTP_TLS: 'off' } });
  try {
    const arrived = (to, wanted) => until(`a mail to ${to}`, () => server.mails.find((mail) => mail.to === to && wanted(mail)), 30000 * slower);
    const { who: provider } = await register(posted, person(school));
    const confirmation = await arrived(provider.email, (mail) => mail.text.includes('/verify'));
    const visitor = new Visitor(posted);
    await visitor.submit(pathOf(linkIn(confirmation, '/verify')), '/verify');
    assert.equal((await visitor.submit('/login', '/login', { email: provider.email, password })).status, 303);
    const id = await enter(visitor, bounced);
    await enter(visitor, reached);
    await arrived(reached.email, (mail) => mail.text.includes('/notice?token='));
    const page = await until('the bounce is shown', async () => { const one = await visitor.get(`/account/people/${id}`); return one.words.includes('Non remis') && one; }, 30000 * slower);
    assert.match(page.words, /Vérifiez l’adresse/);
    assert.match((await visitor.get('/account/people')).words, /Non remis/);

    const job = async (days, ...flags) => {
      const { code, stdout, stderr } = await posted.run(['jobs', 'run', 'retention', '--at', at(days), '--json', ...flags]);
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout);
    };
    const object = 'entered people who could not be told';
    assert.equal(erasedOf(await job(29), object), 0);
    const dry = await job(30.1, '--dry-run');
    assert.deepEqual([erasedOf(dry, object), (await visitor.get(`/account/people/${id}`)).status], [1, 200]);
    const real = await job(30.1);
    assert.deepEqual(real.items, dry.items);
    assert.equal((await visitor.get(`/account/people/${id}`)).status, 404);
    const told = await arrived(provider.email, (mail) => mail.text.includes('/account/people'));
    assert.match(told.text, /Mei Wang.*n'a pas pu être remis|Mei Wang.*n’a pas pu être remis/s);
    assert.equal(sqlOf(posted)('SELECT COUNT(*) FROM provided_person'), '1', 'who was reached stays');

    // Mended in time, it reaches the person.
    const id2 = await enter(visitor, bounced);
    await until('the bounce is shown', async () => (await visitor.get(`/account/people/${id2}`)).words.includes('Non remis'), 30000 * slower);
    server.unknown.clear();
    assert.equal((await visitor.submit(`/account/people/${id2}`, `/account/people/${id2}`)).status, 303);
    await arrived(bounced.email, (mail) => mail.text.includes('/notice?token='));
    assert.equal(erasedOf(await job(30.1), object), 0);
    const unused = await job(731);
    assert.equal(erasedOf(unused, 'unused entries of people'), 2);
    assert.match((await arrived(reached.email, (mail) => mail.text.includes('foyer erasure receipt'))).text, /depuis deux ans/);
  } finally {
    await posted.stop();
    await server.stop();
  }
});

test('with the provider’s account go all whom it entered, and of nobody erased is a word left', async () => {
  const { visitor } = await member(foyer, school);
  const people = [student({ given_name: 'Colibrine', family_name: 'Mésangeau', what_for: 'Roucoulement', email: 'colibrine@example.org' }),
    child({ given_name: 'Nichoirine', adult_family_name: 'Hirondellier', adult_email: 'hirondelle@example.org' })];
  for (const one of people) await enter(visitor, one);
  const mails = [await noticeTo('colibrine@example.org'), await noticeTo('hirondelle@example.org')];
  const self = student({ family_name: 'Tourterellier', email: 'tourterelle@example.org' });
  await enter(visitor, self);
  assert.equal((await new Visitor(foyer).submit(pathOf(linkIn(await noticeTo(self.email), '/notice')), '/notice/erase', { confirm: 'yes' })).status, 200);
  await foyer.mailTo(self.email, (one) => one.text.includes('foyer erasure receipt'));

  const asked = await visitor.submit('/account/erase', '/account/erase', { current_password: password });
  assert.equal(asked.status, 303, asked.words);
  const dry = await retention(7.1, '--dry-run');
  assert.equal(erasedOf(dry, 'accounts'), 1);
  assert.equal((await new Visitor(foyer).get(pathOf(linkIn(mails[0], '/notice')))).status, 200);
  await until('notices are delivered', () => sql(`SELECT COUNT(*) FROM outbox WHERE state IN (1, 2)`) === '0', 15000 * slower);
  const real = await retention(7.1);
  assert.deepEqual(real.items, dry.items);
  for (const mail of mails) assert.equal((await new Visitor(foyer).get(pathOf(linkIn(mail, '/notice')))).status, 410);
  for (const to of ['colibrine@example.org', 'hirondelle@example.org'])
    assert.match((await foyer.mailTo(to, (one) => one.text.includes('foyer erasure receipt'))).text, /compte de la personne qui vous avait inscrit/);
  await until('the last mails are gone', () => sql(`SELECT COUNT(*) FROM outbox WHERE state IN (1, 2)`) === '0', 15000 * slower);

  await foyer.stop();
  const canaries = ['olibrin', 'sangeau', 'oucoulement', 'ichoirin', 'irondelle', 'ourterell'];
  const written = join(foyer.state, 'mail');
  const names = readdirSync(foyer.state, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
    .map((one) => join(one.parentPath ?? one.path, one.name)).filter((name) => !name.startsWith(written)); // mails were sent
  assert.ok(names.length > 20);
  for (const name of names) {
    const bytes = readFileSync(name);
    for (const canary of canaries) assert.ok(!bytes.includes(canary), `${canary} is in ${name}`);
  }
  foyer = await Foyer.start({ workers: 2, state: foyer.state, env: foyer.options.env });
});
