// The browser verifies the audit log: entries and their proofs, the growth of the log between visits, keys, and changed databases.
import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { cpSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@playwright/test';
import { start } from '../service.mjs';
import { inOrder, reach, signIn } from './support.mjs';

test.describe.configure({ mode: 'serial' });

// This demo is always on SQLite, because the tests copy and change its file. It signs only when a test says so.
const env = { ...process.env, LOOPIQ_CHECKPOINT_INTERVAL: '86400' };
delete env.LOOPIQ_DATABASE_URL;
const MEMORY = 'loopiq.audit-log.acme';
let service;
test.beforeAll(async () => (service = await start(env)));
test.afterAll(() => service?.stop());

const run = (folder, more, ...args) =>
  execFileSync(process.env.LOOPIQ_BIN, [...args, '--data-dir', folder], { encoding: 'utf8', env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] });
/** Signs a checkpoint, and returns the note and its size. */
const sign = (folder = service.folder, more = {}) => {
  const note = `${run(folder, more, 'audit', 'checkpoint', '--tenant', 'acme').trimEnd()}\n`;
  return { note, size: Number(note.split('\n')[1]) };
};
/** Adds an entry to the log. */
const happens = (folder = service.folder) => run(folder, {}, 'token', '--tenant', 'acme', '--as', 'developer@acme.example');
const keys = (folder = service.folder, more = {}) => run(folder, more, 'audit', 'keys').trim().split('\n');
const sql = (folder, statement, ...values) =>
  execFileSync(join(dirname(process.env.LOOPIQ_BIN), 'edit-sqlite'), [join(folder, 'loopiq.db'), statement, ...values], { stdio: 'inherit' });

const outcome = (page) => page.locator('[data-outcome]');
const steps = (page) => page.locator('.proof-steps > li');
const open = (page, path) => page.goto(service.url + path);
const recall = (page) => page.evaluate((name) => JSON.parse(localStorage.getItem(name)), MEMORY);
const plant = (page, value) => page.evaluate(([name, text]) => localStorage.setItem(name, text), [MEMORY, JSON.stringify(value)]);
const seen = (checkpoint, key) => ({ checkpoint, key, at: '2026-01-02T03:04:05.000Z' });
const count = (size) => `${size.toLocaleString('en')} entries`;

async function auditor(browser, path, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const errors = [];
  page.on('console', (line) => line.text().includes('Content Security Policy') && errors.push(line.text()));
  page.on('pageerror', (error) => errors.push(error.message));
  await signIn(page, 'auditor@acme.example', path, service.url);
  return { page, context, errors };
}

test('an entry is verified step by step, with the keyboard, and its hashes can be copied', async ({ browser }) => {
  const { note, size } = sign();
  const { page, context, errors } = await auditor(browser, '/audit/1');
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: service.url });
  await expect(outcome(page)).toHaveText(`Verified in your browser: this entry is in the signed log of ${count(size)}.`);
  await expect(outcome(page)).toHaveAttribute('role', 'status');
  await expect(page.getByText(`Covered by the checkpoint of ${count(size)}, signed`)).toBeVisible();
  await expect(steps(page).first()).toBeHidden();
  await reach(page, page.locator('summary', { hasText: 'Steps' }));
  await page.keyboard.press('Enter');
  await expect(steps(page)).toContainText(['The content', 'The leaf', 'lead from the leaf', 'ends at the root', 'is signed by', 'about the log', 'The page shows']);
  await expect(steps(page).locator('.block')).toHaveCount(0);
  // A tree of N entries has ceil(log2(N)) levels above the first leaf.
  await expect(page.locator('.proof-levels > li')).toHaveCount(Math.ceil(Math.log2(size)));

  const root = steps(page).filter({ hasText: 'ends at the root' });
  await root.getByRole('button', { name: /^Copy/ }).click();
  await expect(root.getByRole('button', { name: /^Copied/ })).toBeVisible();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(copied).toBe(`sha256:${Buffer.from(note.split('\n')[2], 'base64').toString('hex')}`);
  await inOrder(page, 'a verified entry');
  expect(errors).toEqual([]);

  await page.locator('summary', { hasText: 'Verify it yourself' }).click();
  for (const link of ['Proof of this entry', 'Signed checkpoint', 'Public keys of the log']) {
    const address = await page.getByRole('link', { name: link }).getAttribute('href');
    expect((await page.request.get(service.url + address)).status(), address).toBe(200);
  }
  await inOrder(page, 'a verified entry with everything open');
  await context.close();
});

test('an entry that no checkpoint covers is called so, until one does', async ({ browser }) => {
  happens();
  const { page, context } = await auditor(browser, '/audit');
  const newest = await page.locator('.results .seq').first().getAttribute('href');
  await open(page, newest);
  await expect(outcome(page)).toContainText('Not signed yet');
  await expect(page.getByText('No checkpoint covers this entry yet.')).toBeVisible();
  sign();
  await page.reload();
  await expect(outcome(page)).toContainText('Verified in your browser');
  await context.close();
});

test('the second visit verifies that the log continues the first one', async ({ browser }) => {
  happens();
  const first = sign();
  const { page, context, errors } = await auditor(browser, '/audit');
  await expect(outcome(page)).toContainText(`sees this log for the first time, with ${count(first.size)}`);
  expect(await recall(page)).toMatchObject({ checkpoint: first.note, key: keys()[0] });
  await page.reload();
  await expect(outcome(page)).toContainText("today's are the same: verified.");
  happens();
  const second = sign();
  await page.reload();
  await expect(outcome(page)).toContainText(`Your browser last saw the signed log with ${count(first.size)} on `);
  await expect(outcome(page)).toContainText(`today's ${count(second.size)} continue it: verified.`);
  expect((await recall(page)).checkpoint).toBe(second.note);
  // The page of an entry compares, and remembers, too.
  happens();
  const third = sign();
  await open(page, '/audit/1');
  await expect(outcome(page)).toContainText('Verified in your browser');
  await expect(page.getByText(`The first ${count(second.size)} of ${count(third.size)} are those that this browser has seen.`)).toHaveCount(1);
  expect((await recall(page)).checkpoint).toBe(third.note);
  expect(errors).toEqual([]);
  await context.close();
});

test('a fork and a shorter log are alerts, and both checkpoints can be saved', async ({ browser }, info) => {
  happens();
  sign();
  const fork = info.outputPath('fork');
  cpSync(service.folder, fork, { recursive: true });
  happens();
  const today = sign();
  // The same key signs another history in the copy.
  happens(fork);
  const other = sign(fork);
  expect(other.size).toBe(today.size);
  happens(fork);
  happens(fork);
  const longer = sign(fork);

  const { page, context, errors } = await auditor(browser, '/audit');
  await expect(outcome(page)).toContainText('for the first time');
  await plant(page, seen(other.note, keys()[0]));
  await page.reload();
  await expect(page.getByRole('alert')).toContainText('This is NOT the log that your browser has seen before');
  await expect(page.getByRole('alert')).toContainText(`There are two different signed logs of ${count(today.size)}.`);
  await expect(steps(page).filter({ hasText: 'History was rewritten' })).toBeVisible();
  await expect(page.getByText('This browser last saw the log on 2026-01-02 03:04:05 UTC.')).toBeVisible();
  const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Save the checkpoint of your last visit' }).click()]);
  expect(readFileSync(await saved.path(), 'utf8')).toBe(other.note);
  const [current] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: "Save today's checkpoint" }).click()]);
  expect(current.suggestedFilename()).toBe('checkpoint-acme-today.txt');
  const file = await saved.path();
  expect(() => run(service.folder, {}, 'audit', 'verify', '--tenant', 'acme', '--checkpoint', file), 'the command refuses it too').toThrow();
  await inOrder(page, 'a fork');
  expect((await recall(page)).checkpoint, 'the evidence is kept').toBe(other.note);

  await open(page, '/audit/1');
  await expect(page.getByRole('alert')).toContainText('This is NOT the log that your browser has seen before');

  await plant(page, seen(longer.note, keys()[0]));
  await open(page, '/audit');
  await expect(page.getByRole('alert')).toContainText('The log is shorter');
  await page.locator('summary', { hasText: 'If the reason is known' }).click();
  await page.getByRole('button', { name: "Remember today's log instead" }).click();
  await expect(outcome(page)).toContainText('verified.');
  await expect(outcome(page)).toHaveAttribute('role', 'status');
  expect((await recall(page)).checkpoint).toBe(today.note);

  // A larger log that does not continue what the browser has seen.
  await plant(page, seen(other.note, keys()[0]));
  happens();
  sign();
  await page.reload();
  await expect(page.getByRole('alert')).toContainText('History was rewritten');
  await plant(page, 'not a checkpoint');
  await page.reload();
  await expect(page.getByRole('alert')).toContainText('What this browser remembers of the log cannot be read.');
  expect(errors).toEqual([]);
  await context.close();
});

/** Another private key for the same log, as in a key file. */
function anotherKey() {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { d, x } = privateKey.export({ format: 'jwk' });
  const name = keys()[0].split('+')[0];
  const kind = Buffer.from([1]);
  const id = createHash('sha256').update(Buffer.concat([Buffer.from(`${name}\n`), kind, Buffer.from(x, 'base64url')])).digest('hex').slice(0, 8);
  return `PRIVATE+KEY+${name}+${id}+${Buffer.concat([kind, Buffer.from(d, 'base64url')]).toString('base64')}`;
}

test('a key that no entry announces is an alert, and an announced one is not', async ({ browser }, info) => {
  happens();
  const copy = info.outputPath('copy');
  cpSync(service.folder, copy, { recursive: true });
  const more = { LOOPIQ_AUDIT_KEY: `${anotherKey()}\n${readFileSync(join(copy, 'audit-key'), 'utf8')}` };
  const before = sign(copy, more);
  sign();
  const { page, context } = await auditor(browser, '/audit');
  await expect(outcome(page)).toContainText('for the first time');
  await plant(page, seen(before.note, keys(copy, more)[0]));
  await page.reload();
  await expect(page.getByRole('alert')).toContainText('a key that this browser has never seen, and no entry of the log announces it');
  await page.evaluate(() => localStorage.clear());
  await page.reload();
  await expect(outcome(page)).toContainText('for the first time');

  run(service.folder, {}, 'request', 'audit-key', '--tenant', 'acme', '--reason', 'A yearly change.');
  const operator = await (await browser.newContext()).newPage();
  await signIn(operator, 'operator@acme.example', '/settings/requests', service.url);
  await operator.getByRole('button', { name: 'Confirm', exact: true }).click();
  await expect(operator.getByRole('status')).toContainText('signed with the key');
  await operator.context().close();
  sign();
  expect(keys()).toHaveLength(2);
  await page.reload();
  await expect(outcome(page)).toContainText('continue it: verified.');
  await expect(outcome(page)).toContainText(/It is signed with a new key, which entry \d+ announces\./);
  await page.getByRole('link', { name: /^entry \d+$/ }).click();
  await expect(page.locator('.summary')).toContainText('audit.key_rotated');
  await expect(outcome(page)).toContainText('Verified in your browser');
  await context.close();
});

test('what goes wrong on the way has an answer, and can be tried again', async ({ browser }) => {
  const { page, context } = await auditor(browser, '/audit/1');
  await expect(outcome(page)).toContainText('Verified in your browser');
  const again = page.getByRole('button', { name: 'Try again' });

  await page.route('**/api/v1/**', (route) => route.abort());
  await page.reload();
  await expect(outcome(page)).toHaveText(/Not verified: the server could not be reached\./);
  await inOrder(page, 'an unreachable server');
  await page.unroute('**/api/v1/**');
  await reach(page, again);
  await page.keyboard.press('Enter');
  await expect(outcome(page)).toContainText('Verified in your browser');

  await page.route('**/verifier_bg.wasm', (route) => route.abort());
  await page.reload();
  await expect(outcome(page)).toContainText('Not verified: your browser could not load or run the verifier.');
  await page.unroute('**/verifier_bg.wasm');
  await again.click();
  await expect(outcome(page)).toContainText('Verified in your browser');

  for (const [status, text] of [[503, 'the server is busy'], [500, 'the server responded with an error (500)']]) {
    await page.route('**/api/v1/**', (route) => route.fulfill({ status, body: '{}' }));
    await page.reload();
    await expect(outcome(page)).toContainText(`Not verified: ${text}`);
    await page.unroute('**/api/v1/**');
  }
  await page.route('**/api/v1/audit/1/proof', (route) => route.fulfill({ status: 200, body: '<html>' }));
  await page.reload();
  await expect(page.getByRole('alert')).toContainText("The server's response is not a proof.");
  await page.unroute('**/api/v1/audit/1/proof');
  await context.close();
});

test('a signed-out browser is told to sign in', async ({ browser }) => {
  const { page, context } = await auditor(browser, '/audit/1');
  await page.route('**/api/v1/**', async (route) => {
    await context.clearCookies();
    await route.fulfill({ response: await route.fetch({ headers: {} }) });
  });
  await page.reload();
  await expect(outcome(page)).toContainText('Not verified: you are signed out.');
  const link = outcome(page).getByRole('link', { name: 'Sign in' });
  await expect(link).toHaveAttribute('href', '/login?return_to=%2Faudit%2F1');
  await context.close();
});

test('without JavaScript the pages show what the server says, and call nothing verified', async ({ browser }) => {
  const { page, context } = await auditor(browser, '/audit/1', { javaScriptEnabled: false });
  await expect(page.getByText('The server says')).toBeVisible();
  await expect(page.getByText(/Covered by the checkpoint of [\d,]+ entries/)).toBeVisible();
  await expect(page.locator('noscript p')).toContainText('With JavaScript, your browser verifies here');
  await expect(page.locator('noscript p')).toBeVisible();
  await expect(page.getByText('Verified in your browser')).toHaveCount(0);
  await open(page, '/audit');
  await expect(page.locator('noscript p')).toContainText('With JavaScript, your browser verifies here');
  await expect(page.locator('noscript p')).toBeVisible();
  await context.close();
});

// The last test, because it changes the database.
test('a changed database is not verified, also if the hashes were changed with it', async ({ browser }) => {
  const { page, context } = await auditor(browser, '/audit/2');
  await expect(outcome(page)).toContainText('Verified in your browser');
  const { folder } = service;
  sql(folder, 'DROP TRIGGER audit_contents_no_update');
  sql(folder, 'DROP TRIGGER audit_entries_no_update');
  const proof = await (await page.request.get(`${service.url}/api/v1/audit/2/proof`)).json();
  const content = JSON.stringify({ ...JSON.parse(proof.content), requestId: 'forged' });
  sql(folder, "UPDATE audit_contents SET content = $1 WHERE tenant = 'acme' AND seq = 2", content);
  await page.reload();
  await expect(outcome(page)).toContainText('This entry is NOT in the signed log: The content was changed');
  await expect(outcome(page)).toHaveAttribute('role', 'alert');
  await expect(steps(page).filter({ hasText: 'The content was changed' }).locator('.block')).toHaveText('Fails');
  await inOrder(page, 'a changed entry');

  const sha256 = (...parts) => `sha256:${createHash('sha256').update(Buffer.concat(parts)).digest('hex')}`;
  const hash = sha256(Buffer.from(proof.salt + content));
  const leaf = Buffer.from(proof.leaf.replace(/"contentHash":"[^"]*"/, `"contentHash":"${hash}"`));
  const values = [hash, sha256(Buffer.from([0]), leaf)];
  sql(folder, "UPDATE audit_entries SET content_hash = $1, leaf_hash = $2 WHERE tenant = 'acme' AND seq = 2", ...values);
  await page.reload();
  // The server compares hashes of the same database, so it notices nothing.
  await expect(page.getByText('Unchanged: the content matches its stored hash.')).toBeVisible();
  await expect(outcome(page)).toContainText('This entry is NOT in the signed log: The path does not end at the root hash of the checkpoint.');
  await inOrder(page, 'a forged entry');
  await context.close();
});
