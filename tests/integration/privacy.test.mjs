// The privacy policy as visitors read it: made from the register, with its versions, and with the proofs that the
// promises are kept; and the record of processing that the back office prints.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { member } from '../support/flows.mjs';
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
  await until('both jobs to be proved', async () => ((await reader('en').get('/privacy')).text.match(/Last successful run:/g) ?? []).length === 2, 20000);
  const { text, words } = await reader('en').get('/privacy');
  assert.doesNotMatch(text, /badge bad/);
  assert.match(words, /The logs of server no\. 1 are deleted after 180 days/);
  assert.equal((await foyer.run(['jobs', 'run', 'purge'])).code, 0);
  assert.doesNotMatch((await reader('fr').get('/privacy')).text, /badge bad/);
});
