// What 100,000 people cost: registering them, a new master key, one export among them, and the purge of them all; with
// the time and the most memory of each command, and of the workers meanwhile.
//
//     node bench/many.mjs [COUNT]
//
// Registrations go through the real form, with passwords hashed as cheaply as the settings allow, as they are not what is
// measured; that still takes most of the quarter of an hour. The purge is run as if eight days later, when they are due.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary, Foyer } from '../tests/support/foyer.mjs';
import { Visitor } from '../tests/support/visitor.mjs';

const COUNT = Number(process.argv[2] ?? 100000);
const VISITORS = 16;
const letters = (n) => String(n).replace(/\d/g, (digit) => 'abcdefghij'[digit]);
const mib = (kib) => `${(kib / 1024).toFixed(1)} MiB`;
const peakOf = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmHWM:\s+(\d+)/)?.[1] ?? 0);

const foyer = await Foyer.start({ workers: 2, env: { FOYER__PASSWORDS__MEMORY_MIB: '19', FOYER__PASSWORDS__PASSES: '1', FOYER__MAIL__PER_SECOND: '1' } });
const folder = mkdtempSync(join(tmpdir(), 'foyer-many-'));
const sql = (text) => execFileSync('mariadb', ['--no-defaults', `--socket=${foyer.state}/run/mariadb.sock`, '-ufoyer', 'foyer', '-Ne', text], { encoding: 'utf8' }).trim();

async function register() {
  let next = 0;
  await Promise.all(Array.from({ length: VISITORS }, async () => {
    const visitor = new Visitor(foyer);
    const { fields } = (await visitor.get('/register')).form('/register');
    while (next < COUNT) {
      const n = next++;
      const answer = await visitor.post('/register', { ...fields, given_name: 'Zoé', family_name: `Le ${letters(n)}`, email: `p${n}@example.org`, password: 'tramway-Belleville-88-ardoise' });
      if (answer.status >= 400) throw new Error(`${answer.status}: ${answer.words}`);
    }
  }));
}

// The command's time and the most memory it had.
async function measure(what, args) {
  const began = performance.now();
  const child = spawn(binary, [...args, '--state', foyer.state], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  let peak = 0;
  const look = setInterval(() => { try { peak = Math.max(peak, peakOf(child.pid)); } catch { /* it has just ended */ } }, 20);
  const code = await new Promise((resolve) => child.on('exit', resolve));
  clearInterval(look);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
  console.log(`| ${what} | ${((performance.now() - began) / 1000).toFixed(1)} s | ${mib(peak)} |`);
}

try {
  const began = performance.now();
  await register();
  console.log(`${sql('SELECT COUNT(*) FROM account')} people, registered in ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
  console.log('| what | time | memory, at most |\n|---|---|---|');
  await measure('a new master key for all', ['keys', 'rotate']);
  await measure('the export of one', ['person', 'export', '--email', 'p7@example.org']);
  const due = new Date(Date.now() + 8 * 86400000).toISOString().replace(/\.\d+Z$/, 'Z');
  await measure('the purge of all, as a dry run', ['jobs', 'run', 'purge', '--dry-run', '--at', due]);
  await measure('the purge of all', ['jobs', 'run', 'purge', '--at', due]);
  console.log(`| the workers, all the while | | ${foyer.workers().map(({ pid }) => mib(peakOf(pid))).join(', ')} |`);
  if (sql('SELECT COUNT(*) FROM account') !== '0' || sql('SELECT COUNT(*) FROM foyer_keys.person_key') !== '0') throw new Error('somebody was left over');
} finally {
  await foyer.stop();
  rmSync(folder, { recursive: true });
}
