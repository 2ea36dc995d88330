// Starting where it cannot work: each trouble gives one clear sentence and the exit code that service managers act on,
// and leaves no process behind. Needs root, as filesystems of its own are mounted.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Foyer, run, scratch } from '../support/foyer.mjs';
import { processesNaming } from '../support/processes.mjs';
import { Visitor } from '../support/visitor.mjs';
import { until } from '../support/wait.mjs';

const mounts = [];
after(() => { for (const path of mounts.reverse()) execFileSync('umount', ['-l', path]); });

// A small filesystem of its own, which takes root.
function mountedDirectory(options) {
  assert.equal(process.getuid(), 0, 'this test mounts a filesystem: run it as root');
  const path = join(scratch(), 'disk');
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=0700,${options}`, 'foyer-test', path]);
  mounts.push(path);
  return path;
}

// Starts a server that must refuse: one sentence on standard error, this exit code, nothing left.
async function refusal(state, code, sentence, { env = {}, args = [], config } = {}) {
  const flags = ['serve', '--state', state, ...(args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0']), '--workers', '1', ...args];
  if (config !== undefined) {
    const path = join(scratch(), 'foyer.toml');
    writeFileSync(path, config);
    flags.push('--config', path);
  }
  const ended = await run(flags, { env });
  assert.equal(ended.code, code, `${ended.stdout}${ended.stderr}`);
  assert.doesNotMatch(ended.stdout, /ready/);
  const lines = ended.stderr.split('\n').filter(Boolean);
  assert.ok(lines.some((line) => sentence.test(line)), `${sentence} in: ${ended.stderr}`);
  assert.ok(lines.every((line) => line.length > 20 && line.length < 400), ended.stderr);
  if (config === undefined) assert.equal(lines.length, 1, `one sentence, not: ${ended.stderr}`);
  assert.deepEqual(processesNaming(state), []);
  return ended;
}

test('a second server on the same state directory', async () => {
  const foyer = await Foyer.start();
  const second = await refusalBeside(foyer);
  assert.match(second.stderr, /another Foyer \(process \d+\) uses the state directory/);
  assert.match(second.stderr, new RegExp(`process ${foyer.pid}\\b`));
  assert.equal((await new Visitor(foyer).get('/healthz')).status, 200, 'the first is not disturbed');
  await foyer.stop();
});

async function refusalBeside(foyer) {
  const ended = await run(['serve', '--state', foyer.state, '--listen', '127.0.0.1:0', '--workers', '1']);
  assert.equal(ended.code, 1);
  assert.equal(ended.stderr.split('\n').filter(Boolean).length, 1, ended.stderr);
  return ended;
}

test('an occupied port', async () => {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  const state = join(scratch(), 'var');
  await refusal(state, 1, new RegExp(`127\\.0\\.0\\.1:${port}.*(use|occupied|taken)`), { args: ['--listen', `127.0.0.1:${port}`] });
  server.close();
});

test('an occupied operator’s port only costs the numbers, and is said', async () => {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const foyer = await Foyer.start({ env: { FOYER__SERVER__ADMIN_LISTEN: `127.0.0.1:${server.address().port}` } });
  assert.match(foyer.stderr, /no metrics/);
  await foyer.stop();
  server.close();
});

test('an unknown key, a bad value, an unknown section: file, line, and the nearest known name', async () => {
  const state = join(scratch(), 'var');
  await refusal(state, 78, /foyer\.toml:2:.*server\.workerz.*did you mean.*workers/, { config: '[server]\nworkerz = 2\n' });
  await refusal(state, 78, /foyer\.toml:1:.*\[?sessionz.*did you mean.*sessions/, { config: '[sessionz]\nidle_days = 2\n' });
  await refusal(state, 78, /foyer\.toml:3:.*idle_seconds/, { config: '[limits]\n\nidle_seconds = 0\n' });
  await refusal(state, 78, /foyer\.toml:2:.*workers/, { config: '[server]\nworkers = "many"\n' });
  await refusal(state, 78, /foyer\.toml:1/, { config: 'this is no TOML' });
  await refusal(state, 78, /trusted_proxies/, { config: '[server]\ntrusted_proxies = ["localhost"]\n' });
  await refusal(state, 78, /tls_certificate|tls_key/, { config: '[server]\ntls_listen = ["127.0.0.1:0"]\n' });
  await refusal(state, 78, /FOYER__SERVER__WORKERZ.*did you mean.*WORKERS/i, { env: { FOYER__SERVER__WORKERZ: '2' } });
  // --workers on the command line wins over the variable, but a wrong variable is a mistake all the same.
  await refusal(state, 78, /FOYER__SERVER__WORKERS/, { env: { FOYER__SERVER__WORKERS: 'x' } });
  const missing = await run(['serve', '--config', join(state, 'nowhere.toml')]);
  assert.equal(missing.code, 78);
  assert.equal(existsSync(state), false, 'nothing was made on the way to a refusal');
});

test('foyer check-config names every problem at once', async () => {
  const path = join(scratch(), 'foyer.toml');
  writeFileSync(path, '[server]\nworkerz = 2\n[limits]\nidle_seconds = 0\nheader_bytes = 1\n[nonsense]\n');
  const bad = await run(['check-config', '--config', path]);
  assert.equal(bad.code, 78);
  const text = bad.stdout + bad.stderr;
  for (const line of [2, 4, 5, 6]) assert.match(text, new RegExp(`foyer\\.toml:${line}:`), text);
  writeFileSync(path, '[server]\nworkers = 2\n');
  assert.equal((await run(['check-config', '--config', path])).code, 0);
});

test('a master key that is missing beside data, readable by others, or of the wrong size', async () => {
  const foyer = await Foyer.start();
  await foyer.stop();
  const key = join(foyer.state, 'master.key');
  renameSync(key, `${key}.away`);
  await refusal(foyer.state, 78, /master key .*missing/);
  assert.equal(existsSync(key), false, 'no new key is made beside data that another one opens');
  writeFileSync(key, 'short', { mode: 0o600 });
  await refusal(foyer.state, 78, /master key/);
  rmSync(key);
  renameSync(`${key}.away`, key);
  chmodSync(key, 0o644);
  await refusal(foyer.state, 78, /master key/);
  chmodSync(key, 0o600);
  await foyer.start();
  await foyer.stop();
});

test('another master key than the one that the data was made with', async () => {
  const foyer = await Foyer.start();
  await foyer.stop();
  writeFileSync(join(foyer.state, 'master.key'), Buffer.alloc(32, 7), { mode: 0o600 });
  await refusal(foyer.state, 78, /key/);
});

test('a state directory of somebody else, open to others, or no directory', async () => {
  assert.equal(process.getuid(), 0, 'this test gives a directory away: run it as root');
  const state = join(scratch(), 'var');
  mkdirSync(state, { mode: 0o700 });
  chownSync(state, 65534, 65534);
  await refusal(state, 78, /belongs to user id 65534/);
  chownSync(state, 0, 0);
  chmodSync(state, 0o777);
  await refusal(state, 78, /others than its owner may write/);
  const file = join(scratch(), 'file');
  writeFileSync(file, '');
  await refusal(file, 78, /not a directory|cannot make the directory/i);
});

test('a state directory on a read-only filesystem', async () => {
  const path = mountedDirectory('size=200m');
  execFileSync('mount', ['-o', 'remount,ro', path]);
  await refusal(join(path, 'var'), 78, /(cannot make the directory|cannot write).*[Rr]ead-only/);
  await refusal(path, 78, /cannot (make|write).*[Rr]ead-only/);
});

test('a full disk, at the start', async () => {
  const path = mountedDirectory('size=40m');
  await refusal(path, 1, /the disk that holds .* is full/);
});

test('a disk that fills up while the server runs: /readyz says so, pages answer, and it heals', async () => {
  const path = mountedDirectory('size=600m');
  const foyer = await Foyer.start({ state: path });
  try {
    assert.equal((await new Visitor(foyer).get('/readyz')).status, 200);
    execFileSync('sh', ['-c', `head -c 700M /dev/zero > ${path}/ballast 2>/dev/null; truncate -s -8M ${path}/ballast`]);
    const full = await new Visitor(foyer).get('/readyz');
    assert.equal(full.status, 503);
    assert.equal(full.json.components.disk, 'full');
    assert.equal((await new Visitor(foyer).get('/')).status, 200);
    assert.equal((await new Visitor(foyer).get('/healthz')).status, 200);
    rmSync(join(path, 'ballast'));
    await until('ready again', async () => (await new Visitor(foyer).get('/readyz')).status === 200);
  } finally {
    await foyer.stop();
  }
});

test('a database of a newer version', async () => {
  const foyer = await Foyer.start();
  const sql = (text) => execFileSync('mariadb', ['--no-defaults', `--socket=${foyer.state}/run/mariadb.sock`, '-ufoyer', 'foyer', '-Ne', text], { encoding: 'utf8' });
  const columns = sql('SHOW COLUMNS FROM schema_migration').split('\n').filter(Boolean).map((line) => line.split('\t')[0]);
  const select = columns.map((column) => (column === 'number' ? '9999' : column === 'name' ? "'from_the_future'" : `\`${column}\``));
  sql(`INSERT INTO schema_migration (${columns.map((one) => `\`${one}\``)}) SELECT ${select} FROM schema_migration WHERE number = 1`);
  await foyer.stop();
  await refusal(foyer.state, 78, /newer|9999|does not fit/);
});

test('a migration that was changed after it was applied', async () => {
  const foyer = await Foyer.start();
  const sql = (text) => execFileSync('mariadb', ['--no-defaults', `--socket=${foyer.state}/run/mariadb.sock`, '-ufoyer', 'foyer', '-Ne', text], { encoding: 'utf8' });
  sql("UPDATE schema_migration SET checksum = REPEAT('0', 64) WHERE number = 1");
  await foyer.stop();
  await refusal(foyer.state, 78, /checksum|changed|differ/i);
});
