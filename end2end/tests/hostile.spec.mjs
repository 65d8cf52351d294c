// Markup in every field that agents, people and providers can write stays text on every page, with and without JavaScript.
// The payload of each field has its own mark, so that markup in a page shows the field that it came from.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from '@playwright/test';
import { call, connect, list, traceparent } from '../mcp/client.mjs';
import { start } from '../service.mjs';
import { signIn } from './support.mjs';

test.describe.configure({ mode: 'serial', timeout: 300_000 });

const fields = [];
/** The payload closes every element with raw text, opens a form for a decision, navigates away, and runs a script. */
function evil(field) {
  const mark = `f${fields.length}`;
  fields.push(field);
  return `"'></title></textarea></script><b data-evil=${mark}><form action=/do/approve><meta http-equiv=refresh content=0;url=/evil><base href=//evil>`;
}
/** No page may contain the payload's elements as elements. */
const RAW = [/<b data-evil/i, /<form action=\/do/i, /<meta http-equiv=refresh/i, /<base href/i, /<\/title>[^]*<\/title>/i];

let service;
let folder;
const opened = new Set();
test.beforeAll(async () => {
  service = await start();
  folder = mkdtempSync(join(tmpdir(), 'hostile-'));
});
test.afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const loopiq = (...args) =>
  execFileSync(process.env.LOOPIQ_BIN, [...args, '--data-dir', service.folder], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

/** Writes the values that only an identity provider sets into the demo's database. */
const sql = (statement, ...values) =>
  execFileSync(join(dirname(process.env.LOOPIQ_BIN), 'edit-sqlite'), [join(service.folder, 'loopiq.db'), statement, ...values], { stdio: 'inherit' });

function imported(name, text) {
  const file = join(folder, name);
  writeFileSync(file, typeof text === 'string' ? text : JSON.stringify(text));
  loopiq('import', file, '--tenant', 'acme', '--release', 'PAY-2026.11');
}

const xml = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** A file of each format, with a payload in every string. */
function files() {
  const now = new Date().toISOString();
  const sarif = {
    version: '2.1.0',
    runs: [{
      tool: { driver: { name: evil('sarif tool name'), semanticVersion: evil('sarif tool version'), rules: [{
        id: evil('sarif rule id'), name: evil('sarif rule name'), shortDescription: { text: evil('sarif rule short') },
        fullDescription: { text: evil('sarif rule full') }, help: { text: evil('sarif rule help') }, helpUri: evil('sarif help uri'),
        properties: { 'security-severity': '9.1', tags: [evil('sarif tag')] },
      }] } },
      automationDetails: { id: evil('sarif category') },
      invocations: [{ executionSuccessful: true, endTimeUtc: now }],
      versionControlProvenance: [{ repositoryUri: 'https://git.example/x', revisionId: evil('sarif revision') }],
      results: [{
        ruleIndex: 0, level: 'error', message: { text: evil('sarif message'), markdown: evil('sarif markdown') },
        locations: [{ physicalLocation: { artifactLocation: { uri: evil('sarif uri') }, region: { startLine: 1, snippet: { text: evil('sarif snippet') } } },
          logicalLocations: [{ fullyQualifiedName: evil('sarif logical') }] }],
        partialFingerprints: { a: evil('sarif fingerprint') },
      }, {
        ruleIndex: 0, message: { text: 'suppressed' }, suppressions: [{ kind: 'external', justification: evil('sarif justification') }],
        locations: [{ physicalLocation: { artifactLocation: { uri: 'b.ts' } } }],
      }],
    }],
  };
  imported(`${'sarif'}<b data-evil=name>&.sarif`, sarif);
  imported('osv.json', {
    schema_version: '1.6.0', id: 'OSV-2026-1', modified: now, summary: evil('osv summary'), details: evil('osv details'),
    aliases: [evil('osv alias')], severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    affected: [{ package: { ecosystem: 'npm', name: evil('osv package') }, versions: [evil('osv version')] }],
    references: [{ type: 'WEB', url: evil('osv reference') }],
  });
  imported('bom.json', {
    bomFormat: 'CycloneDX', specVersion: '1.5', version: 1,
    metadata: { timestamp: now, tools: [{ vendor: evil('bom vendor'), name: evil('bom tool'), version: '1' }], component: { type: 'application', name: evil('bom subject'), 'bom-ref': 's' } },
    components: [{ type: 'library', name: evil('bom component'), version: evil('bom version'), 'bom-ref': 'c', purl: 'pkg:npm/x@1' }],
    vulnerabilities: [{ id: evil('bom id'), source: { name: evil('bom source') }, description: evil('bom description'), detail: evil('bom detail'),
      recommendation: evil('bom recommendation'), ratings: [{ severity: 'critical', method: 'CVSSv31' }], affects: [{ ref: 'c' }],
      analysis: { state: 'in_triage', detail: evil('bom analysis') } }],
  });
  imported('junit.xml', `<?xml version="1.0"?><testsuites><testsuite name="${xml(evil('junit suite'))}" tests="1" failures="1" timestamp="${now}">
    <testcase name="${xml(evil('junit case'))}" classname="${xml(evil('junit class'))}" file="${xml(evil('junit file'))}">
    <failure message="${xml(evil('junit message'))}" type="${xml(evil('junit type'))}">${xml(evil('junit text'))}</failure></testcase></testsuite></testsuites>`);
  imported('catalog.json', {
    catalog: { uuid: '11111111-1111-4111-8111-111111111111', metadata: { title: evil('oscal title'), 'last-modified': now, version: evil('oscal version'), 'oscal-version': '1.1.2' },
      groups: [{ id: 'g', title: evil('oscal group'), controls: [{ id: 'ev-1', title: evil('oscal control'), parts: [{ name: 'statement', prose: evil('oscal prose') }] }] }] },
  });
}

/** Sends a proposal with a payload in every string that the service accepts; IDs and values of closed sets stay unchanged. */
async function propose(client, tool, args, trace) {
  try {
    const { actionId, digest } = await call(client, tool, args, trace);
    return { actionId, digest };
  } catch (error) {
    throw new Error(`${tool}: ${error.message} ${JSON.stringify(error.fields ?? [])}`);
  }
}

async function proposals(client) {
  const trace = traceparent();
  const release = (await list(client, 'loopiq_list_releases', {}, trace)).find((one) => one.key === 'PAY-2026.11');
  const here = { releaseId: release.id };
  const whole = await call(client, 'loopiq_get_release', here, trace);
  const findings = await list(client, 'loopiq_list_findings', here, trace);
  const evidence = await list(client, 'loopiq_search_evidence', here, trace);
  const controls = await list(client, 'loopiq_list_controls', here, trace);
  const items = await list(client, 'loopiq_list_work_items', here, trace);
  const bad = findings.filter((finding) => JSON.stringify(finding).includes('data-evil'));
  expect(bad.length).toBeGreaterThanOrEqual(4);
  const control = controls.find((one) => JSON.stringify(one).includes('data-evil')) ?? controls[0];
  const scan = evidence.find((one) => JSON.stringify(one).includes('data-evil'));
  const common = (tool) => ({ reason: evil(`${tool} reason`), workflow: evil(`${tool} workflow`).slice(0, 100), idempotencyKey: evil(`${tool} key`).slice(0, 100) });
  const all = [];
  const add = async (tool, args) => all.push({ tool, ...(await propose(client, tool, { ...common(tool), ...args }, trace)) });
  await add('loopiq_create_remediation_work_package', {
    releaseId: release.id, teamId: whole.teams[0].id,
    parent: { title: evil('parent title'), description: evil('parent description').repeat(4), priority: 'high', acceptanceCriteria: [evil('criterion')] },
    children: [0, 1].map((n) => ({ clientRef: `c${n}`, title: evil(`child ${n} title`), description: evil(`child ${n} description`).repeat(4), estimate: evil('estimate').slice(0, 40),
      findingIds: [bad[n].id], controlIds: [control.id], evidenceIds: bad[n].evidenceIds })),
    blockerIds: [],
  });
  await add('loopiq_create_work_item', { releaseId: release.id, teamId: whole.teams[0].id, kind: 'story', title: evil('story title'), description: evil('story description'), priority: 'low', evidenceIds: [scan.id] });
  const item = items.find((one) => one.status === 'open');
  await add('loopiq_update_work_item', { workItemId: item.id, expectedVersion: item.version, changes: { title: evil('changed title'), description: evil('changed description') } });
  await add('loopiq_link_evidence', { evidenceId: scan.id, controlId: control.id });
  await add('loopiq_refresh_release_evidence', { releaseId: release.id, provider: scan.provider, kind: scan.kind });
  await add('loopiq_update_finding_status', { findingId: bad[2].id, expectedVersion: bad[2].version, status: 'suppressed', justification: evil('justification') });
  await add('loopiq_accept_risk', { releaseId: release.id, findingIds: [bad[3].id], controlIds: [], justification: evil('risk justification'), compensatingControls: [evil('compensating control')],
    owner: 'lead@acme.example', expiresAt: new Date(Date.now() + 30 * 86_400_000).toISOString() });
  const certification = whole.certifications[0];
  await add('loopiq_request_certification', { certificationId: certification.id, statement: evil('statement') });
  await add('loopiq_add_audit_note', { actionId: all[0].actionId, text: evil('note') });
  return { all, trace, item, bad };
}

/** Calls a server function of the page as a plain form does. */
async function post(page, path, form) {
  const response = await page.request.post(service.url + path, { form, headers: { origin: service.url, accept: 'text/html' }, maxRedirects: 0 });
  expect([302, 303, 400, 403, 409, 422], `${path}: ${response.status()}`).toContain(response.status());
  return response;
}

/** Requests a page as text and opens it in the browser; no payload may be markup in either. */
async function holds(page, path) {
  const plain = await page.request.get(service.url + path, { headers: { accept: 'text/html' } });
  const html = await plain.text();
  for (const raw of RAW) expect(html.match(raw)?.[0], `${path} holds ${raw}`).toBeUndefined();
  const headers = JSON.stringify(plain.headersArray().filter(({ name }) => !/^(location|content-security-policy)$/i.test(name)));
  expect(headers, `headers of ${path}`).not.toContain('data-evil');
  const nonce = /'nonce-([^']+)'/.exec(plain.headers()['content-security-policy'] ?? '')?.[1];
  if (nonce) {
    const attributes = [...html.matchAll(/([\w-]+)="([^"]*)"/g)].filter(([, name, value]) => name !== 'nonce' && value.includes(nonce));
    expect(attributes.map(([whole]) => whole), `the nonce on ${path}`).toEqual([]);
  }
  const seen = [];
  const navigated = (frame) => seen.push(`went to ${frame.url()}`);
  const asked = (request) => new URL(request.url()).origin !== new URL(service.url).origin && !request.url().startsWith('data:') && seen.push(`asked ${request.url()}`);
  const blocked = (message) => /content security policy/i.test(message.text()) && seen.push(message.text());
  await page.goto(service.url + path, { waitUntil: 'load' });
  page.on('framenavigated', navigated).on('request', asked).on('console', blocked);
  const found = await page.evaluate(async () => {
    await new Promise((done) => setTimeout(done, 50));
    return {
      elements: document.querySelectorAll('[data-evil], base, meta[http-equiv=refresh], form[action*="/do/approve"]:not(.decide-approve)').length,
      titles: document.head.querySelectorAll('title').length,
      violations: window.__violations,
    };
  });
  page.off('framenavigated', navigated).off('request', asked).off('console', blocked);
  expect({ path, ...found, seen }).toEqual({ path, elements: 0, titles: 1, violations: [], seen: [] });
  opened.add(path.replace(/act_\w+/, 'ID').replace(/\d+/g, 'N').replace(/\?.*/, '?'));
}

test('markup in every field stays text on every page, with and without JavaScript', async ({ browser }) => {
  const context = await browser.newContext();
  await context.addInitScript(() => {
    window.__violations = [];
    addEventListener('securitypolicyviolation', (event) => window.__violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  const page = await context.newPage();
  files();
  const token = loopiq('token', '--tenant', 'acme', '--as', 'developer@acme.example', '--client', evil('client name').slice(0, 160));
  const client = await connect(service.url, token, { name: evil('MCP client name') });
  const { all, trace, item, bad } = await proposals(client);

  // Text of reviewers.
  await signIn(page, 'reviewer@acme.example', '/', service.url);
  const [work, story, update, link, , status] = all;
  await post(page, '/do/ask', { id: work.actionId, text: evil('question') });
  const { questions } = await call(client, 'loopiq_get_action', { actionId: work.actionId });
  await call(client, 'loopiq_answer_question', { actionId: work.actionId, questionId: questions[0].id, answer: evil('answer') });
  await post(page, '/do/reject', { id: story.actionId, digest: story.digest, 'codes[0]': 'titles', text: evil('rejection') });
  await post(page, '/do/prune', { id: work.actionId, digest: work.digest, 'keep[0]': 'c0', text: evil('pruning') });
  await call(client, 'loopiq_withdraw_action', { actionId: link.actionId, reason: evil('withdrawal') });
  // The page shows a refused draft in its text area, and the refusal.
  await post(page, '/do/reject', { id: update.actionId, digest: 'sha256:0', text: evil('draft') });
  await holds(page, `/actions/${update.actionId}`);
  await post(page, '/do/reject', { id: update.actionId, digest: update.digest, 'codes[0]': evil('code'), text: evil('second draft') });

  // Claims of an identity provider, for all people except the one who is signed in.
  sql("UPDATE people SET name = $1 || ' ' || id, email = email || $2", evil('name claim'), evil('email claim').slice(0, 80));

  const revision = (await list(client, 'loopiq_list_actions', {}, trace)).map((one) => one.id ?? one.actionId);
  const actions = [...new Set([...all.map((one) => one.actionId), ...revision])].slice(0, 14);
  for (const tab of ['pending', 'mine', 'approved', 'executed', 'rejected', 'failed', 'all']) await holds(page, `/?tab=${tab}`);
  for (const id of actions) {
    await holds(page, `/actions/${id}`);
    await holds(page, `/actions/${id}/confirm`);
  }
  const hostile = encodeURIComponent(evil('address'));
  for (const path of [`/?text=${hostile}&team=${hostile}&after=${hostile}`, `/actions/${hostile}`, `/actions/${hostile}/confirm`, `/${hostile}`, `/settings/policy?version=${hostile}`,
    '/logout', `/auth/callback?state=${hostile}&error=${hostile}&error_description=${hostile}`, `/auth/callback?code=${hostile}&state=x`]) {
    await holds(page, path);
  }
  await context.clearCookies();
  await signIn(page, 'lead@acme.example', '/', service.url);
  sql('UPDATE people SET name = $1', evil('name claim of whoever is signed in'));
  const { url: base } = service;
  for (const q of ['', 'data-evil', `tool:${hostile}`, hostile, `person:${hostile}`, 'event:evidence.imported']) await holds(page, `/audit?q=${q}`);
  const rows = await page.request.get(`${base}/audit`, { headers: { accept: 'text/html' } });
  const newest = Math.max(...[...(await rows.text()).matchAll(/\/audit\/(\d+)/g)].map(([, seq]) => Number(seq)));
  for (let seq = newest; seq > Math.max(0, newest - 45); seq -= 1) await holds(page, `/audit/${seq}`);
  await holds(page, `/audit/${hostile}`);
  expect(bad.length + item.version).toBeGreaterThan(0);

  // Text of operators.
  await context.clearCookies();
  sql("UPDATE people SET name = 'Olga', email = 'operator@acme.example' WHERE subject LIKE '%operator@acme.example%'");
  await signIn(page, 'operator@acme.example', '/settings/policy', service.url);
  const source = `# ${evil('policy comment')}\n[[decide]]\nname = ${JSON.stringify(evil('rule name').slice(0, 100))}\ngroups = [{ name = ${JSON.stringify(evil('group name').slice(0, 100))}, roles = ["reviewer", "lead"], approvals = 1 }]\n`;
  await post(page, '/do/check-policy', { source: `${source}nonsense = ${JSON.stringify(evil('policy mistake'))}`, note: evil('policy note'), base: '1' });
  await holds(page, '/settings/policy');
  await post(page, '/do/switch-policy', { source, note: evil('note of the version').slice(0, 400), base: '1' });
  for (const path of ['/settings/policy', '/settings/policy?version=1', '/settings/policy?version=2', '/settings/policy?version=2&compare=1', '/settings/requests']) await holds(page, path);
  const file = join(folder, 'catalog.yaml');
  const named = (key, more) => [{ key, name: evil(`name of ${key}`), ...more }];
  const catalog = {
    teams: named('evil-team', { groups: [evil('group')] }),
    services: named('evil-service', { team: 'evil-team' }),
    releases: named('EVIL-1', { teams: ['evil-team'], services: ['evil-service'], certifications: named('EVIL-C'), controls: [{ key: 'EV-1', title: evil('control') }] }),
  };
  writeFileSync(file, JSON.stringify(catalog));
  loopiq('catalog', 'apply', file, '--tenant', 'acme');
  await holds(page, '/settings/catalog');
  for (const source of [evil('catalog'), JSON.stringify({ teams: named('next-team') })]) {
    await post(page, '/do/preview-catalog', { source });
    await holds(page, '/settings/catalog');
  }
  await holds(page, `/actions/${status.actionId}`);
  console.log(`hostile: ${fields.length} fields, ${opened.size} kinds of pages`);
  await context.close();
});
