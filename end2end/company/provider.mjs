// The company's identity provider: oidc-provider, with people who sign in with a password.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

// oidc-provider prints what is missing for production: lasting storage, and pages of its own.
for (const level of ['info', 'warn']) {
  const print = console[level];
  console[level] = (...words) => String(words[0]).includes('oidc-provider ') || print(...words);
}

const { Provider } = await import('oidc-provider');

/** A signing key as providers have them. */
function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'RS256' };
}

/**
 * Starts the provider. `people` are the claims of each account by its name; any password is right. `client` is the registration of the
 * service. Returns the issuer, and functions that end the provider, start it again at the same address, and give it another key.
 */
export async function startProvider({ people, client }) {
  let handler;
  let server;
  const listen = async (port) => {
    server = createServer((request, response) => handler(request, response));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server.address().port;
  };
  const port = await listen(0);
  const issuer = `http://127.0.0.1:${port}`;

  function configure(clients, keys) {
    const provider = new Provider(issuer, {
      clients,
      jwks: { keys },
      cookies: { keys: [randomUUID()] },
      claims: { openid: ['sub', 'tenant', 'roles', 'groups'], email: ['email', 'email_verified'], profile: ['name'] },
      // The service reads the ID token and asks no other endpoint.
      conformIdTokenClaims: false,
      pkce: { required: () => true },
      features: { rpInitiatedLogout: { enabled: true }, backchannelLogout: { enabled: true } },
      // The service is on loopback here, where the provider sends no logout token by itself.
      fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
      // Pages with a form for name and password, and one that asks for consent.
      findAccount: (_, id) => people[id] && { accountId: id, claims: async () => ({ sub: id, ...people[id] }) },
    });
    for (const event of ['server_error', 'backchannel.error']) provider.on(event, (_, error) => console.error('company provider:', error));
    return provider;
  }

  const registered = () => [
    { response_types: ['code'], grant_types: ['authorization_code'], token_endpoint_auth_method: 'client_secret_basic', ...client },
  ];
  let key = signingKey();
  handler = configure(registered(), [key]).callback();
  return {
    issuer,
    /** Registers the service, as an administrator of the provider does. */
    register(fields) {
      Object.assign(client, fields);
      handler = configure(registered(), [key]).callback();
    },
    /** Replaces the signing key. */
    rotateKey() {
      key = signingKey();
      handler = configure(registered(), [key]).callback();
    },
    /** Starts the stopped provider again. */
    start: () => listen(port),
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Signs a person in on the provider's pages, and gives consent. */
export async function signInAtProvider(page, name) {
  await page.locator('input[name="login"]').fill(name);
  await page.locator('input[name="password"]').fill('any password');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}
