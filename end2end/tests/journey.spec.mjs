// The main path: a real agent proposes an action, a person approves and executes it in a browser, and records and audit trail show it.
import { expect, test } from '@playwright/test';
import { call, getAction, proposeWorkPackage } from '../mcp/client.mjs';
import { acknowledge, agent, alive, scanned, signIn, state, url } from './support.mjs';

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('propose, approve and run, find it in the audit trail', async ({ page }) => {
      const key = `journey-${javaScriptEnabled}`;
      const client = await agent();
      const rule = scanned('PAY-2026.11', key);
      const proposal = await proposeWorkPackage(client, 'PAY-2026.11', key, {}, rule);
      expect(proposal.status).toBe('pending_approval');

      await signIn(page, 'reviewer@acme.example', new URL(proposal.reviewUrl).pathname);
      await expect(page).toHaveURL(proposal.reviewUrl);
      await expect(state(page)).toHaveText('Pending approval');
      await expect(page.getByText(proposal.preview.summary).first()).toBeVisible();
      for (const created of proposal.preview.creates) {
        await expect(page.locator('.tree').getByText(created.fields.title, { exact: true })).toBeVisible();
      }
      if (javaScriptEnabled) await alive(page);
      await acknowledge(page);
      await page.getByRole('button', { name: 'Approve and run' }).click();
      await expect(state(page)).toHaveText('Executed');
      await expect(page.locator('.flash-done')).toContainText('created 1 story and 2 tasks');

      const done = await getAction(client, proposal.actionId);
      expect(done.status).toBe('executed');
      expect(done.result.children.map((child) => child.clientRef)).toEqual(['task-1', 'task-2']);
      expect(done.audit.userIdentity.approvers[0].email).toBe('reviewer@acme.example');
      expect(done.audit.toolCallChain.map((read) => read.tool)).toContain('loopiq_list_blockers');
      const story = await call(client, 'loopiq_get_work_item', { workItemId: done.result.parentId });
      expect(story.children.map((child) => child.id)).toEqual(done.result.children.map((child) => child.id));

      // The same proposal again returns the same action, and the key with another payload is refused.
      const again = await proposeWorkPackage(client, 'PAY-2026.11', key, {}, rule);
      expect([again.actionId, again.status]).toEqual([proposal.actionId, 'executed']);
      const other = proposeWorkPackage(client, 'PAY-2026.11', key, { reason: 'Another reason.' }, rule);
      await expect(other).rejects.toMatchObject({ code: 'idempotency_conflict' });

      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.context().clearCookies();
      await signIn(page, 'auditor@acme.example', '/audit');
      for (const query of [
        `trace:${done.audit.traceId} event:action.executed`,
        `person:reviewer@acme.example key:${key}`,
        `record:${done.result.parentId} state:executed`,
      ]) {
        await page.getByLabel('Query').fill(query);
        await page.getByRole('button', { name: 'Search' }).click();
        await expect(page.getByRole('cell', { name: 'executed', exact: false }).first()).toBeVisible();
      }
      const entry = done.audit.entries.find((one) => one.event === 'action.executed');
      await page.goto(`${url()}/audit/${entry.seq}`);
      await expect(page.getByText(entry.leafHash)).toBeVisible();
    });

    test('a rejection needs a reason, keeps the draft, and the agent reads the reason', async ({ page }) => {
      const client = await agent();
      const proposal = await proposeWorkPackage(client, 'SHOP-2026.12', `reject-${javaScriptEnabled}`);
      await signIn(page, 'reviewer2@acme.example', `/actions/${proposal.actionId}`);
      if (javaScriptEnabled) await alive(page);
      await page.locator('summary', { hasText: 'Reject' }).click();
      await page.locator('input[name="codes[]"][value="titles"]').check();
      // The browser accepts a text of spaces, and the service refuses it.
      await page.locator('#reject-text').fill('   ');
      await page.locator('form[action="/do/reject"]').getByRole('button', { name: 'Reject' }).click();
      await expect(page.getByRole('alert').filter({ hasText: 'write why' })).toBeVisible();
      await expect(page.locator('input[name="codes[]"][value="titles"]')).toBeChecked();
      expect(page.url()).toBe(proposal.reviewUrl);

      const words = 'Say which <b>route</b> & why </textarea>.';
      await page.locator('#reject-text').fill(words);
      await page.locator('form[action="/do/reject"]').getByRole('button', { name: 'Reject' }).click();
      await expect(state(page)).toHaveText('Rejected');
      const rejected = await getAction(client, proposal.actionId);
      expect(rejected.reasonCodes).toContain('titles');
      expect(rejected.decisions[0].reason).toBe(words);
      await expect(page.getByText(words).first()).toBeVisible();
    });
  });
}
