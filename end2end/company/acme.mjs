// The company of docs/production.md: its people, its identity provider, and the server on which its operators follow the document.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { shellBlocks } from './document.mjs';
import { signInAtProvider, startProvider } from './provider.mjs';
import { newServer } from './server.mjs';

/** The secret of the service at the identity provider. */
export const SECRET = 'the-secret-of-the-client';
const DOCUMENT = '../docs/production.md';
const onPostgres = Boolean(process.env.LOOPIQ_TEST_POSTGRES);

const person = (name, roles) => ({
  tenant: 'acme',
  roles,
  name: `${name[0].toUpperCase()}${name.slice(1)}`,
  email: `${name}@acme.example`,
  email_verified: true,
});

/** What the provider says about each person. */
const people = () => ({
  olga: person('olga', ['operator']),
  omar: person('omar', ['operator']),
  lee: person('lee', ['lead']),
  dana: { ...person('dana', ['reviewer', 'cook']), groups: ['acme-payments'] },
  devon: person('devon', ['developer']),
  ada: person('ada', ['auditor']),
  // The catalog gives the role.
  kim: person('kim'),
  vic: person('vic', ['visitor']),
  eve: { ...person('eve', ['reviewer']), tenant: 'elsewhere' },
});

/** The programs of the newest PostgreSQL of this machine. */
function psql() {
  const versions = readdirSync('/usr/lib/postgresql').sort((one, other) => Number(other) - Number(one));
  return join('/usr/lib/postgresql', versions[0], 'bin/psql');
}

/** The blocks of the document for the database of this run: those of its numbered steps, and those after them. */
export function documentBlocks() {
  const isHere = (block) => !block.database || block.database === (onPostgres ? 'postgresql' : 'sqlite');
  const blocks = shellBlocks(DOCUMENT).filter(isHere);
  const step = (block) => Number(/^(\d+)\. /.exec(block.heading)?.[1] ?? NaN);
  return {
    /** The blocks of these steps. */
    steps: (from, to = from) => blocks.filter((block) => step(block) >= from && step(block) <= to),
    afterwards: blocks.filter((block) => Number.isNaN(step(block))),
  };
}

/** Starts the identity provider and an empty server. `database` is the name that the database and its roles get on PostgreSQL. */
export async function startAcme(database) {
  const client = { client_id: 'loopiq', client_secret: SECRET, redirect_uris: ['https://loopiq.example/auth/callback'] };
  const provider = await startProvider({ people: people(), client });
  /** The URL of the database that the document creates, for one of its roles. */
  const databaseUrl = (role, password) => {
    const url = new URL(process.env.LOOPIQ_TEST_POSTGRES);
    [url.username, url.password, url.pathname] = [role, password, `/${database}`];
    return `${url.href}\n`;
  };
  const server = await newServer({
    issuer: provider.issuer,
    postgres: onPostgres && { psql: psql(), admin: process.env.LOOPIQ_TEST_POSTGRES, database },
    contents: {
      'loopiq.env': { replace: onPostgres ? [['#LOOPIQ_DATABASE_URL_FILE', 'LOOPIQ_DATABASE_URL_FILE']] : [] },
      'oidc-client-secret': { text: `${SECRET}\n` },
      'database-url': { text: onPostgres && databaseUrl(database, 'a-password-of-the-service') },
      'database-admin-url': { text: onPostgres && databaseUrl(`${database}_owner`, 'a-password-of-the-owner') },
    },
  });
  provider.register({
    redirect_uris: [`${server.url}/auth/callback`],
    post_logout_redirect_uris: [`${server.url}/logout`],
    backchannel_logout_uri: `${server.url}/auth/backchannel-logout`,
  });
  return {
    provider,
    server,
    /** Runs a block of the document, which must succeed and print no secret. */
    follow: (block) =>
      test.step(`${block.heading}: ${block.text.split('\n')[0]}`, async () => {
        const done = await server.run(block.text);
        expect(done.code, `${block.text}\n${done.out}\n${done.err}`).toBe(0);
        expect(done.out + done.err).not.toContain(SECRET);
        return done;
      }),
    /** Signs a person in with a browser of its own, and opens this page. */
    async signIn(browser, name, path = '/') {
      const context = await browser.newContext({ baseURL: server.url });
      const page = await context.newPage();
      await page.goto(path);
      await signInAtProvider(page, name);
      return page;
    },
    async stop() {
      await server.stop();
      await provider.stop();
    },
  };
}
