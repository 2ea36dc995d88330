// What people do, in the words of the pages: register, confirm, sign in, set up the office. Tests that are about
// something else begin with these. Each asserts what it must to be a sure ground, and nothing more.
import assert from 'node:assert/strict';
import { linkIn } from './mail.mjs';
import { Visitor } from './visitor.mjs';

export const password = 'vermeil-Ourcq-17-paquebot';
export const otherPassword = 'lanterne-Jourdain-42-cerise';

let count = 0;

export function person(more = {}) {
  count++;
  return { given_name: 'Zoé', family_name: 'Lefèvre', email: `zoe.${process.pid}.${count}@example.org`, password, ...more };
}

export async function register(server, who = person(), visitor = new Visitor(server)) {
  const answer = await visitor.submit('/register', '/register', who);
  assert.equal(answer.status, 200, answer.words);
  return { visitor, who, answer };
}

// `ticked`: the boxes of the page.
export async function confirm(server, who, visitor = new Visitor(server), ticked = {}) {
  const mail = await server.mailTo(who.email, (one) => one.text.includes('/verify?token='));
  const answer = await visitor.submit(pathOf(linkIn(mail, '/verify')), '/verify', ticked);
  assert.equal(answer.status, 200, answer.words);
  return answer;
}

export function pathOf(link) {
  const url = new URL(link);
  return url.pathname + url.search;
}

export async function signIn(server, who, visitor = new Visitor(server)) {
  const answer = await visitor.submit('/login', '/login', { email: who.email, password: who.password });
  assert.equal(answer.status, 303, answer.words);
  return visitor;
}

// A confirmed person with a session.
export async function member(server, more = {}, visitor = new Visitor(server), ticked = {}) {
  const { who } = await register(server, person(more), new Visitor(server));
  await confirm(server, who, undefined, ticked);
  await signIn(server, who, visitor);
  return { who, visitor };
}

export const owner = { given_name: 'Inès', family_name: 'Moreau', email: 'ines.moreau@example.org', password: 'tramway-Belleville-88-ardoise' };

// The first administrator, by the link of the first start.
export async function setUp(server, who = owner, visitor = new Visitor(server)) {
  assert.ok(server.setUpLink, 'the first start prints a link');
  const answer = await visitor.submit(pathOf(server.setUpLink), '/setup', who);
  assert.equal(answer.status, 303, answer.words);
  return { who, visitor };
}

export async function signInToOffice(server, who = owner, visitor = new Visitor(server)) {
  const answer = await visitor.submit('/manage/login', '/manage/login', { email: who.email, password: who.password });
  assert.equal(answer.status, 303, answer.words);
  return visitor;
}

// Whether the session of this visitor is honoured, as the API says it.
export async function isSignedIn(visitor) {
  const { status } = await visitor.get('/api/v1/session', { headers: { accept: 'application/json' } });
  assert.ok([200, 401].includes(status), `200 or 401, not ${status}`);
  return status === 200;
}
