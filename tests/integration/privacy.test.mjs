// The privacy policy as visitors read it: made from the register, with its versions, and with the proofs that the
// promises are kept; and the record of processing that the back office prints.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { member, setUp, signInToOffice } from '../support/flows.mjs';
import { Foyer } from '../support/foyer.mjs';
import { Visitor } from '../support/visitor.mjs';
import { until } from '../support/wait.mjs';

let foyer;
before(async () => {
  foyer = await Foyer.start({ env: { FOYER__SITE__DPO_NAME: 'Jeanne <Moreau>', FOYER__SITE__DPO_CONTACT: 'dpo@example.org', FOYER__RETENTION__CONTACT_DAYS: '123' } });
});
after(() => foyer.stop());

const reader = (language) => new Visitor(foyer, { headers: { 'accept-language': language } });

test('the policy says who is responsible, for how long by the settings, and all rights', async () => {
  const french = await reader('fr').get('/privacy');
  assert.equal(french.status, 200);
  for (const words of ['Host Families in Paris, 33, rue des Tournelles, 75003 Paris', 'délégué à la protection des données : Jeanne <Moreau>, dpo@example.org',
    '123 jours après la réponse', '3 place de Fontenoy, 75007 Paris', 'se retire à tout moment', 'rien ne quitte l’Union européenne', 'Aucune décision', '180 jours après l’écriture de la ligne'])
    assert.ok(french.words.includes(words), words);
  const english = await reader('en').get('/privacy');
  for (const words of ['data protection officer: Jeanne <Moreau>, dpo@example.org', '123 days after the enquiry was answered', 'market research: consent', '3 place de Fontenoy'])
    assert.ok(english.words.includes(words), words);
  assert.doesNotMatch(english.words, /as long as you keep/, 'two years of inactivity were promised');
});

test('the account page tells a member what is kept about members', async () => {
  const { visitor } = await member(foyer);
  const page = await visitor.get('/account/privacy?lang=en');
  for (const words of ['First name, Last name', 'Open session', 'Network address', '2 years after your last action'])
    assert.ok(page.words.includes(words), words);
  assert.doesNotMatch(page.words, /Message of the contact form/, 'not what is kept about others');
});

test('each version is listed, readable, and a file whose fingerprint anybody can compute', async () => {
  const versions = await reader('en').get('/privacy/versions');
  assert.equal(versions.status, 200);
  const dates = [...versions.text.matchAll(/href="\/privacy\/versions\/(\d{4}-\d\d-\d\d)"/g)].map(([, date]) => date);
  assert.ok(dates.length >= 1);
  assert.deepEqual(dates, [...dates].sort().reverse(), 'the newest first');
  assert.match(versions.words, /in force/);
  let before = null;
  for (const date of dates.reverse()) {
    const shown = await reader('en').get(`/privacy/versions/${date}`);
    assert.equal(shown.status, 200);
    const file = await reader('en').get(`/privacy/versions/${date}/file`);
    assert.equal(file.headers['content-type'], 'application/json');
    const fingerprint = createHash('sha256').update(file.bytes).digest('hex');
    assert.ok(shown.words.includes(fingerprint) && versions.words.includes(fingerprint));
    assert.equal(file.json.before, before);
    before = fingerprint;
    for (const field of Object.values(file.json.fields)) assert.ok(shown.words.includes(field.label.en.replaceAll("'", '’')), field.label.en);
    const changes = await reader('en').get(`/privacy/versions/${date}/changes`);
    assert.equal(changes.status, 200);
  }
  assert.match((await reader('fr').get(`/privacy/versions/${dates[0]}/changes`)).words, /est la première/);
});

test('a date without a version is not found', async () => {
  for (const path of ['2020-01-01', 'x', '2020-01-01/changes', '2020-01-01/file', `${'9'.repeat(50)}`])
    assert.equal((await reader('fr').get(`/privacy/versions/${path}`)).status, 404, path);
});

test('the page shows that promises are kept, from the first runs on', async () => {
  await until('the jobs to be proved', async () => ((await reader('en').get('/privacy')).text.match(/Last successful run:/g) ?? []).length === 3, 20000);
  const { text, words } = await reader('en').get('/privacy');
  assert.doesNotMatch(text, /badge bad/);
  assert.match(words, /The logs of server no\. 1 are deleted after 180 days/);
  assert.equal((await foyer.run(['jobs', 'run', 'purge'])).code, 0);
  assert.doesNotMatch((await reader('fr').get('/privacy')).text, /badge bad/);
});

// RFC 4180 with semicolons: rows of cells.
function parseCsv(text) {
  const rows = [[]];
  let rest = text;
  while (rest) {
    const [whole, cell, end] = rest.match(/^"((?:[^"]|"")*)"(;|\r\n)/) ?? assert.fail(`not a cell: ${rest.slice(0, 60)}`);
    rows.at(-1).push(cell.replaceAll('""', '"'));
    if (end === '\r\n') rows.push([]);
    rest = rest.slice(whole.length);
  }
  rows.pop();
  return rows;
}

test('the record of processing is for the back office, a sheet for each activity, and a table that opens safely', async () => {
  for (const path of ['/manage/privacy', '/manage/privacy/record.csv']) {
    assert.equal((await reader('fr').get(path)).status, 303, 'a visitor is sent to sign in');
    const { visitor } = await member(foyer);
    assert.notEqual((await visitor.get(path)).status, 200, 'and a member is not let in');
  }
  await setUp(foyer);
  const office = await signInToOffice(foyer);
  const page = await office.get('/manage/privacy?lang=en');
  assert.equal(page.status, 200);
  const activities = ['Management of accounts', 'Answering enquiries', 'Consents and market research', 'People entered by a member', 'Answering requests about rights', 'Protection of the site and of accounts'];
  for (const words of [...activities, 'Jeanne <Moreau>, dpo@example.org', 'people who write to us', '123 days after the enquiry was answered', 'legitimate interest',
    'None.', 'OVH', 'Argon2id', 'Last successful run', 'market research: consent'])
    assert.ok(page.words.includes(words), words);
  assert.match(page.text, /href="\/manage\/privacy" aria-current="page"/);

  const csv = await office.get('/manage/privacy/record.csv');
  assert.equal(csv.status, 200);
  assert.match(csv.headers['content-type'], /^text\/csv; charset=utf-8/);
  assert.match(csv.headers['content-disposition'], /^attachment; filename="record-\d{4}-\d\d-\d\d\.csv"$/);
  assert.deepEqual([...csv.bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
  const [head, ...rows] = parseCsv(csv.bytes.subarray(3).toString('utf8'));
  assert.deepEqual(rows.map((row) => row[0]), activities);
  for (const row of rows) {
    assert.equal(row.length, head.length);
    for (const [i, cell] of row.entries()) {
      assert.doesNotMatch(cell, /^[=+\-@\t\r]/);
      if (head[i] !== 'Who may see it') assert.notEqual(cell, '', `${row[0]}: ${head[i]}`);
    }
  }
  const accounts = Object.fromEntries(head.map((name, i) => [name, rows[0][i]]));
  assert.equal(accounts.Controller, 'Host Families in Paris, 33, rue des Tournelles, 75003 Paris');
  assert.match(accounts.Data, /^identity – First name, Last name \(Account\)$/m);
  assert.match(accounts['Periods, and then'], /^2 years after your last action, or 7\u00a0days after [^;]*; deletion – First name, Last name \(Account\), /m);
  assert.match((await office.get('/manage/privacy?lang=fr')).heading, /Registre des traitements/);
  assert.match((await office.get('/manage/privacy/record.csv')).headers['content-disposition'], /registre-/);
});

test('a cell that a spreadsheet would compute is text; and only a trial keeps its mails in files', async () => {
  const evil = await Foyer.start({ env: { FOYER__SITE__NAME: '=HYPERLINK("http://evil.example";"x")', FOYER__SITE__DPO_CONTACT: '+dpo@example.org', FOYER__MAIL__TRANSPORT: 'smtp', FOYER__MAIL__SMTP_URL: 'smtp://127.0.0.1:1' } });
  try {
    await setUp(evil);
    const office = await signInToOffice(evil);
    const rows = parseCsv((await office.get('/manage/privacy/record.csv')).bytes.subarray(3).toString('utf8'));
    assert.ok(rows[1][1].startsWith(`'=HYPERLINK("http://evil.example";"x"), 33`), rows[1][1]);
    assert.equal(rows[1][3], "'+dpo@example.org");
    const [trial, real] = [await reader('en').get('/privacy'), await new Visitor(evil).get('/privacy?lang=en')];
    assert.match(trial.words, /puts its e-mails into a folder instead of sending/);
    assert.doesNotMatch(real.words, /e-mails into a folder/, 'one that sends them does not say so');
  } finally {
    await evil.stop();
  }
});
