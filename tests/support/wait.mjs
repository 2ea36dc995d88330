// Waiting for what one cannot be told of: looks again until it is so, and says what it waited for when it never was.
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_MS = 15;

// Returns the first truthy value of `look`, which may be async. An exception in it counts as "not yet".
export async function until(what, look, within = 10000) {
  const end = Date.now() + within;
  let last;
  for (;;) {
    try {
      last = await look();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`waited ${within} ms for ${what}; last: ${last?.stack ?? last}`);
    await pause(LOOK_MS);
  }
}

// The promise's value, or an error that names `what` when it takes too long.
export async function inTime(what, promise, within = 10000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${within} ms`)), within);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
