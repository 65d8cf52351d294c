// Step-up authentication: an approval of high risk that requires a sign-in with two factors. The tests use their own demo with its policy.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { connect, getAction, proposeWorkPackage } from '../mcp/client.mjs';
import { start } from '../service.mjs';
import { acknowledge, alive, inOrder, signIn, state } from './support.mjs';

const POLICY = `
[[risk]]
tool = "loopiq_create_remediation_work_package"
class = "high"

[step_up]
risk = ["high"]
acr = ["demo:two-factors"]
`;
const REVIEWER = 'reviewer@acme.example';

let service;
// This demo is always on SQLite, even if the shared demo is on PostgreSQL.
const env = { ...process.env };
delete env.LOOPIQ_DATABASE_URL;
const loopiq = (...args) =>
  execFileSync(process.env.LOOPIQ_BIN, [...args, '--data-dir', service.folder], { encoding: 'utf8', env }).trim();

test.beforeAll(async ({ browser }) => {
  service = await start(env);
  const file = join(service.folder, 'policy.toml');
  writeFileSync(file, POLICY);
  loopiq('policy', 'apply', file, '--tenant', 'acme', '--note', 'A recent sign-in.');
  const page = await (await browser.newContext()).newPage();
  await signIn(page, 'operator@acme.example', '/settings/requests', service.url);
  await page.getByRole('button', { name: 'Confirm', exact: true }).click();
  await expect(page.getByRole('status')).toContainText('is now active.');
  await page.context().close();
});
test.afterAll(() => service?.stop());

/** Proposes a package, and opens its page as a reviewer who has signed in with one factor. */
async function opened(page, release, key) {
  const client = await connect(service.url, loopiq('token', '--tenant', 'acme', '--as', 'developer@acme.example'));
  const { actionId } = await proposeWorkPackage(client, release, key);
  await signIn(page, REVIEWER, `/actions/${actionId}`, service.url);
  await expect(page.locator('.step-up')).toContainText('you will be asked to sign in again');
  return { client, actionId, path: `${service.url}/actions/${actionId}` };
}

/** Signs in at the provider, which was asked for two factors, and comes back to the action. */
async function signInAgain(page, path) {
  await expect(page.getByText('The application asks for two factors.')).toBeVisible();
  await page.getByRole('button', { name: REVIEWER }).click();
  await expect(page).toHaveURL(path);
  await expect(page.locator('.flash')).toContainText('You signed in again. Nothing is approved yet');
  await expect(state(page)).toHaveText('Pending approval');
  await expect(page.locator('.step-up')).toHaveCount(0);
}

const approved = async (page, client, actionId) => {
  await expect(state(page)).toHaveText('Approved');
  await expect(page.locator('.flash-done')).toContainText('You approved it.');
  const [decision] = (await getAction(client, actionId)).decisions;
  expect(decision.typed).toBeTruthy();
};

test('the approval leads to the sign-in and back, with everything as it was', async ({ page }) => {
  const { client, actionId, path } = await opened(page, 'PAY-2026.11', 'step-up-alive');
  await alive(page);
  await inOrder(page, 'step-up');
  const word = await page.locator('.typed kbd').textContent();
  await acknowledge(page);
  await page.getByLabel(/to confirm$/).fill(word);
  await page.getByRole('button', { name: 'Open them' }).click();
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await signInAgain(page, path);

  await alive(page);
  await expect(page.getByLabel(/to confirm$/)).toHaveValue(word);
  for (const box of await page.locator('.acknowledge input').all()) await expect(box).toBeChecked();
  await expect(page.getByText('still closed.')).toHaveCount(0);
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await approved(page, client, actionId);
  await page.reload();
  await expect(page.locator('.flash')).toHaveCount(0);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('the approval leads to a page with the link to the sign-in, and back', async ({ page }) => {
    const { client, actionId, path } = await opened(page, 'SHOP-2026.12', 'step-up-plain');
    await page.getByRole('link', { name: 'Continue' }).click();
    const word = await page.locator('.typed kbd').textContent();
    await acknowledge(page);
    await page.getByLabel(/to confirm$/).fill(word);
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Sign in again');
    await expect(page.getByText('Nothing is approved yet')).toBeVisible();
    await page.getByRole('link', { name: 'Sign in again' }).click();

    // The person goes back without signing in: nothing is lost.
    await page.getByRole('button', { name: 'Go back without signing in' }).click();
    await expect(page.getByText('Nothing was approved.')).toBeVisible();
    await page.getByRole('link', { name: 'Try again' }).click();
    await page.getByRole('link', { name: 'Sign in again' }).click();
    await signInAgain(page, path);

    await page.getByRole('link', { name: 'Continue' }).click();
    await expect(page.getByLabel(/to confirm$/)).toHaveValue(word);
    for (const box of await page.locator('.acknowledge input').all()) await expect(box).toBeChecked();
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await approved(page, client, actionId);
  });
});
