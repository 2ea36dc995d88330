// Starts the real binary with its own state directory and its own MariaDB and Redis, and stops exactly that again.
// Ports are the kernel's choice, waiting is for the line that says "ready". What is asked of it over HTTP is
// visitor.mjs's and raw.mjs's. Used by every integration and browser test.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeMail } from './mail.mjs';
import { allGone, childrenOf, commandLine, descendantsOf, processesNaming } from './processes.mjs';
import { inTime, until } from './wait.mjs';

export const top = fileURLToPath(new URL('../../', import.meta.url));
export const binary = process.env.FOYER_BIN || join(top, 'build/foyer');

// Sanitizers make everything slower; a test that measures time asks this.
export const sanitized = (process.env.FOYER_SANITIZED ?? '') !== '';
const slower = sanitized ? 4 : 1;

const START_MS = 60000 * slower;
const STOP_MS = 30000 * slower;
// Cheap hashes, so that a test of twenty sign-ins is no test of patience. A test of the hashes sets its own.
const CHEAP = { FOYER__PASSWORDS__MEMORY_MIB: '8', FOYER__PASSWORDS__PASSES: '1', FOYER__SERVER__ADMIN_LISTEN: '127.0.0.1:0' };

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

// The environment without anybody's settings for Foyer, plus ours.
function environmentOf(more, reports) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('FOYER__')));
  return {
    ...env,
    ...CHEAP,
    ASAN_OPTIONS: `detect_leaks=1:detect_stack_use_after_return=0:log_path=${reports}`,
    UBSAN_OPTIONS: `print_stacktrace=1:halt_on_error=1:log_path=${reports}`,
    LSAN_OPTIONS: `log_path=${reports}`,
    ...more,
  };
}

// A directory that is removed when the test process ends, unless FOYER_KEEP is set.
export function scratch(prefix = 'foyer-') {
  const directory = mkdtempSync(join(tmpdir(), prefix));
  process.on('exit', () => {
    if (!process.env.FOYER_KEEP) rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

// Runs a command to its end: { code, signal, stdout, stderr }. FOYER__… settings go into `env`.
export function run(args, { env = {}, input = '', cwd, within = 60000 * slower, program = binary } = {}) {
  const child = spawn(program, args, { env: environmentOf(env, join(tmpdir(), 'foyer-report')), cwd, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  running.add(child);
  child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });
  return inTime(`foyer ${args.join(' ')}`, ended, within).catch((error) => {
    child.kill('SIGKILL');
    throw error;
  });
}

export class Foyer {
  // options: workers, env, config (text of a config file), state (an existing directory), args, listen, program
  constructor(options = {}) {
    this.options = { workers: 1, env: {}, listen: '127.0.0.1:0', ...options };
    this.scratch = options.state ? null : scratch();
    this.state = options.state ?? join(this.scratch, 'var');
    this.reports = join(this.scratch ?? scratch('foyer-reports-'), 'sanitizer-report');
    this.stdout = '';
    this.stderr = '';
    this.ended = null;
    this.origin = null;
    this.setUpLink = null;
  }

  static async start(options) {
    const foyer = new Foyer(options);
    await foyer.start();
    return foyer;
  }

  env() {
    return environmentOf(this.options.env, this.reports);
  }

  args() {
    const { workers, config, listen, args = [] } = this.options;
    const flags = ['serve', '--state', this.state];
    if (config !== undefined) {
      this.configPath = join(this.scratch ?? scratch(), 'foyer.toml');
      this.writeConfig(config);
      flags.push('--config', this.configPath);
    }
    if (listen) flags.push('--listen', listen);
    if (workers) flags.push('--workers', String(workers));
    return [...flags, ...args];
  }

  writeConfig(text) {
    writeFileSync(this.configPath, text, { mode: 0o600 });
  }

  spawn() {
    this.stdout = '';
    this.stderr = '';
    this.origin = null;
    this.setUpLink = null;
    this.child = spawn(this.options.program ?? binary, this.args(), { env: this.env(), cwd: this.options.cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.child);
    this.child.stdout.setEncoding('utf8').on('data', (text) => (this.stdout += text));
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text));
    this.ended = new Promise((resolve, reject) => {
      this.child.on('error', (error) => {
        this.exit = { code: null, signal: null, error };
        reject(error);
      });
      // 'exit', not 'close': a child that outlived it would hold the pipes, and that must not hang a test.
      this.child.on('exit', (code, signal) => {
        running.delete(this.child);
        this.exit = { code, signal };
        resolve(this.exit);
      });
    });
    this.exit = null;
    this.ended.catch(() => {});
  }

  async start() {
    this.spawn();
    await until('foyer to be ready', () => {
      if (this.exit) return true;
      return /^foyer: ready \S+$/m.test(this.stdout);
    }, START_MS).then(() => {
      if (this.exit) throw this.exit.error ?? new Error(`it ended with ${JSON.stringify(this.exit)}`);
    }).catch((error) => {
      const family = [this.pid ?? 0, ...descendantsOf(this.pid ?? -1).map((one) => one.pid)].map((pid) => `${pid} ${commandLine(pid).join(' ')}`);
      this.child.kill('SIGKILL');
      throw new Error(`${error.message}\n--- processes\n${family.join('\n')}\n--- standard output\n${this.stdout}\n--- standard error\n${this.stderr}\n--- foyer.log\n${this.log().slice(-4000)}`);
    });
    this.origin = this.stdout.match(/^foyer: ready (\S+)$/m)[1];
    // Both lines leave in one write, but a pipe may still cut it in two.
    this.setUpLink = this.stdout.match(/\(this link works once\): (\S+)\n/)?.[1] ?? null;
    this.port = Number(new URL(this.origin).port);
    return this;
  }

  get pid() {
    return this.child.pid;
  }

  workers() {
    return childrenOf(this.pid).filter((process) => process.name === 'foyer-worker');
  }

  databases() {
    const children = childrenOf(this.pid);
    return { mariadb: children.find((one) => one.name === 'mariadbd'), redis: children.find((one) => one.name.startsWith('redis')) };
  }

  signal(name) {
    process.kill(this.pid, name);
  }

  // Ends it as an operator would, and proves that it ended well: exit code 0, no process left, no sanitizer report.
  async stop({ code = 0, within = STOP_MS } = {}) {
    if (!this.child || this.exit) return this.exit;
    const family = descendantsOf(this.pid);
    this.signal('SIGTERM');
    const exit = await inTime('foyer to stop', this.ended, within).catch((error) => {
      this.child.kill('SIGKILL');
      throw new Error(`${error.message}\n${this.stderr}\n${this.log().slice(-4000)}`);
    });
    await allGone(family);
    assert.deepEqual(processesNaming(this.state), [], 'no process names the state directory any more');
    this.assertNoReports();
    assert.deepEqual(exit, { code, signal: null }, `foyer ends with ${code}\n${this.stderr}`);
    return exit;
  }

  // kill -9, and what is left is gone soon: databases and workers end with their parent.
  async kill() {
    const family = descendantsOf(this.pid);
    this.signal('SIGKILL');
    await this.ended;
    await allGone(family, 30000 * slower);
    assert.deepEqual(processesNaming(this.state), []);
  }

  sanitizerReports() {
    const directory = join(this.reports, '..');
    return readdirSync(directory).filter((name) => name.startsWith('sanitizer-report'))
      .map((name) => readFileSync(join(directory, name), 'utf8')).filter((text) => text.trim() !== '');
  }

  assertNoReports() {
    assert.deepEqual(this.sanitizerReports(), [], 'no sanitizer has anything to say');
    assert.doesNotMatch(this.stderr, /AddressSanitizer|LeakSanitizer|runtime error:/);
  }

  run(args, options = {}) {
    return run([...args, '--state', this.state, ...(this.configPath ? ['--config', this.configPath] : [])],
      { program: this.options.program, ...options, env: { ...this.options.env, ...options.env } });
  }

  // A command whose output is JSON and that must succeed.
  async runJson(args) {
    const { code, stdout, stderr } = await this.run([...args, '--json']);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  }

  readLog(name) {
    const path = join(this.state, 'log', name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  log() {
    return this.readLog('foyer.log');
  }

  events() {
    return this.log().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }

  mailDirectory() {
    return join(this.state, 'mail');
  }

  mails() {
    if (!existsSync(this.mailDirectory())) return [];
    return readdirSync(this.mailDirectory()).filter((name) => name.endsWith('.eml')).sort()
      .map((name) => ({ file: name, ...decodeMail(readFileSync(join(this.mailDirectory(), name))) }));
  }

  // The newest mail to `address` that `wanted` accepts, once it is there.
  mailTo(address, wanted = () => true, within = 15000 * slower) {
    return until(`a mail to ${address}`, () => this.mails().filter((mail) => mail.to === address && wanted(mail)).at(-1), within);
  }

  makeState() {
    mkdirSync(this.state, { recursive: true, mode: 0o700 });
    return this.state;
  }
}
