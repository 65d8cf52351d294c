// A company sets the service up as docs/production.md says: its identity provider, the settings, the tenant, the catalog, evidence from CI, and two teams
// that decide together. Then an agent proposes, people of both teams approve, one runs it, and an auditor finds all of it. No demo.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { SECRET, documentBlocks, startAcme } from '../company/acme.mjs';
import { signInAtProvider } from '../company/provider.mjs';
import { call, getAction, list, proposeWorkPackage } from '../mcp/client.mjs';
import { Memory, callback, connectWithOAuth } from '../mcp/oauth.mjs';
import { acknowledge, alive, inOrder, state } from './support.mjs';

test.describe.configure({ mode: 'serial' });

const blocks = documentBlocks();
const AGENT = 'End-to-end agent';
let acme;
let client;
let proposal;
test.beforeAll(async () => (acme = await startAcme('company')));
test.afterAll(async () => {
  await client?.close();
  await acme?.stop();
});

test('the commands of the document set the service up', async () => {
  test.setTimeout(180_000);
  for (const block of blocks.steps(1, 7)) {
    const done = await acme.follow(block);
    // The token is in a file and not on the screen.
    if (block.text.includes('service-token')) expect(done.out + done.err).not.toMatch(/loopiq_[0-9a-f]{64}/);
    if (block.text.includes('--url')) expect(done.out).toContain('PAY-2026.12: 2 new findings');
    if (block.text.includes('check-config')) {
      expect(done.out).toContain('ok       client: the provider accepts client ID and secret');
      expect(done.out).toContain('ok       redirect URL: the provider redirects to it');
      expect(done.out).not.toContain('problem');
      expect(done.out).toContain('warning  tenants');
    }
  }
  expect(acme.server.log()).toContain(`ready on ${acme.server.url}`);
});

test('people of the company sign in, and each sees what the role may see', async ({ browser }) => {
  for (const [name, role] of [
    ['olga', 'operator'],
    ['lee', 'lead'],
    ['dana', 'reviewer'],
    ['kim', 'reviewer'],
  ]) {
    await test.step(`${name}, ${role}`, async () => {
      const page = await acme.signIn(browser, name);
      await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
      await expect(page).toHaveURL(`${acme.server.url}/`);
      if (role === 'operator') {
        // What the commands did, and the release that they made.
        for (const event of ['tenant.created', 'catalog.applied', 'token.issued', 'evidence.imported']) {
          await page.goto(`/audit?q=${encodeURIComponent(`event:${event}`)}`);
          await expect(page.locator('table.results').getByText(event)).toHaveCount(1);
        }
        await page.goto('/settings/clients');
        const pipeline = page.getByRole('row').filter({ hasText: 'Nightly scan' });
        await expect(pipeline).toContainText('the tenant');
        await expect(pipeline).not.toContainText('never');
      }
      await page.context().close();
    });
  }
});

test('the catalog page shows the release with its records', async ({ browser }) => {
  const olga = await acme.signIn(browser, 'olga');
  await olga.goto('/settings/catalog');
  const release = olga.locator('article.catalog-release', { hasText: 'PAY-2026.12' });
  for (const text of ['Payments 2026.12', 'Planned', 'PCI DSS']) await expect(release).toContainText(text);
  // The imported findings are above the threshold of the release.
  await expect(release.locator('dt', { hasText: 'Open blockers' }).locator('xpath=following-sibling::dd[1]')).toContainText('2');
  // From the file of this service, and from that of Backstage.
  for (const record of ['Payments gateway', 'acme/payments-api', 'kim@acme.example', 'Checkout', 'Shop', 'Basket']) {
    await expect(olga.locator('main').getByText(record, { exact: true }).first()).toBeVisible();
  }
  await expect(olga.getByRole('heading', { name: 'Apply a catalog' })).toBeVisible();
  const lee = await acme.signIn(browser, 'lee');
  await lee.goto('/settings/catalog');
  await expect(lee.locator('article.catalog-release', { hasText: 'PAY-2026.12' })).toBeVisible();
  await expect(lee.getByRole('heading', { name: 'Apply a catalog' })).toHaveCount(0);
});

test('an operator confirms that two teams decide together', async ({ browser }) => {
  const [block] = blocks.steps(9);
  expect((await acme.follow(block)).out).toContain('must be confirmed by an operator');
  const olga = await acme.signIn(browser, 'olga', '/settings/policy');
  const version = olga.locator('.policy-head p');
  await expect(version).toContainText('Version 1 is active');
  await olga.goto('/settings/requests');
  await olga.getByRole('button', { name: 'Confirm', exact: true }).click();
  await expect(olga.getByRole('status')).toContainText('Policy version 2 is now active.');
  await olga.goto('/settings/policy');
  await expect(version).toContainText('Version 2 is active');
  await olga.context().close();
});

test('an agent gets in from the bare URL, although the company registers no agents, and proposes', async ({ browser }) => {
  const back = await callback();
  const devon = await (await browser.newContext()).newPage();
  client = await connectWithOAuth(`${acme.server.url}/mcp`, new Memory(back.url), async (opened) => {
    await devon.goto(opened.href);
    await signInAtProvider(devon, 'devon');
    await expect(devon.getByRole('heading', { name: 'Let this program in?' })).toBeVisible();
    await expect(devon.getByText(AGENT).first()).toBeVisible();
    await devon.getByRole('button', { name: 'Allow' }).click();
    await expect(devon.getByText('You can close this page.')).toBeVisible();
    return back.answered;
  });
  back.close();
  const context = await call(client, 'loopiq_get_context');
  expect([context.caller.email, context.client.name, context.tenant.id, context.roles]).toEqual(['devon@acme.example', AGENT, 'acme', ['developer']]);

  proposal = await proposeWorkPackage(client, 'PAY-2026.12', 'sql-injection');
  expect(proposal.status).toBe('pending_approval');
  expect(proposal.reviewUrl).toBe(`${acme.server.url}/actions/${proposal.actionId}`);
  expect(proposal.checks.filter((check) => check.verdict === 'block')).toEqual([]);
  expect(proposal.checks.find((check) => check.id === 'evidence').code).toBe('evidence.passed');
  // Nothing has changed, and the person for whom the agent proposed does not decide.
  expect((await list(client, 'loopiq_list_work_items', {})).map((item) => item.key)).toEqual(['WI-1']);
  await devon.goto(proposal.reviewUrl);
  await expect(state(devon)).toHaveText('Pending approval');
  await expect(devon.getByRole('button', { name: /^Approve/ })).toHaveCount(0);
  await devon.context().close();
});

test('two people of two teams approve it, and a third person runs it', async ({ browser }) => {
  const path = `/actions/${proposal.actionId}`;
  const open = async (name) => {
    const page = await acme.signIn(browser, name, path);
    await alive(page);
    return page;
  };
  const approve = async (page) => {
    await acknowledge(page);
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
  };
  const lee = await open('lee');
  await expect(lee.locator('.approvals')).toContainText('Needs 1 approval from Payments');
  await expect(lee.locator('.approvals')).toContainText('Needs 1 approval from Checkout (Kim)');
  await inOrder(lee, 'proposal in production');
  await approve(lee);
  await expect(lee.locator('.flash-done')).toContainText('1 more approval is needed: Checkout.');
  await expect(state(lee)).toHaveText('Pending approval');

  // Dana is on Lee's team, and Payments has approved already.
  const dana = await open('dana');
  await expect(dana.locator('.approvals')).toContainText('Lee approved');
  await expect(dana.getByRole('button', { name: 'Approve', exact: true })).toHaveCount(0);

  const kim = await open('kim');
  await approve(kim);
  await expect(state(kim)).toHaveText('Approved');
  expect((await list(client, 'loopiq_list_work_items', {})).map((item) => item.key)).toEqual(['WI-1']);

  await dana.goto(path);
  await alive(dana);
  await dana.getByRole('button', { name: 'Run now' }).click();
  await expect(state(dana)).toHaveText('Executed');
  for (const key of ['WI-2', 'WI-3', 'WI-4']) await expect(dana.locator('main').getByText(key, { exact: true }).first()).toBeVisible();
  for (const page of [lee, kim, dana]) await page.context().close();

  const done = await getAction(client, proposal.actionId);
  expect(done.status).toBe('executed');
  const { caller, approvers } = done.audit.userIdentity;
  expect([caller, ...approvers].map((one) => one.email)).toEqual(['devon@acme.example', 'lee@acme.example', 'kim@acme.example']);
  const items = (await list(client, 'loopiq_list_work_items', {})).filter((item) => done.result.createdIds.includes(item.id));
  expect(items.map((item) => [item.key, item.title]).sort()).toEqual([
    ['WI-2', 'Remove 2 findings that block PAY-2026.12 (sql-injection)'],
    ['WI-3', 'Fix sql-injection in src/orders.rs:41'],
    ['WI-4', 'Fix sql-injection in src/basket.rs:7'],
  ]);
});

test('an auditor finds who let the agent in, who proposed, approved and ran, and verifies the log', async ({ browser }) => {
  const ada = await acme.signIn(browser, 'ada', '/audit');
  /** The entries that a query finds, the oldest first: who, what, and the number. */
  const search = async (query) => {
    await ada.getByLabel('Query').fill(query);
    await ada.getByRole('button', { name: 'Search' }).click();
    await expect.poll(() => new URL(ada.url()).searchParams.get('q')).toBe(query);
    const rows = await ada.locator('table.results tbody tr').all();
    const read = async (row) => Promise.all([row.locator('.actor'), row.locator('.event'), row.locator('a.seq')].map((cell) => cell.innerText()));
    return (await Promise.all(rows.map(read))).reverse();
  };
  const events = ['evidence.imported', 'operator.requested', 'policy.switched', 'client.allowed', 'action.proposed', 'action.endorsed', 'action.approved', 'action.executed'];
  const found = await search(events.map((event) => `event:${event}`).join(' OR '));
  const told = [
    ['Nightly scan', 'evidence.imported'],
    ['LoopIQ', 'operator.requested'],
    ['Olga', 'policy.switched'],
    ['Devon', 'client.allowed'],
    [`Devon via ${AGENT}`, 'action.proposed'],
    ['Lee', 'action.endorsed'],
    ['Kim', 'action.approved'],
    ['Dana', 'action.executed'],
  ];
  expect(found.map(([who, event]) => [who, event])).toEqual(told);
  // The same entries by the action, without those of visits.
  const ofAction = await search(`record:${proposal.actionId} -event:action.viewed`);
  expect(ofAction).toEqual(found.slice(4));

  const number = Object.fromEntries(found.map(([, event, seq]) => [event, seq.slice(1)]));
  await ada.goto(`/audit/${number['client.allowed']}`);
  for (const text of [AGENT, 'loopiq:propose']) await expect(ada.locator('main')).toContainText(text);
  const signed = await acme.server.run('sudo -u loopiq loopiq audit checkpoint --tenant acme');
  expect(signed.code, signed.err).toBe(0);
  await ada.goto(`/audit/${number['action.executed']}`);
  await expect(ada.locator('[data-outcome]')).toContainText('Verified in your browser: this entry is in the signed log');
  const records = ada.getByRole('region', { name: 'Records in this entry' });
  for (const key of ['WI-2', 'WI-3', 'WI-4', 'FND-1', 'FND-2', 'EV-1']) await expect(records.getByText(key, { exact: true })).toHaveCount(1);
  await inOrder(ada, 'entry of the execution');
  await ada.context().close();

  const [block] = blocks.steps(11);
  expect((await acme.follow(block)).out).toMatch(/^acme: \d+ entries, all valid; \d+ of them are signed; 1 actions? fits? /);
});

test('the pipeline sends the file of a real scanner, until an operator revokes its token', async ({ browser }) => {
  const pipeline = blocks.steps(7).find((block) => block.text.includes('--url')).text;
  const data = process.env.LOOPIQ_TEST_DATA || join(import.meta.dirname, '../../../shared/data');
  const file = join(data, 'scans/semgrep-juice-shop.sarif');
  if (!process.env.CI) test.skip(!existsSync(file), `${file} is missing`);
  const send = () => acme.server.run(pipeline.replace('deploy/example/scan.sarif', file));
  expect((await send()).out).toContain('PAY-2026.12: 77 new findings');

  const olga = await acme.signIn(browser, 'olga', '/settings/clients');
  await olga.getByRole('button', { name: 'Revoke Nightly scan' }).click();
  await expect(olga.getByText('Nightly scan has no access any more.')).toBeVisible();
  const refused = await send();
  expect([refused.code, refused.out]).toEqual([1, '']);
  expect(refused.err).toContain('401: The token was revoked.');
  await olga.context().close();
});

test('the commands of the document keep the service in order, and its log contains no secret', async () => {
  expect(blocks.afterwards.length).toBeGreaterThan(1);
  for (const block of blocks.afterwards) {
    const done = await acme.follow(block);
    if (block.text.includes('sessions list')) expect(done.out).toContain('ses_');
  }
  const token = readFileSync(join(acme.server.root, 'nightly-scan.token'), 'utf8').trim();
  expect(token).toMatch(/^loopiq_[0-9a-f]{64}$/);
  for (const secret of [SECRET, token]) expect(acme.server.log()).not.toContain(secret);
});
