// Every route of the tables, with input that nobody honest sends: never 500, never a crash, never an empty answer, and
// an access log that still parses. The routes are read from server/routes, so a new one is tried without being named.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { member, setUp, signInToOffice } from '../support/flows.mjs';
import { Foyer, top } from '../support/foyer.mjs';
import { exchange, request } from '../support/raw.mjs';
import { Visitor } from '../support/visitor.mjs';
import { until } from '../support/wait.mjs';

function routesOfTheTables() {
  const found = [];
  const directory = join(top, 'server/routes');
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.c'))) {
    const text = readFileSync(join(directory, file), 'utf8');
    const constants = Object.fromEntries([...text.matchAll(/^#define (\w+) "([^"]*)"$/gm)].map(([, name, value]) => [name, value]));
    const lists = Object.fromEntries([...text.matchAll(/static const struct fy_param (\w+)\[\] = \{([\s\S]*?)\n?\};/g)]
      .map(([, name, body]) => [name, [...body.matchAll(/FY_(PATH|QUERY|FORM|JSON)\("(\w+)"/g)].map(([, where, param]) => ({ where, param }))]));
    for (const [, method, path, rest] of text.matchAll(/\{ FY_(GET|POST|PUT|PATCH|DELETE), ((?:"[^"]*"|[A-Z_]+)(?: "[^"]*")*), ([\s\S]*?)\},?\n/g)) {
      const whole = path.split(' ').map((part) => (part[0] === '"' ? part.slice(1, -1) : constants[part])).join('');
      found.push({ method, path: whole, params: lists[rest.match(/FY_PARAMS\((\w+)\)/)?.[1]] ?? [], operator: /FY_ACCESS_OPERATOR/.test(rest) });
    }
  }
  return found;
}

const routes = routesOfTheTables();
let foyer;
const visitors = {};

before(async () => {
  foyer = await Foyer.start({ workers: 2, env: { FOYER__LIMITS__IDLE_SECONDS: '1', FOYER__LIMITS__BODY_SECONDS: '1', FOYER__LIMITS__HEADER_SECONDS: '1' } });
  visitors.stranger = new Visitor(foyer);
  ({ visitor: visitors.member } = await member(foyer));
  await setUp(foyer);
  visitors.office = await signInToOffice(foyer);
});
after(() => foyer.stop());

test('the tables are found', () => {
  assert.ok(routes.length >= 45, `${routes.length} routes`);
  for (const known of ['GET /', 'POST /login', 'PATCH /api/v1/me', 'POST /manage/sessions/end-network', 'GET /manage/contact/:id'])
    assert.ok(routes.some((route) => `${route.method} ${route.path}` === known), known);
  assert.ok(routes.find((route) => route.path === '/register' && route.method === 'POST').params.length >= 5);
});

const nasty = [
  '', ' ', '0', '-1', '1e999', '99999999999999999999999', '%', '%zz', '%00', '%c3%28', '%ff%fe', '%e2%80%ae', '\u202e', '🏳️‍🌈'.repeat(20), 'a'.repeat(5000),
  "' OR 1=1 --", '<script>alert(1)</script>', '{{7*7}}', '${jndi:ldap://127.0.0.1/}', '../../../../etc/passwd', '..%2f..%2fetc%2fpasswd', '%0d%0aSet-Cookie:%20x=y',
  '%n%n%s', 'null', '[]', '\\', '"', "'", ';', '\t', '\u0000', '\uffff', 'İı', '%F0%9F%92%A9', '0x41', '+', '/', '//', '?', '#', '*',
];

function judge(answer, what) {
  assert.notEqual(answer.status, 500, what);
  assert.ok(answer.status >= 200 && answer.status < 504, `${what}: ${answer.status}`);
  if (answer.status >= 400) {
    assert.ok(answer.bytes.length > 40, `${what}: ${answer.status} has a body`);
    assert.match(answer.headers['content-type'], /^(text\/html|application\/problem\+json)/, what);
  }
  assert.ok(answer.headers['x-request-id'], what);
  assert.equal(answer.headers['set-cookie']?.some((one) => /^x=/.test(one)) ?? false, false, what);
  if (/^text\/html/.test(answer.headers['content-type'])) assert.ok(!answer.text.includes('<script>'), what);
}

// With the token of a page that has one, so that input gets as far as it can.
async function tokenOf(visitor, who) {
  const page = await visitor.get(who === 'office' ? '/manage/sessions' : who === 'member' ? '/account' : '/login');
  return page.forms.find((form) => form.fields.csrf)?.fields.csrf;
}

for (const who of ['stranger', 'member', 'office']) {
  test(`every route survives every nasty value, for a ${who}`, async () => {
    const visitor = visitors[who];
    for (const route of routes) {
      // What would end the visit itself is tried, too, but last and elsewhere.
      if (/logout|end-others|end-person|end-network|jobs\/run$/.test(route.path) && route.method === 'POST' && who !== 'stranger') continue;
      const csrf = await tokenOf(visitor, who);
      const jobs = nasty.map((value, i) => async () => {
        const raw = encodeURIComponent(value).replace(/%25(?=[0-9a-z]{2}|zz|$|n)/gi, '%');
        const path = route.path.replace(/:\w+/g, raw || '%20');
        const inQuery = route.params.filter((one) => one.where === 'QUERY').map((one) => `${one.param}=${raw}`).join('&');
        const target = inQuery ? `${path}?${inQuery}` : path;
        const isJson = route.params.some((one) => one.where === 'JSON');
        const options = { raw: true, headers: {} };
        if (isJson) {
          options.headers['content-type'] = 'application/json';
          options.headers['if-match'] = '*';
          options.body = JSON.stringify(Object.fromEntries(route.params.map((one) => [one.param, value])));
        } else if (route.method !== 'GET' && route.method !== 'DELETE') {
          options.headers['content-type'] = 'application/x-www-form-urlencoded';
          options.body = route.params.filter((one) => one.where === 'FORM').map((one) => `${one.param}=${one.param === 'csrf' ? csrf : raw}`).join('&');
        }
        judge(await visitor.request(route.method, target, options), `${route.method} ${target.slice(0, 100)} #${i}`);
      });
      // Passwords cost a hash each: a few values are enough there.
      const some = /login|register|setup|password/.test(route.path) && route.method === 'POST' ? jobs.filter((_, i) => i % 5 === 0) : jobs;
      for (let at = 0; at < some.length; at += 8) await Promise.all(some.slice(at, at + 8).map((job) => job()));
    }
  });
}

test('every route survives wrong bodies: other types, twice, huge, cut off, not text', async () => {
  const visitor = visitors.office;
  const bodies = [
    ['application/x-www-form-urlencoded', 'a'.repeat(10)], ['application/x-www-form-urlencoded', 'csrf=a&csrf=b&email=x&email=y&state=a&state=b'],
    ['application/x-www-form-urlencoded', '&'.repeat(3000)], ['application/x-www-form-urlencoded', Array.from({ length: 500 }, (_, i) => `p${i}=1`).join('&')],
    ['application/x-www-form-urlencoded', '%%%=%%%'], ['application/x-www-form-urlencoded', Buffer.from([0xff, 0xfe, 0x3d, 0x00, 0x80])],
    ['application/x-www-form-urlencoded', 'x='.padEnd(200000, 'y')],
    ['multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\na\r\n--x--\r\n'], ['text/plain', 'csrf=a'], ['application/json', '{'],
    ['application/json', '['.repeat(3000)], ['application/json', '{"given_name":"\\ud800"}'], ['application/json', '{"given_name":"a","given_name":"b"}'],
    ['application/json', '{"given_name":1e999,"phone":null,"country":{},"skills":[]}'], ['application/json', '"text"'], ['application/json', ''], ['', 'x'],
  ];
  for (const route of routes.filter((one) => one.method !== 'GET')) {
    const path = route.path.replace(/:\w+/g, '1');
    await Promise.all(bodies.map(async ([type, body]) => {
      const headers = type ? { 'content-type': type } : {};
      judge(await visitor.request(route.method, path, { body, headers }), `${route.method} ${path} ${type} ${String(body).slice(0, 40)}`);
    }));
  }
});

test('every route answers methods that it does not have, and HEAD', async () => {
  for (const route of routes) {
    const path = route.path.replace(/:\w+/g, '1');
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      if (/logout|end-others/.test(path) && method === 'POST') continue;
      const answer = await visitors.stranger.request(method, path);
      assert.notEqual(answer.status, 500, `${method} ${path}`);
      assert.notEqual(answer.status, 501, `${method} ${path}`);
      if (answer.status === 405) assert.ok(answer.headers.allow.length >= 3, `${method} ${path}`);
      if (method === 'HEAD') assert.equal(answer.bytes.length, 0);
    }
  }
});

test('cookies of every shape are only cookies', async () => {
  for (const cookie of ['sid=', 'sid', '=', ';;;;', 'sid=a; sid=b; sid=c', `sid=${'x'.repeat(8000)}`, 'sid="quoted"', `sid=${'A'.repeat(43)}.xx`, `sid=${'A'.repeat(43)}.en.fr`, 'sid=\u00e9'.normalize(), 'SID=abc', `manager=${'-'.repeat(43)}`, `${'a=b; '.repeat(500)}`])
    for (const path of ['/', '/account', '/api/v1/session', '/manage/sessions', '/login'])
      judge(await new Visitor(foyer).get(path, { headers: { cookie: Buffer.from(cookie).toString('latin1') } }), `${path} ${cookie.slice(0, 40)}`);
});

test('paths of every shape end in a page', async () => {
  for (const target of ['//', '/./', '/../', '/%2e%2e/', '/%2e%2e%2f', '/a%00b', '/%ff', '/%c0%ae', '/login/', '/login//', '/LOGIN', '/login;x=y', '/login%3f', '/static/%2e%2e/%2e%2e/etc/passwd', '/manage/../account', '/.git/config', '/wp-login.php', `/${'a/'.repeat(2000)}`, `/?${'a=b&'.repeat(1500)}`, '/?lang=xx', '/?lang=', '/?lang=fr&lang=en', '/?%', '/?=', '/account?said=nonsense&n=99999999999999999999']) {
    const { responses } = await exchange(foyer, request([`GET ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close']));
    assert.equal(responses.length, 1, target);
    assert.notEqual(responses[0].status, 500, target);
    assert.ok(responses[0].status < 505, target);
    assert.doesNotMatch(responses[0].text, /root:|\[core\]/);
  }
});

test('fields that want to break the log or the page do neither, and each line of access.log parses', async () => {
    const evil = ['"', '\\', '" 200 1 "-" "-', '\x7f', '\u00ff\u00fe', '%22%0a127.0.0.1 - - [x] "GET / HTTP/1.1" 200 1 "-" "-"', ']', '[', '\t', 'a'.repeat(4000)];
  for (const [i, text] of evil.entries()) {
    const bytes = Buffer.from(request([`GET /mark-${i}-${encodeURI(text).slice(0, 3000)} HTTP/1.1`, 'Host: localhost', `User-Agent: ${text}`, `Referer: ${text}`, `Cookie: sid=${text}`, 'Connection: close']), 'latin1');
    const { responses } = await exchange(foyer, bytes);
    assert.equal(responses.length, 1);
  }
  for (const garbage of ['\x00\x01\x02', '"GET / HTTP/1.1" 200\r\n\r\n', 'GET\r\n\r\n', `GET /"x" HTTP/1.1\r\nHost: localhost\r\n\r\n`]) await exchange(foyer, Buffer.from(garbage, 'latin1')).catch(() => {});
  // Some are refused before their target is known; the last one is honest.
  for (let i = 0; i < 8; i++) await new Visitor(foyer).get(`/last-${i}-`);
  const log = await until('the lines to be written', () => { const text = foyer.readLog('access.log'); return Array.from({ length: 8 }, (_, i) => text.includes(`/last-${i}-`)).every(Boolean) && text; });
  // Combined Log Format; quoted fields hold no bare quote, no control character.
  const line = /^[0-9a-fA-F.:]+ - (?:-|\d+) \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "(?:[^"\\\x00-\x1f\x7f]|\\["\\]|\\x[0-9a-fA-F]{2}|\\[a-z])*" \d{3} (?:\d+|-) "(?:[^"\\\x00-\x1f\x7f]|\\["\\]|\\x[0-9a-fA-F]{2}|\\[a-z])*" "(?:[^"\\\x00-\x1f\x7f]|\\["\\]|\\x[0-9a-fA-F]{2}|\\[a-z])*"$/;
  const lines = log.split('\n');
  assert.equal(lines.pop(), '');
  assert.ok(lines.length > 500);
  for (const one of lines) assert.match(one, line);
  assert.ok(lines.some((one) => / - \d+ \[/.test(one)), 'a signed-in person is an id');
});

test('after all of it the same workers serve, and no event was an internal error', async () => {
  assert.equal((await visitors.office.get('/manage/sessions')).status, 200);
  assert.doesNotMatch(foyer.stderr, /was ended by signal|ended with status/);
  const bad = foyer.events().filter((event) => /panic|require|internal/i.test(JSON.stringify(event)) && event.level === 'error');
  assert.deepEqual(bad, []);
  foyer.assertNoReports();
});
