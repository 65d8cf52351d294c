// A service with a new demo in a temporary folder.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Starts a service. Returns its URL, its folder, and a function that stops it. */
export async function start(env = process.env) {
  const bin = process.env.LOOPIQ_BIN;
  if (!bin) throw new Error('LOOPIQ_BIN must name the binary; `make test` sets it');
  const folder = mkdtempSync(join(tmpdir(), 'loopiq-end2end-'));
  const service = spawn(bin, ['serve', '--demo', '--data-dir', folder, '--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...env, LOOPIQ_LOG: 'warn' },
  });
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: service.stdout }).on('line', (line) => {
      const ready = /^ready on (\S+)/.exec(line);
      if (ready) resolve(ready[1]);
    });
    service.once('error', reject);
    service.once('exit', (code) => reject(new Error(`loopiq serve ended with ${code} before it was ready`)));
  });
  const stop = async () => {
    const ended = new Promise((resolve) => service.once('exit', resolve));
    service.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, folder, stop };
}
