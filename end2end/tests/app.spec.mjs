// The MCP App in a host: what it shows of a proposal, with markup in every field, and that it can do nothing but ask for one link.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '@playwright/test';
import { proposeWorkPackage } from '../mcp/client.mjs';
import { show } from '../mcp/app_host.mjs';
import { agent, scanned } from './support.mjs';

const URI = 'ui://loopiq/action.html';
const EVIL = `"'></title></textarea></script><b data-evil>b</b><img src=http://evil.test/x onerror=alert(1)><a href=javascript:alert(1)>x</a>`;

/** The app as a client gets it, and the client. */
async function prepared() {
  const client = await agent();
  const { contents } = await client.readResource({ uri: URI });
  return { client, html: contents[0].text };
}

/** A package with markup in every text, and its result. */
async function proposed(client) {
  const rule = `app-${randomUUID()}`;
  let sent;
  await proposeWorkPackage(client, 'PAY-2026.11', randomUUID(), (asked) => {
    sent = { ...asked, reason: `${EVIL} reason`, workflow: EVIL };
    sent.parent = { ...asked.parent, title: `Story ${EVIL}`, description: `Story description ${EVIL}`, acceptanceCriteria: [`Criterion ${EVIL}`] };
    sent.children = asked.children.map((child, n) => ({ ...child, clientRef: `${n}${EVIL}`.slice(0, 100), title: `Task ${n} ${EVIL}`, description: `Task description ${n} ${EVIL}`, estimate: '2 h' }));
    return { ...sent, dryRun: true };
  }, scanned('PAY-2026.11', rule));
  return { arguments: sent, result: await client.callTool({ name: 'loopiq_create_remediation_work_package', arguments: sent }) };
}

/** A picture of the page, if a folder for pictures is set. */
const picture = async (page, name) => {
  const folder = process.env.APP_SCREENSHOTS;
  if (folder) await page.screenshot({ path: join(folder, `app-${name}.png`) });
};

test('the tools that propose name the app', async () => {
  const { client } = await prepared();
  const { tools } = await client.listTools();
  const naming = tools.filter((tool) => tool._meta?.ui?.resourceUri === URI).map((tool) => tool.name);
  expect(naming).toHaveLength(9);
  for (const name of naming) expect(tools.find((tool) => tool.name === name).inputSchema.properties.idempotencyKey).toBeDefined();
  await client.close();
});

test('it shows a proposal as text, requests nothing, and opens the review through the host', async ({ page }) => {
  const { client, html } = await prepared();
  page.on('dialog', (dialog) => expect(dialog.message(), 'a script of the proposal ran').toBe(''));
  const { app, bridge, links, requests, sizes } = await show(page, html);
  await expect(app.getByText('Waiting for the proposal.')).toBeVisible();
  const proposal = await proposed(client);
  await bridge.sendToolInput({ arguments: proposal.arguments });
  await bridge.sendToolResult(proposal.result);

  await expect(app.getByText('Waiting for a person to approve')).toBeVisible();
  const { preview, reviewUrl } = proposal.result.structuredContent;
  await expect(app.getByRole('heading', { level: 1 })).toHaveText(preview.summary);
  for (const said of [`Story ${EVIL}`, `Story description ${EVIL}`, `Task 0 ${EVIL}`, `Task description 1 ${EVIL}`]) {
    await expect(app.getByText(said, { exact: true })).toBeVisible();
  }
  await app.locator('summary').first().click();
  await expect(app.getByText(`Criterion ${EVIL}`, { exact: true })).toBeVisible();
  await expect(app.locator('[data-evil], img, form, button, input')).toHaveCount(0);
  await expect(app.locator('a')).toHaveCount(1);

  await app.getByRole('link', { name: 'Review in the browser' }).click();
  await expect.poll(() => links).toEqual([reviewUrl]);
  await expect(app.locator('#address')).toBeHidden();
  expect(requests).toEqual(['http://host.test/']);
  await expect.poll(() => sizes.at(-1)?.height ?? 0).toBeGreaterThan(200);
  expect(await bridge.teardownResource({})).toEqual({});
  await client.close();
});

test('a person can copy the address if the host opens no links', async ({ page }) => {
  const { client, html } = await prepared();
  const { app, bridge } = await show(page, html, { opens: false });
  const proposal = await proposed(client);
  await bridge.sendToolInput({ arguments: {} });
  await bridge.sendToolResult(proposal.result);
  await app.getByRole('link', { name: 'Review in the browser' }).click();
  await expect(app.locator('#address')).toHaveText(proposal.result.structuredContent.reviewUrl);
  await client.close();
});

test('whatever a result contains, it is text, and only an address of the web is a link', async ({ page }) => {
  const { client, html } = await prepared();
  page.on('dialog', (dialog) => expect(dialog.message(), 'a script of the result ran').toBe(''));
  const { app, bridge, requests } = await show(page, html);
  await bridge.sendToolInput({ arguments: {} });
  const hidden = 'pay\u202Edet\u200Bails';
  const structuredContent = {
    status: EVIL, actionId: EVIL, reviewUrl: 'javascript:alert(1)', digest: EVIL, expiresAt: EVIL,
    preview: {
      summary: `${EVIL} ${hidden}`,
      creates: [{ kind: EVIL, id: EVIL, fields: { kind: EVIL, title: EVIL, description: EVIL, [EVIL]: [EVIL, { [EVIL]: EVIL }], nothing: null } }, null, 7],
      updates: [{ kind: EVIL, id: EVIL, fields: [{ field: EVIL, before: EVIL, after: [EVIL] }, null] }],
    },
    checks: [{ id: EVIL, verdict: EVIL, message: EVIL }, { id: EVIL, verdict: '__proto__', message: { toString: 1 } }, null],
  };
  await bridge.sendToolResult({ content: [{ type: 'text', text: EVIL }], structuredContent });
  await expect(app.getByRole('heading', { level: 1 })).toHaveText(`${EVIL} pay⟦U+202E⟧det⟦U+200B⟧ails`);
  await expect(app.getByRole('heading', { name: 'Would change' })).toBeVisible();
  await expect(app.locator('[data-evil], img, form, button, script[src]')).toHaveCount(0);
  await expect(app.getByRole('link')).toHaveCount(0);
  await page.setViewportSize({ width: 360, height: 1200 });
  const sideways = await app.locator('html').evaluate((root) => root.scrollWidth - root.clientWidth);
  expect(sideways).toBeLessThanOrEqual(0);
  await picture(page, 'hostile');

  await bridge.sendToolResult({ content: [], isError: true, structuredContent: { error: 'invalid_arguments', message: `Refused ${EVIL}` } });
  await expect(app.getByText('Refused: nothing was stored')).toBeVisible();
  await expect(app.getByRole('heading', { level: 1 })).toHaveText(`Refused ${EVIL}`);
  await expect(app.getByRole('heading', { name: 'Would change' })).toHaveCount(0);
  await bridge.sendToolCancelled({ reason: EVIL });
  await expect(app.getByText('The call was cancelled')).toBeVisible();
  expect(requests).toEqual(['http://host.test/']);
  await client.close();
});

for (const width of [360, 1200]) {
  for (const theme of ['light', 'dark']) {
    test(`it is in order at ${width} pixels, ${theme}`, async ({ page }) => {
      const { client, html } = await prepared();
      await page.setViewportSize({ width, height: 900 });
      const { app, bridge } = await show(page, html, { theme });
      const rule = `app-look-${width}-${theme}`;
      let asked;
      await proposeWorkPackage(client, 'PAY-2026.11', rule, (arguments_) => ({ ...(asked = arguments_), dryRun: true }), scanned('PAY-2026.11', rule));
      const result = await client.callTool({ name: 'loopiq_create_remediation_work_package', arguments: asked });
      await bridge.sendToolInput({ arguments: asked });
      await bridge.sendToolResult(result);
      await expect(app.getByRole('link', { name: 'Review in the browser' })).toBeVisible();
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map((one) => `${one.id} at ${one.nodes[0].target}`)).toEqual([]);
      const sideways = await app.locator('html').evaluate((root) => root.scrollWidth - root.clientWidth);
      expect(sideways).toBeLessThanOrEqual(0);
      const background = await app.locator('html').evaluate((root) => getComputedStyle(root).backgroundColor);
      expect(background).toBe(theme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(27, 30, 36)');
      await picture(page, `${width}-${theme}`);
      await client.close();
    });
  }
}
