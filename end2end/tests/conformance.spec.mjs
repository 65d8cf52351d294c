// The conformance suite of the Model Context Protocol, with every scenario for servers. A check that does not pass is in one of the lists below, with the
// reason; one that passes must not be there.
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@playwright/test';
import { call, list, withdraw } from '../mcp/client.mjs';
import { conform, proxy } from '../mcp/conformance.mjs';
import { agent, loopiq, signIn, url } from './support.mjs';

const noPrompts = 'the service has no prompts';
const noCompletions = 'the service has no completions';
const onlyText = 'no tool of the service returns images, audio or embedded resources';
const noSuchTool = 'it calls a tool of the reference server, which has no counterpart here';
const noSuchResource = 'it reads a resource of the reference server; the service has one resource';
const noSampling = 'the service asks a client for nothing while a call runs: questions come from people, later, through tasks';
const noStreams = 'the endpoint is stateless: it has no event streams, so no logging, progress and subscriptions';
const aPersonDecides = 'an answer to a question does not end the task: a person decides';
const plainHeaders = 'no tool has x-mcp-header annotations';

/** What does not apply in both versions of the protocol. */
const both = {
  'completion-complete': noCompletions,
  'json-schema-2020-12-tool-found': noSuchTool,
  'prompts-get-embedded-resource': noPrompts,
  'prompts-get-simple': noPrompts,
  'prompts-get-with-args': noPrompts,
  'prompts-get-with-image': noPrompts,
  'prompts-list': noPrompts,
  'resources-read-binary': noSuchResource,
  'resources-read-text': noSuchResource,
  'resources-templates-read': noSuchResource,
  'tools-call-audio': onlyText,
  'tools-call-embedded-resource': onlyText,
  'tools-call-image': onlyText,
  'tools-call-mixed-content': onlyText,
  'tools-call-with-progress': noStreams,
};

const notApplicable = {
  '2025-11-25': {
    ...both,
    'elicitation-sep1034-general': noSampling,
    'elicitation-sep1330-general': noSampling,
    'logging-set-level': noStreams,
    'resources-subscribe': noStreams,
    'resources-unsubscribe': noStreams,
    'server-sse-multiple-streams-session': noStreams,
    'server-sse-polling-session': noStreams,
    'tools-call-elicitation': noSampling,
    'tools-call-sampling': noSampling,
    'tools-call-with-logging': noStreams,
  },
  '2026-07-28': {
    ...both,
    'sep-2243-server-decode-base64': plainHeaders,
    'sep-2243-server-no-xmcp-tool': plainHeaders,
    'sep-2243-server-reject-invalid-param-chars': plainHeaders,
    'sep-2243-server-reject-param-mismatch': plainHeaders,
    'sep-2243-server-validate-param-match': plainHeaders,
    'sep-2322-elicitation-incomplete': noSampling,
    'sep-2322-error-on-protocol-error': noSampling,
    'sep-2322-list-roots-incomplete': noSampling,
    'sep-2322-missing-response-rerequests': noSampling,
    'sep-2322-multi-round-r1': noSampling,
    'sep-2322-multiple-inputs-incomplete': noSampling,
    'sep-2322-non-tool-incomplete': noPrompts,
    'sep-2322-reject-tampered-state': noSampling,
    'sep-2322-request-state-incomplete': noSampling,
    'sep-2322-respect-client-capabilities': noSampling,
    'sep-2322-result-type-included': noSampling,
    'sep-2322-sampling-incomplete': noSampling,
    'sep-2322-validate-input-responses': noSampling,
    'sep-2549-prompts-list-caching-hints': noPrompts,
    'sep-2575-missing-capability-http-400': noSuchTool,
    'sep-2575-server-honors-notification-filter': noStreams,
    'sep-2575-server-rejects-undeclared-capability': noSuchTool,
    'sep-2575-server-sends-prompts-list-changed-on-subscription': noPrompts,
    'sep-2575-server-sends-subscription-ack': noStreams,
    'sep-2575-server-sends-tools-list-changed-on-subscription': noStreams,
    'sep-2575-server-tags-subscription-id': noStreams,
  },
};

/** The scenarios of the Tasks extension, each with what does not apply. */
const tasks = {
  'tasks-capability-negotiation': {},
  'tasks-dispatch-and-envelope': {},
  'tasks-lifecycle': {
    'sep-2663-tasks-get-status-failed': 'it fails with a JSON-RPC error while the task runs; a failed action is a result with isError',
  },
  'tasks-mrtr-composition': { 'sep-2663-mrtr-synchronous-before-task-creation': noSampling },
  'tasks-mrtr-input': {
    'tasks-mrtr-partial-fulfillment': aPersonDecides,
    'tasks-mrtr-tasks-update-resumes': aPersonDecides,
  },
  'tasks-request-headers': {
    'tasks-headers-tolerate-mcp-method-on-tools-call': 'it expects the words of the reference server',
  },
  'tasks-request-state-removal': {},
  'tasks-required-task-error': {
    'sep-2663-server-returns-missing-capability-when-required': 'no tool demands tasks: other clients poll loopiq_get_action',
  },
  'tasks-status-notifications': { 'tasks-status-notifications': noStreams },
  'tasks-wire-fields': {},
};

/** The scenarios of other extensions. */
const others = ['sep-2640-skills-directory', 'sep-2640-skills-enumeration', 'sep-2640-skills-manifest'];

const failed = (checks) => checks.filter(({ status }) => !['SUCCESS', 'INFO'].includes(status));
const ids = (checks) => [...new Set(checks.map(({ id }) => id))].sort();
const tokenOf = (email) => loopiq('token', '--tenant', 'acme', '--as', email);

for (const [version, reasons] of Object.entries(notApplicable)) {
  test(`protocol ${version}`, async () => {
    const { url: endpoint, close } = await proxy(`${url()}/mcp`, tokenOf('developer@acme.example'));
    const checks = await conform(endpoint, '--suite', 'all', '--spec-version', version);
    expect(ids(failed(checks)), JSON.stringify(failed(checks), null, 1)).toEqual(Object.keys(reasons).sort());
    expect(checks.filter(({ status }) => status === 'SUCCESS').length).toBeGreaterThan(30);
    close();
  });
}

/** The counterparts of the reference server's tools: a story that is proposed, and withdrawn or asked about. */
async function counterparts(client, ask) {
  const [release] = await list(client, 'loopiq_list_releases');
  const { teams } = await call(client, 'loopiq_get_release', { releaseId: release.id });
  const story = (then) => {
    const key = randomUUID();
    const title = `Conformance: story ${key}`;
    const of = { idempotencyKey: key, reason: 'The conformance suite asks for it.', releaseId: release.id, teamId: teams[0].id };
    return { tool: 'loopiq_create_work_item', arguments: { ...of, kind: 'story', title, description: 'A test.', priority: 'low' }, then };
  };
  const proposed = ({ taskId, structuredContent }) => taskId ?? structuredContent.actionId;
  const end = (result) => withdraw(client, proposed(result));
  const later = [];
  const questions = (...texts) => story(async (result) => {
    for (const text of texts) await ask(proposed(result), text);
  });
  const tools = {
    greet: () => ({ tool: 'loopiq_get_context', arguments: {} }),
    slow_compute: ({ seconds }) => story((result) => void (seconds < 10 && later.push(setTimeout(seconds * 1000).then(() => end(result))))),
    failing_job: () => story(end),
    confirm_delete: () => questions('Is it deleted?'),
    multi_input: () => questions('What?', 'Why?'),
  };
  return { tools, settled: () => Promise.all(later) };
}

for (const [scenario, reasons] of Object.entries(tasks)) {
  test(`extension: ${scenario}`, async ({ page }) => {
    const client = await agent();
    await signIn(page, 'reviewer@acme.example');
    const ask = async (id, text) => {
      const headers = { 'sec-fetch-site': 'same-origin' };
      const asked = await page.request.post(`${url()}/do/ask`, { form: { id, text }, headers });
      expect(await asked.json(), id).toMatchObject({ done: true });
    };
    const { tools, settled } = await counterparts(client, ask);
    const { url: endpoint, close } = await proxy(`${url()}/mcp`, tokenOf('developer@acme.example'), tools);
    const checks = await conform(endpoint, '--scenario', scenario);
    await settled();
    expect(ids(failed(checks)), JSON.stringify(failed(checks), null, 1)).toEqual(Object.keys(reasons).sort());
    close();
    await client.close();
  });
}

test('extensions that the service does not declare', async () => {
  const { url: endpoint, close } = await proxy(`${url()}/mcp`, tokenOf('developer@acme.example'));
  for (const scenario of others) {
    const checks = await conform(endpoint, '--scenario', scenario);
    expect(failed(checks).length, `${scenario} passes, so it belongs into a list above`).toBeGreaterThan(0);
  }
  close();
});
