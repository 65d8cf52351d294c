// A server for the commands of docs/production.md: a folder in the place of its file system, and programs in the place of those that need root or
// would change this machine. The commands, the binary, the unit, the settings and the scripts are the real ones.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const repository = join(here, '../..');

/** A free port of this machine. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** The server. `issuer` is the identity provider, and `contents` says what the operator writes into each file that the document edits. */
export async function newServer({ issuer, contents, postgres }) {
  const root = mkdtempSync(join(tmpdir(), 'loopiq-production-'));
  for (const folder of ['programs', 'opt', 'etc', 'bin', 'units', 'run', 'lib']) mkdirSync(join(root, folder));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  // What the document writes, and what it is here. Longer texts come first.
  const places = [
    ['https://loopiq.example', url],
    ['https://login.example', issuer],
    ['127.0.0.1:3000', `127.0.0.1:${port}`],
    ['/etc/systemd/system', join(root, 'units')],
    ['/usr/local/bin/loopiq', join(root, 'bin/loopiq')],
    ['/etc/loopiq', join(root, 'etc/loopiq')],
    ['/opt/loopiq', join(root, 'opt/loopiq')],
    ['/var/lib/loopiq', join(root, 'lib/loopiq')],
  ];
  writeFileSync(join(root, 'server.json'), JSON.stringify({ places, contents, postgres }));
  for (const name of ['sudo', 'sudoedit', 'systemctl', 'useradd', 'install', 'cp', 'make', 'id', 'psql', 'curl']) {
    const program = `#!/bin/sh\nexec ${process.execPath} ${join(here, 'programs.mjs')} ${root} ${name} "$@"\n`;
    writeFileSync(join(root, 'programs', name), program);
    chmodSync(join(root, 'programs', name), 0o755);
  }
  const env = {
    HOME: root,
    LANG: 'C.UTF-8',
    PATH: [join(root, 'programs'), join(root, 'bin'), process.env.PATH].join(':'),
    TEST_BINARY: process.env.LOOPIQ_BIN,
    TEST_SITE: process.env.LEPTOS_SITE_ROOT,
  };
  // Not `spawnSync`: the identity provider answers in this process.
  const run = (text) =>
    new Promise((resolve, reject) => {
      const placed = places.reduce((all, [theirs, ours]) => all.replaceAll(theirs, ours), text);
      const options = { cwd: repository, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 };
      const shell = spawn('bash', ['-euo', 'pipefail', '-c', placed], options).once('error', reject);
      const printed = { out: '', err: '' };
      shell.stdout.on('data', (data) => (printed.out += data));
      shell.stderr.on('data', (data) => (printed.err += data));
      shell.once('close', (code) => resolve({ code, ...printed }));
    });
  return {
    root,
    url,
    /** Runs a block of the document. */
    run,
    /** Changes a file in /etc/loopiq as an operator does with an editor. */
    edit(name, replacements) {
      const file = join(root, 'etc/loopiq', name);
      const text = Object.entries(replacements).reduce((all, [found, replacement]) => all.replace(found, replacement), readFileSync(file, 'utf8'));
      writeFileSync(file, text);
    },
    /** The service's log. */
    log: () => readFileSync(join(root, 'run/journal'), 'utf8'),
    async stop() {
      await run('sudo systemctl stop loopiq');
      rmSync(root, { recursive: true, force: true });
    },
  };
}
