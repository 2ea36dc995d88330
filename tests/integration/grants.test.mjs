// Staff see personal data only with prior authorisation: asking, agreeing, reading inside the grant, and what the person
// sees of it. A member's name and texts are canaries: without a grant they stand nowhere in the back office.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { member, owner, setUp, signIn, signInToOffice } from '../support/flows.mjs';
import { Foyer } from '../support/foyer.mjs';
import { accountOf, ask, decide, file, notice, reason, sqlOf, staff } from '../support/staff.mjs';
import { Visitor } from '../support/visitor.mjs';
import { until } from '../support/wait.mjs';

let foyer;
let ines; // the first owner, in the back office
const team = {}; // role: { who, account, office }
let canary; // { who, visitor, account }

const profile = {
  phone: '+33 1 44 55 66 77', position: 'Canarienne', skills: 'Serinette', passions: 'Volière', street_address: '7, quai aux Oiseaux',
  postal_code: '75004', address_level2: 'Canaryville', country: 'FR',
};
const sql = (text) => sqlOf(foyer)(text);
const looks = "fields <> 'access_request.reason'"; // at the data itself
const states = (answer) => [...answer.text.matchAll(/<dt>([^<]*)<\/dt><dd>(?:<time[^>]*>|<(?:span|a)[^>]*>)?([^<]*)/g)].map(([, label, value]) => [label, value]);

before(async () => {
  foyer = await Foyer.start({ workers: 2 });
  await setUp(foyer);
  ines = await signInToOffice(foyer);
  const { who, visitor } = await member(foyer, { given_name: 'Canarine', family_name: 'Sérinet', email: 'canarine.serinet@example.org' });
  await visitor.submit('/account/profile', '/account/profile', profile);
  canary = { who, visitor, account: await accountOf(visitor) };
  for (const role of ['staff', 'accounting', 'auditor', 'dpo']) team[role] = await staff(foyer, ines, role);
});
after(() => foyer.stop());

const secrets = () => [canary.who.given_name, canary.who.family_name, canary.who.email, ...Object.values(profile).filter((one) => one.length > 2)];

test('the session of a member of staff alone opens nothing: no page or list of the back office holds a member’s data', async () => {
  await signIn(foyer, canary.who); // a session to be listed
  for (const [role, one] of [['owner', { office: ines }], ...Object.entries(team)]) {
    const pages = ['/manage/sessions', `/manage/sessions?account=${canary.account}`, '/manage/people', file(canary.account), file(canary.account, '?purpose=billing'), '/manage/access-requests', '/manage/access-requests?show=all',
      '/manage/access-log', '/manage/contact', '/manage/jobs', '/manage/requests', '/manage/holds', '/manage/breaches', '/manage/privacy', '/manage/privacy/record.csv', '/api/v1/manage/sessions', '/api/v1/manage/sessions?limit=200'];
    let seen = 0;
    for (const path of pages) {
      const answer = await one.office.get(path);
      assert.ok([200, 403].includes(answer.status), `${role} ${path} ${answer.status}`);
      seen += answer.status === 200;
      for (const secret of secrets()) assert.ok(!answer.words.includes(secret) && !answer.text.includes(secret), `${secret} on ${path} for ${role}`);
    }
    assert.ok(seen >= 2, `${role} has pages`);
  }
  const sealed = await team.staff.office.get(file(canary.account));
  assert.ok(states(sealed).filter(([, value]) => value.startsWith('scellé')).length > 10, sealed.words);
  assert.equal(sql('SELECT COUNT(*) FROM access_log'), '0', 'nothing was opened, so nothing is noted');
});

test('the table says which role may open what', async () => {
  const allowed = {
    '/manage/sessions': ['owner'], '/manage/jobs': ['owner'], '/manage/contact': ['owner', 'staff', 'dpo'], '/manage/people': ['owner', 'staff', 'accounting', 'dpo'],
    '/manage/requests': ['owner', 'staff', 'dpo'], '/manage/breaches': ['owner', 'dpo'], '/manage/holds': ['owner', 'dpo'], '/manage/privacy': ['owner', 'auditor', 'dpo'],
    '/manage/access-log': ['owner', 'auditor', 'dpo'], '/manage/access-requests': ['owner', 'staff', 'accounting', 'auditor', 'dpo'], '/api/v1/manage/sessions': ['owner'],
  };
  for (const [path, roles] of Object.entries(allowed)) {
    for (const [role, office] of [['owner', ines], ...Object.entries(team).map(([name, one]) => [name, one.office])]) {
      const answer = await office.get(path);
      assert.equal(answer.status, roles.includes(role) ? 200 : 403, `${role} ${path}`);
      if (answer.status === 200 && !path.startsWith('/api')) // the navigation offers what may be opened, and nothing else
        for (const [other, others] of Object.entries(allowed))
          if (!other.startsWith('/api')) assert.equal(answer.text.includes(`<li><a href="${other}"`), others.includes(role), `${role} is shown ${other}`);
    }
  }
  const { who } = await member(foyer);
  const refused = await new Visitor(foyer).submit('/manage/login', '/manage/login', { email: who.email, password: who.password });
  assert.equal(refused.status, 422, 'a member does not get in');
});

test('a person is found by the exact address or the number, and not otherwise', async () => {
  const find = (who) => team.staff.office.submit('/manage/people', '/manage/people/find', { who });
  assert.equal((await find(canary.who.email)).location, file(canary.account));
  assert.equal((await find(canary.who.email.toUpperCase())).location, file(canary.account));
  assert.equal((await find(String(canary.account))).location, file(canary.account));
  for (const wrong of ['Canarine', 'canarine', '@example.org', 'nobody@example.org', '12345', '']) {
    const answer = await find(wrong);
    assert.deepEqual([answer.status, answer.wrong], [422, ['who']], wrong);
  }
  assert.equal((await team.staff.office.get(file(12345))).status, 404);
});

test('a request needs a purpose, a reason and a time; the person gets a mail without the reason', async () => {
  const { office } = team.staff;
  assert.deepEqual((await ask(office, canary.account, { purpose: 'rights', reason: 'court', minutes: '481' })).wrong.sort(), ['minutes', 'purpose', 'reason']);
  assert.equal(sql('SELECT COUNT(*) FROM access_request'), '0');
  const page = await office.get(file(canary.account));
  assert.equal(page.form(`${file(canary.account)}/ask`).fields.minutes, '60', 'an hour where nothing else is asked');
  const asked = await ask(office, canary.account);
  assert.equal(asked.status, 303, asked.words);
  assert.match(notice(await office.follow(asked)), /envoyée/);
  const waiting = (to) => foyer.mails().filter((one) => one.to === to && one.text.includes('/manage/access-requests'));
  for (const to of [owner.email, team.accounting.who.email, team.dpo.who.email]) {
    const told = await foyer.mailTo(to, (one) => one.text.includes('/manage/access-requests'));
    assert.ok(told.text.includes(String(canary.account)) && told.text.includes(String(team.staff.account)) && !told.text.includes(reason), told.text);
    for (const secret of secrets()) assert.ok(!told.text.includes(secret), 'numbers, no names');
  }
  for (const to of [team.staff.who.email, team.auditor.who.email]) assert.deepEqual(waiting(to), [], 'not who asked, nor who may not decide');
  const mail = await foyer.mailTo(canary.who.email, (one) => one.text.includes('/account/privacy'));
  assert.ok(mail.text.includes('facturation') && mail.text.includes('60') && !mail.text.includes(reason), mail.text);
  const again = await ask(office, canary.account);
  assert.deepEqual([again.status, again.wrong], [422, ['purpose']], 'it waits already');
  for (const secret of secrets()) assert.ok(!(await office.get(file(canary.account))).text.includes(secret), 'waiting opens nothing');
  assert.ok(!sql('SELECT HEX(reason) FROM access_request').includes(Buffer.from('facture').toString('hex').toUpperCase()), 'the reason is sealed');
});

test('nobody decides on their own request, nor on another’s from the account page', async () => {
  const { office, who } = team.staff;
  const page = await office.get('/manage/access-requests');
  assert.ok(page.words.includes('votre demande') && !page.text.includes('/decide"'));
  const id = sql('SELECT id FROM access_request');
  const { csrf } = page.form('/manage/logout').fields;
  const tried = await office.post(`/manage/access-requests/${id}/decide`, { csrf, decision: 'approve' });
  assert.match(notice(await office.follow(tried)), /autre personne/);
  const asMember = await signIn(foyer, who);
  const own = (await asMember.get('/account')).form('/logout').fields.csrf;
  assert.equal((await asMember.post('/account/access', { csrf: own, id, decision: 'approve' })).status, 404);
  const auditor = await team.auditor.office.get('/manage/access-requests');
  assert.ok(auditor.words.includes('Scellé') && !auditor.words.includes(reason) && !auditor.text.includes('/decide"'), 'an auditor sees that there is one');
  assert.equal((await team.auditor.office.post(`/manage/access-requests/${id}/decide`, { csrf: auditor.form('/manage/logout').fields.csrf, decision: 'approve' })).status, 403);
  assert.equal(sql('SELECT state FROM access_request'), '1');
});

test('a colleague agrees: the fields of that purpose open, to this reader only, and each look is noted before it', async () => {
  const { office, account } = team.staff;
  assert.match(notice(await decide(team.accounting.office, canary.account, 'approve')), /accordé/);
  const open = await office.get(file(canary.account));
  for (const text of [canary.who.given_name, canary.who.family_name, canary.who.email, profile.street_address, profile.postal_code, profile.address_level2]) assert.ok(open.words.includes(text), text);
  for (const text of [profile.phone, profile.position, profile.skills, profile.passions]) assert.ok(!open.text.includes(text), text);
  assert.match(open.words, /cette raison n.y donne pas accès/);
  assert.match(open.words, /Refusé : Téléphone, [^.]*Passions, [^.]*\. Ces informations n.ont pas été recueillies pour « facturation »\. Ce refus est inscrit/, open.words);
  assert.equal(sql(`SELECT CONCAT_WS(" ", reader_id, reader_role, person_id, fields) FROM access_log WHERE ${looks}`),
    `${account} 3 ${canary.account} account.given_name account.family_name account.email account.street_address account.postal_code account.address_level2 account.country`);
  for (const other of [ines, team.dpo.office, team.accounting.office])
    for (const secret of secrets()) assert.ok(!(await other.get(file(canary.account))).text.includes(secret), 'not for others');
  const neighbour = await accountOf((await member(foyer, { given_name: 'Voisin', family_name: 'Canarivoisin' })).visitor);
  assert.ok(!(await office.get(file(neighbour))).text.includes('Canarivoisin'), 'not for another person');
  for (const path of ['/manage/people', '/manage/access-requests?show=all'])
    for (const secret of secrets()) assert.ok(!(await office.get(path)).text.includes(secret), path);
  await office.get(file(canary.account));
  assert.equal(sql(`SELECT COUNT(*) FROM access_log WHERE ${looks}`), '2');
  assert.equal(sql(`SELECT COUNT(*) FROM access_log WHERE NOT (${looks}) AND reader_id = ${team.accounting.account} AND person_id = ${canary.account}`), '1', 'who decides reads the reason, and that is noted, too');
});

test('no log, no data: where the read cannot be written, nothing is shown', async () => {
  sql('RENAME TABLE access_chain TO access_chain_away');
  try {
    const refused = await team.staff.office.get(file(canary.account));
    assert.ok(refused.status >= 500, String(refused.status));
    for (const secret of secrets()) assert.ok(!refused.text.includes(secret));
  } finally {
    sql('RENAME TABLE access_chain_away TO access_chain');
  }
  assert.equal((await team.staff.office.get(file(canary.account))).status, 200);
});

test('the person sees who looked by role, when, why, and at what; the API gives the same in pages', async () => {
  const page = await canary.visitor.get('/account/privacy');
  for (const text of [reason, 'équipe', 'facturation', 'Prénom, Nom, Adresse e-mail']) assert.ok(page.words.includes(text), text);
  assert.ok(!page.text.includes(String(team.staff.account)) && !page.words.includes('Rôle-staff'), 'a role, not a name');
  const { reads } = (await canary.visitor.get('/api/v1/me/access-log')).json;
  assert.deepEqual(reads.map((one) => one.fields[0]), ['account.given_name', 'account.given_name', 'account.given_name', 'access_request.reason']);
  assert.deepEqual([reads[0].role, reads[0].purpose, reads[0].reason, reads[0].emergency, reads[0].fields[0]], ['staff', 'billing', reason, false, 'account.given_name']);
  const first = await canary.visitor.get('/api/v1/me/access-log?limit=2');
  const next = await canary.visitor.get(first.headers.link.match(/^<([^>]+)>; rel="next"$/)[1]);
  assert.deepEqual([...first.json.reads, ...next.json.reads], reads);
  assert.equal(next.headers.link, undefined);
  assert.equal((await canary.visitor.get('/api/v1/me/access-log?cursor=x')).status, 400);
  const { visitor: other } = await member(foyer);
  assert.deepEqual((await other.get('/api/v1/me/access-log')).json.reads, [], 'nobody else’s');
});

test('what is refused is said in words and recorded: a purpose without a grant, and one that the person withholds', async () => {
  const { office, account } = team.staff;
  const recorded = () => foyer.events().filter((line) => line.event === 'access.purpose_refused' && line.by === account);
  const before = recorded().length;
  const other = await office.get(file(canary.account, '?purpose=contact'));
  assert.match(other.words, /Refusé : aucun accès ne vous est ouvert pour « prise de contact et assistance »\. Rien n.a été ouvert/);
  for (const secret of secrets()) assert.ok(!other.text.includes(secret), secret);
  const english = await office.get(file(canary.account, '?purpose=contact&lang=en'));
  assert.match(english.words, /Refused: no access is open to you for “contact and support”/);
  await office.get(file(canary.account, '?lang=fr'));

  const rows = sql('SELECT COUNT(*) FROM access_log');
  await canary.visitor.submit('/account/requests', '/account/requests', { kind: 'restriction', wish: 'Gardez-les pour un litige' });
  const restricted = await office.get(file(canary.account));
  assert.match(restricted.words, /Refusé : cette personne a fait limiter l.usage de ses données, et rien ne s.ouvre pour « facturation »/);
  for (const secret of secrets()) assert.ok(!restricted.text.includes(secret), secret);
  assert.doesNotMatch(restricted.words, /vient d.être inscrite/, 'nothing was read');
  assert.equal(sql('SELECT COUNT(*) FROM access_log'), rows);
  await canary.visitor.submit('/account/privacy', '/account/privacy/restriction/end');
  assert.ok((await office.get(file(canary.account))).words.includes(canary.who.email));
  for (const wanted of ['contact no grant for it', 'billing the person withholds it', 'billing not collected for it'])
    await until(wanted, () => recorded().slice(before).some((line) => line.account === canary.account && `${line.purpose} ${line.why}` === wanted));
});

test('a grant ends by its time, and by being given back', async () => {
  const { office } = team.staff;
  sql('UPDATE access_request SET ends_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND');
  const over = await office.get(file(canary.account));
  for (const secret of secrets()) assert.ok(!over.text.includes(secret), secret);
  await ask(office, canary.account, { purpose: 'contact', minutes: '5' });
  await decide(ines, canary.account, 'approve');
  const open = await office.get(file(canary.account));
  assert.ok(open.words.includes(profile.phone) && !open.words.includes(profile.street_address), 'another purpose, other fields');
  assert.equal((await office.submit(open, `${file(canary.account)}/give-back`)).status, 303);
  assert.ok(!(await office.get(file(canary.account))).text.includes(profile.phone));
});

test('the person refuses one request and agrees to the next', async () => {
  const { office } = team.accounting;
  const answer = async (decision) => {
    assert.equal((await ask(office, canary.account, { purpose: 'contractualisation' })).status, 303);
    const page = await canary.visitor.get('/account/privacy');
    return canary.visitor.follow(await canary.visitor.submit(page, '/account/access', { decision }));
  };
  assert.match(notice(await answer('refuse')), /refusé/);
  assert.ok(!(await office.get(file(canary.account))).text.includes(canary.who.email));
  assert.match(notice(await answer('approve')), /accordé/);
  const open = await office.get(file(canary.account));
  assert.ok(open.words.includes(canary.who.email));
  assert.ok(/d.autres rôles/.test(open.words) && !open.text.includes(profile.phone), 'the register says what accounting does not see');
});

test('what the person refused nobody else grants, and an open access ends when the person says so', async () => {
  const { office } = team.accounting;
  const open = await canary.visitor.get('/account/privacy');
  assert.match(notice(await canary.visitor.follow(await canary.visitor.submit(open, '/account/access/end'))), /terminé/);
  assert.ok(!(await office.get(file(canary.account))).text.includes(canary.who.email));
  assert.equal((await ask(office, canary.account, { purpose: 'contractualisation' })).status, 303);
  assert.match(notice(await decide(ines, canary.account, 'approve')), /refusé cet accès il y a moins de 30 jours/);
  assert.ok(!(await office.get(file(canary.account))).text.includes(canary.who.email));
  await canary.visitor.submit('/account/privacy', '/account/access', { decision: 'approve' });
  assert.ok((await office.get(file(canary.account))).words.includes(canary.who.email));
  const all = await ines.get('/manage/access-requests?show=all');
  const [, id] = all.text.match(/access-requests\/(\d+)\/end"/);
  assert.match(notice(await ines.follow(await ines.submit(all, `/manage/access-requests/${id}/end`))), /terminé/);
  assert.ok(!(await office.get(file(canary.account))).text.includes(canary.who.email));
  assert.equal(foyer.events().filter((one) => one.event === 'access.ended').length, 2);
});

test('an unanswered request lapses after a day', async () => {
  const { office } = team.dpo;
  await ask(office, canary.account, { purpose: 'identification' });
  const id = sql('SELECT MAX(id) FROM access_request');
  sql(`UPDATE access_request SET asked_at = asked_at - INTERVAL 24 HOUR WHERE id = ${id}`);
  const { csrf } = (await ines.get('/manage/people')).form('/manage/logout').fields;
  const late = await ines.follow(await ines.post(`/manage/access-requests/${id}/decide`, { csrf, decision: 'approve' }));
  assert.match(notice(late), /n.attend plus/);
  assert.ok((await office.get('/manage/access-requests?show=all')).words.includes('Sans réponse'));
});

test('breaking the glass: owners only, mails at once, a review by somebody else', async () => {
  const { office } = team.staff;
  const fields = { purpose: 'contact', reason: 'Un étudiant attend devant la porte', minutes: '10' };
  const { csrf } = (await office.get(file(canary.account))).form('/manage/logout').fields;
  assert.equal((await office.post(`${file(canary.account)}/open`, { csrf, ...fields })).status, 403);
  const page = await ines.get(file(canary.account));
  const mine = page.form('/manage/logout').fields.csrf;
  assert.deepEqual((await ines.post(`${file(canary.account)}/open`, { csrf: mine, ...fields, reason: '' })).wrong, ['reason'], 'a reason is required');
  const opened = await ines.follow(await ines.post(`${file(canary.account)}/open`, { csrf: mine, ...fields }));
  assert.ok(opened.words.includes(profile.phone), 'open at once');
  for (const to of [owner.email, team.dpo.who.email]) {
    const mail = await foyer.mailTo(to, (one) => one.subject.includes('Urgence'));
    assert.ok(mail.text.includes(String(canary.account)) && !mail.text.includes(canary.who.email));
  }
  const id = sql('SELECT id FROM access_request WHERE break_glass = TRUE');
  const listed = await team.dpo.office.get('/manage/access-requests');
  assert.match(listed.words, /il reste 72 heures/);
  assert.match(notice(await ines.follow(await ines.post(`/manage/access-requests/${id}/review`, { csrf: mine, verdict: 'justified' }))), /autre personne/);
  sql(`UPDATE access_request SET asked_at = asked_at - INTERVAL 73 HOUR, ends_at = ends_at - INTERVAL 73 HOUR WHERE id = ${id}`);
  const late = await team.dpo.office.get('/manage/access-requests');
  assert.match(late.text, /badge bad">En retard<\/span>[^<]*72 heures[^<]*dépassé/);
  const reviewed = await team.dpo.office.follow(await team.dpo.office.submit(late, `/manage/access-requests/${id}/review`, { verdict: 'unjustified' }));
  assert.match(notice(reviewed), /enregistrée/);
  assert.match((await team.dpo.office.get('/manage/access-requests?show=all')).words, /Non justifié/);
  assert.ok((await canary.visitor.get('/account/privacy')).words.includes('Urgence'), 'the person sees that it was one');
});

test('opening a message of the contact form is noted, too', async () => {
  await new Visitor(foyer).submit('/contact', '/contact', { name: 'Jean', email: 'jean@example.org', subject: 'Une chambre', message: 'Bonjour.', consent: 'yes' });
  const count = () => Number(sql('SELECT COUNT(*) FROM access_log WHERE fields LIKE "contact_message.%"'));
  const { office, account } = team.staff;
  const list = await office.get('/manage/contact');
  assert.equal(count(), 0);
  const [, id] = list.text.match(/href="\/manage\/contact\/(\d+)"/);
  assert.equal((await office.get(`/manage/contact/${id}`)).status, 200);
  assert.equal(count(), 1);
  assert.equal(sql(`SELECT reader_id FROM access_log WHERE person_id = ${id}`), String(account));
  const log = await team.auditor.office.get('/manage/access-log');
  assert.ok(log.words.includes(id) && log.words.includes('Message'), log.words);

  await new Visitor(foyer).submit('/contact', '/contact', { name: 'Canarine', email: canary.who.email, subject: 'Une chambre', message: 'Bonjour.', consent: 'yes' });
  const [, hers] = (await office.get('/manage/contact')).text.match(/href="\/manage\/contact\/(\d+)"/);
  await office.get(`/manage/contact/${hers}`);
  const [latest] = (await canary.visitor.get('/api/v1/me/access-log')).json.reads;
  assert.equal(latest.fields[0], 'contact_message.name', 'a member sees who read what was written with the own address');
  assert.match((await canary.visitor.get('/account/privacy')).words, /Nom, Adresse e-mail, Objet, Message/);
});

test('foyer access-log verify finds nothing, and then what was changed', async () => {
  const whole = await foyer.run(['access-log', 'verify']);
  assert.equal(whole.code, 0, whole.stderr);
  const rows = sql('SELECT COUNT(*) FROM access_log');
  assert.match(whole.stdout, new RegExp(`^checked=${rows} last=${rows} hash=[0-9a-f]{64}\n$`));
  const check = async (change, undo, wanted, said) => {
    sql(change);
    const { code, stdout, stderr } = await foyer.run(['access-log', 'verify']);
    sql(undo);
    assert.equal(code, 1);
    assert.match(stdout, wanted);
    assert.match(stderr, said);
  };
  sql('CREATE TABLE kept AS SELECT * FROM access_log');
  const restore = 'DELETE FROM access_log; INSERT INTO access_log SELECT * FROM kept';
  await check('UPDATE access_log SET reader_id = 1 WHERE id = 2', restore, / bad=2$/m, /changed/);
  await check('DELETE FROM access_log WHERE id = 3', restore, / bad=3$/m, /deleted/);
  await check('DELETE FROM access_log ORDER BY id DESC LIMIT 1', restore, new RegExp(` bad=${rows}$`, 'm'), /deleted/);
  assert.equal((await foyer.run(['access-log', 'verify'])).code, 0);
  sql('DROP TABLE kept');
});

test('a session that was opened with an older role is over at its next request, whoever changed the role', async () => {
  const { account, office, who } = await staff(foyer, ines, 'dpo', { given_name: 'Tardive' });
  assert.equal((await office.get('/manage/holds')).status, 200);
  sql(`UPDATE account SET role = 3 WHERE id = ${account}`);
  assert.equal((await office.get('/manage/holds')).location?.split('?')[0], '/manage/login');
  sql(`UPDATE account SET role = 6 WHERE id = ${account}`);
  assert.equal((await office.get('/manage/holds')).status, 303, 'and stays over');
  const again = await signInToOffice(foyer, who);
  assert.equal((await again.get('/manage/holds')).status, 200);
  sql(`UPDATE account SET state = 3 WHERE id = ${account}`);
  assert.equal((await again.get('/manage/people')).status, 303, 'a closed account has no session');
});

test('a role that is taken ends the back-office session and open grants; owners get a mail; the last owner stays', async () => {
  const { who, account, office } = await staff(foyer, ines, 'staff', { given_name: 'Brève' });
  await ask(office, canary.account);
  await decide(ines, canary.account, 'approve');
  assert.ok((await office.get(file(canary.account))).words.includes(canary.who.email));
  const outside = await signIn(foyer, who);
  const change = (visitor, target, role) => visitor.submit(file(target), `${file(target)}/role`, { role });
  assert.match(notice(await ines.follow(await change(ines, account, 'member'))), /changé/);
  assert.equal((await office.get(file(canary.account))).status, 303, 'the session is over');
  assert.equal((await outside.get('/account')).status, 200, 'the one as a member is not');
  const mail = await foyer.mailTo(owner.email, (one) => one.text.includes(String(account)) && one.text.includes('est devenu membre'));
  assert.ok(!mail.text.includes(who.email), 'numbers, no names');
  assert.equal(sql(`SELECT COUNT(*) FROM access_request WHERE asked_by = ${account} AND state IN (1, 2)`), '0');

  const first = Number(sql('SELECT id FROM account WHERE role = 2'));
  assert.match(notice(await ines.follow(await change(ines, first, 'staff'))), /dernier propriétaire/);
  const { csrf } = (await team.dpo.office.get('/manage/people')).form('/manage/logout').fields;
  assert.equal((await team.dpo.office.post(`${file(first)}/role`, { csrf, role: 'member' })).status, 403);

  const second = await staff(foyer, ines, 'owner');
  const both = await Promise.all([change(ines, second.account, 'member'), change(second.office, first, 'member')]);
  assert.ok(both.every((one) => [303, 403].includes(one.status)), String(both.map((one) => one.status)));
  assert.equal(sql('SELECT COUNT(*) FROM account WHERE role = 2'), '1', 'one of the two stays');
});
