// People sign in at the company's identity provider, and out of it. The server is set up as docs/production.md says.
import { expect, test } from '@playwright/test';
import { SECRET, documentBlocks, startAcme } from '../company/acme.mjs';
import { hasGlewlwyd, startGlewlwyd } from '../company/glewlwyd.mjs';
import { call } from '../mcp/client.mjs';
import { Memory, callback, connectWithOAuth } from '../mcp/oauth.mjs';

test.describe.configure({ mode: 'serial' });

let acme;
test.beforeAll(async () => {
  test.setTimeout(180_000);
  acme = await startAcme('sign_in');
  for (const block of documentBlocks().steps(1, 6)) await acme.follow(block);
});
test.afterAll(() => acme?.stop());

test('a person without a role or of another company is told why', async ({ browser }) => {
  for (const [name, why] of [
    ['vic', 'Your account has no role in this tenant'],
    ['eve', 'Your organisation is not set up here'],
  ]) {
    const page = await acme.signIn(browser, name);
    await expect(page.getByText(why)).toBeVisible();
    await page.context().close();
  }
});

/** Whether the session of this browser has ended: the inbox redirects to the sign-in. */
const isSignedOut = async (page) => (await page.request.get('/', { maxRedirects: 0 })).status() === 303;

test('people see their sessions, an operator ends them, and a sign-out at the provider ends them all', async ({ browser }) => {
  const dana = await acme.signIn(browser, 'dana');
  const phone = await acme.signIn(browser, 'dana');
  await dana.goto('/settings/sessions');
  await expect(dana.getByText('(this session)')).toHaveCount(1);
  const others = dana.locator('table.sessions').getByRole('button', { name: 'End' });
  for (let open = await others.count(); open > 0; open -= 1) {
    await others.first().click();
    await expect(dana.getByText('1 session was ended.')).toBeVisible();
  }
  expect(await isSignedOut(phone)).toBe(true);

  const olga = await acme.signIn(browser, 'olga');
  await olga.goto('/settings/access?q=dana');
  await olga.getByRole('link', { name: 'Dana' }).click();
  await olga.getByRole('button', { name: 'End all sessions' }).click();
  await expect(olga.getByText('1 session was ended.')).toBeVisible();
  expect(await isSignedOut(dana)).toBe(true);

  // Both browsers are still signed in at the acme.provider.
  for (const page of [dana, phone]) {
    await page.goto('/');
    await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
  }
  await dana.getByRole('button', { name: 'Sign out' }).click();
  expect(await isSignedOut(phone)).toBe(false);
  await dana.getByRole('link', { name: 'Sign out of the identity provider too' }).click();
  await dana.getByRole('button', { name: 'Yes, sign me out' }).click();
  await expect(dana).toHaveURL(new RegExp(`^${acme.server.url}/logout`));
  await expect(dana.getByText("You're signed out")).toBeVisible();
  await expect.poll(() => isSignedOut(phone)).toBe(true);
  await olga.goto('/audit?q=event%3Asession.ended');
  await olga.locator('table.results a.seq').first().click();
  await expect(olga.locator('main')).toContainText('identity_provider');
  for (const page of [dana, phone, olga]) await page.context().close();
});

test('a sign-out at the provider ends the sessions here', async ({ browser }) => {
  const page = await acme.signIn(browser, 'lee');
  const signedOut = page.getByText("You're signed out");
  await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
  const [first] = (await page.context().cookies()).filter((cookie) => cookie.name === 'loopiq_session');
  const status = async () => (await fetch(acme.server.url, { headers: { cookie: `${first.name}=${first.value}` }, redirect: 'manual' })).status;
  expect(await status()).toBe(200);
  // A second session of the same sign-in at the acme.provider.
  await page.context().clearCookies({ name: first.name });
  await page.goto('/');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(signedOut).toBeVisible();
  expect(await status()).toBe(200);
  await page.getByRole('link', { name: 'Sign out of the identity provider too' }).click();
  await page.getByRole('button', { name: 'Yes, sign me out' }).click();
  // The provider returns what the service sent it, so that the page does not offer the same sign-out again.
  await expect(page).toHaveURL(`${acme.server.url}/logout?state=signed-out`);
  await expect(signedOut).toBeVisible();
  await expect(page.getByRole('link', { name: 'Sign out of the identity provider too' })).toHaveCount(0);
  // The provider has told the service, and asks for name and password again.
  await expect.poll(status).toBe(303);
  await page.goto('/');
  await expect(page.locator('input[name="login"]')).toBeVisible();
});

test('a provider with a new key, one that is down, and one that is back', async ({ browser }) => {
  acme.provider.rotateKey();
  const lee = await acme.signIn(browser, 'lee');
  await expect(lee.getByRole('button', { name: 'Sign out' })).toBeVisible();

  await acme.provider.stop();
  await lee.goto('/');
  await expect(lee.getByRole('button', { name: 'Sign out' })).toBeVisible();
  // The service starts without its provider, and says so when a person signs in.
  const restarted = await acme.server.run('sudo systemctl restart loopiq\ncurl --fail --silent --show-error http://127.0.0.1:3000/readyz');
  expect(restarted.code, restarted.err).toBe(0);
  const checked = await acme.server.run('sudo -u loopiq loopiq check-config');
  expect(checked.code).toBe(1);
  expect(checked.out).toMatch(/problem {2}provider: .*Connection refused.* To do: let this machine reach /);
  const page = await (await browser.newContext({ baseURL: acme.server.url })).newPage();
  const answer = await page.goto('/login');
  expect(answer.status()).toBe(503);
  await expect(page.getByText('The identity provider cannot be reached')).toBeVisible();

  await acme.provider.start();
  const dana = await acme.signIn(browser, 'dana');
  await expect(dana.getByRole('button', { name: 'Sign out' })).toBeVisible();
});

test('a person and an agent get in with another provider', async ({ browser }) => {
  // Not every package source has the program. The provider of the other tests signs in everywhere.
  test.skip(!hasGlewlwyd(), 'glewlwyd is missing: scripts/setup test');
  const person = { username: 'gil', password: "gil's password", name: 'Gil', email: 'gil@acme.example', tenant: 'acme', roles: ['reviewer', 'lead'] };
  const other = await startGlewlwyd({ client: { id: 'loopiq', secret: SECRET, redirectUri: `${acme.server.url}/auth/callback` }, person });
  try {
    // It says nothing about addresses (`email_verified`), so the operator says which domains are the company's.
    acme.server.edit('loopiq.env', { [`LOOPIQ_OIDC_ISSUER=${acme.provider.issuer}`]: `LOOPIQ_OIDC_ISSUER=${other.issuer}\nLOOPIQ_OIDC_VERIFIED_DOMAINS=acme.example` });
    const checked = await acme.server.run('sudo -u loopiq loopiq check-config');
    expect(checked.code, checked.out + checked.err).toBe(0);
    const restarted = await acme.server.run('sudo systemctl restart loopiq');
    expect(restarted.code, restarted.err).toBe(0);

    const context = await browser.newContext({ baseURL: acme.server.url });
    // The script of the provider's page needs files of other packages, so the browser sends what the script sends.
    const { username, password } = person;
    expect((await context.request.post(`${other.api}/auth/`, { data: { username, password } })).status()).toBe(200);
    expect((await context.request.put(`${other.api}/auth/grant/loopiq`, { data: { scope: 'openid' } })).status()).toBe(200);
    const page = await context.newPage();
    await page.goto('/');
    await page.goto(`${new URL(page.url()).searchParams.get('callback_url')}&g_continue`);
    await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
    await expect(page.getByText('Gil').first()).toBeVisible();

    // An agent leads to the same sign-in, in a browser that has no session here any more.
    await context.clearCookies({ name: 'loopiq_session' });
    const back = await callback();
    const client = await connectWithOAuth(`${acme.server.url}/mcp`, new Memory(back.url), async (opened) => {
      await page.goto(opened.href);
      expect(new URL(page.url()).origin).toBe(new URL(other.issuer).origin);
      await page.goto(`${new URL(page.url()).searchParams.get('callback_url')}&g_continue`);
      await expect(page.getByRole('heading', { name: 'Let this program in?' })).toBeVisible();
      await page.getByRole('button', { name: 'Allow' }).click();
      await expect(page.getByText('You can close this page.')).toBeVisible();
      return back.answered;
    });
    back.close();
    const { caller, roles, client: program } = await call(client, 'loopiq_get_context');
    expect([caller.email, [...roles].sort(), program.name]).toEqual(['gil@acme.example', ['lead', 'reviewer'], 'End-to-end agent']);
    await client.close();
    await context.close();
  } finally {
    await other.stop();
  }
});

test('the log contains no secret of these sign-ins', () => {
  expect(acme.server.log()).toContain('/auth/callback');
  expect(acme.server.log()).not.toContain(SECRET);
});
