// Agents get in from the bare URL: the official client, and a person who answers the consent page in a browser.
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import { call, toolNames } from '../mcp/client.mjs';
import { Memory, callback, connectWithOAuth } from '../mcp/oauth.mjs';
import { inOrder, url } from './support.mjs';

const endpoint = () => `${url()}/mcp`;
const DEVELOPER = 'developer@acme.example';

/** Signs in and answers the consent page. */
const answering = (page, back, { decision = 'Allow', email = DEVELOPER, look = async () => {} } = {}) => async (opened) => {
  await page.goto(opened.href);
  const person = page.getByRole('button', { name: email });
  if (await person.isVisible()) await person.click();
  await expect(page.getByRole('heading', { name: 'Let this program in?' })).toBeVisible();
  await look();
  await page.getByRole('button', { name: decision }).click();
  await expect(page.getByText('You can close this page.')).toBeVisible();
  const answer = await back.answered;
  expect(answer.get('state')).toBe('state-of-the-client');
  expect(answer.get('iss')).toBe(url());
  return answer;
};

test('the official client registers, is let in, reads and proposes, and loses its access when the person says so', async ({ page }) => {
  const back = await callback();
  const memory = new Memory(back.url);
  const look = async () => {
    await inOrder(page, 'consent page');
    await expect(page.getByText('End-to-end agent').first()).toBeVisible();
    await expect(page.getByText('a program on this computer (127.0.0.1)')).toBeVisible();
    await expect(page.getByText('never approves, rejects or executes')).toBeVisible();
  };
  const client = await connectWithOAuth(endpoint(), memory, answering(page, back, { look }));
  expect(memory.client.token_endpoint_auth_method).toBe('none');
  expect(memory.saved.scope).toBe('loopiq:read loopiq:propose');
  const context = await call(client, 'loopiq_get_context');
  expect([context.caller.email, context.client.name]).toEqual([DEVELOPER, 'End-to-end agent']);
  expect(await toolNames(client)).toContain('loopiq_create_remediation_work_package');
  await client.close();

  // The client refreshes by itself when its access token does not work any more.
  const { refresh_token: before } = memory.saved;
  memory.saved.access_token = 'loopiq_expired';
  const renewed = await connectWithOAuth(endpoint(), memory, () => expect(false, 'asked again').toBe(true));
  expect(memory.saved.refresh_token).not.toBe(before);
  await call(renewed, 'loopiq_list_releases');
  await renewed.close();

  await page.goto(`${url()}/settings/clients`);
  await inOrder(page, 'clients');
  await page.getByRole('button', { name: 'Revoke End-to-end agent' }).first().click();
  await expect(page.getByText('End-to-end agent has no access any more.')).toBeVisible();
  const refused = await connectWithOAuth(endpoint(), memory, async () => {
    throw new Error('has to ask again');
  }).catch((error) => error);
  expect(refused.message).toContain('has to ask again');
  back.close();
});

test('a person who says no is taken back to the client, which gets nothing', async ({ page }) => {
  const back = await callback();
  const memory = new Memory(back.url);
  let answer;
  const outcome = await connectWithOAuth(endpoint(), memory, async (opened) => {
    answer = await answering(page, back, { decision: 'Deny' })(opened);
    return answer;
  }).catch((error) => error);
  expect(outcome).toBeInstanceOf(Error);
  expect(answer.get('error')).toBe('access_denied');
  expect(memory.saved).toBeUndefined();
  back.close();
});

test('an operator creates a token for a build, which is shown once', async ({ page }) => {
  await page.goto(`${url()}/settings/clients`);
  await page.getByRole('button', { name: 'operator@acme.example' }).click();
  await expect(page.getByRole('heading', { name: 'Create a service token' })).toBeVisible();
  await inOrder(page, 'clients of an operator');
  await page.getByLabel('Name').fill('Nightly scan');
  await page.getByLabel('Import evidence and findings').check();
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'The token is created' })).toBeVisible();
  const token = await page.locator('code').innerText();
  expect(token).toMatch(/^loopiq_[0-9a-f]{64}$/);
  await inOrder(page, 'new token');
  await page.getByRole('link', { name: 'Back to clients and tokens' }).click();
  await expect(page.getByText('Nightly scan')).toBeVisible();
  expect(await page.content()).not.toContain(token);
});

test('the official Python client gets in from the bare URL', async () => {
  const python = join(import.meta.dirname, '../../target/tools/mcp/bin/python');
  // Isolated (`-I`), because the folder `mcp` of these tests would be imported otherwise.
  test.skip(spawnSync(python, ['-I', '-c', 'import mcp']).status !== 0, 'the Python package mcp is missing: scripts/setup test');
  const script = join(import.meta.dirname, '../mcp/oauth_client.py');
  const { stdout } = await promisify(execFile)(python, [script, endpoint(), DEVELOPER]);
  expect(stdout).toMatch(/^[1-9]\d* tools, /);
  expect(stdout).toContain(`acting for ${DEVELOPER} with loopiq:read loopiq:propose`);
});
