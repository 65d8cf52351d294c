// The MCP Inspector's command line as a client: with a token, with OAuth, and what it prints when the service refuses.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { freePort } from '../company/server.mjs';
import { call, list, proposeWorkPackage, toolNames } from '../mcp/client.mjs';
import { inspect } from '../mcp/inspector.mjs';
import { acknowledge, agent, inOrder, loopiq, scanned, signIn, state, url } from './support.mjs';

const DEVELOPER = 'developer@acme.example';

let home;
test.beforeEach(() => (home = mkdtempSync(join(tmpdir(), 'inspector-'))));
test.afterEach(() => rmSync(home, { recursive: true }));

const withToken = (token, ...words) => inspect(home, [`${url()}/mcp`, '--header', `Authorization: Bearer ${token}`, '--stored-auth-only', ...words]);
const tool = (name, args = {}) => ['--method', 'tools/call', '--tool-name', name, '--tool-args-json', JSON.stringify(args)];
const tokenOf = (email) => loopiq('token', '--tenant', 'acme', '--as', email);

for (const era of ['legacy', 'modern']) {
  test(`with a token it lists the tools, reads, and tries a proposal (${era} protocol)`, async ({ page }) => {
    const client = await agent(DEVELOPER);
    const token = tokenOf(DEVELOPER);
    const run = (...words) => withToken(token, '--protocol-era', era, ...words);

    const listed = await run('--method', 'tools/list', '--strict');
    // It would end with 6 if it found an error in a schema.
    expect(listed.code, listed.err).toBe(0);
    expect(listed.answer.result.tools.map((one) => one.name)).toEqual(await toolNames(client));

    const context = await run(...tool('loopiq_get_context'));
    expect(context.code, context.err).toBe(0);
    const { caller, roles, tenant } = context.answer.result.structuredContent;
    expect([caller.email, roles, tenant.id]).toEqual([DEVELOPER, ['developer'], 'acme']);

    const rule = scanned('PAY-2026.11', `inspector-${era}`);
    const actions = async () => (await list(client, 'loopiq_list_actions')).map((action) => action.id);
    const before = await actions();
    let proposal;
    await proposeWorkPackage(client, 'PAY-2026.11', `inspector-${era}`, (asked) => (proposal = { ...asked, dryRun: true }), rule);
    const tried = await run(...tool('loopiq_create_remediation_work_package', proposal));
    expect(tried.code, tried.err).toBe(0);
    const preview = tried.answer.result.structuredContent;
    expect(preview.actionId).toBeUndefined();
    expect(preview.checks.find((check) => check.id === 'evidence').code).toBe('evidence.passed');
    expect(await actions(), 'a dry run stores nothing').toEqual(before);
    // The same call without `dryRun` is a proposal. With the modern protocol the Inspector declares tasks, and waits for the decision.
    const running = run(...tool('loopiq_create_remediation_work_package', { ...proposal, dryRun: false }));
    const created = async () => (await actions()).filter((id) => !before.includes(id));
    await expect.poll(created, { timeout: 20_000 }).toHaveLength(1);
    const [action] = await created();
    if (era === 'modern') {
      await signIn(page, 'reviewer@acme.example', `/actions/${action}`);
      await acknowledge(page);
      await page.getByRole('button', { name: 'Approve and run' }).click();
      await expect(state(page)).toHaveText('Executed');
    }
    const proposed = await running;
    expect(proposed.code, proposed.err).toBe(0);
    const { actionId, status, result } = proposed.answer.result.structuredContent;
    expect([actionId, status]).toEqual([action, era === 'modern' ? 'executed' : 'pending_approval']);
    expect(result?.children?.length).toBe(era === 'modern' ? 2 : undefined);
    await client.close();
  });
}

test('a refusal is an exit code and a message that says what to do', async () => {
  const token = tokenOf(DEVELOPER);
  const wrong = await withToken(token, ...tool('loopiq_get_release', { releaseId: 7, extra: true }));
  expect([wrong.code, wrong.error.code]).toEqual([5, 'tool_is_error']);
  expect(wrong.answer.result.isError).toBe(true);
  expect(wrong.answer.result.structuredContent).toMatchObject({ error: 'invalid_arguments' });
  expect(wrong.answer.result.structuredContent.fields).toEqual([
    { pointer: '/releaseId', message: 'must be of type string' },
    { pointer: '/extra', message: 'is not a field of this tool' },
  ]);
  expect(wrong.answer.result.content[0].text).toContain('nothing was stored');

  const decides = await withToken(token, ...tool('loopiq_approve_action'));
  expect([decides.code, decides.error]).toEqual([5, { code: 'tool_not_found', message: "Tool 'loopiq_approve_action' not found on server." }]);

  // A pipeline's token is for evidence, not for tools.
  const pipeline = loopiq('service-token', 'create', '--tenant', 'acme', '--name', 'Pipeline', '--scope', 'loopiq:import');
  expect((await withToken(pipeline, '--method', 'tools/list')).answer).toEqual({ result: { tools: [] } });

  for (const [how, says] of [
    [['--header', 'Authorization: Bearer loopiq_unknown'], 'The token is unknown. Request a new one.'],
    [[], 'This endpoint needs a bearer token in the header Authorization.'],
  ]) {
    const refused = await inspect(home, [`${url()}/mcp`, ...how, '--stored-auth-only', '--method', 'tools/list']);
    expect([refused.code, refused.error.code, refused.answer]).toEqual([3, 'auth_required', undefined]);
    expect(refused.error.message).toContain(says);
  }
});

test('it gets in from the bare URL, remembers its access, and is told when the access is revoked', async ({ page }) => {
  const words = [`${url()}/mcp`, ...tool('loopiq_get_context'), '--callback-url', `http://127.0.0.1:${await freePort()}/oauth/callback`];
  const first = await inspect(home, words, async (asked) => {
    expect(asked.searchParams.get('resource')).toBe(`${url()}/mcp`);
    await page.goto(asked.href);
    await page.getByRole('button', { name: DEVELOPER }).click();
    await expect(page.getByRole('heading', { name: 'Let this program in?' })).toBeVisible();
    await inOrder(page, 'consent page');
    await page.getByRole('button', { name: 'Allow' }).click();
    await expect(page.getByText('OAuth complete')).toBeVisible();
  });
  expect(first.code, first.err).toBe(0);
  const { caller, client } = first.answer.result.structuredContent;
  expect([caller.email, client.name]).toEqual([DEVELOPER, 'MCP Inspector']);

  const again = await inspect(home, [...words, '--stored-auth-only']);
  expect(again.code, again.err).toBe(0);
  expect(again.answer.result.structuredContent.client).toEqual(client);

  await page.goto(`${url()}/settings/clients`);
  await page.getByRole('button', { name: 'Revoke MCP Inspector' }).click();
  await expect(page.getByText('MCP Inspector has no access any more.')).toBeVisible();
  const refused = await inspect(home, [...words, '--stored-auth-only']);
  expect([refused.code, refused.error.code]).toEqual([3, 'auth_required']);
});
