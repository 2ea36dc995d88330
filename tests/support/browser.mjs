// Debian's Chromium under playwright-core, with a fresh profile each time, and what every page is asked: no request to
// another origin, no complaint of the browser, no violation that axe finds. Used by tests/browser.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { top } from './foyer.mjs';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice'];
export const artifacts = join(top, 'tests/artifacts/screens');

export function launch() {
  mkdirSync(artifacts, { recursive: true });
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
  });
}

// A browser context that keeps account of what its pages do. options: playwright's (locale, colorScheme, viewport, …)
export async function openContext(browser, foyer, options = {}) {
  const context = await browser.newContext({ baseURL: foyer.origin, locale: 'fr-FR', viewport: { width: 1280, height: 900 }, ...options });
  const seen = { foreign: [], complaints: [] };
  context.on('request', (request) => {
    if (new URL(request.url()).origin !== foyer.origin) seen.foreign.push(request.url());
  });
  context.on('console', (message) => {
    // A status of our own error pages is reported as an error of the console; that they come is what the test asked for.
    if (['error', 'warning'].includes(message.type()) && !/the server responded with a status of 4\d\d/.test(message.text())) seen.complaints.push(message.text());
  });
  context.on('weberror', (error) => seen.complaints.push(String(error.error())));
  context.seen = seen;
  context.setDefaultTimeout(20000);
  return context;
}

export function assertQuiet(context) {
  assert.deepEqual(context.seen.foreign, [], 'nothing is asked of another origin');
  assert.deepEqual(context.seen.complaints, [], 'the browser has nothing to complain about');
}

// axe comes over the debugger, so the page's policy need not allow it. `rules`: those alone; else all of the tags.
export async function violationsOf(page, rules = null) {
  await page.evaluate(axeSource);
  const runOnly = rules ? { type: 'rule', values: rules } : { type: 'tag', values: TAGS };
  // preload would fetch style sheets again for rules about orientation; the sheets are the same on every page.
  const { violations, looked } = await page.evaluate(async (options) => {
    const { violations, passes } = await window.axe.run(document, options);
    return { violations, looked: passes.length };
  }, { runOnly, resultTypes: ['violations'], preload: false });
  assert.ok(looked > (rules ? 0 : 5), 'axe looked at something');
  return violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => `${node.target.join(' ')} ${node.failureSummary?.replace(/\s+/g, ' ')}`).slice(0, 3).join(' | ')}`);
}

// How far the page reaches over the right edge of the window, in CSS pixels, and what does.
export function overflowOf(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const over = document.documentElement.scrollWidth - width;
    if (over <= 0) return { over: 0, culprits: [] };
    const culprits = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > width + 1).map((one) => one.outerHTML.slice(0, 120));
    return { over, culprits: culprits.slice(0, 5) };
  });
}

export function screenshot(page, name) {
  return page.screenshot({ path: join(artifacts, `${name}.png`), fullPage: true });
}
