// HTTP/1.1 on the wire: framing, pipelining, limits and refusals, seen as bytes. The rules are those of RFC 9110 and
// 9112; the vectors are llhttp's own.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { setUp, signInToOffice } from '../support/flows.mjs';
import { Foyer, top } from '../support/foyer.mjs';
import { Connection, exchange, request } from '../support/raw.mjs';
import { Visitor, encodeForm } from '../support/visitor.mjs';

let foyer;
before(async () => {
  foyer = await Foyer.start({
    workers: 1,
    env: { FOYER__LIMITS__HEADER_SECONDS: '1', FOYER__LIMITS__BODY_SECONDS: '1', FOYER__LIMITS__IDLE_SECONDS: '2', FOYER__LIMITS__HEADER_COUNT: '60' },
  });
});
after(() => foyer.stop());

const get = (path, ...more) => request([`GET ${path} HTTP/1.1`, 'Host: localhost', ...more]);
const alive = async () => assert.equal((await new Visitor(foyer).get('/healthz')).status, 200);

// A visitor who has been at the contact form: { cookie, fields }.
async function contactForm() {
  const visitor = new Visitor(foyer);
  const page = await visitor.get('/contact');
  return { cookie: visitor.cookieHeader(), fields: { ...page.form('/contact').fields, name: 'A', email: 'a@example.org', subject: 'S', message: 'M', consent: 'yes' } };
}

describe('the 61 requests that llhttp refuses', () => {
  const { cases } = JSON.parse(readFileSync(join(top, 'tests/vectors/llhttp-request-cases.json'), 'utf8'));
  // An Upgrade may be ignored (RFC 9110 section 7.8): these two are good requests for a path that does not exist.
  const good = ['Upgrade GET request', 'Upgrade POST request'];
  const refused = cases.filter((one) => one.meta.type === 'request' && one.llhttp_error && !good.includes(one.name));

  test('there are 61 of them', () => assert.equal(refused.length, 61));

  // The bytes as they are; and with a Host field, so that its absence is not what gets them refused.
  const withHost = (bytes) => {
    const text = bytes.toString('latin1');
    const at = text.indexOf('\r\n', text.startsWith('\r\n') ? 2 : 0);
    return at < 0 || /^host:/im.test(text) ? bytes : Buffer.from(`${text.slice(0, at + 2)}Host: localhost\r\n${text.slice(at + 2)}`, 'latin1');
  };
  for (const one of refused) {
    test(one.name, async () => {
      const bytes = Buffer.from(one.b64, 'base64');
      // What llhttp only pauses at is a good request once it has a Host.
      for (const sent of one.llhttp_error.startsWith('Pause') ? [bytes] : [bytes, withHost(bytes)]) {
        const { responses } = await exchange(foyer, sent);
        assert.ok(responses.length >= 1, 'an answer before the connection is closed');
        assert.ok(responses.every((response) => response.whole));
        const last = responses.at(-1);
        assert.ok(last.status >= 400 && last.status < 600, `refused, not ${last.status}`);
        assert.equal(last.headers.connection, 'close');
        assert.ok(last.headers['x-request-id']);
      }
    });
  }
});

test('ambiguous framing is answered 400, and nothing after it is read as a request', async () => {
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const heads = {
    'two lengths': ['Content-Length: 5', 'Content-Length: 6'],
    'two equal lengths': ['Content-Length: 0', 'Content-Length: 0'],
    'a list of lengths': ['Content-Length: 5, 5'],
    'a signed length': ['Content-Length: +5'],
    'a length with a letter': ['Content-Length: 5a'],
    'a length beyond 64 bits': ['Content-Length: 18446744073709551616'],
    'a length with chunked': ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    'chunked with a length': ['Transfer-Encoding: chunked', 'Content-Length: 5'],
    'chunked twice': ['Transfer-Encoding: chunked, chunked'],
    'chunked, then identity': ['Transfer-Encoding: chunked, identity'],
    'an empty transfer encoding': ['Transfer-Encoding:'],
    'a transfer encoding with a tab': ['Transfer-Encoding:\tchunked\u000b'],
    'a space before the colon': ['Content-Length : 5'],
    'a field without a name': [': x'],
    'a folded field': ['X-A: b', ' c'],
    'a control character': ['X-A: b\u0001c'],
    'a NUL': ['X-A: b\0c'],
  };
  for (const [name, fields] of Object.entries(heads)) {
    const { responses } = await exchange(foyer, Buffer.from(request(['POST /contact HTTP/1.1', 'Host: localhost', ...fields], `0\r\n\r\n${smuggled}`), 'latin1'));
    assert.equal(responses.length, 1, name);
    assert.equal(responses[0].status === 400 || (responses[0].status === 501 && /transfer/.test(name)), true, `${name}: ${responses[0].status}`);
    assert.equal(responses[0].headers.connection, 'close', name);
  }
  for (const bytes of ['GET / HTTP/1.1\nHost: localhost\n\n', 'GET / HTTP/1.1\rHost: localhost\r\r', 'GET / HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n']) {
    const { responses } = await exchange(foyer, bytes);
    assert.deepEqual(responses.map((one) => one.status), [400], JSON.stringify(bytes));
  }
});

test('bad chunks are refused and close the connection', async () => {
  const { cookie } = await contactForm();
  for (const body of ['x\r\n', '-1\r\n', '0x5\r\nhello\r\n0\r\n\r\n', '5 \r\nhello\r\n0\r\n\r\n', '5\nhello\n0\n\n', '5\r\nhelloX\r\n0\r\n\r\n',
    'fffffffffffffffff\r\n', '\r\n', '5;a="b\r\nhello\r\n0\r\n\r\n', `5;${'a'.repeat(20000)}\r\nhello\r\n0\r\n\r\n`,
    '0\r\nbad trailer\r\n\r\n', `0\r\n${'X: y\r\n'.repeat(5000)}\r\n`]) {
    const { responses } = await exchange(foyer, request(['POST /contact HTTP/1.1', 'Host: localhost', `Cookie: ${cookie}`, 'Content-Type: application/x-www-form-urlencoded', 'Transfer-Encoding: chunked'], body));
    assert.equal(responses.length, 1, JSON.stringify(body.slice(0, 40)));
    assert.ok([400, 413, 431].includes(responses[0].status), `${JSON.stringify(body.slice(0, 40))}: ${responses[0].status}`);
    assert.equal(responses[0].headers.connection, 'close');
  }
});

test('a chunked form is read, whatever the pieces, with extensions and trailers', async () => {
  const { cookie, fields } = await contactForm();
  const form = Buffer.from(encodeForm(fields));
  const chunks = [];
  for (let at = 0, size = 1; at < form.length; at += size, size = (size % 7) + 1) {
    const piece = form.subarray(at, at + size);
    chunks.push(Buffer.from(`${piece.length.toString(16)}${at % 3 ? ';n=v' : ''}\r\n`), piece, Buffer.from('\r\n'));
  }
  const bytes = Buffer.concat([
    Buffer.from(request(['POST /contact HTTP/1.1', 'Host: localhost', `Cookie: ${cookie}`, 'Content-Type: application/x-www-form-urlencoded', 'Transfer-Encoding: chunked'])),
    ...chunks, Buffer.from('0\r\nX-Trailer: t\r\n\r\n'), Buffer.from(get('/healthz', 'Connection: close')),
  ]);
  const connection = await Connection.open(foyer);
  for (let at = 0; at < bytes.length; at += 97) {
    connection.send(bytes.subarray(at, at + 97));
    await new Promise(setImmediate);
  }
  const [posted, health] = await connection.whenAnswered(2);
  assert.equal(posted.status, 303);
  assert.match(posted.headers.location, /^\/contact\/done/);
  assert.equal(health.status, 200);
  connection.destroy();
});

test('a streamed answer is chunked on 1.1, ended by closing on 1.0, and empty for HEAD', async () => {
  const fresh = await Foyer.start();
  try {
    await setUp(fresh);
    const office = await signInToOffice(fresh);
    const cookie = `Cookie: ${office.cookieHeader()}`;
    const path = '/api/v1/manage/sessions';
    const connection = await Connection.open(fresh);
    connection.send(request([`GET ${path} HTTP/1.1`, 'Host: localhost', cookie]) + request([`HEAD ${path} HTTP/1.1`, 'Host: localhost', cookie]) + get('/healthz'));
    const [list, head, health] = await connection.whenAnswered(3, ['GET', 'HEAD', 'GET']);
    assert.equal(list.headers['transfer-encoding'], 'chunked');
    assert.equal(JSON.parse(list.text).sessions.length, 1);
    assert.equal(head.status, 200);
    assert.equal(health.status, 200);
    connection.destroy();
    const { responses } = await exchange(fresh, request([`GET ${path} HTTP/1.0`, 'Host: localhost', cookie]));
    assert.equal(responses[0].headers['transfer-encoding'], undefined);
    assert.equal(JSON.parse(responses[0].text).sessions.length, 1);
  } finally {
    await fresh.stop();
  }
});

test('pipelined requests are answered in order, also when they come in one piece with a body between', async () => {
  const { cookie, fields } = await contactForm();
  const form = encodeForm(fields);
  const connection = await Connection.open(foyer);
  connection.send([
    get('/robots.txt'), get('/nowhere'), request(['HEAD /login HTTP/1.1', 'Host: localhost']),
    request(['POST /contact HTTP/1.1', 'Host: localhost', `Cookie: ${cookie}`, 'Content-Type: application/x-www-form-urlencoded', `Content-Length: ${form.length}`], form),
    get('/api/v1/session'), get('/healthz'), get('/', 'Connection: close'), get('/robots.txt'),
  ].join(''));
  await connection.whenClosed();
  const responses = connection.responses(['GET', 'GET', 'HEAD', 'POST', 'GET', 'GET', 'GET']);
  assert.deepEqual(responses.map((one) => one.status), [200, 404, 200, 303, 401, 200, 200], 'and nothing after close');
  assert.match(responses[0].text, /User-agent/);
  assert.equal(responses[5].text, '{"status":"ok"}');
  assert.equal(new Set(responses.map((one) => one.headers['x-request-id'])).size, 7);
  connection.destroy();
});

test('five thousand pipelined requests, sent without reading, are all answered', async () => {
  const connection = await Connection.open(foyer);
  connection.socket.pause();
  const count = 5000;
  connection.send(get('/healthz').repeat(count));
  connection.socket.resume();
  await connection.when('all answers', () => connection.bytes.length && connection.bytes.toString('latin1').split('{"status":"ok"}').length - 1 === count, 30000);
  assert.equal(connection.responses().length, count);
  connection.destroy();
});

test('HEAD says what GET would, without the body', async () => {
  for (const path of ['/', '/login', '/healthz', '/nowhere', '/robots.txt']) {
    const visitor = new Visitor(foyer);
    const [whole, head] = [await visitor.get(path), await visitor.request('HEAD', path)];
    assert.equal(head.status, whole.status, path);
    assert.equal(head.bytes.length, 0);
    assert.equal(head.headers['content-type'], whole.headers['content-type']);
    if (path !== '/login') assert.equal(head.headers['content-length'], whole.headers['content-length'], path);
  }
});

test('a HEAD that is refused has no body either', async () => {
  for (const bad of [request(['HEAD / HTTP/1.1']), request(['HEAD / HTTP/1.1', 'Host: localhost', 'Bad Name: x']), request(['HEAD / HTTP/1.1', 'Host: localhost', 'Content-Length: 1', 'Content-Length: 2'])]) {
    const { responses, bytes } = await exchange(foyer, bad, { methods: ['HEAD'] });
    assert.equal(responses.length, 1, bytes.toString('latin1'));
    assert.equal(responses[0].status, 400);
  }
});

test('a client that has said all it will is still answered all it asked', async () => {
  const { cookie, fields } = await contactForm();
  const form = encodeForm(fields);
  const post = request(['POST /contact HTTP/1.1', 'Host: localhost', `Cookie: ${cookie}`, 'Content-Type: application/x-www-form-urlencoded', `Content-Length: ${form.length}`], form);
  for (const [bytes, statuses] of [[post + get('/healthz') + get('/'), [303, 200, 200]], [get('/contact') + get('/healthz'), [200, 200]], [post + 'GET / HTT', [303]], [get('/contact') + get('/nowhere') + post, [200, 404, 303]]]) {
    const { responses } = await exchange(foyer, bytes, { end: true });
    assert.deepEqual(responses.map((one) => one.status), statuses);
    assert.ok(responses.every((one) => one.whole));
  }
});

test('who half-closes while the answer is under way gets it, and then the end', async () => {
  const path = (await new Visitor(foyer).get('/')).text.match(/href="([^"]+\.css)"/)[1];
  const connection = await Connection.open(foyer);
  connection.socket.pause();                     // until the server has more to send than the kernel holds
  connection.send(get(path).repeat(400));
  await pause(500);
  connection.socket.end();
  await pause(200);
  connection.socket.resume();
  const from = Date.now();
  await connection.whenClosed(1900);             // the idle time is two seconds and more
  assert.ok(Date.now() - from < 1900);
  assert.equal(connection.responses().filter((one) => one.whole).length, 400);
  connection.destroy();
});

test('Expect: 100-continue is answered before the body, and other expectations with 417', async () => {
  const { cookie, fields } = await contactForm();
  const form = encodeForm(fields);
  const connection = await Connection.open(foyer);
  connection.send(request(['POST /contact HTTP/1.1', 'Host: localhost', `Cookie: ${cookie}`, 'Content-Type: application/x-www-form-urlencoded', `Content-Length: ${form.length}`, 'Expect: 100-continue']));
  await connection.when('100', () => connection.responses().some((one) => one.status === 100));
  assert.deepEqual(connection.responses().map((one) => one.status), [100]);
  connection.send(form);
  const [final] = await connection.whenAnswered(1);
  assert.equal(final.status, 303);
  connection.destroy();
  const big = await exchange(foyer, request(['POST /contact HTTP/1.1', 'Host: localhost', 'Content-Length: 99999999', 'Expect: 100-continue']));
  assert.deepEqual(big.responses.map((one) => one.status), [413], 'what is refused anyway is not asked for');
  const other = await exchange(foyer, request(['POST /contact HTTP/1.1', 'Host: localhost', 'Content-Length: 5', 'Expect: a-miracle', 'Connection: close'], 'hello'));
  assert.equal(other.responses[0].status, 417);
});

test('static files: fingerprint, ETag, 304, gzip, a year of cache', async () => {
  const visitor = new Visitor(foyer);
  const path = (await visitor.get('/')).text.match(/href="([^"]+\.css)"/)[1];
  const plain = await visitor.get(path);
  assert.equal(plain.status, 200);
  assert.match(plain.headers['content-type'], /^text\/css/);
  assert.match(plain.headers['cache-control'], /max-age=31536000.*immutable/);
  assert.match(plain.headers.vary, /accept-encoding/i);
  const zipped = await visitor.get(path, { headers: { 'accept-encoding': 'br;q=0, gzip' } });
  assert.equal(zipped.headers['content-encoding'], 'gzip');
  assert.deepEqual(gunzipSync(zipped.bytes), plain.bytes);
  assert.ok(zipped.bytes.length < plain.bytes.length / 2);
  assert.notEqual(zipped.headers.etag, plain.headers.etag, 'two representations, two tags');
  assert.equal((await visitor.get(path, { headers: { 'accept-encoding': 'gzip;q=0' } })).headers['content-encoding'], undefined);
  for (const tag of [plain.headers.etag, '*', `"other", ${plain.headers.etag}`, `W/${plain.headers.etag}`]) {
    const again = await visitor.get(path, { headers: { 'if-none-match': tag } });
    assert.equal(again.status, 304, tag);
    assert.equal(again.bytes.length, 0);
    assert.equal(again.headers.etag, plain.headers.etag);
  }
  assert.equal((await visitor.get(path, { headers: { 'if-none-match': '"other"' } })).status, 200);
  const failed = await visitor.get(path, { headers: { 'if-match': '"other"' } });
  assert.equal(failed.status, 412);
  assert.equal(failed.headers.etag, undefined);
  assert.equal(failed.headers['cache-control'], 'no-store');
  assert.doesNotMatch(failed.text, /--\w+:/, 'a page about the condition, not the style sheet');
  assert.equal((await visitor.post(path, {})).status, 405);
  for (const wrong of [path.replace(/\.css$/, '.csx'), '/static/', '/static/../server/main.c', '/static/%2e%2e/x']) assert.ok([400, 404].includes((await visitor.get(wrong, { raw: true })).status), wrong);
});

test('methods: 405 says which there are, unknown ones are 501, OPTIONS answers', async () => {
  const visitor = new Visitor(foyer);
  const wrong = await visitor.request('DELETE', '/login');
  assert.equal(wrong.status, 405);
  const allowed = wrong.headers.allow.split(', ');
  for (const method of ['GET', 'HEAD', 'POST']) assert.ok(allowed.includes(method), wrong.headers.allow);
  assert.ok(!allowed.includes('DELETE'));
  const options = await visitor.request('OPTIONS', '/login');
  assert.equal(options.status, 204);
  assert.match(options.headers.allow, /POST/);
  for (const method of ['PROPFIND', 'BREW', 'TRACE', 'LOCK', 'M-SEARCH']) {
    const { responses } = await exchange(foyer, request([`${method} / HTTP/1.1`, 'Host: localhost', 'Connection: close']));
    assert.ok([400, 405, 501].includes(responses[0].status), `${method}: ${responses[0].status}`);
  }
  const brew = await exchange(foyer, request(['PROPFIND / HTTP/1.1', 'Host: localhost', 'Connection: close']));
  assert.equal(brew.responses[0].status, 501);
  const star = await exchange(foyer, request(['OPTIONS * HTTP/1.1', 'Host: localhost', 'Connection: close']));
  assert.equal(star.responses[0].status, 204);
});

test('limits: 414, 431, 413, 505, each said and closed', async () => {
  const cases = [
    [414, get(`/${'a'.repeat(9000)}`)],
    [431, get('/', `X-Big: ${'b'.repeat(20000)}`)],
    [431, get('/', ...Array.from({ length: 80 }, (_, i) => `X-${i}: 1`))],
    [431, `GET / HTTP/1.1\r\nHost: localhost\r\nX-Endless: ${'c'.repeat(70000)}`],
    [413, request(['POST /contact HTTP/1.1', 'Host: localhost', 'Content-Length: 1000000'])],
    [413, request(['POST /login HTTP/1.1', 'Host: localhost', 'Transfer-Encoding: chunked'], `4000\r\n${'d'.repeat(0x4000)}\r\n0\r\n\r\n`)],
    [505, request(['GET / HTTP/2.0', 'Host: localhost'])],
    [400, request(['GET / HTTP/1.1'])],
    [400, request(['GET / HTTP/1.1', 'Host: a', 'Host: b'])],
    [400, request(['GET / HTTP/1.1', 'Host: a b'])],
    [400, request(['GET / HTTP/1.1', 'Host: user@host'])],
    [400, request(['GET nowhere HTTP/1.1', 'Host: localhost'])],
    [400, request(['GET /%00 HTTP/1.1', 'Host: localhost', 'Connection: close'])],
    [400, request(['GET /%zz HTTP/1.1', 'Host: localhost', 'Connection: close'])],
    [400, request(['GET /healthz HTTP/1.1', 'Host: localhost', 'Content-Length: 3', 'Connection: close'], 'abc')],
    [415, request(['POST /contact HTTP/1.1', 'Host: localhost', 'Content-Encoding: gzip', 'Content-Length: 3'], 'abc')],
  ];
  for (const [status, bytes] of cases) {
    const { responses } = await exchange(foyer, bytes);
    assert.equal(responses[0]?.status, status, bytes.slice(0, 80));
    assert.equal(responses.length, 1);
    assert.ok(responses[0].text.length > 20, 'the answer says something');
  }
  const absolute = await exchange(foyer, request([`GET ${foyer.origin}/healthz HTTP/1.1`, `Host: ${new URL(foyer.origin).host}`, 'Connection: close']));
  assert.equal(absolute.responses[0].status, 200, 'a server accepts the absolute form (RFC 9112 section 3.2.2)');
  const old = await exchange(foyer, request(['GET /healthz HTTP/1.0']));
  assert.equal(old.responses[0].status, 200, 'HTTP/1.0 needs no Host');
  const kept = await Connection.open(foyer);
  kept.send(request(['GET /healthz HTTP/1.0', 'Connection: keep-alive']) + request(['GET /healthz HTTP/1.0', 'Connection: keep-alive']));
  assert.equal((await kept.whenAnswered(2))[0].headers.connection.toLowerCase(), 'keep-alive');
  kept.destroy();
});

test('slow clients cost a socket and no more: header, body, idle', async () => {
  const [header, body, idle] = await Promise.all([0, 1, 2].map(() => Connection.open(foyer)));
  header.send('GET / HTTP/1.1\r\nHost: localh');
  body.send(request(['POST /login HTTP/1.1', 'Host: localhost', 'Content-Length: 10'], 'abc'));
  idle.send(get('/healthz'));
  const drip = setInterval(() => { if (!header.ended) header.send('x'); }, 200);
  await Promise.all([header.whenClosed(8000), body.whenClosed(8000), idle.whenClosed(8000)]);
  clearInterval(drip);
  assert.deepEqual(header.responses().map((one) => one.status), [408], 'a byte now and then does not extend the time');
  assert.deepEqual(body.responses().map((one) => one.status), [408]);
  assert.deepEqual(idle.responses().map((one) => one.status), [200], 'an idle connection is closed without a word');
  await alive();
});

test('an empty line before a request is forgiven; a connection that only opens and closes is nothing', async () => {
  const { responses } = await exchange(foyer, `\r\n${get('/healthz', 'Connection: close')}`);
  assert.equal(responses[0].status, 200);
  for (let i = 0; i < 20; i++) (await Connection.open(foyer)).destroy();
  const half = await Connection.open(foyer);
  half.socket.end(get('/healthz'));
  assert.equal((await half.whenAnswered(1))[0].status, 200, 'a client that has said all may still listen');
  half.destroy();
  await alive();
});

test('every answer has the security fields and an id of its own', async () => {
  const visitor = new Visitor(foyer);
  const asset = (await visitor.get('/')).text.match(/href="([^"]+\.css)"/)[1];
  const seen = new Set();
  for (const path of ['/', '/login', '/register', '/contact', '/privacy', '/cookies', '/legal', '/accessibility', '/password/forgot', '/manage/login', '/nowhere', '/account', '/healthz', '/readyz', '/api/v1/session', '/api/v1/none', '/robots.txt', '/.well-known/security.txt', asset]) {
    const { headers, status } = await visitor.get(path);
    assert.match(headers['x-request-id'], /^[\w-]{8,64}$/, path);
    assert.ok(!seen.has(headers['x-request-id']));
    seen.add(headers['x-request-id']);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    assert.ok(headers['referrer-policy'], path);
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin', path);
    assert.match(headers['content-security-policy'], /default-src 'none'/, path);
    assert.match(headers['content-security-policy'], /frame-ancestors 'none'/, path);
    assert.doesNotMatch(headers['content-security-policy'], /unsafe|\*|https?:/, path);
    assert.equal(headers['strict-transport-security'], undefined, 'HSTS is for TLS alone');
    assert.equal(headers.server, undefined);
    assert.ok(headers.date, path);
    if (/^text\/html/.test(headers['content-type'])) {
      assert.match(headers['permissions-policy'], /camera=\(\)/, path);
      assert.equal(headers['cache-control'], 'no-store', `${path} ${status}`);
    }
  }
});

test('errors are pages for people and problems for programs', async () => {
  const page = await new Visitor(foyer).get('/nowhere');
  assert.equal(page.status, 404);
  assert.match(page.headers['content-type'], /^text\/html/);
  assert.ok(page.words.includes(page.headers['x-request-id']), 'the page names its request');
  for (const [path, accept] of [['/nowhere', 'application/json'], ['/api/v1/nowhere', 'text/html'], ['/api/v1/session', '*/*']]) {
    const answer = await new Visitor(foyer).get(path, { headers: { accept } });
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.deepEqual(Object.keys(answer.json).filter((key) => ['status', 'title', 'request_id'].includes(key)).length, 3);
    assert.equal(answer.json.status, answer.status);
    assert.equal(answer.json.request_id, answer.headers['x-request-id']);
  }
});

test('the operator’s listener has the numbers, and nobody else has', async () => {
  assert.equal((await new Visitor(foyer).get('/metrics')).status, 404);
});
