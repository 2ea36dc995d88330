// The register of breaches: each one is written down, notified within 72 hours or late with reasons, or not with a
// reason; the persons get a letter that lacks nothing the law wants; and nothing is overwritten.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { member, setUp, signInToOffice } from '../support/flows.mjs';
import { Foyer } from '../support/foyer.mjs';

let foyer;
let office;

before(async () => {
  foyer = await Foyer.start({ workers: 2, env: { FOYER__SITE__DPO_NAME: 'Ada Lovelace', FOYER__SITE__DPO_CONTACT: 'ada@example.org' } });
  await setUp(foyer);
  office = await signInToOffice(foyer);
  await office.get('/manage/breaches?lang=en');
});
after(() => foyer.stop());

// A moment in Paris so many hours ago, as a browser sends it.
const ago = (hours) => new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Paris', dateStyle: 'short', timeStyle: 'short' }).format(Date.now() - hours * 3600000).replace(' ', 'T');
const nextOf = (page) => page.text.match(/<p><a href="([^"]*[?;]cursor=[^"]+)"/)?.[1].replaceAll('&amp;', '&');

const theft = (more = {}) => ({ name: 'Stolen <laptop>', discovered_at: ago(3), aware_at: ago(2), confidentiality: 'yes', nature: 'A bag was stolen.\nWith a laptop.', risk: '2', ...more });

async function record(more) {
  const sent = await office.submit('/manage/breaches/new', '/manage/breaches/new', theft(more));
  assert.equal(sent.status, 303, `${sent.wrong} ${sent.heading}`);
  return sent.location.split('?')[0];
}

async function act(path, what, fields = {}) {
  const answer = await office.submit(path, `${path}/${what}`, fields);
  assert.equal(answer.status, 303, `${answer.wrong} ${answer.heading}`);
  return office.follow(answer);
}

async function refused(path, what, fields, wrong, status = 422) {
  const answer = await office.submit(path, `${path}/${what}`, fields);
  assert.deepEqual([answer.status, [...answer.wrong].sort()], [status, wrong]);
  return answer;
}

test('a breach is written down with what is known, and the hours left are shown', async () => {
  const form = '/manage/breaches/new';
  const empty = await office.submit(form, form, { name: '', discovered_at: '', aware_at: 'yesterday', persons: '12x', records: '-1' });
  assert.equal(empty.status, 422);
  assert.deepEqual([...empty.wrong].sort(), ['aware_at', 'confidentiality', 'discovered_at', 'name', 'persons', 'records']);
  const odd = await office.submit(form, form, theft({ discovered_at: ago(1), aware_at: ago(2), occurred_from: ago(4), occurred_to: ago(5) }));
  assert.deepEqual([...odd.wrong].sort(), ['aware_at', 'occurred_to']);
  assert.equal(odd.form(form).fields.nature, 'A bag was stolen.\nWith a laptop.', 'what was typed stays');
  assert.equal(odd.form(form).fields.confidentiality, 'yes');
  for (const aware_at of [ago(-2), '2026-02-30T10:00', '2026-01-05T24:00', '2026-01-05', '0001-01-01T00:00'])
    assert.ok((await office.submit(form, form, theft({ aware_at, discovered_at: '2026-01-01T00:00' }))).wrong.includes('aware_at'), aware_at);

  const path = await record({ persons: '120', persons_categories: 'Families' });
  const page = await office.get(path);
  assert.ok(page.words.includes('Stolen <laptop>') && page.words.includes('120') && page.words.includes('Not known yet'));
  assert.match(page.words, /To decide\s+(69|70) hours left/);
  assert.match(page.text, /A bag was stolen\.<br>\s*With a laptop\./);
  assert.match((await office.get('/manage/breaches')).words, /Stolen <laptop>.*(69|70) hours left/);
  assert.match((await office.get(form)).words, /Name nobody here/);
});

test('a double click records one breach', async () => {
  const page = await office.get('/manage/breaches/new');
  const both = await Promise.all([0, 1].map(() => office.submit(page, '/manage/breaches/new', theft({ name: 'Twice' }))));
  assert.deepEqual(both.map((one) => one.status), [303, 303]);
  assert.equal((await office.get('/manage/breaches')).text.split('>Twice<').length - 1, 1);
});

test('facts come in phases, and are not overwritten', async () => {
  const path = await record();
  const mine = await office.get(`${path}/facts`);
  const theirs = await office.get(`${path}/facts`);
  assert.equal((await office.submit(mine, `${path}/facts`, { records: '300', risk: '3' })).status, 303);
  const second = await office.submit(theirs, `${path}/facts`, { consequences: 'Phishing <mails>' });
  assert.equal(second.status, 409);
  assert.match(second.words, /changed meanwhile/);
  assert.equal(second.form(`${path}/facts`).fields.consequences, 'Phishing <mails>', 'what was typed stays');
  const bad = await office.submit(theirs, `${path}/facts`, { name: '' });
  assert.deepEqual([bad.status, bad.wrong], [422, ['name']]);
  assert.equal((await office.submit(bad, `${path}/facts`, { name: 'x' })).status, 409, 'mending a field does not make it newer');
  assert.equal((await office.submit(second, `${path}/facts`, {})).status, 303);
  assert.match((await office.get(path)).words, /Phishing <mails>/);
  assert.equal((await office.post(`${path}/facts`, { ...theirs.form(`${path}/facts`).fields, version: 'x' })).status, 400);
});

test('who moves the moment of becoming aware is seen, and it cannot pass the notification', async () => {
  const path = await record({ discovered_at: ago(90), aware_at: ago(80) });
  assert.match((await office.get(path)).words, /hours? late/);
  assert.equal((await office.submit(`${path}/facts`, `${path}/facts`, { aware_at: ago(1) })).status, 303);
  const moved = await office.get(path);
  assert.match(moved.words, /hours left/);
  const rows = moved.text.split('id="history-caption"')[1].split('<tr>').slice(2);
  assert.equal(rows.length, 2);
  assert.ok(rows[0].includes('Facts changed') && rows[0].includes('moved') && /before: \d+ \w+ \d{4}/.test(rows[0]), rows[0]);
  assert.ok(rows[1].includes('Put into the register') && !rows[1].includes('moved'));
  const number = rows[0].match(/Account no\. (\d+)/)[1];
  const events = foyer.events().filter((one) => one.event === 'breach.saved' && path.endsWith(`/${one.breach}`));
  assert.deepEqual(events.map((one) => String(one.by)), [number, number]);
  await act(path, 'notified', { notified_at: ago(0.5) });
  const late = await office.submit(`${path}/facts`, `${path}/facts`, { aware_at: ago(0) });
  assert.deepEqual([late.status, late.wrong], [422, ['aware_at']]);
});

test('a notification in time needs no reasons, a late one does', async () => {
  const path = await record();
  await refused(path, 'notified', { notified_at: '' }, ['notified_at']);
  await refused(path, 'notified', { notified_at: ago(-1) }, ['notified_at']);
  await refused(path, 'notified', { notified_at: ago(5) }, ['notified_at']);
  const done = await act(path, 'notified', { notified_at: ago(1), reference: 'N-2026-7' });
  assert.ok(done.words.includes('Notified') && done.words.includes('N-2026-7') && !done.words.includes('hours left'));

  const late = await record({ discovered_at: ago(100), aware_at: ago(99.5) });
  assert.match((await office.get('/manage/breaches?state=open')).words, /(27|28) hours late\s+Reasons for the delay are needed/);
  const without = await refused(late, 'notified', { notified_at: ago(0), reference: 'R <1>' }, ['delay_reasons']);
  assert.equal(without.form(`${late}/notified`).fields.reference, 'R <1>');
  assert.match(without.text, new RegExp(`href="${late}\\?lang=fr"`));
  assert.match((await act(late, 'notified', { notified_at: ago(0), delay_reasons: 'We had to find out more.' })).words, /We had to find out more/);
  const intime = await record({ discovered_at: ago(100), aware_at: ago(99) });
  await act(intime, 'notified', { notified_at: ago(28) });
  const moved = await office.submit(`${intime}/facts`, `${intime}/facts`, { discovered_at: ago(150), aware_at: ago(149) });
  assert.match((await office.follow(moved)).words, /Reasons for the delay are needed/, 'it was known earlier, so it was late after all');
  await act(intime, 'persons', { informed_reason: 'No risk for them.' });
  assert.equal((await office.get(intime)).forms.some((form) => form.action === `${intime}/close`), false);
});

test('not to notify needs a reason and an unlikely risk; facts that say otherwise open it again', async () => {
  const path = await record({ risk: '1' });
  await refused(path, 'unnotified', {}, ['reason']);
  assert.match((await act(path, 'unnotified', { reason: 'The disk was encrypted.' })).words, /Not notified.*The disk was encrypted/);
  const worse = await office.submit(`${path}/facts`, `${path}/facts`, { risk: '3' });
  assert.match((await office.follow(worse)).words, /To decide\s+\d+ hours left/);
  const page = await office.get(path);
  assert.equal(page.forms.some((form) => form.action === `${path}/unnotified`), false);
  assert.match(page.words, /must first be assessed as unlikely.*must be informed without delay/);
  const fields = page.form(`${path}/notified`).fields;
  const forced = await office.post(`${path}/unnotified`, { csrf: fields.csrf, version: fields.version, reason: 'x' });
  assert.equal(forced.status, 422);
  assert.match(forced.words, /the CNIL must be notified/);
  await act(path, 'notified', { notified_at: ago(0) });
  assert.equal((await office.post(`${path}/unnotified`, { ...fields, reason: 'x' })).status, 409);
});

test('a breach is closed once the CNIL and the persons are settled, and then stays as it is', async () => {
  const path = await record({ risk: '1' });
  const closes = async () => (await office.get(path)).forms.some((form) => form.action === `${path}/close`);
  const { csrf, version } = (await office.get(path)).form(`${path}/persons`).fields;
  assert.equal(await closes(), false);
  assert.equal((await office.post(`${path}/close`, { csrf, version })).status, 409);
  await refused(path, 'persons', {}, ['informed_at']);
  await refused(path, 'persons', { informed_at: ago(0) }, ['informed_how']);
  await act(path, 'persons', { informed_at: ago(0), informed_how: 'By e-mail' });
  assert.equal(await closes(), false);
  await act(path, 'unnotified', { reason: 'Encrypted.' });
  const stale = await office.post(`${path}/close`, { csrf, version });
  assert.equal(stale.status, 409);
  assert.match(stale.words, /has changed meanwhile/);
  assert.match((await act(path, 'close')).words, /Closed on/);
  assert.deepEqual((await office.get(path)).forms.map((form) => form.action), ['/manage/logout']);
  assert.equal((await office.get(`${path}/facts`)).status, 303);
  for (const what of ['notified', 'unnotified', 'persons', 'close'])
    assert.equal((await office.post(`${path}/${what}`, { csrf, version: '4', notified_at: ago(0), reason: 'x', informed_reason: 'x' })).status, 409, what);
  assert.ok((await office.get('/manage/breaches?state=closed')).text.includes(`"${path}"`));
});

test('of two who decide at once the second is told, and keeps the text', async () => {
  const path = await record();
  const page = await office.get(path);
  const form = page.form(`${path}/notified`);
  const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => office.post(form.action, { ...form.fields, notified_at: ago(0), reference: `R-${i}-<>` })));
  assert.deepEqual(answers.map((one) => one.status).sort(), [303, 409, 409, 409, 409, 409]);
  for (const [i, one] of answers.entries())
    if (one.status === 409) assert.equal(one.form(`${path}/notified`).fields.reference, `R-${i}-<>`);
});

test('the letter to the persons is not to be had while a part is missing', async () => {
  const path = await record({ risk: '3', consequences: 'Somebody may write in our name.' });
  const edit = `${path}/letter/en`;
  const first = await office.get(edit);
  assert.equal(first.form(edit).fields.nature, 'A bag was stolen.\nWith a laptop.', 'it begins with the register’s words');
  const parts = { nature: 'A laptop of ours was stolen.', consequences: 'You may get false mails.', measures: 'The disk was wiped.', advice: 'Do not answer <them>.\nCall us.' };
  const titles = { nature: 'What happened', consequences: 'What it may lead to', measures: 'What we have done', advice: 'What you can do' };
  const unsaved = await office.get(`${edit}/print`);
  assert.equal(unsaved.status, 409);
  for (const title of Object.values(titles)) assert.ok(unsaved.words.includes(title), title);
  for (const [missing, title] of Object.entries(titles)) {
    assert.equal((await office.submit(edit, edit, { ...parts, [missing]: ' ' })).status, 303);
    const lacking = await office.get(`${edit}/print`);
    assert.equal(lacking.status, 409, missing);
    assert.ok(lacking.words.includes(title) && !lacking.words.includes(parts.nature));
    for (const other of Object.values(titles).filter((one) => one !== title)) assert.ok(!lacking.words.includes(other), other);
  }
  assert.match((await office.follow(await office.submit(edit, edit, parts))).words, /The letter has been saved/);
  await office.get('/manage/breaches?lang=fr');
  const letter = await office.get(`${edit}/print`);
  assert.deepEqual([letter.status, letter.language], [200, 'en'], 'the letter’s language, not the reader’s');
  for (const part of [...Object.values(titles), 'A laptop of ours was stolen.', 'You may get false mails.', 'The disk was wiped.', 'Do not answer <them>.', 'data protection officer answers your questions: Ada Lovelace, ada@example.org', 'CNIL'])
    assert.ok(letter.words.includes(part), part);
  assert.equal((await office.get(`${path}/letter/fr/print`)).status, 409, 'each language is a letter of its own');
  await office.submit(`${path}/letter/fr`, `${path}/letter/fr`, { nature: 'n', consequences: 'c', measures: 'm', advice: 'a' });
  assert.match((await office.get(`${path}/letter/fr/print`)).words, /Ce que vous pouvez faire/);
  await office.get('/manage/breaches?lang=en');
  assert.equal((await office.get(`${path}/letter/de`)).status, 404);

  const [mine, theirs] = [await office.get(edit), await office.get(edit)];
  assert.equal((await office.submit(mine, edit, { advice: 'Mine' })).status, 303);
  const second = await office.submit(theirs, edit, { advice: 'Theirs <too>' });
  assert.equal(second.status, 409);
  assert.equal(second.form(edit).fields.advice, 'Theirs <too>');
  assert.equal((await office.submit(second, edit, {})).status, 303);
  const long = await office.submit(edit, edit, { nature: 'x'.repeat(4001) });
  assert.deepEqual([long.status, long.wrong], [422, ['nature']]);
});

test('the notification to the CNIL says what is known, and that the rest follows', async () => {
  const path = await record({ persons: '120' });
  const page = await office.get(`${path}/notification`);
  for (const part of ['Notification of a breach to the CNIL', 'A bag was stolen.', '120', 'Confidentiality', 'Not known yet', 'Ada Lovelace', 'ada@example.org', 'What is missing will follow'])
    assert.ok(page.words.includes(part), part);
  await office.submit(`${path}/facts`, `${path}/facts`, { persons_categories: 'Families', data_categories: 'Names', records: '0', consequences: 'None', measures_taken: 'Wiped' });
  assert.doesNotMatch((await office.get(`${path}/notification`)).words, /What is missing/);
});

test('the register has pages, and is for the office only', async () => {
  for (let i = 0; i < 31; i++) await record({ name: `Page ${i}` });
  const seen = new Set();
  let path = '/manage/breaches';
  let pages = 0;
  while (path) {
    const page = await office.get(path);
    for (const [, id] of page.text.matchAll(/href="\/manage\/breaches\/(\d+)"/g)) seen.add(id);
    path = nextOf(page);
    pages++;
  }
  assert.equal(pages, 2);
  assert.ok(seen.size > 31);
  const { visitor } = await member(foyer);
  for (const one of ['/manage/breaches', '/manage/breaches/1', '/manage/breaches/new', '/manage/breaches/1/letter/fr/print'])
    assert.notEqual((await visitor.get(one)).status, 200, one);
  for (const one of ['/manage/breaches/99999', '/manage/breaches/x', '/manage/breaches/99999/facts', '/manage/breaches/99999/letter/fr', '/manage/breaches/99999/notification'])
    assert.equal((await office.get(one)).status, 404, one);
  for (const query of ['state=x', 'cursor=x']) assert.equal((await office.get(`/manage/breaches?${query}`)).status, 400, query);
  assert.equal((await office.post('/manage/breaches/1/close', { version: '1' })).status, 409, 'no form token');
});
