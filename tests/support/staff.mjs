// The back office with several people in it: who has which role, and asking for access to somebody's data. For tests of
// who may see what.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { member, signInToOffice } from './flows.mjs';

export const reason = 'La facture de mai est contestée';
export const file = (account, query = '') => `/manage/people/${account}${query}`;
export const notice = (answer) => answer.text.match(/class="notice[^>]*>([\s\S]*?)<\/div>/)?.[1] ?? '';
export const accountOf = async (visitor) => (await visitor.get('/api/v1/session')).json.account_id;

export function sqlOf(foyer) {
  return (text) => execFileSync('mariadb', ['--no-defaults', `--socket=${foyer.state}/run/mariadb.sock`, '-ufoyer', 'foyer', '-Ne', text], { encoding: 'utf8' }).trim();
}

// A member whom `owner` gives a role, signed in to the back office.
export async function staff(foyer, owner, role, more = {}) {
  const { who, visitor } = await member(foyer, { given_name: 'Équipe', family_name: `Rôle-${role}`, ...more });
  const account = await accountOf(visitor);
  const answer = await owner.submit(file(account), `${file(account)}/role`, { role });
  assert.equal(answer.status, 303, answer.words);
  return { who, account, office: await signInToOffice(foyer, who) };
}

export async function ask(office, account, fields = {}) {
  return office.submit(file(account), `${file(account)}/ask`, { purpose: 'billing', reason, ...fields });
}

export async function decide(office, account, decision) {
  const page = await office.get('/manage/access-requests');
  const section = page.text.split('<article').find((one) => one.includes(String(account)) && one.includes('/decide'));
  assert.ok(section, 'a request waits for a decision');
  const id = section.match(/access-requests\/(\d+)\/decide/)[1];
  return office.follow(await office.submit(page, `/manage/access-requests/${id}/decide`, { decision }));
}
