// Another identity provider, written in C: glewlwyd, which `scripts/setup test` unpacks into target/tools.
import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { freePort } from './server.mjs';

const unpacked = join(dirname(fileURLToPath(import.meta.url)), '../../target/tools/glewlwyd');

/** Whether the provider is there. */
export const hasGlewlwyd = () => existsSync(join(unpacked, 'usr/bin/glewlwyd'));

/** Starts the provider with one client and one person. */
export async function startGlewlwyd({ client, person }) {
  const folder = mkdtempSync(join(tmpdir(), 'glewlwyd-'));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const database = join(folder, 'glewlwyd.db');
  const tables = readFileSync(join(unpacked, 'usr/share/dbconfig-common/data/glewlwyd/install/sqlite3'), 'utf8');
  execFileSync('python3', ['-c', 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.stdin.read())', database], { input: tables });
  const sample = gunzipSync(readFileSync(join(unpacked, 'usr/share/doc/glewlwyd/glewlwyd.conf.sample.gz'))).toString();
  const settings = [
    [/^port=.*/m, `port=${port}`],
    [/^external_url=.*/m, `external_url="${origin}"`],
    [/^cookie_domain=.*/m, 'cookie_domain="127.0.0.1"'],
    [/^cookie_secure=.*/m, 'cookie_secure=0'],
    [/"\/usr\//g, `"${unpacked}/usr/`],
    ['/var/cache/glewlwyd/glewlwyd.db', database],
  ];
  const configured = settings.reduce((text, [found, replacement]) => text.replace(found, replacement), sample);
  writeFileSync(join(folder, 'glewlwyd.conf'), configured);
  const libraries = readdirSync(join(unpacked, 'usr/lib')).filter((name) => name.endsWith('-linux-gnu'));
  const service = spawn(join(unpacked, 'usr/bin/glewlwyd'), [`--config-file=${join(folder, 'glewlwyd.conf')}`], {
    env: { LD_LIBRARY_PATH: libraries.map((name) => join(unpacked, 'usr/lib', name)).join(':') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [service.stdout, service.stderr]) stream.on('data', (text) => (log += text));
  const ended = once(service, 'exit');
  while (!log.includes('Glewlwyd started')) {
    const end = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 50))]);
    if (end) throw new Error(`glewlwyd ended: ${log}`);
  }
  await administrate(`${origin}/api`, client, person);
  return {
    issuer: `${origin}/api/oidc`,
    api: `${origin}/api`,
    async stop() {
      service.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Sets the provider up through its API, as its administrator does on its pages. */
async function administrate(api, client, person) {
  let cookie = '';
  const call = async (method, path, body) => {
    const headers = { 'content-type': 'application/json', cookie };
    const response = await fetch(api + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`glewlwyd: ${method} ${path}: ${response.status} ${text}`);
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie;
    return text && JSON.parse(text);
  };
  await call('POST', '/auth/', { username: 'admin', password: 'password' });
  const users = await call('GET', '/mod/user/database');
  const property = { multiple: false, read: true, write: true, 'profile-read': true, 'profile-write': false };
  Object.assign(users.parameters['data-format'], { tenant: property, roles: { ...property, multiple: true } });
  await call('PUT', '/mod/user/database', users);
  await call('PUT', '/mod/user/database/reset');
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const claim = (name) => ({ name, 'user-property': name, type: 'string', mandatory: true, scope: [] });
  await call('POST', '/mod/plugin/', {
    module: 'oidc',
    name: 'oidc',
    display_name: 'OpenID Connect',
    parameters: {
      iss: `${api}/oidc`,
      'jwt-type': 'rsa',
      'jwt-key-size': '256',
      key: privateKey,
      cert: publicKey,
      'jwks-show': true,
      'access-token-duration': 3600,
      'refresh-token-duration': 86400,
      'code-duration': 600,
      'auth-type-code-enabled': true,
      'pkce-allowed': true,
      'pkce-method-plain-allowed': false,
      'subject-type': 'public',
      'address-claim': { type: 'no' },
      'name-claim': 'mandatory',
      'email-claim': 'mandatory',
      claims: [claim('tenant'), claim('roles')],
      scope: [],
      'additional-parameters': [],
    },
  });
  await call('POST', '/client/', {
    client_id: client.id,
    name: 'LoopIQ',
    confidential: true,
    enabled: true,
    client_secret: client.secret,
    password: client.secret,
    redirect_uri: [client.redirectUri],
    authorization_type: ['code'],
    token_endpoint_auth_method: ['client_secret_basic'],
    scope: ['openid'],
  });
  await call('POST', '/user/', { ...person, enabled: true, scope: ['openid'] });
}
