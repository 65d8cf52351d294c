// The command line of the MCP Inspector, a client that others wrote: it connects with a token or with OAuth, calls one method and prints the answer.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const PROGRAM = join(import.meta.dirname, '../node_modules/.bin/mcp-inspector');

/**
 * Runs the Inspector. What it remembers is in `home`. `opened(url)` gets the page that the Inspector asks the person to open. Returns the exit code,
 * the JSON that it printed, and the error that it printed as its last line.
 */
export async function inspect(home, words, opened) {
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    // A file in `home` instead of the keyring of this machine.
    MCP_INSPECTOR_SECRET_STORE: 'file',
    // Without a terminal, it signs in only if it may open a browser; `true` is the program that it starts as the browser.
    ...(opened && { MCP_AUTO_OPEN_ENABLED: 'true', BROWSER: 'true' }),
  };
  const program = spawn(process.execPath, [PROGRAM, '--cli', ...words, '--format', 'json'], { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 40_000 });
  const ended = new Promise((resolve, reject) => program.once('error', reject).once('close', resolve));
  let [out, err, visit] = ['', ''];
  program.stdout.on('data', (data) => (out += data));
  program.stderr.on('data', (data) => {
    err += data;
    const [, url] = /Please navigate to: (\S+)\n/.exec(err) ?? [];
    if (url && opened) visit ??= opened(new URL(url));
  });
  const [code] = await Promise.all([ended, ended.then(() => visit)]);
  const last = err.trim().split('\n').at(-1);
  return { code, answer: out ? JSON.parse(out) : undefined, error: last.startsWith('{') ? JSON.parse(last).error : undefined, err };
}
