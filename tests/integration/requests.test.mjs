// Requests of persons about their rights: made by members and recorded from letters, answered within a month, extended
// in time, refused with the remedies; the clock that stands; and two employees at once.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { member, owner, person, setUp, signIn, signInToOffice } from '../support/flows.mjs';
import { Foyer } from '../support/foyer.mjs';
import { Visitor } from '../support/visitor.mjs';

let foyer;
let office;

before(async () => {
  foyer = await Foyer.start({ workers: 2 });
  await setUp(foyer);
  office = await signInToOffice(foyer);
  await office.get('/manage/requests?lang=en');
});
after(() => foyer.stop());

const sql = (text) => execFileSync('mariadb', ['--no-defaults', `--socket=${foyer.state}/run/mariadb.sock`, '-ufoyer', 'foyer', '-Ne', text], { encoding: 'utf8' }).trim();

// As if everything about the request had happened so many days earlier.
const age = (id, days) => sql(`UPDATE rights_request SET received_at = received_at - INTERVAL ${days} DAY, counts_from = counts_from - INTERVAL ${days} DAY,
  due_at = due_at - INTERVAL ${days} DAY, answer_by = answer_by - INTERVAL ${days} DAY, clock_stopped_at = clock_stopped_at - INTERVAL ${days} DAY WHERE id = ${id}`);

// Days of Paris as the pages write them in English: "23 December 2026".
const inWords = (date) => new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Paris', day: 'numeric', month: 'long', year: 'numeric' }).format(date);
const isoDay = (days) => new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Paris' }).format(Date.now() + days * 86400000);
const dueOf = (id, column = 'answer_by') => inWords(new Date(`${sql(`SELECT DATE_FORMAT(${column}, '%Y-%m-%dT%H:%i:%sZ') FROM rights_request WHERE id = ${id}`)}`));

// The link to the next page of a list; the language switch carries a cursor, too.
const nextOf = (page) => page.text.match(/<p><a href="([^"]*[?;]cursor=[^"]+)"/)?.[1].replaceAll('&amp;', '&');
const lines = (mail) => mail.text.replaceAll('\r\n', '\n');

async function english() {
  const { who, visitor } = await member(foyer);
  assert.equal((await visitor.submit('/account/profile', '/account/profile', { language: 'en' })).status, 303);
  return { who, visitor };
}

async function ask(visitor, kind = 'access', wish = 'All that you have about me') {
  const sent = await visitor.submit('/account/requests', '/account/requests', { kind, wish });
  assert.equal(sent.status, 303, sent.words);
  const page = await visitor.follow(sent);
  return Number(page.text.match(/href="\/account\/requests\/(\d+)"/)[1]);
}

async function record(fields = {}) {
  const sent = await office.submit('/manage/requests/new', '/manage/requests/new',
    { kind: 'erasure', name: 'Ada Byron', email: 'ada.byron@example.org', received_on: isoDay(0), language: 'en', wish: 'Forget me,\nplease.', ...fields });
  assert.equal(sent.status, 303, sent.words);
  return Number(sent.location.match(/^\/manage\/requests\/(\d+)\?/)[1]);
}

// The form of that step on the request's page.
const formOf = (page, step) => page.forms.find((form) => form.fields.step === step);

async function step(id, name, fields = {}, page = null) {
  const form = formOf(page ?? await office.get(`/manage/requests/${id}`), name);
  assert.ok(form, `there is a form to ${name} request ${id}`);
  return office.post(form.action, { ...form.fields, ...fields });
}

async function take(id, name, fields) {
  const answer = await step(id, name, fields);
  assert.equal(answer.status, 303, answer.words);
  const page = await office.follow(answer);
  assert.match(page.text, /class="notice/);
  return page;
}

const offered = (page) => page.forms.map((form) => form.fields.step).filter(Boolean).sort().join(' ');

test('a member asks, is acknowledged with the date, follows the request, and withdraws it', async () => {
  const { who, visitor } = await english();
  assert.match((await visitor.get('/account/privacy')).text, /href="\/account\/requests"/);
  const empty = await visitor.submit('/account/requests', '/account/requests', { wish: '  ' });
  assert.equal(empty.status, 422);
  assert.deepEqual([...empty.wrong].sort(), ['kind', 'wish']);
  const unknown = await visitor.submit(empty, '/account/requests', { kind: 'everything', wish: 'Keep <this> text' });
  assert.deepEqual([unknown.status, unknown.wrong], [422, ['kind']]);
  assert.equal(unknown.form('/account/requests').fields.wish, 'Keep <this> text', 'what was typed stays');

  const id = await ask(visitor, 'objection', 'No <b>research</b>,\nplease');
  const due = dueOf(id);
  const mail = await foyer.mailTo(who.email, (one) => one.subject.startsWith('Your request has arrived'));
  assert.ok(mail.text.includes(`by ${due}`) && mail.text.includes('Subject: Objection'), mail.text);
  assert.ok(mail.text.includes(`${foyer.origin}/account/requests`));
  assert.ok(!mail.text.includes('research'));
  const days = (new Date(due) - new Date(inWords(new Date()))) / 86400000;
  assert.ok(days >= 28 && days <= 36, `a month is not ${days} days`);

  const list = await visitor.get('/account/requests');
  assert.ok(list.words.includes(`Objection`) && list.words.includes('Received') && list.words.includes(`By ${due}`), list.words);
  const page = await visitor.get(`/account/requests/${id}`);
  assert.match(page.text, /No &lt;b&gt;research&lt;\/b&gt;,<br>\s*please/);
  const gone = await visitor.submit(page, `/account/requests/${id}/withdraw`);
  assert.equal(gone.status, 303);
  assert.match((await visitor.follow(gone)).words, /has been withdrawn/);
  const again = await visitor.submit(page, `/account/requests/${id}/withdraw`);
  assert.equal(again.status, 409);
  assert.match(again.words, /has changed meanwhile.*Withdrawn/);
  assert.equal(again.forms.some((form) => form.action.endsWith('/withdraw')), false);
  assert.match((await office.get('/manage/requests?state=withdrawn')).text, new RegExp(`/manage/requests/${id}"`));
});

test('a double click makes one request, and nobody sees another’s', async () => {
  const { visitor } = await english();
  const page = await visitor.get('/account/requests');
  const both = await Promise.all([0, 1].map(() => visitor.submit(page, '/account/requests', { kind: 'access', wish: 'Once' })));
  assert.deepEqual(both.map((one) => one.status), [303, 303]);
  const list = await visitor.get('/account/requests');
  const ids = [...list.text.matchAll(/href="\/account\/requests\/(\d+)"/g)].map(([, id]) => id);
  assert.equal(ids.length, 1);
  const { visitor: other } = await english();
  assert.equal((await other.get(`/account/requests/${ids[0]}`)).status, 404);
  const own = await ask(other);
  const { fields } = (await other.get(`/account/requests/${own}`)).form(`/account/requests/${own}/withdraw`);
  assert.equal((await other.post(`/account/requests/${ids[0]}/withdraw`, fields)).status, 404);
  assert.equal(sql(`SELECT state FROM rights_request WHERE id = ${ids[0]}`), '1');
  assert.equal((await new Visitor(foyer).get(`/account/requests/${ids[0]}`)).status, 303);
  for (const bad of ['x', '0', '99999999', '-1']) assert.equal((await visitor.get(`/account/requests/${bad}`)).status, 404, bad);
  for (const bad of ['x', '1-x', '1-99999999999999999999', '-'.repeat(9)]) assert.equal((await visitor.get(`/account/requests?cursor=${bad}`)).status, 400, bad);
});

test('a member’s list has pages', async () => {
  const { visitor } = await english();
  const first = await ask(visitor);
  const account = sql(`SELECT account_id FROM rights_request WHERE id = ${first}`);
  sql(`INSERT INTO rights_request (account_id, kind, state, lang, wish, created_at, received_at, counts_from, due_at, answer_by)
    SELECT account_id, 1 + seq % 7, 1, lang, wish, created_at, received_at, counts_from, due_at, answer_by FROM rights_request, seq_1_to_44 WHERE id = ${first}`);
  assert.equal(sql(`SELECT COUNT(*) FROM rights_request WHERE account_id = ${account}`), '45');
  const seen = new Set();
  let path = '/account/requests';
  let pages = 0;
  while (path) {
    const page = await visitor.get(path);
    for (const [, id] of page.text.matchAll(/href="\/account\/requests\/(\d+)"/g)) seen.add(id);
    path = nextOf(page);
    pages++;
  }
  assert.deepEqual([seen.size, pages], [45, 3]);
  sql(`DELETE FROM rights_request WHERE account_id = ${account}`);
});

test('what came by letter is recorded with its day of receipt, and acknowledged', async () => {
  const wrong = await office.submit('/manage/requests/new', '/manage/requests/new', { email: 'x', received_on: isoDay(1), wish: '' });
  assert.equal(wrong.status, 422);
  assert.deepEqual([...wrong.wrong].sort(), ['email', 'kind', 'name', 'received_on', 'wish']);
  for (const received_on of ['', '2026-02-30', '23/11/2026', 'x'])
    assert.ok((await office.submit(wrong, '/manage/requests/new', { received_on })).wrong.includes('received_on'), received_on);
  const id = await record({ received_on: isoDay(-3) });
  const mail = await foyer.mailTo('ada.byron@example.org');
  assert.ok(mail.text.startsWith('Hello Ada Byron,') && mail.text.includes(`on ${inWords(Date.now() - 3 * 86400000)}`), mail.text);
  assert.ok(mail.text.includes(dueOf(id)) && !mail.text.includes('/account/requests'), 'no account, no link into one');
  const page = await office.get(`/manage/requests/${id}`);
  assert.ok(page.words.includes('Ada Byron') && page.words.includes('ada.byron@example.org') && page.words.includes('Recorded by the team'));
  assert.ok(page.words.includes(`${owner.given_name} ${owner.family_name}`), 'the history says who recorded it');
  assert.match(page.text, /Forget me,<br>\s*please\./);
});

test('a request goes from received to answered, and the person reads the answer', async () => {
  const { who, visitor } = await english();
  const id = await ask(visitor);
  const page = await office.get(`/manage/requests/${id}`);
  assert.ok(page.words.includes('All that you have about me') && !page.words.includes(who.email), 'the account stays sealed');
  assert.equal(offered(page), 'refuse take withdraw', 'a sign-in proves who asks');
  assert.equal((await office.post(`/manage/requests/${id}/step`, { ...formOf(page, 'take').fields, step: 'ask', identity: 'Your passport' })).status, 403);
  assert.equal(offered(await take(id, 'take')), 'answer extend refuse withdraw');
  const empty = await step(id, 'answer', { reply: ' \n ' });
  assert.deepEqual([empty.status, empty.wrong], [422, ['reply']]);
  assert.match(empty.text, new RegExp(`href="/manage/requests/${id}\\?lang=fr"`), 'the language switch leads to a page that can be read');
  const long = await step(id, 'answer', { reply: 'é'.repeat(4001) });
  assert.deepEqual([long.status, long.wrong], [422, ['reply']]);
  assert.equal(formOf(long, 'answer').fields.reply.length, 4000, 'what was typed stays');
  const reply = `Here it is:\n\n<b>everything</b>\n${'é'.repeat(3900)}`;
  const done = await take(id, 'answer', { reply });
  assert.equal(offered(done), '');
  assert.ok(done.words.includes('Answered') && done.words.includes('The answer given'));
  const mail = await foyer.mailTo(who.email, (one) => one.subject.startsWith('Our answer'));
  assert.ok(lines(mail).includes('Here it is:\n\n<b>everything</b>\né'), mail.text.slice(0, 400));
  assert.ok(mail.text.includes('é'.repeat(3900)) && mail.html.includes('&lt;b&gt;everything') && mail.text.includes('CNIL'));
  const theirs = await visitor.get(`/account/requests/${id}`);
  assert.ok(theirs.words.includes('Our answer') && theirs.words.includes('<b>everything</b>') && theirs.words.includes('CNIL'));
  assert.equal((await office.post(`/manage/requests/${id}/step`, { ...formOf(page, 'take').fields })).status, 409);
});

test('nobody decides about the own request', async () => {
  const mine = await signIn(foyer, owner);
  const id = await ask(mine, 'objection', 'Not about me');
  const page = await office.get(`/manage/requests/${id}`);
  assert.equal(offered(page), '');
  assert.match(page.words, /This is your own request/);
  const { fields } = formOf(await office.get(`/manage/requests/${await record()}`), 'take');
  assert.equal((await office.post(`/manage/requests/${id}/step`, fields)).status, 403);
  assert.equal(sql(`SELECT state FROM rights_request WHERE id = ${id}`), '1');
  assert.equal((await mine.submit(`/account/requests/${id}`, `/account/requests/${id}/withdraw`)).status, 303);
});

test('a restriction by letter is the account’s, and covers what was written before', async () => {
  const { who, visitor } = await english();
  const write = async (message) => {
    const sent = await new Visitor(foyer).submit('/contact', '/contact', { name: 'Zoé', email: who.email, subject: 'A room', message, consent: 'yes' });
    const reference = new URL(sent.location, foyer.origin).searchParams.get('reference');
    return (await office.get('/manage/contact')).text.match(new RegExp(`href="(/manage/contact/\\d+)"[^>]*>${reference}<`))[1];
  };
  const before = await write('Blue shutters');
  assert.ok((await office.get(before)).words.includes('Blue shutters'));
  const id = await record({ kind: 'restriction', email: who.email.toUpperCase(), wish: 'Keep it only' });
  const closed = await office.get(before);
  assert.equal(closed.status, 200);
  assert.ok(!closed.words.includes('Blue shutters') && /not shown.*GDPR Article 18/.test(closed.words), closed.words);
  assert.ok((await office.get(await write('Green door'))).words.includes('Green door'), 'whoever writes again wants an answer');
  assert.ok((await visitor.get('/account/requests')).text.includes(`/account/requests/${id}"`), 'the person sees what was recorded');
  assert.match((await visitor.get('/account')).words, /restricted/);
  assert.equal((await visitor.submit('/account/privacy', '/account/privacy/restriction/end')).status, 303);
  assert.ok((await office.get(before)).words.includes('Blue shutters'));
});

test('the clock stands while identity is unproven, and then runs as much longer', async () => {
  const id = await record({ received_on: isoDay(-2) });
  const before = dueOf(id);
  const silent = await step(id, 'ask', { identity: '' });
  assert.deepEqual([silent.status, silent.wrong], [422, ['identity']]);
  const stopped = await take(id, 'ask', { identity: 'Please call us.\nAny weekday.' });
  assert.ok(stopped.words.includes('Identity to be confirmed') && stopped.words.includes('Clock stopped'));
  assert.ok(!stopped.words.includes(before), 'no date stands while the clock does');
  assert.equal(offered(stopped), 'prove refuse withdraw');
  const asked = await foyer.mailTo('ada.byron@example.org', (one) => one.subject.startsWith('Help us confirm'));
  assert.ok(lines(asked).includes('Please call us.\nAny weekday.') && asked.text.includes('paused'));
  const board = await office.get('/manage/requests');
  assert.ok(!board.text.includes(`/manage/requests/${id}"`), 'its clock does not run');
  assert.match(board.words, /\d+ requests? waits? for a proof of identity/);
  assert.match((await office.get('/manage/requests?state=identity_check')).text, new RegExp(`/manage/requests/${id}"`));
  // 50 days later it is not late: it stood all the time but the first two days.
  age(id, 50);
  assert.ok(!(await office.get(`/manage/requests/${id}`)).words.includes('late'));
  const unproven = await step(id, 'prove', {});
  assert.deepEqual([unproven.status, unproven.wrong], [422, ['proof']]);
  const running = await take(id, 'prove', { proof: 'Called back' });
  assert.equal(offered(running), 'answer extend refuse withdraw');
  assert.equal(dueOf(id), before, 'as much later as it stood');
  assert.ok(running.words.includes('Called back') && running.words.includes(before));
  const told = await foyer.mailTo('ada.byron@example.org', (one) => one.subject.startsWith('Your identity is confirmed'));
  assert.ok(told.text.includes(before) && !told.text.includes('Called back'), 'the note is ours');
});

test('more time is taken with a reason, within the first month only', async () => {
  const { who, visitor } = await english();
  const id = await ask(visitor);
  await take(id, 'take');
  const empty = await step(id, 'extend', {});
  assert.deepEqual([empty.status, empty.wrong], [422, ['extension']]);
  const longer = await take(id, 'extend', { extension: 'The archive is on paper.' });
  assert.equal(offered(longer), 'answer refuse withdraw', 'once');
  const until = dueOf(id);
  assert.notEqual(until, dueOf(id, 'due_at'));
  assert.equal(sql(`SELECT DATEDIFF(answer_by, due_at) BETWEEN 55 AND 66 FROM rights_request WHERE id = ${id}`), '1', 'two months more');
  const mail = await foyer.mailTo(who.email, (one) => one.subject.startsWith('We need more time'));
  assert.ok(mail.text.includes('The archive is on paper.') && mail.text.includes(until));
  const theirs = await visitor.get(`/account/requests/${id}`);
  assert.ok(theirs.words.includes('The archive is on paper.') && theirs.words.includes(`By ${until}`));

  const late = await ask(visitor);
  const page = await take(late, 'take');
  age(late, 40);
  const refused = await step(late, 'extend', { extension: 'I forgot <it>' }, page);
  assert.equal(refused.status, 422);
  assert.match(refused.words, /can no longer be extended/);
  assert.ok(refused.words.includes('I forgot <it>'), 'what was typed stays, though its form is gone');
  assert.equal(offered(refused), 'answer refuse withdraw');
  assert.equal(sql(`SELECT state FROM rights_request WHERE id = ${late}`), '3');
});

test('a refusal gives its reason, the CNIL and the court', async () => {
  const { who, visitor } = await english();
  const id = await ask(visitor, 'erasure');
  const empty = await step(id, 'refuse', {});
  assert.deepEqual([empty.status, empty.wrong], [422, ['refusal']]);
  await take(id, 'refuse', { refusal: 'The law makes us keep invoices.' });
  const mail = await foyer.mailTo(who.email, (one) => one.text.includes('This is why'));
  for (const part of ['The law makes us keep invoices.', 'CNIL', '3 place de Fontenoy', 'https://www.cnil.fr/', 'tribunal judiciaire'])
    assert.ok(mail.text.includes(part) && mail.html.includes(part), part);
  const theirs = await visitor.get(`/account/requests/${id}`);
  assert.ok(theirs.words.includes('Refused') && theirs.words.includes('The law makes us keep invoices.') && theirs.words.includes('tribunal judiciaire'));
});

test('who asks for a restriction is still served, and is used for nothing else', async () => {
  const { who, visitor } = await english();
  assert.doesNotMatch((await visitor.get('/account')).words, /restricted/);
  assert.doesNotMatch((await visitor.get('/account/privacy')).text, /id="restriction"/);
  const sent = await visitor.submit('/account/requests', '/account/requests', { kind: 'restriction', wish: 'Keep it for a claim' });
  assert.match((await visitor.follow(sent)).words, /from now on your data is only kept/);
  assert.match((await visitor.get('/account')).words, /as you asked: we only keep it/);
  assert.match((await visitor.get('/account/privacy')).words, /The use of your data is restricted/);
  assert.equal((await office.get('/manage/requests')).status, 200, 'the board shows the others');
  const sessions = await office.get('/manage/sessions');
  assert.equal(sessions.status, 200);
  assert.ok(!sessions.words.includes(who.email), 'a list names others only');

  // Signing in, changing the profile and the messages that protect the account go on.
  const other = new Visitor(foyer);
  assert.equal((await other.submit('/login', '/login', { email: who.email, password: who.password })).status, 303);
  assert.equal((await other.submit('/account/profile', '/account/profile', { phone: '+33 1 41 11 22 33' })).status, 303);
  const forgotten = await new Visitor(foyer).submit('/password/forgot', '/password/forgot', { email: who.email });
  assert.ok([200, 303].includes(forgotten.status));
  await foyer.mailTo(who.email, (one) => one.text.includes('/password/reset'));

  const ended = await visitor.submit('/account/privacy', '/account/privacy/restriction/end');
  assert.match((await visitor.follow(ended)).words, /The restriction has ended/);
  assert.doesNotMatch((await visitor.get('/account')).words, /restricted/);
});

test('a refused restriction ends seven days after the person was told, by the job', async () => {
  const { who, visitor } = await english();
  const id = await ask(visitor, 'objection', 'Do not count me');
  await take(id, 'refuse', { refusal: 'Nobody counts.' });
  const until = inWords(new Date(Date.now() + 7 * 86400000));
  const mail = await foyer.mailTo(who.email, (one) => one.text.includes('This is why'));
  assert.ok(lines(mail).replaceAll('\n', ' ').includes(`will no longer be from ${until} on`), mail.text);
  assert.ok((await visitor.get('/account/privacy')).words.includes(`will end on ${until}`));
  const at = (days) => new Date(Date.now() + days * 86400000).toISOString().replace(/\.\d+Z$/, 'Z');
  const job = async (days, ...flags) => {
    const { code, stdout, stderr } = await foyer.run(['jobs', 'run', 'retention', '--at', at(days), '--json', ...flags]);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout).items.find((item) => item.object.startsWith('restrictions'))?.count ?? 0;
  };
  assert.equal(await job(6.9), 0);
  assert.equal(await job(7.1, '--dry-run'), 1);
  assert.match((await visitor.get('/account')).words, /restricted/);
  assert.equal(await job(7.1), 1);
  assert.doesNotMatch((await visitor.get('/account')).words, /restricted/);
  assert.equal(await job(7.1), 0);
});

test('of two who act at once the second is told, and keeps the text', async () => {
  const id = await record();
  const other = await signInToOffice(foyer);
  const [mine, theirs] = [await office.get(`/manage/requests/${id}`), await other.get(`/manage/requests/${id}?lang=en`)];
  assert.equal((await step(id, 'refuse', { refusal: 'Unfounded.' }, mine)).status, 303);
  const form = formOf(theirs, 'ask');
  const second = await other.post(form.action, { ...form.fields, identity: 'Who <are> you?' });
  assert.equal(second.status, 409);
  assert.match(second.words, /Someone else has just dealt with this request: its state is now “Refused”/);
  assert.ok(second.words.includes('Who <are> you?'));
  assert.equal(offered(second), '');

  const raced = await record();
  await take(raced, 'take');
  const page = await office.get(`/manage/requests/${raced}`);
  const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => step(raced, i % 2 ? 'answer' : 'withdraw', { reply: `Answer ${i}`, withdrawal: `By phone ${i}` }, page)));
  assert.deepEqual(answers.map((one) => one.status).sort(), [303, 409, 409, 409, 409, 409]);
  assert.equal(sql(`SELECT COUNT(*) FROM rights_step WHERE request_id = ${raced}`), '3');
});

test('steps that no form offers, and forms without their token, change nothing', async () => {
  const id = await record();
  const { action, fields } = formOf(await office.get(`/manage/requests/${id}`), 'take');
  for (const more of [{ step: 'answer' }, { step: 'prove' }, { step: 'extend' }, { step: 'x' }, { step: '' }, { state: 'x' }, { state: '' }, { state: 'refused', step: 'answer' }])
    assert.equal((await office.post(action, { ...fields, reply: 'x', proof: 'x', extension: 'x', ...more })).status, 400, JSON.stringify(more));
  assert.equal((await office.post(action, { ...fields, csrf: 'x' })).status, 409);
  assert.equal((await office.post('/manage/requests/99999999/step', fields)).status, 404);
  const { visitor } = await english();
  for (const path of ['/manage/requests', `/manage/requests/${id}`, '/manage/requests/new']) assert.notEqual((await visitor.get(path)).status, 200, path);
  assert.equal(sql(`SELECT state FROM rights_request WHERE id = ${id}`), '1');
  assert.equal((await office.get('/manage/requests?state=x')).status, 400);
  assert.equal((await office.get('/manage/requests?cursor=1-2-3')).status, 400);
});

test('the board begins with what is late, in words too, and has pages', async () => {
  sql('DELETE FROM rights_request');
  const late = await record({ received_on: isoDay(-40), name: 'Late' });
  const soon = await record({ received_on: isoDay(-24), name: 'Soon' });
  const fresh = await record({ name: 'Fresh' });
  const ids = (page) => [...page.text.matchAll(/href="\/manage\/requests\/(\d+)"/g)].map(([, id]) => Number(id));
  const board = await office.get('/manage/requests');
  assert.deepEqual(ids(board), [late, soon, fresh]);
  assert.match(board.text, /class="badge bad">\d+ days? late</);
  assert.match(board.text, /class="badge (warn|bad)">\d+ days? left</);
  assert.match((await office.get('/manage/requests?lang=fr')).text, /En retard de \d+ jours?/);
  await office.get('/manage/requests?lang=en');
  sql(`INSERT INTO rights_request (kind, state, lang, name, email, wish, created_at, received_at, counts_from, due_at, answer_by)
    SELECT 1, 1, 0, 'N', 'n@example.org', 'w', created_at, received_at, counts_from, due_at, answer_by FROM rights_request, seq_1_to_40 WHERE id = ${soon}`);
  const seen = [];
  let path = '/manage/requests';
  while (path) {
    const page = await office.get(path);
    seen.push(...ids(page));
    path = nextOf(page);
  }
  assert.equal(new Set(seen).size, 43);
  assert.equal(seen.length, 43);
  assert.deepEqual([seen[0], seen.at(-1)], [late, fresh]);
});

test('a request outlives its account, can be ended, and goes five years later', async () => {
  sql('DELETE FROM rights_request');
  const { visitor } = await english();
  const id = await ask(visitor, 'erasure');
  await take(id, 'take');
  sql(`DELETE FROM account WHERE id = (SELECT account_id FROM rights_request WHERE id = ${id})`);
  assert.ok((await office.get(`/manage/requests/${id}`)).words.includes('Deleted account'));
  assert.match((await take(id, 'answer', { reply: 'All is gone.' })).words, /no message could be sent/);
  const at = (days) => ['jobs', 'run', 'purge', '--at', new Date(Date.now() + days * 86400000).toISOString()];
  assert.equal((await foyer.run(at(1825))).code, 0);
  assert.equal(sql(`SELECT COUNT(*) FROM rights_request WHERE id = ${id}`), '1');
  const purged = await foyer.run(at(1827));
  assert.equal(purged.code, 0, purged.stderr);
  assert.match(purged.stdout, /old request/);
  assert.equal(sql(`SELECT COUNT(*) FROM rights_request WHERE id = ${id}`), '0');
  assert.equal(sql(`SELECT COUNT(*) FROM rights_step WHERE request_id = ${id}`), '0');
});

test('no text of a request reaches the logs', () => {
  const logs = foyer.log() + foyer.readLog('access.log');
  for (const text of ['All that you have', 'Forget me', 'archive is on paper', 'ada.byron', 'Called back']) assert.ok(!logs.includes(text), text);
});
