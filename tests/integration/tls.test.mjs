// The HTTPS listener: what it speaks, what changes for cookies and headers, and a certificate that is exchanged while
// connections are open.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, renameSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { isSignedIn, member, setUp, signInToOffice } from '../support/flows.mjs';
import { Foyer, scratch } from '../support/foyer.mjs';
import { Connection, addressOf, request } from '../support/raw.mjs';
import { Visitor } from '../support/visitor.mjs';
import { until } from '../support/wait.mjs';

const directory = scratch();
let foyer;
let ca;

// Makes a key and a certificate for localhost, with its serial number, in place of those before.
function makeCertificate(name, { key = 'ec', serial = 1 } = {}) {
  const path = (file) => join(directory, file);
  execFileSync('openssl', ['req', '-x509', '-newkey', key === 'ec' ? 'ec' : 'rsa:2048', ...(key === 'ec' ? ['-pkeyopt', 'ec_paramgen_curve:P-256'] : []),
    '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-set_serial', String(serial),
    '-keyout', path(`${name}.key.new`), '-out', path(`${name}.pem.new`)], { stdio: 'ignore' });
  for (const end of ['key', 'pem']) renameSync(path(`${name}.${end}.new`), path(`${name}.${end}`));
  return readFileSync(path(`${name}.pem`));
}

const client = () => new Visitor(foyer, { ca, servername: 'localhost' });

before(async () => {
  ca = makeCertificate('site', { serial: 1 });
  foyer = await Foyer.start({
    listen: null,
    workers: 2,
    config: `[server]\nlisten = []\ntls_listen = ["127.0.0.1:0"]\ntls_certificate = "${directory}/site.pem"\ntls_key = "${directory}/site.key"\n[limits]\nheader_seconds = 2\n`,
  });
  foyer.tls = { ca, servername: 'localhost' };
});
after(() => foyer.stop());

test('ready says https, and the whole flow works over it', async () => {
  assert.match(foyer.origin, /^https:\/\/127\.0\.0\.1:\d+$/);
  const { visitor } = await member(foyer, {}, client());
  assert.ok(visitor.cookies.has('__Host-sid'));
  assert.equal(await isSignedIn(visitor), true);
});

test('cookies are __Host-, and HSTS is sent', async () => {
  const visitor = client();
  const answer = await visitor.get('/login');
  const [cookie] = answer.headers['set-cookie'];
  assert.match(cookie, /^__Host-sid=/);
  assert.match(cookie, /; *Secure/i);
  assert.match(answer.headers['strict-transport-security'], /max-age=31536000/);
  await setUp(foyer, undefined, client());
  const office = await signInToOffice(foyer, undefined, client());
  assert.ok(office.cookies.has('__Host-manager'));
});

test('TLS 1.2 and newer, with forward secrecy and AEAD, and nothing older', async () => {
  const connect = (options) => new Promise((resolve) => {
    const socket = tls.connect({ ...addressOf(foyer), ca, servername: 'localhost', ...options }, () => {
      resolve({ protocol: socket.getProtocol(), cipher: socket.getCipher().name, authorized: socket.authorized });
      socket.destroy();
    });
    socket.on('error', (error) => resolve({ error: error.code ?? String(error) }));
  });
  const modern = await connect({});
  assert.equal(modern.authorized, true);
  assert.ok(['TLSv1.2', 'TLSv1.3'].includes(modern.protocol));
  assert.match(modern.cipher, /GCM|CHACHA20/);
  for (const ciphers of ['AES128-SHA:@SECLEVEL=0', 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0', 'AES128-GCM-SHA256:@SECLEVEL=0'])
    assert.ok((await connect({ ciphers, maxVersion: 'TLSv1.2' })).error, `${ciphers} is refused`);
  for (const version of ['TLSv1', 'TLSv1.1'])
    assert.ok((await connect({ minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' })).error, `${version} is refused`);
});

test('plain HTTP, rubbish and half a handshake on the TLS port end without harm', async () => {
  for (const bytes of [request(['GET / HTTP/1.1', 'Host: localhost']), '\x16\x03\x01\xff\xff'.padEnd(3000, 'x'), Buffer.alloc(2000), '']) {
    const connection = await Connection.open(foyer);
    connection.send(bytes);
    await connection.whenClosed(10000);
    connection.destroy();
  }
  assert.equal((await client().get('/healthz')).status, 200);
});

test('large pages and pipelines go through whole', async () => {
  const connection = await Connection.open(foyer, { secure: true, ca, servername: 'localhost' });
  const count = 300;
  connection.send(request(['GET /legal HTTP/1.1', 'Host: localhost']).repeat(count));
  const responses = await connection.whenAnswered(count, [], 30000);
  assert.ok(responses.every((one) => one.status === 200 && one.text.endsWith('</html>\n')));
  connection.destroy();
});

test('the end of a client’s TLS is answered with ours', () => {
  // node does not tell whether the alert came; Python's unwrap() fails without it.
  const { host, port } = addressOf(foyer);
  const script = `import socket, ssl
context = ssl.create_default_context(cafile='${directory}/site.pem')
with context.wrap_socket(socket.create_connection(('${host}', ${port}), 10), server_hostname='localhost') as one:
    one.sendall(b'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
    answer = b''
    while not answer.endswith(b'"ok"}'):
        answer += one.recv(4096)
    one.unwrap()
    print('both sides said goodbye')`;
  assert.equal(execFileSync('python3', ['-c', script], { encoding: 'utf8', timeout: 20000 }), 'both sides said goodbye\n');
});

test('a handshake that ends during a drain does not hold it', async () => {
  const one = await Foyer.start({
    listen: null,
    workers: 1,
    env: { FOYER__SERVER__DRAIN_SECONDS: '60' },
    config: `[server]\nlisten = []\ntls_listen = ["127.0.0.1:0"]\ntls_certificate = "${directory}/site.pem"\ntls_key = "${directory}/site.key"\n`,
  });
  one.tls = { ca, servername: 'localhost' };
  const tcp = net.connect(addressOf(one));
  await once(tcp, 'connect');
  const asked = await Connection.open(one, { secure: true, ca, servername: 'localhost' });
  asked.send(request(['GET /healthz HTTP/1.1', 'Host: localhost']));
  await asked.whenAnswered(1);                   // so the worker has accepted the other one too
  const from = Date.now();
  one.signal('SIGTERM');
  await asked.whenClosed();                      // idle: told at once
  const late = tls.connect({ socket: tcp, ca, servername: 'localhost' });
  late.resume();
  await once(late, 'secureConnect');
  assert.deepEqual(await one.ended, { code: 0, signal: null });
  assert.ok(Date.now() - from < 30000, 'long before the limit');
});

test('HUP serves a renewed certificate; a broken one keeps the old; open connections go on', async () => {
  const serialNow = () => new Promise((resolve, reject) => {
    const socket = tls.connect({ ...addressOf(foyer), rejectUnauthorized: false }, () => { resolve(socket.getPeerCertificate().serialNumber); socket.destroy(); });
    socket.on('error', reject);
  });
  assert.equal(parseInt(await serialNow(), 16), 1);
  const open = await Connection.open(foyer, { secure: true, ca, servername: 'localhost' });
  ca = makeCertificate('site', { serial: 2, key: 'rsa' });
  foyer.signal('SIGHUP');
  foyer.tls.ca = ca;
  // The crew that drains may still answer a few; a dozen in a row mean that it is gone.
  await until('the new certificate', async () => {
    for (let i = 0; i < 12; i++) if (parseInt(await serialNow(), 16) !== 2) return false;
    return true;
  }, 40000);
  assert.equal((await client().get('/healthz')).status, 200);
  open.destroy();

  const good = readFileSync(join(directory, 'site.pem'));
  execFileSync('sh', ['-c', `echo broken > ${directory}/site.pem`]);
  const before = foyer.stderr.length;
  foyer.signal('SIGHUP');
  await until('a sentence about it', () => foyer.stderr.length > before, 20000);
  assert.equal(parseInt(await serialNow(), 16), 2);
  assert.equal((await client().get('/healthz')).status, 200);
  execFileSync('sh', ['-c', `cat > ${directory}/site.pem`], { input: good });
  foyer.signal('SIGHUP');
  await until('the good one to be read again', async () => /serves/.test(foyer.stderr.slice(before)) && (await client().get('/healthz')).status === 200, 20000);
});
