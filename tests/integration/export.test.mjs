// What the platform holds about somebody, handed out at once (GDPR Articles 15 and 20): as a ZIP and as JSON, each value
// with its source, purpose, basis and end, nothing of anybody else; for members, by the API, on the command
// line, and for whoever holds the mailbox, with an account or without.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { member, otherPassword, password, pathOf, setUp, signIn, signInToOffice } from '../support/flows.mjs';
import { Foyer } from '../support/foyer.mjs';
import { linkIn } from '../support/mail.mjs';
import { evalRedis } from '../support/redis.mjs';
import { Visitor } from '../support/visitor.mjs';
import { unzip } from '../support/zip.mjs';

let foyer;
let office;
before(async () => {
  foyer = await Foyer.start({ workers: 1 });
  await setUp(foyer);
  office = await signInToOffice(foyer);
});
after(() => foyer.stop());

const profile = { given_name: 'Zoé', family_name: 'Serinette', phone: '+33 1 40 00 12 34', position: 'Canaricultrice', skills: 'Sifflet', passions: 'Volière <b>',
  street_address: '4 quai de la Mégisserie', postal_code: '75001', address_level2: 'Paris', country: 'FR', language: 'fr' };

async function write(email, more = {}) {
  const sent = await new Visitor(foyer).submit('/contact', '/contact', { name: 'Zoé Serinette', email, subject: 'Le perchoir', message: 'Est-il libre ?\r\n\r\n<script>alert(1)</script>', consent: 'yes', ...more });
  assert.equal(sent.status, 303, sent.words);
  return new URL(sent.location, foyer.origin).searchParams.get('reference');
}

// A member who has filled in and done all there is.
async function complete() {
  const { who, visitor } = await member(foyer);
  assert.equal((await visitor.submit('/account/profile', '/account/profile', profile)).status, 303);
  assert.equal((await visitor.submit('/account/privacy', '/account/privacy', { market_research: 'yes' })).status, 303);
  return { who, visitor, references: [await write(who.email), await write(who.email.toUpperCase(), { subject: 'Encore' })] };
}

const download = (visitor, fields = {}) => visitor.submit('/account/privacy', '/account/privacy/export', fields);
const recordsOf = (data, kind) => data.records.filter((one) => one.record === kind);
const valueOf = (record, field) => record.values.find((one) => one.field === field);

function assertComplete(data) {
  assert.equal(data.schema, 1);
  for (const record of data.records) {
    assert.ok(record.label.fr && record.label.en && record.values.length, record.record);
    for (const value of record.values) {
      const name = `${record.record}.${value.field}`;
      assert.ok(value.label.fr && value.label.en, name);
      assert.ok('value' in value, name);
      assert.ok(data.words.category[value.category].fr && data.words.source[value.source].en && data.words.basis[value.basis].fr, name);
      assert.ok(value.purposes.length && value.purposes.every((one) => data.words.purposes[one].en), name);
      assert.ok(value.end.rule.fr && value.end.rule.en && data.words.then[value.end.then].fr, name);
      if (value.end.at) assert.ok(Date.parse(value.end.at) > Date.now(), `${name} ends ${value.end.at}`);
      assert.ok(value.seen_by.includes('self') && value.seen_by.every((one) => data.words.seen_by[one].fr), name);
    }
  }
}

test('a member gets all that is held, in JSON and in pages of both languages, in one ZIP', async () => {
  const { who, visitor, references } = await complete();
  const [, id] = (await office.get('/manage/contact')).text.match(new RegExp(`href="/manage/contact/(\\d+)"[^>]*>${references[1]}<`));
  assert.equal((await office.submit(`/manage/contact/${id}`, `/manage/contact/${id}/state`, { state: 'answered' })).status, 303);
  const { who: other } = await complete();

  const answer = await download(visitor);
  assert.equal(answer.status, 200, answer.words);
  assert.equal(answer.headers['content-type'], 'application/zip');
  assert.match(answer.headers['content-disposition'], /^attachment; filename="foyer-export-\d{4}-\d\d-\d\d\.zip"$/);
  assert.equal(answer.headers['cache-control'], 'no-store');
  const files = unzip(answer.bytes);
  assert.deepEqual(Object.keys(files).sort(), ['README.txt', 'data.en.html', 'data.fr.html', 'data.json']);

  const data = JSON.parse(files['data.json']);
  assertComplete(data);
  const [account] = recordsOf(data, 'account');
  assert.equal(valueOf(account, 'email').value, who.email);
  for (const [field, value] of Object.entries(profile)) assert.equal(valueOf(account, field).value, value, field);
  assert.ok(Math.abs(Date.parse(valueOf(account, 'phone').end.at) - Date.now() - 730 * 86400000) < 3600000, 'two years after the last action');
  assert.deepEqual(recordsOf(data, 'consent').map((one) => [one.details.purpose, valueOf(one, 'given').value]), [['market_research', true]]);
  assert.deepEqual(recordsOf(data, 'session').map((one) => [valueOf(one, 'network_address').value, valueOf(one, 'device').value]), [['127.0.0.1', 'Firefox · Linux']]);
  const messages = recordsOf(data, 'contact_message');
  assert.deepEqual(messages.map((one) => one.details.reference), references.toReversed(), 'of the address, however it was written');
  assert.equal(valueOf(messages[1], 'message').value, 'Est-il libre ?\n\n<script>alert(1)</script>');
  for (const [name, bytes] of Object.entries(files))
    for (const hidden of [other.email, 'token=', 'ines.moreau', 'Moreau', '$argon2'])
      assert.ok(!bytes.includes(hidden), `${hidden} is not in ${name}`);

  for (const [language, words] of Object.entries({ fr: ['vous-même', 'prise de contact et assistance', 'article 6.1.a', '180\u00a0jours après', '2 ans après votre dernière action', 'les employés', 'Oui', 'Français'],
    en: ['yourself', 'contact and support', 'Article 6(1)(a)', '180\u00a0days after', '2 years after your last action', 'employees', 'Yes', 'An employee'] })) {
    const page = files[`data.${language}.html`].toString();
    assert.ok(page.includes(`<html lang="${language}">`));
    assert.ok(!/<script|<img|<link|src=|@import|url\(/.test(page), 'it loads nothing and runs nothing');
    assert.equal((page.match(/<h1/g) ?? []).length, 1);
    for (const word of [...words, who.email, ...references, 'Canaricultrice', 'Volière &lt;b&gt;', '&lt;script&gt;']) assert.ok(page.includes(word), `${language}: ${word}`);
    const values = data.records.reduce((sum, one) => sum + one.values.length, 0);
    for (const fact of language === 'fr' ? ['Fournie par', 'Pour', 'Fondement', 'Fin', 'Visible par'] : ['Provided by', 'For', 'Legal basis', 'End', 'Seen by'])
      assert.equal(page.split(`<strong>${fact}</strong>`).length - 1, values, `each value says: ${fact}`);
  }
  assert.ok(files['README.txt'].includes('data.json'));
  const noted = foyer.events().filter((one) => one.event === 'person.exported');
  assert.ok(noted.length && !JSON.stringify(noted).includes(who.email), 'the log says that it happened, by number');
});

test('the API gives JSON or the ZIP, to whoever is signed in and only the own', async () => {
  const { who, visitor } = await complete();
  const get = (accept, as = visitor) => as.get('/api/v1/me/export', { headers: { accept } });
  const json = await get('application/json');
  assert.equal(json.status, 200);
  assert.equal(json.headers['content-type'], 'application/json');
  assert.equal(json.headers['cache-control'], 'no-store');
  assertComplete(json.json);
  assert.equal(valueOf(recordsOf(json.json, 'account')[0], 'email').value, who.email);
  const zip = await get('application/zip');
  assert.equal(zip.headers['content-type'], 'application/zip');
  const inside = JSON.parse(unzip(zip.bytes)['data.json']);
  const kept = (data) => data.records.map((one) => one.record).filter((one) => one !== 'outbox'); // mails leave meanwhile
  assert.deepEqual(kept(inside), kept(json.json));
  assert.equal((await get('*/*')).headers['content-type'], 'application/json');
  const nobody = await get('application/json', new Visitor(foyer));
  assert.equal(nobody.status, 401);
  assert.equal(nobody.headers['content-type'], 'application/problem+json');
});

test('a few exports in a row are enough; then one has to wait', async () => {
  const { visitor } = await member(foyer);
  const get = () => visitor.get('/api/v1/me/export', { headers: { accept: 'application/json' } });
  for (let i = 0; i < 5; i++) assert.equal((await get()).status, 200, `no. ${i + 1}`);
  const limited = await get();
  assert.equal(limited.status, 429);
  assert.ok(Number(limited.headers['retry-after']) > 0);
  assert.equal((await download(visitor)).status, 429);
  assert.equal((await download((await member(foyer)).visitor)).status, 200, 'for one person, not for all');
});

// Sessions are lines of words in Redis; these are made to look older.
const age = (minutes) => evalRedis(foyer, `for _, key in ipairs(redis.call('KEYS', 'sess:*')) do
    local words = {}
    for word in redis.call('GET', key):gmatch('%S+') do words[#words + 1] = word end
    words[7] = string.format('%.0f', tonumber(words[7]) - ${minutes} * 60)
    redis.call('SET', key, table.concat(words, ' '), 'KEEPTTL')
  end return 1`);

test('some time after signing in the password is asked for again', async () => {
  const { who, visitor } = await member(foyer);
  assert.equal((await visitor.get('/account/privacy')).form('/account/privacy/export').fields.password, undefined);
  await age(9);
  assert.equal((await download(visitor)).status, 200, 'nine minutes are no time');
  await age(2);
  const page = await visitor.get('/account/privacy');
  assert.equal(page.form('/account/privacy/export').fields.password, '');
  const without = await download(visitor);
  assert.equal(without.status, 422);
  assert.deepEqual(without.wrong, ['password']);
  const wrong = await download(visitor, { password: otherPassword });
  assert.equal(wrong.status, 422);
  assert.deepEqual(wrong.wrong, ['password']);
  const right = await download(visitor, { password });
  assert.equal(right.status, 200, right.words);
  assert.ok(unzip(right.bytes)['data.json'].includes(who.email));
  assert.equal((await download(await signIn(foyer, who))).status, 200, 'a new sign-in counts');
  assert.equal((await visitor.post('/account/privacy/export', { password })).status, 409, 'not without the form’s token');
});

test('nor does the API give everything to an old sign-in without the password', async () => {
  const { who, visitor } = await member(foyer);
  const post = (given, accept = 'application/json') => visitor.request('POST', '/api/v1/me/export', {
    body: JSON.stringify({ password: given }), headers: { origin: foyer.origin, 'content-type': 'application/json', accept } });
  await age(11);
  const refused = await visitor.get('/api/v1/me/export', { headers: { accept: 'application/json' } });
  assert.equal(refused.status, 403);
  assert.match(refused.json.detail, /POST/);
  assert.equal((await post(otherPassword)).status, 422);
  const right = await post(password);
  assert.equal(right.status, 200, right.text);
  assert.equal(valueOf(recordsOf(right.json, 'account')[0], 'email').value, who.email);
  assert.ok(unzip((await post(password, 'application/zip')).bytes)['data.json'].includes(who.email));
});

test('the page says of each class when it goes and why, on the dates of the copy', async () => {
  const { visitor } = await complete();
  const inWords = (date, lang) => new Intl.DateTimeFormat(lang, { timeZone: 'Europe/Paris', day: 'numeric', month: 'long', year: 'numeric' }).format(new Date(date)).replace(/^1 (?=\p{Ll})/u, lang.startsWith('fr') ? '1er ' : '1 ');
  const shown = async (lang) => (await visitor.get(`/account/privacy?lang=${lang}`)).text.split('id="held-caption"')[1].split('</table>')[0]
    .split('<tr>').slice(2).map((row) => row.replace(/<[^>]*>/g, ' ').replaceAll('\u00a0', ' ').replaceAll('\u202f', ' ').replace(/\s+/g, ' ').trim()).filter((row) => !/^(Courriel|E-mail waiting)/.test(row));
  const data = JSON.parse(unzip((await download(visitor)).bytes)['data.json']);
  const kinds = [...new Set(data.records.map((one) => one.record))].filter((one) => one !== 'outbox'); // a mail may leave between two looks
  assert.ok(['account', 'consent', 'session', 'contact_message'].every((one) => kinds.includes(one)));
  for (const [lang, locale] of [['fr', 'fr-FR'], ['en', 'en-GB']]) {
    const rows = await shown(lang);
    assert.equal(rows.length, kinds.length, rows.join('\n'));
    for (const kind of kinds) {
      const records = recordsOf(data, kind);
      const row = rows.find((one) => one.startsWith(records[0].label[lang].replaceAll('\u00a0', ' ')));
      assert.ok(row?.includes(` ${records.length} `), `${kind}: ${row}`);
      for (const { end } of records.map((one) => one.values[0])) {
        assert.ok(!end.at || row.includes(inWords(end.at, locale)), `${kind}: ${row}, not ${end.at}`);
        assert.ok(row.includes(end.rule[lang].replaceAll('\u00a0', ' ')), `${kind}: ${row}, not ${end.rule[lang]}`);
      }
    }
    assert.match(rows.find((one) => /^Consent/.test(one)), lang === 'fr' ? /pas encore de date/ : /no date yet/);
  }

  assert.equal((await visitor.submit('/account/erase', '/account/erase', { current_password: password })).status, 303);
  const again = (await shown('en')).find((one) => one.startsWith('Account'));
  assert.ok(again.includes(`on ${inWords(Date.now() + 7 * 86400000, 'en-GB')}`) && again.includes('7 days after you asked for erasure'), again);
});

test('requests about rights are in it with their history, and who of the staff took a step is not', async () => {
  const { visitor } = await member(foyer);
  assert.equal((await visitor.submit('/account/requests', '/account/requests', { kind: 'rectification', wish: 'Mon nom prend deux « l ».' })).status, 303);
  const [, id] = (await office.get('/manage/requests')).text.match(/href="\/manage\/requests\/(\d+)"/);
  const { fields } = (await office.get(`/manage/requests/${id}`)).forms.find((form) => form.fields.step === 'take');
  assert.equal((await office.post(`/manage/requests/${id}/step`, fields)).status, 303);
  const files = unzip((await download(visitor)).bytes);
  const data = JSON.parse(files['data.json']);
  assertComplete(data);
  const [request] = recordsOf(data, 'rights_request');
  assert.deepEqual([request.details.id, request.details.kind, request.details.state], [Number(id), 'rectification', 'in_progress']);
  assert.equal(valueOf(request, 'wish').value, 'Mon nom prend deux « l ».');
  assert.deepEqual(recordsOf(data, 'rights_step').map((one) => [one.details.request, one.details.state, one.details.by]),
    [[Number(id), 'received', 'person'], [Number(id), 'in_progress', 'staff']]);
  for (const page of [files['data.fr.html'], files['data.en.html']])
    assert.ok(page.includes('Mon nom prend deux') && !page.includes('Moreau'));
  assert.match(files['data.fr.html'].toString(), /Par un employé, le /);
});

test('on the command line: a file of one’s own, never over another, or JSON; with an account or without', async () => {
  const { who, visitor } = await complete();
  const cwd = mkdtempSync(join(tmpdir(), 'foyer-export-'));
  const done = await foyer.run(['person', 'export', '--email', who.email], { cwd });
  assert.equal(done.code, 0, done.stderr);
  const [name] = readdirSync(cwd);
  assert.match(name, /^foyer-export-\d{4}-\d\d-\d\d\.zip$/);
  assert.equal(done.stdout, `${name}\n`);
  assert.equal(statSync(join(cwd, name)).mode & 0o777, 0o600);
  const bytes = readFileSync(join(cwd, name));
  assertComplete(JSON.parse(unzip(bytes)['data.json']));
  const [look] = (await visitor.get('/api/v1/me/access-log')).json.reads;
  assert.ok(look.role === 'owner' && look.purpose === 'rights' && look.fields.includes('account.phone'), 'the person is told');
  const again = await foyer.run(['person', 'export', '--email', who.email], { cwd });
  assert.equal(again.code, 1);
  assert.match(again.stderr, /exists/);
  assert.deepEqual(readFileSync(join(cwd, name)), bytes);

  await write('sans.compte@example.org');
  const data = await foyer.runJson(['person', 'export', '--email', 'Sans.Compte@example.org']);
  assertComplete(data);
  assert.deepEqual(data.records.map((one) => one.record).filter((one) => one !== 'outbox'), ['contact_message']);
  const nobody = await foyer.run(['person', 'export', '--email', 'personne@example.org', '--json']);
  assert.deepEqual([nobody.code, nobody.stdout], [1, '']);
  assert.match(nobody.stderr, /nothing is held/);
  assert.equal((await foyer.run(['person', 'export'])).code, 2);
  assert.equal((await foyer.run(['person', 'export', '--email', 'no address'])).code, 2);
  const noted = foyer.events().filter((one) => one.event === 'person.exported' && one.by === 'command line');
  assert.equal(noted.length, 2);
  assert.ok(!JSON.stringify(noted).includes('example.org'));
});

const ask = (email, headers = {}) => new Visitor(foyer, { headers }).submit('/privacy/request', '/privacy/request', { email });
const answerTo = (email) => foyer.mailTo(email, (mail) => /Vos données|Your data/.test(mail.subject));

test('without an account: a link by mail, a page with a button, and the button works once', async () => {
  const reference = await write('jean.dupont@example.org', { name: 'Jean Dupont' });
  await write('autre@example.org', { message: 'de quelqu’un d’autre' });
  const asked = await ask('Jean.Dupont@example.org');
  assert.equal(asked.status, 200, asked.words);
  const link = pathOf(linkIn(await answerTo('Jean.Dupont@example.org'), '/privacy/request/data'));
  const token = link.split('=')[1];
  const visitor = new Visitor(foyer);
  for (let i = 0; i < 2; i++) { // a mail scanner looks, too
    const page = await visitor.get(link);
    assert.equal(page.status, 200);
    assert.equal(page.headers['cache-control'], 'no-store');
  }
  const answer = await visitor.submit(link, '/privacy/request/data');
  assert.equal(answer.status, 200, answer.words);
  const files = unzip(answer.bytes);
  const data = JSON.parse(files['data.json']);
  assertComplete(data);
  assert.deepEqual(recordsOf(data, 'contact_message').map((one) => one.details.reference), [reference]);
  assert.equal(recordsOf(data, 'account').length, 0);
  assert.ok(files['data.fr.html'].includes('Jean Dupont') && !files['data.fr.html'].includes('d’autre'));

  assert.equal((await visitor.get(link)).status, 410, 'used');
  const { csrf } = (await visitor.get('/privacy/request')).form('/privacy/request').fields;
  for (const wrong of [token, 'A'.repeat(43), 'x', '']) {
    const refused = await visitor.post('/privacy/request/data', { csrf, token: wrong });
    assert.equal(refused.status, 410, wrong);
    assert.equal(refused.headers['content-disposition'], undefined);
    assert.ok(refused.text.includes('href="/privacy/request"'));
  }
  assert.ok(!foyer.readLog('access.log').includes(token) && !foyer.log().includes(token), 'the link stands in no log');
});

test('the holder of an account gets it by mail, too, and a link for something else opens nothing', async () => {
  const { who } = await complete();
  await ask(who.email);
  const link = pathOf(linkIn(await answerTo(who.email), '/privacy/request/data'));
  const data = JSON.parse(unzip((await new Visitor(foyer).submit(link, '/privacy/request/data')).bytes)['data.json']);
  assertComplete(data);
  assert.equal(valueOf(recordsOf(data, 'account')[0], 'phone').value, profile.phone);
  assert.equal(recordsOf(data, 'contact_message').length, 2);

  await new Visitor(foyer).submit('/password/forgot', '/password/forgot', { email: who.email });
  const reset = linkIn(await foyer.mailTo(who.email, (mail) => mail.text.includes('/password/reset?token=')), '/password/reset');
  assert.equal((await new Visitor(foyer).get(`/privacy/request/data?${reset.split('?')[1]}`)).status, 410);
});

test('the page answers the same whether something is held or not; the mailbox learns it', async () => {
  await write('connue@example.org');
  const words = (answer, email) => answer.words.replaceAll(email, 'E');
  const known = await ask('connue@example.org');
  const unknown = await ask('inconnue@example.org');
  assert.equal(known.status, 200);
  assert.equal(unknown.status, 200);
  assert.equal(words(known, 'connue@example.org'), words(unknown, 'inconnue@example.org'));
  assert.deepEqual(Object.keys(known.headers), Object.keys(unknown.headers));
  linkIn(await answerTo('connue@example.org'), '/privacy/request/data');
  const nothing = await answerTo('inconnue@example.org');
  assert.match(nothing.text, /ne conservons rien/);
  assert.ok(!nothing.raw.includes('token='));
  await ask('nobody@example.org', { 'accept-language': 'en' });
  assert.match((await answerTo('nobody@example.org')).text, /keep nothing/);
  for (let i = 0; i < 8; i++) { // past the limit of one mailbox the page still says the same
    const more = await ask('connue@example.org');
    assert.equal(words(more, 'connue@example.org'), words(known, 'connue@example.org'), `no. ${i}`);
  }
  assert.ok(foyer.mails().filter((mail) => mail.to === 'connue@example.org' && /Vos données/.test(mail.subject)).length <= 6);
  const wrong = await ask('no address');
  assert.equal(wrong.status, 422);
  assert.deepEqual(wrong.wrong, ['email']);
});

test('an old link is gone, and a dry run said so', async () => {
  await write('vieux@example.org');
  await ask('vieux@example.org');
  const link = pathOf(linkIn(await answerTo('vieux@example.org'), '/privacy/request/data'));
  const at = new Date(Date.now() + 4 * 86400000).toISOString();
  const of = ({ items }) => items.filter((one) => one.object === 'expired links');
  const dry = await foyer.runJson(['jobs', 'run', 'purge', '--at', at, '--dry-run']);
  assert.equal((await new Visitor(foyer).get(link)).status, 200);
  const done = await foyer.runJson(['jobs', 'run', 'purge', '--at', at]);
  assert.deepEqual(of(done), of(dry));
  assert.ok(of(done).length > 0);
  assert.equal((await new Visitor(foyer).get(link)).status, 410);
});

test('the pages about privacy and contact lead there', async () => {
  for (const path of ['/privacy', '/contact'])
    assert.ok((await new Visitor(foyer).get(path)).text.includes('href="/privacy/request"'), path);
});
