// Sessions from outside: the cookie, its rotation, ending one from the account page, from the command line and from
// the back office, and what a copy of Redis is worth to a thief.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isSignedIn, member, owner, password, setUp, signIn, signInToOffice } from '../support/flows.mjs';
import { Foyer, sanitized } from '../support/foyer.mjs';
import { isAlive } from '../support/processes.mjs';
import { Visitor } from '../support/visitor.mjs';
import { inTime, until } from '../support/wait.mjs';

let foyer;
let office;
const proxied = (address) => ({ headers: { 'x-forwarded-for': address } });

before(async () => {
  foyer = await Foyer.start({ workers: 2, env: { FOYER__SERVER__TRUSTED_PROXIES: '127.0.0.1/32' } });
  await setUp(foyer);
  office = await signInToOffice(foyer);
});
after(() => foyer.stop());

// A Redis command over the socket in the state directory, in RESP, answered with the raw bytes.
function redis(...commands) {
  const socket = net.connect(join(foyer.state, 'run/redis.sock'));
  const pieces = [];
  const done = new Promise((resolve, reject) => {
    socket.on('data', (piece) => pieces.push(piece));
    socket.on('error', reject);
    socket.on('end', () => resolve(Buffer.concat(pieces).toString('latin1')));
  });
  for (const words of [...commands, ['QUIT']])
    socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`);
  return inTime('Redis', done);
}

// The lists of sessions that Link leads through.
async function pagesOf(visitor, path) {
  const pages = [];
  for (let next = path; next; ) {
    const answer = await visitor.get(next);
    assert.equal(answer.status, 200, answer.text);
    pages.push(answer.json.sessions);
    next = answer.headers.link?.match(/^<([^>]+)>; rel="next"$/)?.[1];
  }
  return pages;
}

// 400, with a sentence, and with the parameter that is wrong.
async function refused(visitor, method, path, name) {
  const answer = await visitor.request(method, path, { headers: { origin: foyer.origin } });
  assert.equal(answer.status, 400, path);
  assert.match(answer.json.detail, /^[A-Z].*\.$/, path);
  assert.deepEqual(answer.json.errors, name ? [{ pointer: `/${name}`, detail: answer.json.detail }] : [], path);
  return answer;
}

test('a second administrator gets an account of her own, with names where it has none', async () => {
  const linkOf = ({ stdout }) => { const url = new URL(stdout.match(/http\S+/)[0]); return url.pathname + url.search; };
  const link = linkOf(await foyer.run(['admin', 'create', '--email', 'second@example.org']));
  const second = new Visitor(foyer);
  const page = await second.get(link);
  assert.doesNotMatch(page.words, /premier|first/i);
  assert.ok(page.words.includes('second@example.org'));
  const wrong = await second.submit(page, '/setup', { password });
  assert.deepEqual([wrong.status, [...wrong.wrong].sort()], [422, ['family_name', 'given_name']]);
  assert.equal((await second.submit(wrong, '/setup', { given_name: 'Odile', family_name: 'Kern', password })).status, 303);
  await signIn(foyer, { email: 'second@example.org', password }, second);
  assert.match((await second.get('/account')).heading, /Odile/);
  const named = linkOf(await foyer.run(['admin', 'create', '--email', 'third@example.org', '--given-name', 'Iris', '--family-name', 'Ott']));
  const third = new Visitor(foyer);
  assert.equal('given_name' in (await third.get(named)).form('/setup').fields, false);
  assert.equal((await third.submit(named, '/setup', { password })).status, 303);
  await signInToOffice(foyer, { email: 'third@example.org', password }, third);
  assert.equal((await third.get(named)).status, 410);
});

test('the token changes at sign-in, and the one from before opens nothing', async () => {
  const { who } = await member(foyer);
  const visitor = new Visitor(foyer);
  await visitor.get('/login');
  const before = visitor.cookies.get('sid');
  assert.match(before, /^[\w-]{43}$/);
  await signIn(foyer, who, visitor);
  const first = visitor.cookies.get('sid');
  assert.notEqual(first, before);
  const fixed = new Visitor(foyer);
  fixed.cookies.set('sid', before);
  assert.equal(await isSignedIn(fixed), false);

  // Signing in again with a live session rotates it, too.
  const again = new Visitor(foyer);
  again.cookies.set('sid', first);
  const csrf = (await visitor.get('/account')).form('/logout').fields.csrf;
  const answer = await again.post('/login', { csrf, email: who.email, password: who.password });
  assert.equal(answer.status, 303, answer.words);
  assert.notEqual(again.cookies.get('sid'), first);
  assert.equal(await isSignedIn(again), true);
  assert.equal(await isSignedIn(visitor), false, 'the session that was replaced is over');
});

test('of two cookies of the session’s name none counts, and the log says so', async () => {
  const { visitor } = await member(foyer);
  const { visitor: other } = await member(foyer);
  const mine = `sid=${visitor.cookies.get('sid')}`;
  const planted = `sid=${other.cookies.get('sid')}`;
  const status = async (cookie) => (await new Visitor(foyer).get('/api/v1/session', { headers: { cookie } })).status;
  assert.equal(await status(mine), 200);
  assert.equal(await status(`${mine}; ${mine}`), 200, 'the same one twice is one');
  for (const cookie of [`${mine}; ${planted}`, `${planted}; ${mine}`, [mine, planted], `${mine}; sid=`, `sid=x; ${mine}`])
    assert.equal(await status(cookie), 401, String(cookie));
  await until('the log to say so five times', () => foyer.events().filter((one) => one.event === 'cookie.ambiguous').length === 5);
  assert.ok(!foyer.log().includes(visitor.cookies.get('sid').slice(0, 43)));
});

test('only whose session has ended is told that it did', async () => {
  const { who, visitor } = await member(foyer);
  const stranger = new Visitor(foyer);
  await stranger.get('/login');
  assert.equal(stranger.cookies.size, 1);
  const asked = await stranger.get('/account');
  assert.equal(asked.location, '/login?next=%2Faccount');
  const notice = (answer) => answer.text.match(/class="notice[^>]*>([\s\S]*?)<\/div>/)?.[1] ?? '';
  assert.match(notice(await stranger.get('/login?next=%2Faccount&why=expired')), /Connectez-vous pour voir/, 'a link from elsewhere does not say it either');
  assert.equal((await foyer.run(['sessions', 'revoke', '--person', who.email])).code, 0);
  await visitor.get('/contact?lang=en');
  const sent = await visitor.get('/account');
  assert.equal(sent.location, '/login?next=%2Faccount&why=expired', 'a chosen language does not make it forget');
  assert.match(notice(await visitor.follow(sent)), /Your session has ended/);
});

test('the cookie is HttpOnly, SameSite, host-only and without Secure on plain loopback', async () => {
  const visitor = new Visitor(foyer);
  const answer = await visitor.get('/login');
  const [cookie, ...others] = answer.headers['set-cookie'];
  assert.deepEqual(others, []);
  assert.match(cookie, /; *HttpOnly/i);
  assert.match(cookie, /; *SameSite=Lax/i);
  assert.match(cookie, /; *Path=\/(;|$)/i);
  assert.doesNotMatch(cookie, /domain|secure/i);
  assert.equal((await new Visitor(foyer).get('/')).headers['set-cookie'], undefined, 'reading a page sets no cookie');
});

test('the account page lists the sessions and ends one, and the next request with it is refused', async () => {
  const { who, visitor: here } = await member(foyer);
  const phone = await signIn(foyer, who, new Visitor(foyer, { headers: { 'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1', 'x-forwarded-for': '198.51.100.7' } }));
  const page = await here.get('/account/security');
  assert.match(page.words, /Firefox/);
  assert.match(page.words, /iPhone|Safari/);
  assert.match(page.words, /198\.51\.100\.7/);
  const ends = page.forms.filter((form) => form.action === '/account/sessions/end');
  assert.equal(ends.length, 1, 'every session but this one has a button');
  const answer = await here.post('/account/sessions/end', ends[0].fields);
  assert.equal(answer.status, 303);
  assert.equal(await isSignedIn(phone), false);
  assert.equal(await isSignedIn(here), true);
  assert.equal((await phone.get('/account')).location.startsWith('/login?'), true);

  const more = [await signIn(foyer, who), await signIn(foyer, who)];
  assert.equal((await here.submit('/account/security', '/account/sessions/end-others')).status, 303);
  for (const one of more) assert.equal(await isSignedIn(one), false);
  assert.equal(await isSignedIn(here), true);
});

test('nobody ends another person’s session by its id', async () => {
  const { visitor: victim } = await member(foyer);
  const { visitor: thief } = await member(foyer);
  const { id } = (await victim.get('/api/v1/session')).json;
  const csrf = (await thief.get('/account')).form('/logout').fields.csrf;
  await thief.post('/account/sessions/end', { csrf, id });
  assert.equal((await thief.request('DELETE', `/api/v1/me/sessions/${id}`)).status, 404);
  assert.equal(await isSignedIn(victim), true);
});

test('the API lists and ends own sessions', async () => {
  const { who, visitor } = await member(foyer);
  const other = await signIn(foyer, who);
  const { sessions } = (await visitor.get('/api/v1/me/sessions')).json;
  assert.equal(sessions.length, 2);
  assert.deepEqual(sessions.map((one) => one.current).sort(), [false, true]);
  const { id } = sessions.find((one) => !one.current);
  assert.equal((await visitor.request('DELETE', `/api/v1/me/sessions/${id}`)).status, 204);
  assert.equal((await visitor.request('DELETE', `/api/v1/me/sessions/${id}`)).status, 404);
  assert.equal(await isSignedIn(other), false);
  await signIn(foyer, who);
  assert.deepEqual((await pagesOf(visitor, '/api/v1/me/sessions?limit=1')).map((page) => page.length), [1, 1]);
  await refused(visitor, 'GET', '/api/v1/me/sessions?limit=0', 'limit');
  await refused(visitor, 'GET', '/api/v1/me/sessions?cursor=nonsense', 'cursor');
});

test('foyer sessions list shows who is signed in, by person and by network', async () => {
  const { who, visitor } = await member(foyer);
  const far = await signIn(foyer, who, new Visitor(foyer, proxied('203.0.113.77')));
  const unnamed = await foyer.runJson(['sessions', 'list']);
  assert.ok(unnamed.length && unnamed.every((one) => one.name === null && one.email === null), 'names are asked for, and that is noted');
  const all = await foyer.runJson(['sessions', 'list', '--names']);
  const { reads } = (await visitor.get('/api/v1/me/access-log')).json;
  assert.deepEqual(reads.map((one) => [one.role, one.fields.length]), [['owner', 3]], 'once for two sessions');
  const { id } = (await visitor.get('/api/v1/session')).json;
  const mine = all.find((one) => one.id === id);
  assert.ok(mine);
  assert.equal(mine.kind, 'visitor');
  assert.match(mine.device, /Firefox/);
  assert.ok(Math.abs(Date.parse(mine.created_at) - Date.now()) < 120000);
  assert.deepEqual([mine.name, mine.email], [`${who.given_name} ${who.family_name}`, who.email]);
  assert.ok(all.some((one) => one.kind === 'manager' && one.email === owner.email));
  assert.equal((await foyer.runJson(['sessions', 'list', '--person', who.email])).length, 2);
  const near = await foyer.runJson(['sessions', 'list', '--ip', '203.0.113.0/24']);
  assert.deepEqual(near.map((one) => one.address), ['203.0.113.77']);
  const table = await foyer.run(['sessions', 'list', '--names']);
  assert.equal(table.code, 0);
  const line = table.stdout.split('\n').find((one) => one.includes(id));
  assert.ok(line.endsWith(`${who.given_name} ${who.family_name} <${who.email}>`), line);
  assert.equal(await isSignedIn(far), true);
});

test('foyer sessions revoke ends one, a person’s, a network’s', async () => {
  const { who, visitor } = await member(foyer);
  const others = [await signIn(foyer, who), await signIn(foyer, who, new Visitor(foyer, proxied('203.0.113.99')))];
  const bystander = await member(foyer);
  const { id } = (await visitor.get('/api/v1/session')).json;
  assert.deepEqual(await foyer.run(['sessions', 'revoke', id]).then(({ code, stdout }) => [code, stdout]), [0, 'revoked=1\n']);
  assert.equal(await isSignedIn(visitor), false);
  assert.equal((await foyer.run(['sessions', 'revoke', id])).code, 1, 'what is not there cannot be revoked');
  assert.equal((await foyer.run(['sessions', 'revoke', '--ip', '203.0.113.96/28'])).stdout, 'revoked=1\n');
  assert.deepEqual([await isSignedIn(others[0]), await isSignedIn(others[1])], [true, false]);
  assert.equal((await foyer.run(['sessions', 'revoke', '--person', who.email])).stdout, 'revoked=1\n');
  assert.equal(await isSignedIn(others[0]), false);
  assert.equal(await isSignedIn(bystander.visitor), true);
  assert.equal((await foyer.run(['sessions', 'revoke', '--person', 'nobody@example.org'])).code, 1);
  assert.equal((await foyer.run(['sessions', 'revoke'])).code, 2);
  assert.equal((await foyer.run(['sessions', 'revoke', '--ip', 'not a network'])).code, 2);
});

test('what the command line changes is in the log, with who did it and without whom it was about', async () => {
  const { who, visitor } = await member(foyer);
  const { id, account_id: account } = (await visitor.get('/api/v1/session')).json;
  const before = foyer.events().length;
  const done = async (args, options) => assert.equal((await foyer.run(args, options)).code, 0, args.join(' '));
  await done(['sessions', 'revoke', id]);
  await done(['sessions', 'revoke', '--person', who.email]);
  await done(['sessions', 'revoke', '--ip', '203.0.113.200/32']);
  await done(['admin', 'create', '--email', 'second.boss@example.org', '--given-name', 'Solange']);
  for (const name of ['So\u001b[2Jlange', 'So\u202elange', 'Solange\u0007'])
    assert.equal((await foyer.run(['admin', 'create', '--email', 'third.boss@example.org', '--family-name', name])).code, 2);
  await done(['jobs', 'run', 'purge', '--dry-run']);
  await done(['jobs', 'run', 'purge']);
  await done(['sessions', 'list']);
  const events = foyer.events().slice(before).filter((one) => one.by === 'command line');
  assert.deepEqual(events.map((one) => [one.event, one.what ?? one.role ?? one.job, one.count]), [
    ['sessions.ended', 'one', 1],
    ['sessions.ended', 'person', 0],
    ['sessions.ended', 'network', 0],
    ['account.created', 'owner', undefined],
    ['job.done', 'purge', undefined],
  ]);
  assert.ok(events[3].account > account);
  for (const one of events) assert.equal(one.user, userInfo().username);
  assert.ok(foyer.events().some((one) => one.event === 'account.created' && one.by === undefined), 'the first owner, too');
  for (const text of [who.email, 'second.boss', 'Solange', who.family_name]) assert.ok(!foyer.log().includes(text), text);
});

test('the inspector shows person, device, network and times, and filters', async () => {
  const { who } = await member(foyer);
  const far = await signIn(foyer, who, new Visitor(foyer, proxied('198.51.100.44')));
  const page = await office.get('/manage/sessions');
  assert.equal(page.status, 200);
  const { id, account_id: account } = (await far.get('/api/v1/session')).json;
  for (const text of [owner.email, `${owner.given_name} ${owner.family_name}`, 'Firefox', '198.51.100.44', String(account)]) assert.ok(page.words.includes(text), text);
  assert.ok(page.text.includes(`href="/manage/people/${account}"`));
  for (const text of [who.email, `${who.given_name} ${who.family_name}`]) assert.ok(!page.words.includes(text), 'names are read on the page of the person');
  const byAccount = await office.get(`/manage/sessions?account=${account}`);
  assert.equal(byAccount.forms.filter((form) => form.action === '/manage/sessions/end').length, 2);
  assert.ok(page.text.includes(id));
  const byPerson = await office.get(`/manage/sessions?person=${encodeURIComponent(who.email)}`);
  assert.equal(byPerson.forms.filter((form) => form.action === '/manage/sessions/end').length, 2);
  const byNetwork = await office.get('/manage/sessions?ip=198.51.100.44%2F32');
  assert.equal(byNetwork.forms.filter((form) => form.action === '/manage/sessions/end').length, 1);
  assert.equal((await office.get('/manage/sessions?ip=nonsense')).status, 422);
  assert.equal((await office.get('/manage/sessions?person=nobody%40example.org')).status, 200);
});

test('the inspector ends one session, all of a person, all of a network; the next request is refused', async () => {
  const { who, visitor } = await member(foyer);
  const { id } = (await visitor.get('/api/v1/session')).json;
  const endForm = async (action, wanted) => (await office.get('/manage/sessions')).forms.find((form) => form.action === action && wanted(form.fields));
  const one = await endForm('/manage/sessions/end', (fields) => fields.id === id);
  assert.equal((await office.post(one.action, one.fields)).status, 303);
  assert.equal(await isSignedIn(visitor), false);

  const several = [await signIn(foyer, who), await signIn(foyer, who)];
  const { account_id: account } = (await several[0].get('/api/v1/session')).json;
  const all = await endForm('/manage/sessions/end-person', (fields) => fields.account === String(account));
  assert.equal((await office.post(all.action, all.fields)).status, 303);
  for (const each of several) assert.equal(await isSignedIn(each), false);

  const near = [await signIn(foyer, who, new Visitor(foyer, proxied('192.0.2.8'))), await signIn(foyer, who, new Visitor(foyer, proxied('192.0.2.9')))];
  const elsewhere = await signIn(foyer, who, new Visitor(foyer, proxied('192.0.3.9')));
  const whole = (await office.get('/manage/sessions?ip=192.0.2.0%2F24')).forms.find((form) => form.fields.network === '192.0.2.0/24');
  const network = await office.post(whole.action, whole.fields);
  assert.equal(network.status, 303);
  assert.ok(network.location.includes('192.0.2.0'), 'the filter stays');
  for (const each of near) assert.equal(await isSignedIn(each), false);
  assert.equal(await isSignedIn(elsewhere), true);
  assert.equal((await office.get('/manage/sessions')).status, 200, 'the administrator is still there');
});

test('the back office API streams the sessions and ends one', async () => {
  const { who, visitor } = await member(foyer);
  const { id } = (await visitor.get('/api/v1/session')).json;
  const list = await office.get('/api/v1/manage/sessions');
  assert.equal(list.status, 200);
  assert.equal(list.headers['transfer-encoding'], 'chunked');
  const mine = list.json.sessions.find((one) => one.id === id);
  assert.deepEqual([mine.name, mine.email], [null, null]);
  assert.ok(!list.text.includes(who.email));
  const own = list.json.sessions.find((one) => one.current);
  assert.deepEqual([own.name, own.email], [`${owner.given_name} ${owner.family_name}`, owner.email]);
  assert.equal((await office.request('DELETE', `/api/v1/manage/sessions/${id}`, { headers: { origin: foyer.origin } })).status, 204);
  assert.equal(await isSignedIn(visitor), false);
  const stranger = await visitor.get('/api/v1/manage/sessions');
  assert.equal(stranger.status, 401);
});

test('the back office API gives pages, by person, account and network', async () => {
  const { who, visitor } = await member(foyer);
  for (const last of [11, 12, 13]) await signIn(foyer, who, new Visitor(foyer, proxied(`198.18.0.${last}`)));
  const { account_id: account } = (await visitor.get('/api/v1/session')).json;
  const list = '/api/v1/manage/sessions';
  for (const filter of [`account=${account}`, `person=${encodeURIComponent(who.email)}`, `person=${encodeURIComponent(who.email)}&account=${account}`]) {
    const pages = await pagesOf(office, `${list}?${filter}&limit=3`);
    assert.deepEqual(pages.map((page) => page.length), [3, 1], filter);
    assert.equal(new Set(pages.flat().map((one) => one.id)).size, 4);
    assert.ok(pages.flat().every((one) => one.account_id === account && one.email === null));
  }
  assert.deepEqual((await pagesOf(office, `${list}?ip=198.18.0.0%2F28&limit=2`)).map((page) => page.length), [2, 1]);
  assert.equal((await office.get(`${list}?person=${encodeURIComponent(who.email)}`)).json.sessions.length, 4);
  assert.deepEqual((await office.get(`${list}?person=nobody%40example.org`)).json.sessions, []);
  assert.deepEqual((await office.get(`${list}?person=${encodeURIComponent(owner.email)}&account=${account}`)).json.sessions, []);
  for (const [query, name] of [['limit=201', 'limit'], ['limit=1000', 'limit'], ['limit=1&limit=2', 'limit'], ['cursor=1', 'cursor'], ['ip=x', 'ip'], ['account=x', 'account'], ['person=x', 'person']])
    await refused(office, 'GET', `${list}?${query}`, name);
});

test('the back office API ends all of a person or of a network, and never the caller', async () => {
  const list = '/api/v1/manage/sessions';
  const end = (query) => office.request('DELETE', `${list}${query}`, { headers: { origin: foyer.origin } });
  const { who, visitor } = await member(foyer);
  const near = [await signIn(foyer, who, new Visitor(foyer, proxied('198.18.1.1'))), await signIn(foyer, who, new Visitor(foyer, proxied('198.18.1.2')))];
  const { account_id: account } = (await visitor.get('/api/v1/session')).json;
  for (const query of ['', '?account=1&ip=192.0.2.0%2F24']) {
    const answer = await refused(office, 'DELETE', `${list}${query}`);
    assert.match(answer.json.detail, /account.*ip/);
  }
  await refused(office, 'DELETE', `${list}?account=0`, 'account');
  await refused(office, 'DELETE', `${list}?ip=`, 'ip');
  assert.equal(await isSignedIn(visitor), true);
  const answer = await end('?ip=198.18.1.0%2F24');
  assert.deepEqual([answer.status, answer.json], [200, { ended: 2 }]);
  for (const one of near) assert.equal(await isSignedIn(one), false);
  assert.deepEqual((await end(`?account=${account}`)).json, { ended: 1 });
  assert.equal(await isSignedIn(visitor), false);
  const own = (await office.get(list)).json.sessions.find((one) => one.current);
  const other = await signInToOffice(foyer);
  assert.deepEqual((await end(`?account=${own.account_id}`)).status, 200);
  assert.equal((await other.get('/manage/sessions')).status, 303);
  assert.equal((await office.get('/manage/sessions')).status, 200);
  assert.equal((await office.request('DELETE', `${list}?account=${account}`, { headers: { origin: 'https://elsewhere.example' } })).json.detail, 'The request comes from another site.');
});

test('a member is nobody in the back office, and an administrator’s cookie is nobody’s outside of it', async () => {
  const { who, visitor } = await member(foyer);
  const answer = await new Visitor(foyer).submit('/manage/login', '/manage/login', { email: who.email, password: who.password });
  assert.equal(answer.status, 422);
  const crossed = new Visitor(foyer);
  crossed.cookies.set('manager', visitor.cookies.get('sid'));
  assert.equal((await crossed.get('/manage/sessions')).status, 303);
  const back = new Visitor(foyer);
  back.cookies.set('sid', office.cookies.get('manager'));
  assert.equal(await isSignedIn(back), false);
  assert.notEqual(office.cookies.get('manager'), undefined);
});

test('from another network the back office does not exist', async () => {
  const far = new Visitor(foyer, proxied('203.0.113.5'));
  far.cookies = new Map(office.cookies);
  for (const path of ['/manage', '/manage/login', '/manage/sessions', '/manage/contact', '/manage/jobs', '/api/v1/manage/sessions'])
    assert.equal((await far.get(path)).status, 404, path);
  const csrf = (await office.get('/manage/sessions')).form('/manage/logout').fields.csrf;
  assert.equal((await far.post('/manage/logout', { csrf })).status, 404);
  assert.equal((await office.get('/manage/sessions')).status, 200);
  // Only what a trusted proxy wrote counts: the first of two hops is the visitor's own invention.
  const liar = new Visitor(foyer, proxied('127.0.0.1, 203.0.113.5'));
  assert.equal((await liar.get('/manage/login')).status, 404);
});

test('a copy of Redis signs nobody in: it holds no token, no password, no name', async () => {
  const { who, visitor } = await member(foyer);
  const token = visitor.cookies.get('sid').slice(0, 43);
  const keys = [...(await redis(['KEYS', '*'])).matchAll(/\$\d+\r\n([^\r]+)\r\n/g)].map(([, key]) => key);
  assert.ok(keys.length > 2);
  const dump = await redis(...keys.flatMap((key) => [['DUMP', key], ['GET', key], ['ZRANGE', key, '0', '-1'], ['SMEMBERS', key], ['HGETALL', key]]));
  assert.ok(dump.length > 100);
  for (const secret of [token, Buffer.from(token, 'base64url').toString('latin1'), Buffer.from(token, 'base64url').toString('hex'), who.email, password])
    assert.ok(!dump.includes(secret) && !keys.some((key) => key.includes(secret)), 'not in Redis');
  const thief = new Visitor(foyer);
  for (const [word] of (keys.join(' ') + dump).matchAll(/[\w-]{43}/g)) {
    thief.cookies.set('sid', word);
    assert.equal(await isSignedIn(thief), false);
  }
});

test('signing out of the office ends the session on the server, not only the cookie', async () => {
  const mine = await signInToOffice(foyer);
  const kept = new Visitor(foyer);
  kept.cookies = new Map(mine.cookies);
  const out = await mine.submit('/manage/sessions', '/manage/logout');
  assert.equal(out.status, 303);
  assert.equal((await kept.get('/manage/sessions')).status, 303);
});

test('a list of any length is streamed through little memory', async () => {
  const COUNT = 180000;
  const { visitor } = await member(foyer);
  const { id } = (await visitor.get('/api/v1/session')).json;
  // Copies of a real session; many were used in the same second, so that a page ends among equals. A script keeps
  // Redis from everybody else while it runs, so they are made in slices.
  const copies = `local record = redis.call('GET', 'sess:' .. ARGV[1])
    local score = tonumber(redis.call('ZSCORE', 'sess-seen', ARGV[1]))
    for i = tonumber(ARGV[2]), tonumber(ARGV[3]) do
      local id = string.format('%032x', i)
      redis.call('SET', 'sess:' .. id, record, 'EX', 600)
      redis.call('ZADD', 'sess-seen', score - math.floor(i / 700) * 1000000, id)
    end`;
  const SLICE = 10000;
  for (let from = 1; from <= COUNT; from += SLICE)
    await redis(['EVAL', copies, '0', id, String(from), String(from + SLICE - 1)]);
  const workers = foyer.workers();
  const answer = await office.get('/api/v1/manage/sessions');
  assert.equal(answer.status, 200);
  const ids = new Set(answer.json.sessions.map((one) => one.id));
  assert.equal(ids.size, answer.json.sessions.length, 'each once');
  assert.ok(ids.size > COUNT && ids.has(id));
  assert.ok(workers.every((one) => isAlive(one)), 'no worker was lost over it');
  for (const { pid } of workers) {
    const kib = Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmHWM:\s+(\d+) kB/)[1]);
    assert.ok(kib < (sanitized ? 1024 : 96) * 1024, `${kib} KiB at most in memory`);
  }
});

test('foyer sessions revoke --all empties the house', async () => {
  const { visitor } = await member(foyer);
  const { code, stdout } = await foyer.run(['sessions', 'revoke', '--all']);
  assert.equal(code, 0);
  assert.match(stdout, /^revoked=[1-9]\d*\n$/);
  assert.equal(await isSignedIn(visitor), false);
  assert.equal((await office.get('/manage/sessions')).status, 303);
  assert.deepEqual(await foyer.runJson(['sessions', 'list']), []);
});
