// An agent that uses the MCP server with the official TypeScript client, for the Playwright tests. Every function takes the client that
// `connect` returns.

import { randomBytes } from 'node:crypto';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/** A tool's refusal: `code` is stable, `fields` is `[{pointer, message}]`. */
export class Refused extends Error {
  constructor(tool, { error, message, fields = [] }) {
    super(`${tool}: ${message}`);
    this.code = error;
    this.fields = fields;
  }
}

/**
 * Connects to the service at this public URL, with a token from `loopiq token`.
 * @param {string} url such as http://127.0.0.1:3000
 * @param {string} token
 * @param {{name?: string, mode?: 'auto' | 'legacy' | {pin: string}}} [options] `mode`: which age of the protocol to speak
 */
export async function connect(url, token, { name = 'end2end', mode = { pin: '2026-07-28' } } = {}) {
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
  const client = new Client({ name, version: '1.0.0' }, { versionNegotiation: { mode } });
  await client.connect(transport);
  return client;
}

/** A W3C traceparent of a new trace, for calls that belong together. */
export function traceparent() {
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}

/** Calls a tool and returns its structured content; throws `Refused` if the tool refuses the call. */
export async function call(client, tool, args = {}, trace) {
  const params = { name: tool, arguments: args };
  if (trace) params._meta = { traceparent: trace };
  const result = await client.callTool(params);
  if (result.isError) throw new Refused(tool, result.structuredContent ?? { message: result.content?.[0]?.text });
  return result.structuredContent;
}

/** Every item of a list tool, page by page. */
export async function list(client, tool, args = {}, trace) {
  const items = [];
  for (let cursor; ; ) {
    const page = await call(client, tool, cursor ? { ...args, cursor } : args, trace);
    items.push(...page.items);
    cursor = page.nextCursor;
    if (!cursor) return items;
  }
}

/** The names of the tools that this caller may use. */
export async function toolNames(client) {
  const { tools } = await client.listTools();
  return tools.map((tool) => tool.name);
}

/**
 * Reads what blocks a release and proposes one work package from its first blockers.
 * @param {object | ((arguments: object) => object)} [changes] replacements such as `{dryRun: true}`, or a function of the arguments
 * @param {string} [rule] only findings of this rule
 */
export async function proposeWorkPackage(client, releaseKey, idempotencyKey, changes = {}, rule = undefined) {
  const trace = traceparent();
  const releases = await list(client, 'loopiq_list_releases', {}, trace);
  const known = releases.find((release) => release.key === releaseKey);
  if (!known) throw new Error(`there is no release ${releaseKey}`);
  const release = await call(client, 'loopiq_get_release', { releaseId: known.id }, trace);
  const open = { releaseId: release.id, status: 'open' };
  const blockers = (await list(client, 'loopiq_list_blockers', open, trace)).filter((blocker) => blocker.findingId);
  const findings = new Map((await list(client, 'loopiq_list_findings', open, trace)).map((finding) => [finding.id, finding]));
  const fits = (finding) => finding && (!rule || finding.rule === rule);
  const chosen = blockers.filter((blocker) => fits(findings.get(blocker.findingId))).slice(0, 2);
  if (chosen.length === 0) throw new Error(`no finding blocks ${releaseKey}`);
  const component = release.components.find((one) => one.key === findings.get(chosen[0].findingId).component);
  const asked = {
    idempotencyKey,
    reason: `Blockers ${chosen.map((blocker) => blocker.id).join(', ')} keep ${releaseKey} from its certification.`,
    workflow: 'release-readiness',
    releaseId: release.id,
    certificationId: release.certifications[0]?.id,
    teamId: component?.teamId ?? release.teams[0].id,
    parent: {
      title: `Remove ${chosen.length} findings that block ${releaseKey} (${idempotencyKey})`,
      description: chosen.map((blocker) => `${blocker.key}: ${blocker.title}`).join('\n'),
      priority: 'high',
      acceptanceCriteria: ['A new scan no longer reports them.'],
    },
    children: chosen.map((blocker, index) => {
      const finding = findings.get(blocker.findingId);
      const place = finding.location ? ` in ${finding.location}${finding.line ? `:${finding.line}` : ''}` : ` (${finding.key})`;
      return {
        clientRef: `task-${index + 1}`,
        title: `Fix ${finding.rule}${place}`.slice(0, 200),
        description: finding.message || finding.title,
        findingIds: [finding.id],
        controlIds: [],
        evidenceIds: finding.evidenceIds,
      };
    }),
    blockerIds: chosen.map((blocker) => blocker.id),
  };
  const changed = typeof changes === 'function' ? changes(asked) : changes;
  return call(client, 'loopiq_create_remediation_work_package', { ...asked, ...changed }, trace);
}

/** An action with its state and decisions. */
export const getAction = (client, actionId) => call(client, 'loopiq_get_action', { actionId });

/** Withdraws an action. */
export const withdraw = (client, actionId, reason = 'This was a test.') =>
  call(client, 'loopiq_withdraw_action', { actionId, reason });
