// MCP clients as agents use them, each with the same journey: it reads, proposes, polls, repeats its proposal and is refused.
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import { call, connect, list, toolNames } from '../mcp/client.mjs';
import { connect as connectSdk1 } from '../mcp/clients/sdk1.mjs';
import { inspect } from '../mcp/inspector.mjs';
import { agent, loopiq, url } from './support.mjs';

const DEVELOPER = 'developer@acme.example';
const TOOL = 'loopiq_create_work_item';
const endpoint = () => `${url()}/mcp`;
const token = () => loopiq('token', '--tenant', 'acme', '--as', DEVELOPER);

/** A proposal that no other test makes, and the names of the tools, as the client of the other tests sees them. */
async function prepared() {
  const client = await agent(DEVELOPER);
  const [{ id }] = await list(client, 'loopiq_list_releases');
  const { teams } = await call(client, 'loopiq_get_release', { releaseId: id });
  const names = await toolNames(client);
  await client.close();
  const key = randomUUID();
  const proposal = {
    idempotencyKey: key, reason: 'A client of the tests asks for it.', releaseId: id, teamId: teams[0].id,
    kind: 'story', title: `Try the client ${key}`, description: 'A test.', priority: 'low',
  };
  return { proposal, names: names.sort() };
}

/** What is wrong with the proposal that is refused. A model must see this in the text of the refusal. */
const WRONG = { idempotencyKey: 'wrong', kind: 'Story', priority: 'urgent', title: '' };
const TEACHES = ['nothing was stored', '/kind: must be written story', '/priority: must be one of low, medium, high, critical', '/title: needs at least 1 character'];

/** What a journey saw is what it should have seen. */
async function check(found, { proposal, names }) {
  expect(found.tools).toEqual(names);
  expect(found.caller).toBe(DEVELOPER);
  expect(found.action).toMatch(/^act_/);
  for (const said of [found.action, 'Do not call this tool again', 'Checks to look at:']) expect(found.proposed).toContain(said);
  expect([found.status, found.key]).toEqual(['pending_approval', proposal.idempotencyKey]);
  expect(found.replayed, 'the same key gives the same action').toContain(found.action);
  for (const said of TEACHES) expect(found.refused).toContain(said);
  expect(found.isError).toBe(true);
  const client = await agent(DEVELOPER);
  const actions = await list(client, 'loopiq_list_actions');
  expect(actions.filter((action) => action.idempotencyKey === proposal.idempotencyKey).map((action) => action.id)).toEqual([found.action]);
  await client.close();
}

/** The journey of a client that calls tools with `call(name, arguments)`. */
async function journey(names, callTool, proposal) {
  const text = (result) => result.content.map((block) => block.text).join('\n');
  const context = await callTool('loopiq_get_context', {});
  const proposed = await callTool(TOOL, proposal);
  const action = proposed.structuredContent.actionId;
  const polled = await callTool('loopiq_get_action', { actionId: action });
  const replayed = await callTool(TOOL, proposal);
  const refused = await callTool(TOOL, { ...proposal, ...WRONG });
  return {
    tools: [...names].sort(),
    caller: context.structuredContent.caller.email,
    action,
    proposed: text(proposed),
    status: polled.structuredContent.status,
    key: polled.structuredContent.idempotencyKey,
    replayed: text(replayed),
    refused: text(refused),
    isError: refused.isError,
  };
}

test('the TypeScript SDK, version 1, which validates results with output schemas', async () => {
  const known = await prepared();
  const { names, call: callTool, close } = await connectSdk1(endpoint(), token());
  await check(await journey(names, callTool, known.proposal), known);
  await close();
});

for (const mode of ['legacy', { pin: '2026-07-28' }]) {
  test(`the TypeScript SDK, version 2, protocol ${mode.pin ?? 'of 2025'}`, async () => {
    const known = await prepared();
    const client = await connect(url(), token(), { mode });
    const { tools } = await client.listTools();
    const callTool = (name, args) => client.callTool({ name, arguments: args });
    await check(await journey(tools.map((tool) => tool.name), callTool, known.proposal), known);
    await client.close();
  });
}

test('the Inspector', async () => {
  const known = await prepared();
  const home = mkdtempSync(join(tmpdir(), 'inspector-'));
  const secret = token();
  const run = async (...words) => {
    const { answer, err } = await inspect(home, [endpoint(), '--header', `Authorization: Bearer ${secret}`, '--stored-auth-only', ...words]);
    expect(answer, err).toBeDefined();
    return answer.result;
  };
  const callTool = (name, args) => run('--method', 'tools/call', '--tool-name', name, '--tool-args-json', JSON.stringify(args));
  const { tools } = await run('--method', 'tools/list');
  await check(await journey(tools.map((tool) => tool.name), callTool, known.proposal), known);
  rmSync(home, { recursive: true });
});

/** The journey of a client in Python; `folder` is that of its packages in the build folder. */
async function inPython(folder, script, proposal) {
  const python = join(import.meta.dirname, '../../target/tools', folder, 'bin/python');
  const installed = existsSync(join(python, '../../.installed-from'));
  test.skip(!installed && !process.env.CI, 'its packages are missing: scripts/setup test');
  const words = [join(import.meta.dirname, '../mcp/clients', script), endpoint(), token(), JSON.stringify(proposal)];
  const { stdout } = await promisify(execFile)(python, words, { maxBuffer: 16 << 20 });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

for (const [name, folder, script] of [
  ['the Python SDK, version 1', 'mcp1', 'sdk1.py'],
  ['the Python SDK, version 2', 'mcp', 'sdk2.py'],
  ['FastMCP', 'mcp', 'fastmcp_client.py'],
]) {
  test(name, async () => {
    const known = await prepared();
    await check(await inPython(folder, script, known.proposal), known);
  });
}

test("LangChain's adapters, which give a model the text only", async () => {
  const known = await prepared();
  const found = await inPython('mcp1', 'langchain_adapters.py', known.proposal);
  await check({ ...found, isError: true }, known);
});

/** Every schema in a schema, with its depth. */
function* schemas(schema, depth = 1) {
  yield { schema, depth };
  for (const inner of Object.values(schema.properties ?? {})) yield* schemas(inner, depth + 1);
  if (schema.items) yield* schemas(schema.items, depth);
  for (const inner of schema.anyOf ?? []) yield* schemas(inner, depth);
}

test("the OpenAI Agents SDK, and its strict form of the schemas within OpenAI's limits", async () => {
  const known = await prepared();
  const { strict, schemas: all, ...found } = await inPython('mcp1', 'openai_agents.py', known.proposal);
  await check(found, known);
  for (const [name, schema] of Object.entries(all)) {
    expect(strict[name], `${name} has a strict form`).toBe(true);
    expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    const each = [...schemas(schema)];
    // "Structured model outputs, supported schemas" in OpenAI's documentation.
    const permitted = new Set(['type', 'properties', 'required', 'additionalProperties', 'items', 'enum', 'anyOf', 'description', 'pattern', 'format', 'minimum', 'maximum', 'minItems', 'maxItems']);
    for (const { schema: one } of each) {
      expect(Object.keys(one).filter((word) => !permitted.has(word)), name).toEqual([]);
      if (one.type !== 'object') continue;
      expect([one.additionalProperties, [...one.required].sort()], name).toEqual([false, Object.keys(one.properties).sort()]);
    }
    const enums = each.flatMap(({ schema: one }) => one.enum ?? []);
    const names = each.flatMap(({ schema: one }) => Object.keys(one.properties ?? {}));
    expect(schema.type).toBe('object');
    expect(Math.max(...each.map(({ depth }) => depth))).toBeLessThanOrEqual(5);
    expect(names.length).toBeLessThanOrEqual(100);
    expect(enums.length).toBeLessThanOrEqual(500);
    expect([...names, ...enums].join('').length).toBeLessThanOrEqual(15_000);
  }
});

test("the tools are within Gemini's limits", async () => {
  const client = await agent(DEVELOPER);
  const { tools } = await client.listTools();
  // "FunctionDeclaration" and "Schema" in Google's reference: a subset of OpenAPI 3.0, without unions of types, references and null.
  expect(tools.length).toBeLessThanOrEqual(128);
  const permitted = new Set(['type', 'properties', 'required', 'additionalProperties', 'items', 'enum', 'anyOf', 'description', 'pattern', 'maximum', 'maxItems']);
  for (const { name, description, inputSchema } of tools) {
    expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_.-]{0,63}$/);
    expect(description.length).toBeGreaterThan(0);
    for (const { schema } of schemas(inputSchema)) {
      expect(Object.keys(schema).filter((word) => !permitted.has(word)), name).toEqual([]);
      expect(schema.anyOf ? 'anyOf' : ['string', 'number', 'integer', 'boolean', 'array', 'object'].includes(schema.type), name).toBeTruthy();
      if (schema.enum) expect([schema.type, schema.enum.every((word) => typeof word === 'string')], name).toEqual(['string', true]);
      if (schema.type === 'array') expect(schema.items, name).toBeDefined();
      for (const field of Object.keys(schema.properties ?? {})) expect(field).toMatch(/^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/);
    }
  }
  await client.close();
});
