// Two teams decide together: one person of each team must approve, and the page shows who has approved and who can.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { connect, getAction, proposeWorkPackage } from '../mcp/client.mjs';
import { start } from '../service.mjs';
import { acknowledge, alive, signIn, state } from './support.mjs';

const TWO_TEAMS = `
[[decide]]
name = "Both teams"
groups = [{ name = "Payments", teams = ["payments"] }, { name = "Checkout", teams = ["checkout"] }]

[separation]
approver_may_execute = false
`;

let service;
// This demo is always on SQLite, even if the shared demo is on PostgreSQL.
const env = { ...process.env };
delete env.LOOPIQ_DATABASE_URL;
const loopiq = (...args) =>
  execFileSync(process.env.LOOPIQ_BIN, [...args, '--data-dir', service.folder], { encoding: 'utf8', env }).trim();

test.beforeAll(async ({ browser }) => {
  service = await start(env);
  const file = join(service.folder, 'policy.toml');
  writeFileSync(file, TWO_TEAMS);
  const output = loopiq('policy', 'apply', file, '--tenant', 'acme', '--note', 'Two pairs of eyes.');
  expect(output).toContain('must be confirmed by an operator');
  // The console only creates a request; an operator confirms it in a browser.
  const page = await (await browser.newContext()).newPage();
  await signIn(page, 'operator@acme.example', '/settings/requests', service.url);
  await page.getByRole('button', { name: 'Confirm', exact: true }).click();
  await expect(page.getByRole('status')).toContainText('Policy version 2 is now active.');
  await page.context().close();
});
test.afterAll(() => service?.stop());

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('two people of two teams approve together', async ({ browser }) => {
      // The second run uses another release, because the first run has done the work.
      const release = javaScriptEnabled ? 'PAY-2026.11' : 'SHOP-2026.12';
      const client = await connect(service.url, loopiq('token', '--tenant', 'acme', '--as', 'developer@acme.example'));
      const proposal = await proposeWorkPackage(client, release, `quorum-${javaScriptEnabled}`);
      const path = `/actions/${proposal.actionId}`;
      const as = async (email, where = path) => {
        const page = await (await browser.newContext({ javaScriptEnabled })).newPage();
        await signIn(page, email, where, service.url);
        if (javaScriptEnabled && where === path) await alive(page);
        return page;
      };
      const lena = await as('lead@acme.example');
      const approvals = (page) => page.locator('.approvals');
      await expect(approvals(lena)).toContainText('Needs 1 approval from Payments');
      await expect(approvals(lena)).toContainText('Needs 1 approval from Checkout (Ravi Reviewer).');
      await acknowledge(lena);
      await lena.getByRole('button', { name: 'Approve', exact: true }).click();
      await expect(lena.locator('.flash-done')).toContainText('1 more approval is needed: Checkout.');
      await expect(state(lena)).toHaveText('Pending approval');
      await expect(approvals(lena)).toContainText('Lena Lead approved');
      await expect(lena.getByRole('button', { name: 'Approve', exact: true })).toHaveCount(0);
      await expect(lena.getByText('You approved it on').first()).toBeVisible();
      expect((await getAction(client, proposal.actionId)).status).toBe('pending_approval');

      // Lena has approved the action and Rita is on neither team, so only the other team can decide it.
      await lena.goto(`${service.url}/?tab=mine`);
      await expect(lena.locator(`.rows a[href="${path}"]`)).toHaveCount(0);
      const rita = await as('reviewer@acme.example', '/');
      const row = rita.locator('.rows > li').filter({ has: rita.locator(`a[href="${path}"]`) });
      await expect(row).toContainText('1 of 2 approvals');
      await expect(row).toContainText('Only Payments and Checkout can decide this');
      const ravi = await as('reviewer2@acme.example', '/?tab=mine');
      await expect(ravi.locator(`.rows a[href="${path}"]`)).toHaveCount(1);
      await ravi.goto(service.url + path);
      if (javaScriptEnabled) await alive(ravi);
      await acknowledge(ravi);
      await ravi.getByRole('button', { name: 'Approve', exact: true }).click();
      await expect(state(ravi)).toHaveText('Approved');

      // An approver cannot execute the action, but any other person with the role can.
      await expect(ravi.getByText('another person has to execute it').first()).toBeVisible();
      await expect(ravi.getByRole('button', { name: 'Run now' })).toHaveCount(0);
      await rita.goto(service.url + path);
      if (javaScriptEnabled) await alive(rita);
      await rita.getByRole('button', { name: 'Run now' }).click();
      await expect(state(rita)).toHaveText('Executed');
      const done = await getAction(client, proposal.actionId);
      expect(done.audit.userIdentity.approvers.map((one) => one.email)).toEqual(['lead@acme.example', 'reviewer2@acme.example']);
      for (const page of [rita, ravi, lena]) await page.context().close();
    });
  });
}
