// Every page, in both languages: nothing that axe finds, in light and dark; no sideways scrolling at 320 CSS pixels
// (WCAG 1.4.10); nothing from another origin. A picture of each is left in tests/artifacts/screens.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { assertQuiet, launch, openContext, overflowOf, screenshot, violationsOf } from '../support/browser.mjs';
import { member, owner, pathOf, person, register, setUp, signIn, signInToOffice } from '../support/flows.mjs';
import { Foyer, scratch } from '../support/foyer.mjs';
import { linkIn } from '../support/mail.mjs';
import { Visitor } from '../support/visitor.mjs';
import { unzip } from '../support/zip.mjs';

let foyer;
let browser;
const cookies = {};
const accountOf = async (visitor) => (await visitor.get('/api/v1/session')).json.account_id;
const links = {};

before(async () => {
  [foyer, browser] = await Promise.all([Foyer.start({ workers: 2 }), launch()]);
  const { who, visitor } = await member(foyer, { given_name: 'Marie-Antoinette', family_name: 'de La Rochefoucauld-Liancourt' });
  await visitor.submit('/account/profile', '/account/profile', { position: 'Logeuse', skills: 'Cuisine', address_level2: 'Paris', country: 'FR', phone: '+33 1 44 55 66 77' });
  await signIn(foyer, who, new Visitor(foyer, { headers: { 'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1' } }));
  links.setup = pathOf(foyer.setUpLink);
  const pending = person();
  await register(foyer, pending);
  links.verify = pathOf(linkIn(await foyer.mailTo(pending.email), '/verify'));
  const asked = new Visitor(foyer);
  await asked.submit('/password/forgot', '/password/forgot', { email: who.email });
  links.reset = pathOf(linkIn(await foyer.mailTo(who.email, (mail) => mail.text.includes('/password/reset?token=')), '/password/reset'));
  await new Visitor(foyer).submit('/privacy/request', '/privacy/request', { email: who.email });
  links.data = pathOf(linkIn(await foyer.mailTo(who.email, (mail) => mail.text.includes('/privacy/request/data?token=')), '/privacy/request/data'));
  for (let i = 0; i < 3; i++)
    await new Visitor(foyer).submit('/contact', '/contact', { name: 'Jean', email: 'jean@example.org', subject: `Une question ${'très '.repeat(i * 5)}longue`, message: 'Bonjour.\n\nMerci.', consent: 'yes' });
  await visitor.submit('/account/requests', '/account/requests', { kind: 'access', wish: 'Tout ce que vous avez.\n\nMerci.' });
  await visitor.submit('/account/requests', '/account/requests', { kind: 'post_mortem', wish: 'Prévenez ma sœur.' });
  [, links.request] = (await visitor.get('/account/requests')).text.match(/href="(\/account\/requests\/\d+)"/);
  const child = { given_name: 'Anne-Sophie', family_name: 'de La Rochefoucauld', email: '', birth_date: `${new Date().getFullYear() - 10}-01-02`, language: 'fr', what_for: 'Séjour linguistique',
    adult_given_name: 'Élisabeth', adult_family_name: 'de La Rochefoucauld', adult_email: 'elisabeth.marie.de.la.rochefoucauld.liancourt@messagerie.example.org' };
  const grown = { ...child, given_name: 'Mei', email: 'mei@example.org', birth_date: '2001-05-17' };
  const noticeTo = async (to) => pathOf(linkIn(await foyer.mailTo(to, (mail) => mail.text.includes('/notice?token=')), '/notice'));
  for (const one of [grown, child]) assert.equal((await visitor.submit('/account/people/new', '/account/people/new', one)).status, 303);
  [links.person, links.restricted] = [...(await visitor.get('/account/people')).text.matchAll(/href="(\/account\/people\/\d+)"/g)].map(([, path]) => path);
  links.notice = await noticeTo(child.adult_email);
  links.objected = await noticeTo(grown.email);
  await new Visitor(foyer).submit(links.objected, '/notice/object');
  links.version = (await visitor.get('/privacy/versions')).text.match(/versions\/(\d{4}-\d\d-\d\d)"/)[1];
  await visitor.submit('/account/security', '/account/email', { new_email: 'marie.antoinette.de.la.rochefoucauld.liancourt@messagerie.example.org', email_password: who.password });
  links.email = pathOf(linkIn(await foyer.mailTo('marie.antoinette.de.la.rochefoucauld.liancourt@messagerie.example.org'), '/email/confirm'));
  cookies.member = visitor.cookies;
  cookies.account = await accountOf(visitor);
});
after(async () => {
  await browser?.close();
  await foyer?.stop();
});

const fill = (fields, action) => async (page) => {
  for (const [name, value] of Object.entries(fields)) await page.locator(`main form[action="${action}"] [name="${name}"]`).fill(value);
  await page.locator(`main form[action="${action}"] button[type="submit"]`).first().click();
  await page.locator('[role="alert"]').waitFor();
};

// name: path, or [path, what to do there]; a path may be a function
const pages = {
  guest: {
    home: '/', login: '/login', register: '/register', contact: '/contact', privacy: '/privacy', 'privacy-versions': '/privacy/versions', 'privacy-version': () => `/privacy/versions/${links.version}`,
    'privacy-changes': () => `/privacy/versions/${links.version}/changes`, cookies: '/cookies', legal: '/legal',
    accessibility: '/accessibility', forgot: '/password/forgot', 'manage-login': '/manage/login', 'not-found': '/nowhere',
    'contact-done': '/contact/done?reference=ABCDEFGH23', 'token-verify': '/verify?token=x', 'token-reset': '/password/reset?token=x', 'token-setup': '/setup?token=x',
    'privacy-request': '/privacy/request', 'privacy-data': () => links.data, 'token-export': '/privacy/request/data?token=x',
    'token-withdraw': '/withdraw?token=x',
    'privacy-request-wrong': ['/privacy/request', fill({ email: 'x' }, '/privacy/request')],
    'email-confirm': () => links.email, 'token-email': '/email/confirm?token=x',
    verify: () => links.verify, reset: () => links.reset, setup: () => links.setup, 'session-ended': '/login?next=%2Faccount&why=expired',
    'login-wrong': ['/login', fill({ email: 'nobody@example.org', password: 'not a password' }, '/login')],
    'register-wrong': ['/register', fill({ given_name: 'A', email: 'x', password: 'y' }, '/register')],
    notice: () => links.notice, 'notice-objected': () => links.objected, 'token-notice': '/notice?token=x',
    'notice-wrong': [() => links.notice, fill({ given_name: '', birth_date: '' }, '/notice/correct')], 'notice-unsure': [() => links.notice, fill({}, '/notice/erase')],
    'contact-wrong': ['/contact', fill({ email: 'x' }, '/contact')],
  },
  member: {
    account: '/account', profile: '/account/profile', security: '/account/security', 'account-privacy': '/account/privacy',
    requests: '/account/requests?said=request_made', request: () => links.request,
    'requests-wrong': ['/account/requests', async (page) => { await page.locator('main form button').click(); await page.locator('[role="alert"]').waitFor(); }],
    people: '/account/people?said=person_entered', person: () => links.person, 'person-restricted': () => links.restricted, 'person-new': '/account/people/new',
    'person-new-wrong': ['/account/people/new', fill({ given_name: 'www.example.org' }, '/account/people/new')],
    'profile-saved': '/account/profile?said=profile_saved',
    'profile-wrong': ['/account/profile', fill({ given_name: '', phone: 'x' }, '/account/profile')],
    'security-wrong': ['/account/security', fill({ current_password: 'x' }, '/account/password')], 'email-wrong': ['/account/security', fill({ new_email: 'x' }, '/account/email')],
  },
  office: {
    sessions: '/manage/sessions', 'sessions-network': '/manage/sessions?ip=127.0.0.0%2F8', 'sessions-none': '/manage/sessions?ip=192.0.2.1', 'sessions-wrong': '/manage/sessions?ip=x',
    rights: '/manage/requests', 'rights-none': '/manage/requests?state=refused', right: () => links.right, 'right-new': '/manage/requests/new',
    'right-ended': () => links.ended, 'right-new-wrong': ['/manage/requests/new', fill({ name: '', email: 'x' }, '/manage/requests/new')],
    breaches: '/manage/breaches', 'breaches-none': '/manage/breaches?state=closed', breach: () => links.breach, 'breach-new': '/manage/breaches/new',
    'breach-new-wrong': ['/manage/breaches/new', fill({ name: '', persons: 'x' }, '/manage/breaches/new')], 'breach-facts': () => `${links.breach}/facts`,
    'breach-letter': () => `${links.breach}/letter/fr`, 'breach-letter-lacking': () => `${links.breach}/letter/en/print`, 'breach-notification': () => `${links.breach}/notification`,
    studies: '/manage/studies', study: () => links.study, 'study-sent': () => links.sent, 'study-edit': () => `${links.study}/edit`, 'study-new': '/manage/studies/new',
    'study-new-wrong': ['/manage/studies/new', fill({ title_fr: '', link: 'x' }, '/manage/studies/new')],
    holds: '/manage/holds', 'holds-none': '/manage/holds?state=lifted', hold: () => links.hold,
    'holds-wrong': ['/manage/holds', fill({ email: '', reason: '' }, '/manage/holds')],
    messages: '/manage/contact', 'messages-none': '/manage/contact?state=closed', message: () => links.message, jobs: '/manage/jobs', 'job-done': '/manage/jobs?job=purge&said=job_done',
    record: '/manage/privacy',
    people: '/manage/people', 'people-wrong': ['/manage/people', fill({ who: 'nobody@example.org' }, '/manage/people/find')],
    'person-open': () => links.person, 'person-sealed': () => links.sealed, 'person-own': () => links.own,
    'person-wrong': [() => links.person, (page) => fill({ reason: 'x', minutes: '900' }, `${links.person}/ask`)(page)],
    'access-requests': '/manage/access-requests', 'access-all': '/manage/access-requests?show=all', 'access-none': '/manage/access-requests?cursor=1', 'access-log': '/manage/access-log',
  },
  // The member again, once the team has asked and looked.
  asked: { 'account-privacy-asked': '/account/privacy' },
  // Who was invited to market research, with the link of the mail alone.
  invited: { withdraw: () => links.withdraw, withdrawn: () => links.withdrawn },
};

async function contextFor(who, options) {
  const context = await openContext(browser, foyer, options);
  if (cookies[who])
    await context.addCookies([...cookies[who]].map(([name, value]) => ({ name, value: value.split('.')[0], url: foyer.origin, httpOnly: true })));
  return context;
}

async function visit(page, entry) {
  const [path, act] = Array.isArray(entry) ? entry : [entry];
  await page.goto(typeof path === 'function' ? path() : path);
  if (act) await act(page);
}

test('control: axe and the ruler see a page that is wrong', async () => {
  const context = await openContext(browser, foyer, { viewport: { width: 320, height: 600 } });
  const page = await context.newPage();
  await page.goto('/');
  await page.evaluate(() => { document.documentElement.removeAttribute('lang'); document.body.innerHTML = '<img src="/static/x.png"><input><p>pale</p>'; Object.assign(document.querySelector('p').style, { color: '#ccc', background: '#fff', width: '900px' }); });
  const found = (await violationsOf(page)).map((one) => one.split(':')[0]);
  for (const rule of ['image-alt', 'label', 'html-has-lang', 'color-contrast']) assert.ok(found.includes(rule), `${rule} among ${found}`);
  assert.ok((await overflowOf(page)).over > 100);
  await context.close();
});

test('the office is set up for the tests below', async () => {
  // The link is looked at as a page first; using it up comes after.
  const context = await contextFor('guest', {});
  const page = await context.newPage();
  await visit(page, links.setup);
  assert.equal(await page.locator('form[action="/setup"]').count(), 1);
  await context.close();
});

// Opened from a disk, far from the site: the look of its pages, and nothing that is loaded or run.
test('the pages of an export: axe finds nothing, in light and dark, wide and narrow', async () => {
  const { who, visitor } = await member(foyer);
  await visitor.submit('/account/profile', '/account/profile', { street_address: '4, quai de la Mégisserie', country: 'FR' });
  await new Visitor(foyer).submit('/contact', '/contact', { name: 'Zoé', email: who.email, subject: 'Une question', message: `Bonjour.\n\n${'mot'.repeat(60)}`, consent: 'yes' });
  const files = unzip((await visitor.submit('/account/privacy', '/account/privacy/export')).bytes);
  const folder = scratch();
  for (const language of ['fr', 'en']) {
    const name = join(folder, `data.${language}.html`);
    writeFileSync(name, files[`data.${language}.html`]);
    for (const [mode, options] of Object.entries({ light: {}, dark: { colorScheme: 'dark' }, phone: { viewport: { width: 320, height: 640 } } })) {
      const context = await openContext(browser, foyer, options);
      const page = await context.newPage();
      await page.goto(pathToFileURL(name).href);
      assert.deepEqual(await violationsOf(page), [], `${language}, ${mode}`);
      assert.deepEqual(await overflowOf(page), { over: 0, culprits: [] }, `${language}, ${mode}`);
      await screenshot(page, `export-${language}-${mode}`);
      await context.close();
    }
  }
});

async function look(who, mode, options, body) {
  const context = await contextFor(who, options);
  const page = await context.newPage();
  const problems = [];
  // A member's language is the account's until another is chosen, which then sticks.
  if (mode === 'en' && cookies[who]) await page.goto(who === 'office' ? '/manage/sessions?lang=en' : '/account?lang=en');
  for (const [name, entry] of Object.entries(pages[who])) {
    await visit(page, entry);
    for (const problem of await body(page, name)) problems.push(`${name} (${mode}): ${problem}`);
  }
  assert.deepEqual(problems, []);
  assertQuiet(context);
  await context.close();
}

for (const who of ['guest', 'member', 'office', 'asked', 'invited']) {
  if (who === 'office')
    test('an administrator signs in', async () => {
      await setUp(foyer);
      const office = await signInToOffice(foyer);
      cookies.office = office.cookies;
      const theft = { name: 'Ordinateur portable volé au bureau', discovered_at: '2026-01-05T09:00', aware_at: '2026-01-05T10:00', confidentiality: 'yes', nature: 'Le sac a disparu.', persons: '120', risk: '3' };
      links.breach = (await office.submit('/manage/breaches/new', '/manage/breaches/new', theft)).location.split('?')[0];
      const letter = { kind: 'erasure', name: 'Ada', email: 'ada@example.org', received_on: '2026-01-05', wish: 'Oubliez-moi.' };
      const recorded = async () => (await office.submit('/manage/requests/new', '/manage/requests/new', letter)).location.split('?')[0];
      links.right = await recorded();
      links.ended = await recorded();
      const refuse = (await office.get(links.ended)).forms.find((form) => form.fields.step === 'refuse');
      assert.equal((await office.post(refuse.action, { ...refuse.fields, refusal: 'Sans objet.' })).status, 303);
      links.person = `/manage/people/${cookies.account}`;
      links.own = (await office.get('/manage/people')).text.match(/href="(\/manage\/people\/\d+)"/)[1];
      links.sealed = `/manage/people/${await accountOf((await member(foyer)).visitor)}`;
      const asked = { purpose: 'billing', reason: 'La facture de mai est contestée par l’école' };
      await office.submit(links.person, `${links.person}/ask`, asked);
      const { csrf } = (await office.get(links.person)).form('/manage/logout').fields;
      const opened = await office.post(`${links.person}/open`, { csrf, ...asked, purpose: 'contractualisation', minutes: '480' });
      assert.ok((await office.follow(opened)).words.includes('Liancourt'));
      cookies.asked = cookies.member;
      const hold = { email: owner.email, reason: 'Séjour impayé, dossier 12/2026', review_on: new Date(Date.now() + 30 * 86400000).toISOString().slice(0, 10) };
      links.hold = (await office.submit('/manage/holds', '/manage/holds', hold)).location.split('?')[0];
      const research = { title_fr: 'Votre accueil idéal, et ce que vous attendez d’une famille', text_fr: `Dix questions.\n\n${'mot'.repeat(60)}`, title_en: 'Your ideal welcome', text_en: 'Ten questions.', link: `https://survey.example.org/${'q'.repeat(120)}` };
      const written = async () => (await office.submit('/manage/studies/new', '/manage/studies/new', research)).location.split('?')[0];
      const agreed = async () => (await member(foyer, {}, undefined, { market_research: 'yes' })).who;
      const invited = [await agreed(), await agreed()];
      links.study = await written();
      links.sent = await written();
      assert.equal((await office.submit(links.sent, `${links.sent}/send`)).status, 303);
      [links.withdraw, links.withdrawn] = await Promise.all(invited.map(async ({ email }) => pathOf(linkIn(await foyer.mailTo(email, (mail) => mail.text.includes('/withdraw?token=')), '/withdraw'))));
      assert.equal((await new Visitor(foyer).post(links.withdrawn)).status, 200);
      links.message = (await office.get('/manage/contact')).text.match(/href="(\/manage\/contact\/\d+)"/)[1];
    });

  for (const language of ['fr', 'en']) {
    const locale = language === 'fr' ? 'fr-FR' : 'en-GB';
    test(`${who}, ${language}: axe finds nothing, and there is one heading and a title`, () => look(who, language, { locale }, async (page, name) => {
      const found = await violationsOf(page);
      if (await page.locator('h1').count() !== 1) found.push('not one h1');
      if (!(await page.title()).includes(' – ')) found.push(`the title "${await page.title()}"`);
      if (await page.locator('html').getAttribute('lang') !== language) found.push('the other language');
      await screenshot(page, `${who}-${name}-${language}`);
      return found;
    }));
  }

  test(`${who}, dark: there is contrast enough`, () => look(who, 'dark', { colorScheme: 'dark' }, async (page, name) => {
    const found = await violationsOf(page, ['color-contrast', 'link-in-text-block']);
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const [red, green, blue] = background.match(/\d+/g).map(Number);
    if (red + green + blue > 250) found.push(`the background is ${background}`);
    await screenshot(page, `${who}-${name}-dark`);
    return found;
  }));

  test(`${who}, 320 pixels wide: nothing reaches over the edge, and targets are large enough`, () => look(who, '320', { viewport: { width: 320, height: 640 }, hasTouch: true }, async (page, name) => {
    const { over, culprits } = await overflowOf(page);
    await screenshot(page, `${who}-${name}-phone`);
    return [...(over ? [`${over} px over the edge: ${culprits.join(' ')}`] : []), ...await violationsOf(page, ['target-size'])];
  }));
}

test('at twice the text size nothing is cut off or scrolls sideways', async () => {
  const context = await contextFor('guest', { viewport: { width: 640, height: 900 } });
  for (const path of ['/', '/register', '/privacy', '/contact']) {
    const page = await context.newPage();
    await page.goto(path);
    await page.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
    assert.deepEqual(await overflowOf(page), { over: 0, culprits: [] }, path);
    await page.close();
  }
  await context.close();
});
