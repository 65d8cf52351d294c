// Helpers of the tests: the service's commands, an agent, and signing in.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { expect } from '@playwright/test';
import { connect } from '../mcp/client.mjs';

export const url = () => process.env.LOOPIQ_URL;

/** Runs a command of the binary on the demo's installation and returns its standard output. */
export function loopiq(...args) {
  return execFileSync(process.env.LOOPIQ_BIN, [...args, '--data-dir', process.env.LOOPIQ_DATA], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

/**
 * Imports a scan with two findings of a new rule. Both findings block the release, and no work item is about them. Returns the rule.
 */
export function scanned(release, rule, { days = 1, files = [`${rule}/a.ts`, `${rule}/b.ts`] } = {}) {
  const results = files.map((uri, n) => ({
    ruleId: rule,
    message: { text: `${rule} in ${uri}.` },
    locations: [{ physicalLocation: { artifactLocation: { uri }, region: { startLine: 10 + n } } }],
  }));
  const rules = [{ id: rule, shortDescription: { text: rule }, properties: { 'security-severity': '9.1' } }];
  const endTimeUtc = new Date(Date.now() - days * 86_400_000).toISOString();
  const runs = [{ tool: { driver: { name: `probe-${rule}`, rules } }, invocations: [{ executionSuccessful: true, endTimeUtc }], results }];
  const folder = mkdtempSync(join(tmpdir(), 'scan-'));
  writeFileSync(join(folder, 'scan.sarif'), JSON.stringify({ version: '2.1.0', runs }));
  loopiq('import', join(folder, 'scan.sarif'), '--tenant', 'acme', '--release', release);
  rmSync(folder, { recursive: true });
  return rule;
}

/** A real MCP client that acts for this person. */
export async function agent(email = 'developer@acme.example', tenant = 'acme') {
  const token = loopiq('token', '--tenant', tenant, '--as', email);
  return connect(url(), token, { name: 'Helix' });
}

/** Signs in with the demo's identity provider, through the same code as production. */
export async function signIn(page, email, path = '/', base = url()) {
  await page.goto(base + path);
  await page.getByRole('button', { name: email }).click();
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
}

/** The badge with the action's state. */
export const state = (page) => page.locator('.facts .badge');

/** Checks the box of every warning that has to be acknowledged. */
export async function acknowledge(page) {
  for (const box of await page.locator('.acknowledge input').all()) await box.check();
}

/** Waits until the islands are hydrated, which makes the copy buttons visible. */
export const alive = (page) => expect(page.locator('.copy:visible').first()).toBeVisible();

/** Presses Tab until this element has the focus. */
export async function reach(page, what) {
  for (let n = 0; n < 120 && !(await what.evaluate((one) => one === document.activeElement)); n += 1) {
    await page.keyboard.press('Tab');
  }
  await expect(what).toBeFocused();
}

/** The page has no axe violation and does not scroll horizontally. */
export async function inOrder(page, name) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((one) => `${name}: ${one.id} at ${one.nodes[0].target}`)).toEqual([]);
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(sideways, `${name} scrolls sideways`).toBeLessThanOrEqual(0);
}
