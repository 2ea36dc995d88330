// Mail by SMTP, from a form to a mail server that speaks TLS: sent once it can be, never without the protection that
// was asked for, and nothing lost while the server refuses.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { person, register } from '../support/flows.mjs';
import { Foyer, sanitized, scratch } from '../support/foyer.mjs';
import { MailServer } from '../support/smtp.mjs';
import { until } from '../support/wait.mjs';

const slower = sanitized ? 4 : 1;
const directory = scratch();
const path = (file) => join(directory, file);
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
  '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', path('key.pem'), '-out', path('cert.pem')], { stdio: 'ignore' });
const [key, cert] = ['key.pem', 'cert.pem'].map((file) => readFileSync(path(file)));
const login = { user: 'agency', password: 'a password with spaces & ünicode' };

const opened = [];
after(async () => { for (const one of opened.reverse()) await one.stop(); });

async function sendingTo(options, more = {}) {
  const server = await MailServer.start({ key, cert, ...login, ...options });
  opened.push(server);
  const foyer = await Foyer.start({ env: {
    FOYER__MAIL__TRANSPORT: 'smtp',
    FOYER__MAIL__SMTP_URL: `${options.implicit ? 'smtps' : 'smtp'}://localhost:${server.port}`,
    FOYER__MAIL__SMTP_USER: login.user,
    FOYER__MAIL__SMTP_PASSWORD: login.password,
    FOYER__MAIL__SMTP_CA: path('cert.pem'),
    ...more,
  } });
  opened.push(foyer);
  return { server, foyer };
}

async function mailJob(foyer) {
  return (await foyer.runJson(['jobs', 'list'])).find((one) => one.name === 'mail');
}

for (const [what, options] of [['STARTTLS', { starttls: true }], ['TLS from the first byte', { implicit: true }]]) {
  test(`a confirmation goes out over ${what}, signed in`, async () => {
    const { server, foyer } = await sendingTo(options);
    const who = person({ given_name: 'Zoé' });
    await register(foyer, who);
    const mail = await until('the mail', () => server.mails[0], 15000 * slower);
    assert.deepEqual(mail.envelope.to, [who.email]);
    assert.equal(mail.to, who.email);
    assert.match(mail.text, /\/verify\?token=[\w-]{43}/);
    assert.deepEqual(server.sessions, [{ secure: true, signedIn: true }]);
    assert.doesNotMatch(foyer.log(), /password with spaces|verify\?token|example\.org/);
  });
}

test('a server that nobody vouches for, or that offers no TLS, gets no mail; the operator reads why', async () => {
  const { server, foyer } = await sendingTo({ starttls: true }, { FOYER__MAIL__SMTP_CA: '' });
  await register(foyer, person());
  const seen = await until('the job to say why', async () => { const job = await mailJob(foyer); return /deliver/.test(job.detail) && job; }, 30000 * slower);
  assert.match(seen.detail, /certificate|SSL|TLS/i);
  const bare = await sendingTo({ starttls: false });
  await register(bare.foyer, person());
  await until('a failed delivery', () => bare.foyer.events().some((one) => one.event === 'mail.not_delivered'), 30000 * slower);
  for (const one of [server, bare.server]) assert.deepEqual([one.mails, one.sessions], [[], []]);
});

test('what is refused for now goes out later, once', async () => {
  const { server, foyer } = await sendingTo({ starttls: true });
  server.refuse = '451 later, please';
  const who = person();
  await register(foyer, who);
  await until('a refusal', () => foyer.events().some((one) => one.event === 'mail.not_delivered' && one.final === false), 30000 * slower);
  server.refuse = null;
  const soon = new Date(Date.now() + 2 * 60000).toISOString();
  const { code, stderr } = await foyer.run(['jobs', 'run', 'mail', '--at', soon]);
  assert.equal(code, 0, stderr);
  assert.deepEqual(server.mails.map((mail) => mail.to), [who.email]);
});
