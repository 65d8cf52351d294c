// A governed action as a task of the Tasks extension, with the extension's official client.
import { randomUUID } from 'node:crypto';
import { resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client';
import { expect, test } from '@playwright/test';
import { call, getAction, list } from '../mcp/client.mjs';
import { connectWithTasks } from '../mcp/tasks.mjs';
import { acknowledge, loopiq, signIn, state, url } from './support.mjs';

const TOOL = 'loopiq_create_work_item';

/** A connection, and a proposal that no other test makes. */
async function prepared(answer) {
  const token = loopiq('token', '--tenant', 'acme', '--as', 'developer@acme.example');
  const { client, session, close } = await connectWithTasks(url(), token, answer);
  const [{ id }] = await list(client, 'loopiq_list_releases');
  const { teams } = await call(client, 'loopiq_get_release', { releaseId: id });
  const key = randomUUID();
  const proposal = {
    idempotencyKey: key, reason: 'A client of the tests asks for it.', releaseId: id, teamId: teams[0].id,
    kind: 'story', title: `Try tasks ${key}`, description: 'A test.', priority: 'low',
  };
  return { client, session, close, proposal };
}

test('a proposal is a task that asks, and ends with the result of the execution', async ({ page }) => {
  const questions = [];
  const { client, session, close, proposal } = await prepared((request) => {
    questions.push(JSON.stringify(request));
    return 'The keys of the gateway.';
  });
  const first = await session.callTool(TOOL, proposal);
  expect(first.kind).toBe('task');
  const action = first.handle.taskId;
  expect((await getAction(client, action)).status).toBe('pending_approval');
  await first.detach();
  const execution = await session.callTool(TOOL, proposal);
  expect(execution.handle.taskId, 'the same key gives the same task').toBe(action);

  await signIn(page, 'reviewer@acme.example', `/actions/${action}`);
  await page.locator('summary', { hasText: 'Ask the proposer' }).click();
  await page.locator('#ask-text').fill('Which keys?');
  await page.getByRole('button', { name: 'Ask', exact: true }).click();
  const settled = execution.settle();
  await expect.poll(async () => (await getAction(client, action)).questions[0]?.answer, { timeout: 20_000 }).toBe('The keys of the gateway.');
  expect(questions).toHaveLength(1);
  expect(questions[0]).toContain('Which keys?');

  await page.goto(`${url()}/actions/${action}`);
  await expect(page.getByRole('region', { name: 'Questions' }).getByText('The keys of the gateway.')).toBeVisible();
  await acknowledge(page);
  await page.getByRole('button', { name: 'Approve and run' }).click();
  await expect(state(page)).toHaveText('Executed');
  const { outcome } = await settled;
  const { structuredContent, isError } = resultFromTaskOutcome(outcome);
  expect([Boolean(isError), structuredContent.status, structuredContent.actionId]).toEqual([false, 'executed', action]);
  expect(structuredContent.result.createdIds).toHaveLength(1);
  await close();
});

test('a rejection is a result with reason codes, and so is a cancelled task', async ({ page }) => {
  const { session, close, proposal } = await prepared();
  const rejected = await session.callTool(TOOL, proposal);
  await signIn(page, 'reviewer@acme.example', `/actions/${rejected.handle.taskId}`);
  await page.locator('summary', { hasText: 'Reject' }).click();
  await page.locator('#reject-text').fill('Not in this release.');
  await page.locator('form[action="/do/reject"]').getByRole('button', { name: 'Reject' }).click();
  await expect(state(page)).toHaveText('Rejected');
  const first = resultFromTaskOutcome((await rejected.settle()).outcome);
  // The form has the checks with warnings as reasons.
  expect([first.isError, first.structuredContent.reasonCodes]).toEqual([true, ['evidence', 'grounding']]);
  expect(first.content[0].text).toContain('Not in this release.');

  const cancelled = await session.callTool(TOOL, { ...proposal, idempotencyKey: randomUUID(), title: `Cancel a task ${randomUUID()}` });
  const settled = cancelled.settle();
  await cancelled.cancel();
  const action = cancelled.handle.taskId;
  await page.goto(`${url()}/actions/${action}`);
  await expect(state(page)).toHaveText('Rejected');
  await settled.catch(() => {});
  await close();
});

test('a task is polled again after the client was restarted', async ({ page }) => {
  const { client, session, proposal } = await prepared();
  const execution = await session.callTool(TOOL, proposal);
  let reference;
  await execution.handoff((kept) => void (reference = kept));
  // Closing the session as well would cancel its tasks.
  await client.close();
  const later = await prepared();
  const recovered = await later.session.resumeTask(reference);
  await signIn(page, 'reviewer@acme.example', `/actions/${execution.handle.taskId}`);
  await acknowledge(page);
  await page.getByRole('button', { name: 'Approve and run' }).click();
  await expect(state(page)).toHaveText('Executed');
  const { structuredContent } = resultFromTaskOutcome((await recovered.settle()).outcome);
  expect(structuredContent.status).toBe('executed');
  await later.close();
});
