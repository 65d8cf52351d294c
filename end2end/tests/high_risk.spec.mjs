// Approvals of high risk, pruning, questions, revisions, and an agent that corrects a rejected proposal.
import { expect, test } from '@playwright/test';
import { call, getAction, list, proposeWorkPackage, Refused, traceparent } from '../mcp/client.mjs';
import { learn } from '../mcp/learning.mjs';
import { acknowledge, agent, alive, inOrder, reach, scanned, signIn, state, url } from './support.mjs';

/** Proposes to accept the risk of a new finding, which is an action of high risk. */
async function risk(key) {
  const client = await agent();
  const rule = scanned('SHOP-2026.12', key);
  const trace = traceparent();
  const release = (await list(client, 'loopiq_list_releases', {}, trace)).find((one) => one.key === 'SHOP-2026.12');
  const findings = (await list(client, 'loopiq_list_findings', { releaseId: release.id }, trace)).filter((one) => one.rule === rule);
  const answer = await call(client, 'loopiq_accept_risk', {
    idempotencyKey: key,
    reason: `${findings[0].id} is behind the firewall.`,
    releaseId: release.id,
    findingIds: findings.map((one) => one.id),
    controlIds: [],
    justification: 'The route is closed from outside.',
    compensatingControls: ['A rule at the edge refuses it.'],
    owner: 'lead@acme.example',
    expiresAt: new Date(Date.now() + 30 * 86_400_000).toISOString(),
  }, trace);
  return { client, proposal: answer, findings };
}

test('high risk: the waived findings are first, sections are opened, a word is typed', async ({ page }) => {
  const { client, proposal, findings } = await risk('risk-alive');
  await signIn(page, 'reviewer@acme.example', `/actions/${proposal.actionId}`);
  await alive(page);
  const first = page.locator('.document > section').first();
  await expect(first).toContainText('High risk');
  await expect(first).toContainText(`Accepts the risk of finding ${findings[0].key}`);
  await page.goto(`${url()}/actions/${proposal.actionId}/confirm`);
  await inOrder(page, 'confirm');
  await page.goBack();
  await alive(page);
  await inOrder(page, 'high risk');
  expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);

  await acknowledge(page);
  await page.getByLabel(/to confirm$/).fill('SHOP-2026.12');
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'First open' })).toBeVisible();
  expect((await getAction(client, proposal.actionId)).status).toBe('pending_approval');

  // The first section is opened separately, the others together.
  await page.locator('details[data-section] summary').first().click();
  await page.getByRole('button', { name: 'Open them' }).click();
  await expect(page.getByText('still closed.')).toHaveCount(0);
  await page.getByLabel(/to confirm$/).fill('shop');
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'typing SHOP-2026.12' })).toBeVisible();
  await page.getByLabel(/to confirm$/).fill('SHOP-2026.12');
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await expect(state(page)).toHaveText('Approved');
  const [decision] = (await getAction(client, proposal.actionId)).decisions;
  expect(decision.openedSections).toEqual(expect.arrayContaining(findings.map((one) => `record:${one.id}`)));
  expect(decision.typed).toBe('SHOP-2026.12');
  expect(Date.parse(decision.openedAt)).toBeLessThan(Date.parse(decision.at));
});

test('high risk: the keyboard alone is enough', async ({ page }) => {
  const { proposal } = await risk('risk-keyboard');
  await signIn(page, 'reviewer@acme.example', `/actions/${proposal.actionId}`);
  await alive(page);
  for (const box of await page.locator('.acknowledge input').all()) {
    await reach(page, box);
    await page.keyboard.press('Space');
  }
  await reach(page, page.getByLabel(/to confirm$/));
  await page.keyboard.type('SHOP-2026.12');
  await reach(page, page.getByRole('button', { name: 'Open them' }));
  await page.keyboard.press('Enter');
  await expect(page.getByText('still closed.')).toHaveCount(0);
  await reach(page, page.getByRole('button', { name: 'Approve', exact: true }));
  await page.keyboard.press('Enter');
  await expect(state(page)).toHaveText('Approved');
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('high risk: all sections are open, and a second page asks for confirmation', async ({ page }) => {
    const { client, proposal } = await risk('risk-plain');
    await signIn(page, 'reviewer@acme.example', `/actions/${proposal.actionId}`);
    for (const section of await page.locator('details[data-section]').all()) await expect(section).toHaveAttribute('open', '');
    await page.getByRole('link', { name: 'Continue' }).click();
    await expect(page).toHaveURL(`${url()}/actions/${proposal.actionId}/confirm`);
    await expect(page.getByRole('heading', { level: 1 })).toContainText('Confirm');
    await acknowledge(page);
    await page.getByLabel(/to confirm$/).fill('SHOP-2026.11');
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await expect(page.locator('.flash-refused')).toContainText('you typed something else');
    await page.getByRole('link', { name: 'Continue' }).click();
    await acknowledge(page);
    await page.getByLabel(/to confirm$/).fill('SHOP-2026.12');
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await expect(state(page)).toHaveText('Approved');
    expect((await getAction(client, proposal.actionId)).decisions[0].typed).toBe('SHOP-2026.12');
  });

  test('a package is pruned', async ({ page }) => {
    await leaveOut(page, 'prune-plain');
  });
});

test('a pruned package becomes a new proposal', async ({ page }) => {
  await leaveOut(page, 'prune-alive', true);
});

async function leaveOut(page, key, script = false) {
  const client = await agent();
  const rule = scanned('PAY-2026.11', key);
  const proposal = await proposeWorkPackage(client, 'PAY-2026.11', key, {}, rule);
  await signIn(page, 'reviewer@acme.example', `/actions/${proposal.actionId}`);
  if (script) await alive(page);
  await page.locator('summary', { hasText: 'Leave parts out' }).click();
  const form = page.locator('form[action$="/do/prune"]');
  await form.locator('input[type=checkbox]').nth(1).uncheck();
  await form.getByRole('textbox').fill('The second one is planned elsewhere.');
  await form.getByRole('button', { name: 'Create revised proposal' }).click();
  await expect(page.locator('.flash-done')).toContainText('are a new proposal now');
  expect(page.url()).not.toContain(proposal.actionId);
  await expect(page.getByText('Replaces: ')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'What this revision changes' })).toBeVisible();
  await expect(page.locator('.tree > li > .tree > li, .tree .tree > li, .tree li li')).toHaveCount(1);
  if (script) await alive(page);
  await acknowledge(page);
  await page.getByRole('button', { name: 'Approve and run' }).click();
  await expect(state(page)).toHaveText('Executed');
  const old = await getAction(client, proposal.actionId);
  expect([old.status, old.reasonCodes]).toEqual(['rejected', ['superseded']]);
  const next = await getAction(client, old.supersededBy);
  expect(next.result.children).toHaveLength(1);
}

test('the agent answers a question', async ({ page }) => {
  const client = await agent();
  const proposal = await proposeWorkPackage(client, 'PAY-2026.11', 'question', {}, scanned('PAY-2026.11', 'question'));
  await signIn(page, 'reviewer@acme.example', `/actions/${proposal.actionId}`);
  await alive(page);
  await page.locator('summary', { hasText: 'Ask the proposer' }).click();
  await page.locator('#ask-text').fill('Is <b>this</b> in production?');
  await page.getByRole('button', { name: 'Ask', exact: true }).click();
  await expect(page.getByText('No answer yet.')).toBeVisible();
  await expect(state(page)).toHaveText('Pending approval');
  const [question] = (await getAction(client, proposal.actionId)).questions;
  expect(question.question).toBe('Is <b>this</b> in production?');
  await call(client, 'loopiq_answer_question', { actionId: proposal.actionId, questionId: question.id, answer: 'Since Monday.' });
  await page.reload();
  await expect(page.locator('.questions')).toContainText('Since Monday.');
});

test('an agent corrects a rejected proposal by the reason codes alone', async ({ page }) => {
  const client = await agent();
  const rule = scanned('PAY-2026.11', 'learns');
  // Two tasks with generic titles, and a third task about a finding of another release.
  const elsewhere = scanned('SHOP-2026.12', 'learns-elsewhere');
  const shop = (await list(client, 'loopiq_list_releases')).find((one) => one.key === 'SHOP-2026.12');
  const strange = (await list(client, 'loopiq_list_findings', { releaseId: shop.id })).find((one) => one.rule === elsewhere);
  const flaw = (payload) => ({
    children: [
      ...payload.children.map((child) => ({ ...child, title: 'Fix the finding' })),
      { ...payload.children[0], clientRef: 'strange', title: 'Close the redirect of the shop', findingIds: [strange.id] },
    ],
  });
  const first = await proposeWorkPackage(client, 'PAY-2026.11', 'learns-1', flaw, rule);
  await signIn(page, 'reviewer@acme.example', `/actions/${first.actionId}`);
  await alive(page);
  await page.locator('summary', { hasText: /^Reject/ }).click();
  // The form offers the results of the checks as reason codes, so that the agent needs none of the reviewer's text.
  await expect(page.getByLabel('generic or missing titles')).toBeChecked();
  await page.locator('#reject-text').fill('No.');
  await page.locator('form[action="/do/reject"]').getByRole('button', { name: 'Reject' }).click();
  await expect(state(page)).toHaveText('Rejected');
  const answer = await getAction(client, first.actionId);
  expect(answer.reasonCodes).toEqual(expect.arrayContaining(['titles', 'unrelated']));
  expect(answer.decisions[0].reason).toBe('No.');

  // The service refuses the same proposal again, and names the rejected action.
  const again = call(client, answer.tool, { ...answer.submittedPayload, idempotencyKey: 'learns-2', reason: 'Once more.' });
  const refusal = await again.then(() => null, (error) => error);
  expect(refusal).toBeInstanceOf(Refused);
  expect(refusal.code).toBe('rejected_before');
  expect(refusal.message).toContain(first.actionId);

  const next = await learn(client, first.actionId, 'learns-3');
  expect(next.checks.filter((check) => check.verdict === 'block')).toEqual([]);
  await page.goto(new URL(next.reviewUrl).pathname.replace(/^/, url()));
  await expect(page.getByRole('heading', { name: 'What this revision changes' })).toBeVisible();
  await alive(page);
  await acknowledge(page);
  await page.getByRole('button', { name: 'Approve', exact: true }).click();
  await expect(state(page)).toHaveText('Approved');
  await page.getByRole('button', { name: 'Run now' }).click();
  await expect(state(page)).toHaveText('Executed');
  const made = (await getAction(client, next.actionId)).audit.submittedPayload.children.map((child) => child.clientRef);
  expect(made).toEqual(answer.submittedPayload.children.slice(0, -1).map((child) => child.clientRef));
});
