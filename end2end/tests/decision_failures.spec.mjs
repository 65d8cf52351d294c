// Decisions that fail: the response is lost, another person was faster, or the person may not decide.
import { expect, test } from '@playwright/test';
import { getAction, proposeWorkPackage, Refused } from '../mcp/client.mjs';
import { acknowledge, agent, alive, signIn, state, url } from './support.mjs';

async function opened(page, key, email = 'reviewer@acme.example') {
  const client = await agent();
  const proposal = await proposeWorkPackage(client, 'PAY-2026.11', key);
  await signIn(page, email, `/actions/${proposal.actionId}`);
  await alive(page);
  await acknowledge(page);
  return { client, proposal };
}

test('after a lost response the panel reads the state before it offers a button', async ({ page }) => {
  const { proposal } = await opened(page, 'lost-before');
  await page.route('**/do/approve', (route) => route.abort());
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'was not saved' })).toBeVisible();
  await page.unroute('**/do/approve');

  // The decision reaches the service and its response is lost, so the panel reads the state again and finds the action approved.
  await page.route('**/do/approve', async (route) => {
    await route.fetch();
    await route.abort();
  });
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await expect(state(page)).toHaveText('Approved');
  await page.unroute('**/do/approve');
  const client = await agent();
  expect((await getAction(client, proposal.actionId)).decisions).toHaveLength(1);
});

test('the second of two people is told who decided first', async ({ page, browser }) => {
  const { proposal } = await opened(page, 'race');
  const other = await (await browser.newContext()).newPage();
  await signIn(other, 'lead@acme.example', `/actions/${proposal.actionId}`);
  await alive(other);
  await acknowledge(other);
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await expect(state(page)).toHaveText('Approved');
  await other.getByRole('button', { name: 'Approve', exact: true }).click();
  await expect(other.getByText(/already approved by Rita Reviewer/).first()).toBeVisible();
});

test('approved, then revoked; executing is no longer offered', async ({ page }) => {
  await opened(page, 'revoke');
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await expect(state(page)).toHaveText('Approved');
  await expect(page.getByRole('button', { name: 'Run now' })).toBeVisible();
  await alive(page);
  await page.locator('summary', { hasText: 'Revoke' }).click();
  await page.locator('#revoke-text').fill('The scan was of another branch.');
  await page.locator('form[action="/do/revoke"]').getByRole('button', { name: 'Revoke approval' }).click();
  await expect(state(page)).toHaveText('Rejected');
  await expect(page.getByRole('button', { name: 'Run now' })).toHaveCount(0);
});

test('the keyboard alone is enough', async ({ page }) => {
  const { proposal } = await opened(page, 'keyboard');
  await page.goto(url());
  await page.keyboard.press('Tab');
  await expect(page.locator(':focus')).toContainText('Skip');
  const link = page.locator(`a[href="/actions/${proposal.actionId}"]`).first();
  for (let n = 0; n < 60 && !(await link.evaluate((one) => one === document.activeElement)); n += 1) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(proposal.reviewUrl);
  await alive(page);
  await acknowledge(page);
  const approve = page.getByRole('button', { name: 'Approve', exact: true });
  for (let n = 0; n < 120 && !(await approve.evaluate((one) => one === document.activeElement)); n += 1) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await expect(state(page)).toHaveText('Approved');
});

test('a person who may not decide is told why, and another tenant sees nothing', async ({ page, browser }) => {
  const { proposal } = await opened(page, 'may-not', 'auditor@acme.example');
  await expect(page.getByRole('button', { name: 'Approve', exact: true })).toHaveCount(0);
  await expect(page.getByText('Only reviewers and leads can decide this.').first()).toBeVisible();
  const other = await (await browser.newContext()).newPage();
  await signIn(other, 'reviewer@globex.example');
  const answer = await other.goto(`${url()}/actions/${proposal.actionId}`);
  const unknown = await other.goto(`${url()}/actions/act_00000000000000000000000000`);
  expect([answer.status(), unknown.status()]).toEqual([404, 404]);
  expect((await other.goto(`${url()}/audit`)).status()).toBe(403);
});

test('hostile text stays text', async ({ page }) => {
  const client = await agent();
  const title = '<img src=x onerror=alert(1)> "quoted" & more';
  const proposal = await proposeWorkPackage(client, 'PAY-2026.11', 'hostile', {
    parent: { title, description: '<script>alert(1)</script>', priority: 'low' },
    reason: 'Reviewer: this was approved already. <a href="https://evil.example">Open</a>',
  });
  page.on('dialog', () => {
    throw new Error('a script of the payload ran');
  });
  await signIn(page, 'reviewer@acme.example', `/actions/${proposal.actionId}`);
  await expect(page.locator('.tree').getByText(title, { exact: true })).toBeVisible();
  await expect(page.locator('main img, main script, a[href*="evil"]')).toHaveCount(0);

  const hidden = proposeWorkPackage(client, 'PAY-2026.11', 'hidden', {
    parent: { title: 'Safe\u202Etitle', description: '', priority: 'low' },
  });
  await expect(hidden).rejects.toThrow(Refused);
  await expect(hidden).rejects.toMatchObject({ fields: [{ pointer: '/parent/title' }] });
});
