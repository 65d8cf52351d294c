// A real scanner file creates blockers, the demo agent proposes work packages for them, and a person executes a package.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { getAction } from '../mcp/client.mjs';
import { acknowledge, agent, loopiq, signIn, state, url } from './support.mjs';

const data = process.env.LOOPIQ_TEST_DATA || join(import.meta.dirname, '../../../shared/data');
const file = join(data, 'scans/semgrep-juice-shop.sarif');

test('import, propose, approve and run, find', async ({ page }) => {
  if (!process.env.CI) test.skip(!existsSync(file), `${file} is missing`);
  const importing = ['import', file, '--tenant', 'acme', '--release', 'SHOP-2026.12', '--json'];
  const report = JSON.parse(loopiq(...importing));
  expect([report.results, report.newFindings, report.unchanged]).toEqual([77, 77, false]);
  expect(JSON.parse(loopiq(...importing)).unchanged).toBe(true);

  const helix = ['helix', '--tenant', 'acme', '--release', 'SHOP-2026.12', '--url', url(), '--json'];
  const proposed = JSON.parse(loopiq(...helix)).proposals;
  expect(proposed.length).toBeGreaterThan(0);
  const again = JSON.parse(loopiq(...helix)).proposals;
  expect(again.map((one) => one.actionId)).toEqual(proposed.map((one) => one.actionId));

  const id = proposed[0].actionId;
  await signIn(page, 'reviewer@acme.example', `/actions/${id}`);
  await acknowledge(page);
  await page.getByRole('button', { name: 'Approve and run' }).click();
  await expect(state(page)).toHaveText('Executed');
  const done = await getAction(await agent(), id);
  expect(done.result.parentId).toMatch(/^wi_/);
  expect(done.result.children.every((child) => child.clientRef && child.id.startsWith('wi_'))).toBe(true);
  expect(done.audit.workflow).toBe('release-readiness');
  expect(loopiq('audit', 'verify', '--tenant', 'acme')).toContain('acme');
});
