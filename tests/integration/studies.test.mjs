// Invitations to market research, from the form of the team to the one click that ends them: who agreed gets one, with
// the fields that mail programs look for; who withdraws gets none, not even one that was waiting; nobody else can use the
// link, and no log keeps it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { confirm, owner, pathOf, person, register, setUp, signIn, signInToOffice } from '../support/flows.mjs';
import { Foyer, sanitized, scratch } from '../support/foyer.mjs';
import { linkIn } from '../support/mail.mjs';
import { MailServer } from '../support/smtp.mjs';
import { sqlOf, staff } from '../support/staff.mjs';
import { Visitor } from '../support/visitor.mjs';
import { until } from '../support/wait.mjs';

const directory = scratch();
const path = (file) => join(directory, file);
const state = join(scratch(), 'var');
const form = '/manage/studies/new';
let foyer;
let mailServer;
let office;
let sql;
const who = {};

execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
  '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', path('key.pem'), '-out', path('cert.pem')], { stdio: 'ignore' });

// Over TLS: only links of https are announced to mail programs (RFC 8058).
async function start(env = {}) {
  foyer = await Foyer.start({ state, env, listen: null,
    config: `[server]\nlisten = []\ntls_listen = ["127.0.0.1:0"]\ntls_certificate = "${path('cert.pem')}"\ntls_key = "${path('key.pem')}"\n` });
  foyer.tls = { ca: readFileSync(path('cert.pem')), servername: 'localhost' };
  sql = sqlOf(foyer);
}

async function given(name, ticked) {
  who[name] = (await register(foyer, person({ given_name: name }))).who;
  await confirm(foyer, who[name], undefined, ticked);
}

before(async () => {
  await start();
  await setUp(foyer);
  await given('Ada', { market_research: 'yes' });
  await given('Bea', { market_research: 'yes' });
  await given('Cleo', {});
  office = await signInToOffice(foyer);
  await office.get('/manage/studies?lang=en');
});
after(async () => {
  await foyer?.stop();
  await mailServer?.stop();
});

const study = (more = {}) => ({ title_fr: 'Votre accueil <idéal>', text_fr: 'Dix questions.\n\nMerci.', title_en: 'Your ideal welcome', text_en: 'Ten questions.', link: 'https://survey.example.org/q?a=1&b=2', ...more });
const invitations = () => foyer.mails().filter((mail) => /invite à une étude|take part in research/.test(mail.subject));
const invitationTo = (name) => foyer.mailTo(who[name].email, (mail) => /invite à une étude/.test(mail.subject));
const linkTo = async (name) => pathOf(linkIn(await invitationTo(name), '/withdraw'));
const decisions = (name) => sql(`SELECT GROUP_CONCAT(given ORDER BY c.id) FROM consent c JOIN account a ON a.id = c.account_id WHERE a.id = ${who[name].id}`);
const logs = () => readdirSync(join(state, 'log')).map((name) => readFileSync(join(state, 'log', name), 'latin1')).join('\n');

async function write(more) {
  const sent = await office.submit(form, form, study(more));
  assert.equal(sent.status, 303, `${sent.wrong} ${sent.heading}`);
  return sent.location.split('?')[0];
}

async function send(where) {
  const answer = await office.submit(where, `${where}/send`);
  assert.equal(answer.status, 303, answer.words);
  return office.follow(answer);
}

async function agrees(name) {
  const visitor = await signIn(foyer, who[name]);
  return 'market_research' in (await visitor.get('/account/privacy')).form('/account/privacy').fields;
}

test('an invitation is written in both languages, and read before it is sent', async () => {
  const empty = await office.submit(form, form, study({ title_fr: '', text_fr: '', title_en: ' ', text_en: '\n', link: 'http://survey.example.org' }));
  assert.equal(empty.status, 422);
  assert.deepEqual([...empty.wrong].sort(), ['link', 'text_en', 'text_fr', 'title_en', 'title_fr']);
  const long = await office.submit(form, form, study({ title_fr: 'é'.repeat(121), text_en: 'x'.repeat(3001), link: `https://${'x'.repeat(500)}` }));
  assert.deepEqual([...long.wrong].sort(), ['link', 'text_en', 'title_fr']);
  for (const link of ['javascript:alert(1)', 'https://', 'https:///x', 'https://x y', 'https://é.example', '//x'])
    assert.deepEqual((await office.submit(form, form, study({ link }))).wrong, ['link'], link);
  assert.equal(long.form(form).fields.title_en, 'Your ideal welcome', 'what was typed stays');

  const where = await write();
  const page = await office.get(where);
  assert.ok(page.words.includes('2 persons agree at present.'), page.words);
  for (const words of ['Host Families in Paris vous invite à une étude', 'Votre accueil <idéal>', 'Dix questions.', 'Ten questions.', 'https://survey.example.org/q?a=1&b=2', '/withdraw?token=…'])
    assert.ok(page.words.includes(words), words);

  const mine = await office.get(`${where}/edit`);
  const theirs = await office.get(`${where}/edit`);
  assert.equal((await office.submit(mine, `${where}/edit`, { text_en: 'Twelve questions.' })).status, 303);
  const second = await office.submit(theirs, `${where}/edit`, { title_en: 'Mine' });
  assert.equal(second.status, 409);
  assert.equal(second.form(`${where}/edit`).fields.title_en, 'Mine', 'what was typed stays');
  const blind = await office.submit(page, `${where}/send`);
  assert.equal(blind.status, 409, 'what was read is not what would be sent');
  assert.match(blind.words, /changed meanwhile.*Twelve questions\./);
  assert.deepEqual(invitations(), []);
  const again = await office.submit(`${where}/edit`, `${where}/edit`, { title_fr: '' });
  assert.deepEqual([again.status, again.wrong], [422, ['title_fr']]);
});

test('a double click writes one', async () => {
  const page = await office.get(form);
  const both = await Promise.all([0, 1].map(() => office.submit(page, form, study({ title_en: 'Twice' }))));
  assert.deepEqual(both.map((one) => one.status), [303, 303]);
  assert.equal((await office.get('/manage/studies')).text.split('>Twice<').length - 1, 1);
});

test('who agreed gets one, and nobody else', async () => {
  const { office: employee, account } = await staff(foyer, office, 'staff');
  const sent = await employee.submit(form, form, study());
  const where = sent.location.split('?')[0];
  assert.equal((await employee.submit(where, `${where}/send`)).status, 303);
  await until('two invitations', async () => {
    await foyer.run(['jobs', 'run', 'studies']);
    await foyer.run(['jobs', 'run', 'mail']);
    return invitations().length === 2;
  }, 30000);
  assert.deepEqual(invitations().map((mail) => mail.to).sort(), [who.Ada.email, who.Bea.email].sort());
  const page = await office.get(where);
  assert.match(page.words, new RegExp(`Sent .*account no\\. ${account}.*Persons invited 2 of 2`));
  assert.equal(page.forms.some((one) => /send|stop/.test(one.action)), false, 'it is over');
  assert.equal((await office.get(`${where}/edit`)).status, 303, 'what was sent is not edited');
  assert.match((await office.get('/manage/studies')).words, /Your ideal welcome Sent .* 2 /);
  assert.equal((await foyer.runJson(['jobs', 'list'])).filter((job) => job.name === 'studies').length, 1);
  const named = foyer.events().filter((one) => one.event.startsWith('study.')).map((one) => [one.event, one.study, one.by]);
  const id = where.split('/').pop();
  for (const event of ['study.written', 'study.sent']) assert.ok(named.some(([is, study, by]) => is === event && String(study) === id && String(by) === String(account)), `${event} in ${JSON.stringify(named)}`);
  for (const name of ['Ada', 'Bea']) who[name].id = sql(`SELECT person_id FROM outbox WHERE consent = 1 ORDER BY person_id LIMIT 1 OFFSET ${name === 'Ada' ? 0 : 1}`);
});

test('the mail says why it comes, and how to end that', async () => {
  const mail = await invitationTo('Ada');
  const words = mail.text.replace(/\s+/g, ' ');
  assert.equal(mail.subject.replace(/\u00a0|\u202f/g, ' '), 'Host Families in Paris vous invite à une étude : Votre accueil <idéal>');
  for (const part of ['Bonjour Ada', 'Dix questions.', 'https://survey.example.org/q?a=1&b=2', 'car vous avez accepté, le', 'Ne plus recevoir ces invitations']) assert.ok(words.includes(part), `${part} in ${words}`);
  const link = linkIn(mail, '/withdraw');
  assert.match(link, /^https:\/\/.*\/withdraw\?token=[\w-]{55}$/);
  assert.equal(mail.fields['list-unsubscribe'], `<${link}>`);
  assert.equal(mail.fields['list-unsubscribe-post'], 'List-Unsubscribe=One-Click');
  assert.ok(mail.html.includes(`href="${link}"`));
  const other = foyer.mails().find((one) => one.to === who.Ada.email && one.text.includes('/verify?token='));
  assert.equal(other.fields['list-unsubscribe'], undefined, 'a mail that rests on no consent');
});

test('the roles without the right are refused', async () => {
  const { office: accounting } = await staff(foyer, office, 'accounting');
  const { office: dpo } = await staff(foyer, office, 'dpo');
  const { office: auditor } = await staff(foyer, office, 'auditor');
  assert.equal((await accounting.get('/manage/studies')).status, 403);
  const where = (await office.get('/manage/studies')).text.match(/href="(\/manage\/studies\/\d+)">Twice/)[1];
  for (const reader of [dpo, auditor]) {
    assert.ok(!(await reader.get('/manage/studies')).text.includes('/manage/studies/new'));
    const page = await reader.get(where);
    assert.equal(page.status, 200);
    assert.equal(page.forms.some((one) => one.action.startsWith('/manage/studies')), false);
    assert.equal((await reader.get(`${where}/edit`)).status, 403);
    const { csrf } = page.form('/manage/logout').fields;
    for (const what of ['send', 'stop', 'edit']) assert.equal((await reader.post(`${where}/${what}`, { csrf, version: '1', ...study() })).status, 403, what);
    assert.equal((await reader.post(form, { csrf, ...study() })).status, 403);
  }
  assert.equal((await new Visitor(foyer).get('/manage/studies')).status, 303, 'signed out');
});

test('a look changes nothing, and one button withdraws', async () => {
  const link = await linkTo('Ada');
  for (let i = 0; i < 2; i++) {
    const page = await new Visitor(foyer).get(link);
    assert.equal(page.status, 200);
    assert.deepEqual([page.forms.length, page.headers['set-cookie']], [1, undefined]);
  }
  assert.equal((await new Visitor(foyer).request('HEAD', link)).status, 200);
  assert.equal(decisions('Ada'), '1');
  const reader = new Visitor(foyer);
  const done = await reader.submit(link, link, {}, { headers: { origin: foyer.origin, 'sec-fetch-site': 'same-origin' } });
  assert.equal(done.status, 200);
  assert.equal(done.heading, 'Votre accord est retiré');
  assert.ok(done.text.includes('href="/account/privacy"'));
  assert.equal(decisions('Ada'), '1,0');
  assert.equal(await agrees('Ada'), false);
  const later = await reader.get(`${link}&lang=en`);
  assert.equal(later.heading, 'Your consent has been withdrawn');
  assert.equal(later.forms.length, 0);
  assert.equal(await agrees('Bea'), true, 'the others are not asked');
});

test('a mail program withdraws with one click, from anywhere and twice', async () => {
  const link = await linkTo('Bea');
  const boundary = 'xyz';
  const post = (type, body, more = {}) => new Visitor(foyer).request('POST', link, { headers: { ...(type ? { 'content-type': type } : {}), ...more }, body });
  const first = await post('application/x-www-form-urlencoded', 'List-Unsubscribe=One-Click', { origin: 'https://mail.example.com', 'sec-fetch-site': 'cross-site' });
  assert.deepEqual([first.status, first.heading], [200, 'Votre accord est retiré'], 'no redirect (RFC 8058 3.1)');
  assert.equal(decisions('Bea'), '1,0');
  const second = await post(`multipart/form-data; boundary=${boundary}`, `--${boundary}\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--${boundary}--\r\n`);
  assert.equal(second.status, 200);
  assert.equal((await post('', '')).status, 200);
  assert.equal(decisions('Bea'), '1,0', 'a decision that changes nothing is none');
  assert.deepEqual(foyer.events().filter((one) => one.event === 'consent.withdrawn').map((one) => String(one.account)), [who.Ada.id, who.Bea.id, who.Bea.id, who.Bea.id]);
});

test('what is no link gets one neutral page, and withdraws nothing', async () => {
  const visitor = await signIn(foyer, who.Bea);
  await visitor.submit('/account/privacy', '/account/privacy', { market_research: 'yes' });
  const link = await linkTo('Bea');
  const other = link.at(-10) === 'A' ? 'B' : 'A';
  const ada = Buffer.from((await linkTo('Ada')).split('=')[1], 'base64url');
  const bea = Buffer.from(link.split('=')[1], 'base64url');
  const forged = Buffer.concat([bea.subarray(0, 9), ada.subarray(9)]).toString('base64url');
  const damaged = [`${link.slice(0, -10)}${other}${link.slice(-9)}`, link.slice(0, -1), `${link}A`, `/withdraw?token=${forged}`, '/withdraw?token=', '/withdraw', `/withdraw?token=${'A'.repeat(55)}`, '/withdraw?token=%00%ff'];
  const pages = new Set();
  for (const one of damaged) {
    const answers = [await new Visitor(foyer).get(one), await new Visitor(foyer).post(one, 'List-Unsubscribe=One-Click')];
    for (const answer of answers) {
      assert.equal(answer.status, one.includes('%ff') ? 400 : 404, one);
      if (answer.status === 404) pages.add(answer.words.replace(/\s+/g, ' '));
    }
  }
  assert.equal(pages.size, 1);
  assert.match([...pages][0], /dans votre compte/);
  assert.equal(decisions('Bea'), '1,0,1');
  assert.equal((await new Visitor(foyer).request('DELETE', link)).status, 405);
});

test('the link stands in no log', async () => {
  const words = logs();
  assert.ok(words.includes('/withdraw'), 'that it was followed does');
  for (const name of ['Ada', 'Bea']) {
    const token = (await linkTo(name)).split('=')[1];
    assert.ok(!words.includes(token) && !words.includes(token.slice(12)), name);
  }
});

test('a mail that waits is not delivered once its person withdraws; the others are', async () => {
  await foyer.stop();
  mailServer = await MailServer.start({ key: readFileSync(path('key.pem')), cert: readFileSync(path('cert.pem')), starttls: true });
  mailServer.refuse = '451 later, please';
  await start({ FOYER__MAIL__TRANSPORT: 'smtp', FOYER__MAIL__SMTP_URL: `smtp://localhost:${mailServer.port}`, FOYER__MAIL__SMTP_CA: path('cert.pem') });
  const ada = await signIn(foyer, who.Ada);
  await ada.submit('/account/privacy', '/account/privacy', { market_research: 'yes' });
  office = await signInToOffice(foyer, owner);
  await office.get('/manage/studies?lang=en');
  await send(await write({ title_fr: 'La seconde' }));
  const waiting = () => Number(sql("SELECT COUNT(*) FROM outbox WHERE consent = 1 AND state = 1 AND attempts > 0"));
  await until('two mails that wait for another attempt', async () => {
    await foyer.run(['jobs', 'run', 'studies']);
    await foyer.run(['jobs', 'run', 'mail']);
    return waiting() === 2;
  }, 30000 * (sanitized ? 4 : 1));
  await ada.submit('/account/privacy', '/account/privacy', { market_research: undefined });
  mailServer.refuse = null;
  await foyer.run(['jobs', 'run', 'mail', '--at', new Date(Date.now() + 5 * 60000).toISOString()]);
  await until('the end of both', () => waiting() === 0, 30000 * (sanitized ? 4 : 1));
  assert.deepEqual(mailServer.mails.map((mail) => [mail.to, mail.fields['list-unsubscribe-post']]), [[who.Bea.email, 'List-Unsubscribe=One-Click']]);
  assert.equal(mailServer.mails[0].fields['list-unsubscribe'], `<${linkIn(mailServer.mails[0], '/withdraw')}>`, 'and over SMTP it says so, too');
  assert.equal(sql(`SELECT last_error FROM outbox WHERE consent = 1 AND person_id = ${who.Ada.id} AND state = 4`), 'its person does not allow it any more');
});

test('sending can be stopped', async () => {
  await foyer.stop();
  await start({ FOYER__MAIL__ANNOUNCEMENTS_PER_RUN: '1' });
  const ada = await signIn(foyer, who.Ada);
  await ada.submit('/account/privacy', '/account/privacy', { market_research: 'yes' });
  office = await signInToOffice(foyer, owner);
  await office.get('/manage/studies?lang=en');
  await foyer.run(['jobs', 'run', 'mail']);
  // No mail leaves, so there is room for one.
  sql("UPDATE job_lease SET owner = 'elsewhere', fence = fence + 1, leased_until = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR WHERE name = 'mail'");
  sql('DELETE FROM outbox');
  const where = await write({ title_en: 'The third' });
  assert.match((await send(where)).words, /Sending has begun\..*Being sent/);
  const told = async () => {
    await foyer.run(['jobs', 'run', 'studies']);
    return (await office.get(where)).words.match(/Persons invited (\d of \d)/)?.[1];
  };
  await until('the first to be told', async () => (await told()) === '1 of 2', 30000);
  const page = await office.get(where);
  await office.submit(page, `${where}/stop`, { csrf: 'x' });
  assert.match((await office.get(where)).words, /Being sent/, 'without its form token it is no order');
  const stopped = await office.follow(await office.submit(page, `${where}/stop`));
  assert.match(stopped.words, /Sending has been stopped\..*Stopped /);
  sql('DELETE FROM outbox');
  assert.equal(await told(), '1 of 2', 'though there is room again');
  const late = await office.submit(page, `${where}/stop`);
  assert.equal(late.status, 409);
  assert.match(late.words, /changed meanwhile/);
});
