// The conformance suite of the Model Context Protocol (@modelcontextprotocol/conformance) against the service. The suite sends no token, and calls tools
// of a reference server; the proxy in front of the service adds the token, and gives tools of the service the names of those that have a counterpart.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SUITE = join(import.meta.dirname, '../node_modules/@modelcontextprotocol/conformance/dist/index.js');
const NODE20 = join(import.meta.dirname, 'node20.mjs');

/**
 * Starts the proxy. `tools` gives a tool of the suite a tool of the service: `{ name: (arguments) => ({ tool, arguments, then }) }`. `then` gets the result
 * before the suite does.
 */
export async function proxy(target, token, tools = {}) {
  const to = new URL(target);
  const server = createServer(async (from, response) => {
    const { port } = server.address();
    const headers = { ...from.headers, authorization: `Bearer ${token}` };
    // The addresses of the proxy are those of the service; foreign ones stay as the suite sends them.
    for (const name of ['host', 'origin']) headers[name] = headers[name]?.replace(new RegExp(`(127\\.0\\.0\\.1|localhost):${port}$`), to.host);
    if (headers.origin === undefined) delete headers.origin;
    const chunks = [];
    for await (const chunk of from) chunks.push(chunk);
    const { body, then } = translated(Buffer.concat(chunks), headers, tools);
    if (from.method === 'POST') headers['content-length'] = body.length;
    const onward = request({ host: to.hostname, port: to.port, path: from.url, method: from.method, headers }, async (answer) => {
      const received = [];
      for await (const chunk of answer) received.push(chunk);
      const text = Buffer.concat(received);
      if (then && answer.statusCode === 200) await then(JSON.parse(text).result);
      response.writeHead(answer.statusCode, answer.headers);
      response.end(text);
    });
    onward.on('error', () => response.destroy());
    onward.end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}${to.pathname}`, close: () => server.close() };
}

/** The message with the service's name of the tool, in the body and in the header. */
function translated(body, headers, tools) {
  let message;
  try {
    message = JSON.parse(body);
  } catch {
    return { body };
  }
  const { name, arguments: sent } = message?.params ?? {};
  if (message?.method !== 'tools/call' || !tools[name]) return { body };
  const { tool, arguments: args, then } = tools[name](sent);
  if (headers['mcp-name'] === name) headers['mcp-name'] = tool;
  message.params = { ...message.params, name: tool, arguments: args };
  return { body: Buffer.from(JSON.stringify(message)), then };
}

/** Runs the suite with these options. Returns each check as `{ scenario, id, status, why }`. */
export async function conform(url, ...options) {
  const results = mkdtempSync(join(tmpdir(), 'conformance-'));
  try {
    const words = ['--import', NODE20, SUITE, 'server', '--url', url, '--output-dir', results, ...options];
    const program = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 50_000 });
    let printed = '';
    for (const stream of [program.stdout, program.stderr]) stream.on('data', (data) => (printed += data));
    await new Promise((resolve, reject) => program.once('error', reject).once('close', resolve));
    const scenarios = readdirSync(results);
    if (scenarios.length === 0) throw new Error(printed);
    return scenarios.flatMap((folder) => {
      const scenario = folder.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '');
      const checks = JSON.parse(readFileSync(join(results, folder, 'checks.json'), 'utf8'));
      return checks.map((check) => ({ scenario, id: check.id, status: check.status, why: check.errorMessage }));
    });
  } finally {
    rmSync(results, { recursive: true });
  }
}
