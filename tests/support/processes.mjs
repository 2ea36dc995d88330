// Looks at /proc: who is whose child, and who is still there. A process is remembered with its start time, so that
// a number that the kernel gave away again is not taken for it. Sends no signal but to processes it is given.
// Used by foyer.mjs and by the tests that kill.
import { readFileSync, readdirSync } from 'node:fs';
import { until } from './wait.mjs';

// { pid, parent, name, state, started } or null once it is gone. A zombie counts as gone: it runs nothing.
export function processOf(pid) {
  let text;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  return {
    pid: Number(pid),
    name: text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')),
    state: fields[0],
    parent: Number(fields[1]),
    started: fields[19],
  };
}

export function allProcesses() {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(processOf).filter(Boolean);
}

export function childrenOf(pid) {
  return allProcesses().filter((process) => process.parent === pid);
}

export function descendantsOf(pid) {
  const all = allProcesses();
  const found = [];
  let generation = [pid];
  while (generation.length) {
    const next = all.filter((process) => generation.includes(process.parent));
    found.push(...next);
    generation = next.map((process) => process.pid);
  }
  return found;
}

export function isAlive(known) {
  const now = processOf(known.pid);
  return now !== null && now.started === known.started;
}

export function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

// Those whose command line names `text`, a state directory for instance.
export function processesNaming(text) {
  return allProcesses().filter((process) => commandLine(process.pid).some((word) => word.includes(text)));
}

// Stops it with SIGSTOP and waits until each of its threads has: the signal is only on its way when kill returns.
export async function freeze(pid) {
  process.kill(pid, 'SIGSTOP');
  await until(`${pid} to stand still`, () => readdirSync(`/proc/${pid}/task`).every((task) => /\) T /.test(readFileSync(`/proc/${pid}/task/${task}/stat`, 'latin1'))));
}

export async function allGone(known, within = 10000) {
  await until(`the processes ${known.map((one) => `${one.name} ${one.pid}`).join(', ')} to be gone`,
    () => !known.some(isAlive), within);
}
