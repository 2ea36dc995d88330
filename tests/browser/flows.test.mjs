// People at a real browser: they register, confirm, sign in, look at who is signed in, and sign out; by keyboard, and
// with scripts switched off, as no page needs any.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertQuiet, launch, openContext, overflowOf, violationsOf } from '../support/browser.mjs';
import { owner, pathOf, person } from '../support/flows.mjs';
import { Foyer } from '../support/foyer.mjs';
import { linkIn } from '../support/mail.mjs';

let foyer;
let browser;
before(async () => {
  [foyer, browser] = await Promise.all([Foyer.start({ workers: 2 }), launch()]);
});
after(async () => {
  await browser?.close();
  await foyer?.stop();
});

const submit = (page, action) => page.locator(`main form[action="${action}"] button[type="submit"]`).first().click();

async function registerAndSignIn(context, who) {
  const page = await context.newPage();
  await page.goto('/');
  await page.locator('main a[href="/register"]').first().click();
  for (const [name, value] of Object.entries(who)) await page.locator(`[name="${name}"]`).fill(value);
  await submit(page, '/register');
  await page.getByText(who.email).waitFor();
  const mail = await foyer.mailTo(who.email);
  await page.goto(pathOf(linkIn(mail, '/verify')));
  await submit(page, '/verify');
  await page.locator('main a[href="/login"]').click();
  await page.locator('[name="email"]').fill(who.email);
  await page.locator('[name="password"]').fill(who.password);
  await submit(page, '/login');
  await page.waitForURL('**/account');
  assert.match(await page.locator('h1').innerText(), new RegExp(who.given_name));
  return page;
}

for (const javaScriptEnabled of [true, false]) {
  test(`register, confirm, sign in, edit, sign out ${javaScriptEnabled ? 'with' : 'without'} scripts`, async () => {
    const context = await openContext(browser, foyer, { javaScriptEnabled });
    const page = await registerAndSignIn(context, person());
    await page.locator('a[href="/account/profile"]').first().click();
    await page.locator('[name="address_level2"]').fill('Paris');
    await page.locator('[name="country"]').selectOption('FR');
    await submit(page, '/account/profile');
    await page.locator('.notice.done').waitFor();
    await page.goto('/account');
    assert.match(await page.locator('main').innerText(), /Paris/);
    await page.locator('header form[action="/logout"] button').click();
    await page.waitForURL('**/login**');
    await page.goto('/account');
    await page.waitForURL('**/login?**');
    // Back does not show what was there: pages are not kept.
    await page.goBack();
    assert.doesNotMatch(await page.locator('main').innerText(), /Paris/);
    assertQuiet(context);
    await context.close();
  });
}

test('wrong input is announced, linked and focused', async () => {
  const context = await openContext(browser, foyer);
  const page = await context.newPage();
  await page.goto('/register');
  await submit(page, '/register');
  const summary = page.locator('[role="alert"]');
  await summary.waitFor();
  assert.equal(await summary.evaluate((one) => one === document.activeElement), true, 'the summary has the focus');
  const links = summary.locator('a');
  assert.ok(await links.count() >= 4);
  await links.first().click();
  assert.equal(await page.evaluate(() => document.activeElement.name), 'given_name', 'its link leads to the field');
  assert.equal(await page.locator('[name="given_name"]').getAttribute('aria-invalid'), 'true');
  assertQuiet(context);
  await context.close();
});

test('the keyboard goes everywhere: skip link first, sign-in without a mouse, focus to be seen', async () => {
  const context = await openContext(browser, foyer);
  const page = await context.newPage();
  await page.goto('/login');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('href')), '#main');
  const seen = await page.evaluate(() => { const box = document.activeElement.getBoundingClientRect(); return box.top >= 0 && box.height > 10; });
  assert.equal(seen, true, 'the skip link shows when it has the focus');
  await page.keyboard.press('Enter');
  for (let i = 0; i < 20; i++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement.name === 'email')) break;
  }
  assert.equal(await page.evaluate(() => document.activeElement.name), 'email');
  const outline = await page.evaluate(() => { const style = getComputedStyle(document.activeElement); return `${style.outlineStyle} ${style.outlineWidth} ${style.boxShadow}`; });
  assert.doesNotMatch(outline, /^none 0px none$/);
  await page.keyboard.type('nobody@example.org');
  await page.keyboard.press('Tab');
  await page.keyboard.type('not a password of anybody');
  await page.keyboard.press('Enter');
  await page.locator('[role="alert"]').waitFor();
  assertQuiet(context);
  await context.close();
});

test('the session inspector: set up, sign in, see who is there, end one, and it is out', async () => {
  const visitor = await openContext(browser, foyer);
  const who = person();
  const theirs = await registerAndSignIn(visitor, who);
  const context = await openContext(browser, foyer, { locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto(pathOf(foyer.setUpLink));
  for (const [name, value] of Object.entries(owner)) await page.locator(`[name="${name}"]`).fill(value);
  await submit(page, '/setup');
  await page.waitForURL('**/manage/login**');
  await page.locator('[name="email"]').fill(owner.email);
  await page.locator('[name="password"]').fill(owner.password);
  await submit(page, '/manage/login');
  await page.waitForURL('**/manage/sessions');
  await page.locator('[name="person"]').fill(who.email);
  await page.locator('form[role="search"] button').click();
  const row = page.locator('tbody tr');
  assert.equal(await row.count(), 1);
  assert.match(await row.innerText(), /Chrom/);
  assert.match(await row.innerText(), /127\.0\.0\.1/);
  await row.locator('form[action="/manage/sessions/end"] button').click();
  await page.locator('.notice').waitFor();
  await theirs.goto('/account');
  await theirs.waitForURL('**/login?**');
  await page.locator('form[action="/manage/logout"] button').click();
  await page.waitForURL('**/manage/login**');
  for (const one of [context, visitor]) {
    assertQuiet(one);
    await one.close();
  }
});

test('a school enters a child, and the mother sees, corrects, objects and erases on a small telephone, without scripts', async () => {
  const context = await openContext(browser, foyer);
  const page = await registerAndSignIn(context, person());
  await page.locator('nav.side a[href="/account/people"]').click();
  await page.locator('main a[href="/account/people/new"]').click();
  const child = { given_name: 'Mei', family_name: 'Wang', birth_date: `${new Date().getFullYear() - 10}-01-02`, what_for: 'Séjour linguistique', adult_given_name: 'Lan', adult_family_name: 'Wang', adult_email: 'lan.wang@example.org' };
  for (const [name, value] of Object.entries(child)) await page.locator(`[name="${name}"]`).fill(value);
  await submit(page, '/account/people/new');
  await page.locator('.notice.done').waitFor();
  const mail = await foyer.mailTo(child.adult_email);

  // Looked at with scripts, for axe comes as one; acted on without.
  const phone = { viewport: { width: 320, height: 640 }, hasTouch: true };
  const [seeing, acting] = [await openContext(browser, foyer, phone), await openContext(browser, foyer, { ...phone, javaScriptEnabled: false })];
  const [look, act] = [await seeing.newPage(), await acting.newPage()];
  const link = pathOf(linkIn(mail, '/notice'));
  const check = async (what) => {
    await look.setContent(await act.content());
    assert.deepEqual(await violationsOf(look), [], what);
    assert.equal((await overflowOf(look)).over, 0, what);
  };
  await act.goto(link);
  await look.goto(link);
  await check('the notice');
  await act.locator('[name="adult_given_name"]').fill('Lán');
  await submit(act, '/notice/correct');
  await act.locator('.notice.done').waitFor();
  await submit(act, '/notice/object');
  await act.getByText('Vous vous êtes opposé à l’usage').waitFor();
  await check('objected');
  await page.locator('main th a').first().click();
  assert.doesNotMatch(await page.locator('main').innerText(), /lan\.wang|Séjour/);
  await submit(act, '/notice/erase');
  await act.locator('[role="alert"]').waitFor();
  await act.locator('[name="confirm"]').check();
  await submit(act, '/notice/erase');
  await act.getByText('C’est effacé').first().waitFor();
  await check('erased');
  await foyer.mailTo(child.adult_email, (one) => one.text.includes('foyer erasure receipt'));
  await act.goto(link);
  await act.getByText('Ce lien ne fonctionne plus').first().waitFor();
  await page.goto('/account/people');
  await page.getByText('Vous n’avez encore inscrit personne').waitFor();
  for (const one of [context, seeing, acting]) {
    assertQuiet(one);
    await one.close();
  }
});

test('a contact message is sent, and the language switch keeps the page', async () => {
  const context = await openContext(browser, foyer);
  const page = await context.newPage();
  await page.goto('/contact');
  assert.equal(await page.locator('html').getAttribute('lang'), 'fr');
  await page.locator('a.lang').click();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  assert.equal(new URL(page.url()).pathname, '/contact');
  for (const [name, value] of Object.entries({ name: 'Ada', email: 'ada@example.org', subject: 'A room', message: 'Two lines\nof text' })) await page.locator(`[name="${name}"]`).fill(value);
  await page.locator('[name="consent"]').check();
  await submit(page, '/contact');
  await page.waitForURL('**/contact/done**');
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  await foyer.mailTo('ada@example.org');
  assertQuiet(context);
  await context.close();
});
