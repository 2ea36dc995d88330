// What the back office shows outside of a person's file: lists name nobody, what was written to the team opens by the
// task and is noted, a grant opens names in lists, too, and a stolen cookie opens nothing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { member, setUp, signIn, signInToOffice } from '../support/flows.mjs';
import { Foyer } from '../support/foyer.mjs';
import { accountOf, ask, decide, file, sqlOf, staff } from '../support/staff.mjs';
import { Visitor } from '../support/visitor.mjs';

let foyer;
let ines;
let canary; // { who, visitor, account, request }
const team = {};

const sql = (text) => sqlOf(foyer)(text);
const reads = () => sql('SELECT CONCAT_WS(" ", reader_role, person_id, COALESCE(request_id, 0) > 0, fields) FROM access_log ORDER BY id').split('\n').filter(Boolean);
const fresh = () => sql('SELECT COALESCE(MAX(id), 0) FROM access_log');
const secrets = () => [canary.who.given_name, canary.who.family_name, canary.who.email];
const hidden = (answer, where) => { for (const secret of secrets()) assert.ok(!answer.text.includes(secret) && !answer.words.includes(secret), `${secret} ${where}`); };

before(async () => {
  foyer = await Foyer.start({ workers: 2 });
  await setUp(foyer);
  ines = await signInToOffice(foyer);
  const { who, visitor } = await member(foyer, { given_name: 'Canarine', family_name: 'Sérinet', email: 'canarine.serinet@example.org' });
  canary = { who, visitor, account: await accountOf(visitor) };
  assert.equal((await visitor.submit('/account/requests', '/account/requests', { kind: 'access', wish: 'Tout ce que vous avez.' })).status, 303);
  canary.request = `/manage/requests/${sql('SELECT id FROM rights_request')}`;
  for (const role of ['staff', 'dpo']) team[role] = await staff(foyer, ines, role);
});
after(() => foyer.stop());

test('a request about rights opens by the task, noted, with the account behind it sealed', async () => {
  for (const [role, office] of [['owner', ines], ['staff', team.staff.office], ['dpo', team.dpo.office]]) {
    const board = await office.get('/manage/requests');
    hidden(board, `on the board for ${role}`);
    assert.ok(board.words.includes(String(canary.account)));
  }
  assert.deepEqual(reads(), [], 'the board opened nothing');

  const page = await team.staff.office.get(canary.request);
  hidden(page, 'for staff');
  assert.ok(page.words.includes('Tout ce que vous avez.') && page.words.includes('scellé'), page.words);
  assert.deepEqual(reads(), [`3 ${canary.account} 0 rights_request.wish`]);

  const dpo = await team.dpo.office.get(canary.request);
  for (const text of secrets()) assert.ok(dpo.words.includes(text), 'people may turn to the DPO, who knows whom to answer');
  assert.equal(reads()[1], `6 ${canary.account} 0 rights_request.wish account.given_name account.family_name account.email`);

  const own = await canary.visitor.get('/account/privacy');
  assert.ok(own.words.includes('Votre demande') && own.words.includes('Sans accord préalable'), own.words);
});

test('what came by letter is noted under its own number, and the log names it so', async () => {
  const letter = { kind: 'erasure', name: 'Ada Lettre', email: 'ada.lettre@example.org', received_on: new Date(Date.now() - 86400000).toISOString().slice(0, 10), wish: 'Oubliez-moi.' };
  const sent = await team.staff.office.submit('/manage/requests/new', '/manage/requests/new', letter);
  const path = sent.location.split('?')[0];
  const id = path.split('/').at(-1);
  assert.ok(!(await ines.get('/manage/requests')).text.includes('Lettre'));
  const since = fresh();
  assert.ok((await team.staff.office.get(path)).words.includes('Ada Lettre'));
  assert.equal(sql(`SELECT CONCAT(person_id, " ", fields) FROM access_log WHERE id > ${since}`), `${id} rights_request.name rights_request.email rights_request.wish`);
  assert.ok((await team.dpo.office.get('/manage/access-log')).words.includes(`Demande n° ${id}`));
});

test('no log, no data: messages, requests and holds stay closed where the look cannot be written', async () => {
  await new Visitor(foyer).submit('/contact', '/contact', { name: 'Jean Canari', email: 'jean@example.org', subject: 'Une chambre', message: 'Bonjour Canari.', consent: 'yes' });
  const list = await team.staff.office.get('/manage/contact');
  assert.ok(!list.words.includes('Canari') && !list.words.includes('Une chambre'), 'the list opens nothing');
  const held = { email: canary.who.email, reason: 'Séjour impayé', review_on: new Date(Date.now() + 30 * 86400000).toISOString().slice(0, 10) };
  const hold = (await ines.submit('/manage/holds', '/manage/holds', held)).location.split('?')[0];
  const pages = [list.text.match(/href="(\/manage\/contact\/\d+)"/)[1], canary.request, hold];
  sql('RENAME TABLE access_chain TO access_chain_away');
  try {
    for (const path of pages) {
      const refused = await ines.get(path);
      assert.ok(refused.status >= 500, `${path} ${refused.status}`);
      for (const text of ['Canari', 'Tout ce que', 'impayé']) assert.ok(!refused.text.includes(text), `${text} on ${path}`);
    }
  } finally {
    sql('RENAME TABLE access_chain_away TO access_chain');
  }
  const since = fresh();
  for (const path of pages) assert.equal((await ines.get(path)).status, 200, path);
  assert.equal(Number(fresh()) - Number(since), pages.length, 'one look, one row');
  assert.ok(!(await ines.get('/manage/holds')).words.includes('impayé'));
});

test('inside a grant names open in lists, too, for its asker alone, and each look is noted', async () => {
  await signIn(foyer, canary.who);
  const list = `/manage/sessions?account=${canary.account}`, api = `/api/v1/manage/sessions?account=${canary.account}&limit=50`;
  hidden(await ines.get(list), 'without a grant');
  await ask(ines, canary.account, { purpose: 'contact' });
  await decide(team.dpo.office, canary.account, 'approve');
  const since = fresh();
  const open = await ines.get(list);
  for (const text of secrets()) assert.ok(open.words.includes(text), text);
  assert.ok((await ines.get(api)).json.sessions.every((one) => one.email === canary.who.email));
  assert.ok((await ines.get(canary.request)).words.includes(canary.who.email));
  const noted = sql(`SELECT fields FROM access_log WHERE id > ${since} AND request_id IS NOT NULL ORDER BY id`).split('\n');
  assert.deepEqual(noted, Array(3).fill('account.given_name account.family_name account.email'));
  hidden(await team.staff.office.get(canary.request), 'for somebody else');
  sql('RENAME TABLE access_chain TO access_chain_away');
  try {
    const closed = await ines.get(list);
    assert.equal(closed.status, 200, 'the list is of use without');
    hidden(closed, 'without a log');
  } finally {
    sql('RENAME TABLE access_chain_away TO access_chain');
  }
  sql('UPDATE access_request SET ends_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND');
  hidden(await ines.get(list), 'after the grant');
});

test('the cookie of a member of staff alone opens nothing', async () => {
  const starts = ['/manage/sessions', '/manage/people', '/manage/access-requests?show=all', '/manage/requests', '/manage/holds', file(canary.account), file(canary.account, '?purpose=billing'), '/api/v1/manage/sessions'];
  for (const [role, office] of [['owner', ines], ['staff', team.staff.office]]) {
    const thief = new Visitor(foyer, { headers: { 'user-agent': 'curl/8' } });
    thief.cookies = new Map(office.cookies);
    const paths = new Set(starts);
    for (const path of starts) for (const [, link] of (await thief.get(path)).text.matchAll(/href="(\/manage\/[^"]+)"/g)) paths.add(link.replaceAll('&amp;', '&'));
    let seen = 0;
    for (const path of paths) {
      const answer = await thief.get(path);
      seen += answer.status === 200;
      hidden(answer, `on ${path} with the cookie of ${role}`);
    }
    assert.ok(seen > 5, `${role} ${seen}`);
    for (const path of ['/account', '/account/privacy', '/api/v1/me']) hidden(await thief.get(path), path);
  }
});

test('an officer without an account hears of an emergency at the address of the settings', async () => {
  const other = await Foyer.start({ env: { FOYER__SITE__DPO_CONTACT: 'officer@example.net', FOYER__SITE__DPO_NAME: 'Odette' } });
  try {
    await setUp(other);
    const office = await signInToOffice(other);
    const account = await accountOf((await member(other)).visitor);
    const { csrf } = (await office.get(file(account))).form('/manage/logout').fields;
    const opened = await office.post(`${file(account)}/open`, { csrf, purpose: 'contact', reason: 'Un étudiant attend devant la porte', minutes: '10' });
    assert.equal(opened.status, 303, opened.words);
    const mail = await other.mailTo('officer@example.net');
    assert.ok(mail.text.includes('Odette') && mail.text.includes(String(account)), mail.text);
  } finally {
    await other.stop();
  }
});
