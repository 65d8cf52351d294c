// Review checks over the real interfaces: sixty good and bad proposals, each with its expected verdict. A blocked action can be neither
// approved nor executed, over any interface.
import { expect, test } from '@playwright/test';
import { call, getAction, list, Refused, traceparent } from '../mcp/client.mjs';
import { acknowledge, agent, alive, loopiq, scanned, signIn, state, url } from './support.mjs';

const PACKAGE = 'loopiq_create_remediation_work_package';
const ITEM = 'loopiq_create_work_item';
const UPDATE = 'loopiq_update_work_item';

/** All records of a release that a proposal can name, read in one trace. */
async function read(client, key, trace) {
  const release = (await list(client, 'loopiq_list_releases', {}, trace)).find((one) => one.key === key);
  const here = { releaseId: release.id };
  const whole = await call(client, 'loopiq_get_release', here, trace);
  await call(client, 'loopiq_get_release_certification', here, trace);
  const [blockers, findings, evidence, controls, items] = [
    await list(client, 'loopiq_list_blockers', here, trace),
    await list(client, 'loopiq_list_findings', here, trace),
    await list(client, 'loopiq_search_evidence', here, trace),
    await list(client, 'loopiq_list_controls', here, trace),
    await list(client, 'loopiq_list_work_items', here, trace),
  ];
  return { ...whole, blockers, findings, evidence, controls, items };
}

/** The records for the proposals, and a package and a task that pass every check. */
async function world() {
  for (const rule of ['sixty', 'sixty-done', 'sixty-open']) scanned('PAY-2026.11', rule);
  scanned('PAY-2026.11', 'sixty-stale', { days: 41 });
  const client = await agent();
  const trace = traceparent();
  const pay = await read(client, 'PAY-2026.11', trace);
  const shop = await read(client, 'SHOP-2026.12', trace);
  const of = (rule) => pay.findings.filter((finding) => finding.rule === rule);
  const [one, two] = of('sixty');
  const blocker = pay.blockers.find((known) => known.findingId === one.id);
  const good = () => ({
    reason: `${blocker.key} keeps the release from its certification.`,
    releaseId: pay.id,
    certificationId: pay.certifications[0].id,
    teamId: pay.teams[0].id,
    application: 'payments',
    blockerIds: [blocker.id],
    parent: { title: 'Refuse forged refund requests', description: 'Seen by the probe.', owner: 'developer@acme.example', priority: 'high' },
    children: [
      { clientRef: 'a', title: `Verify the signature in ${one.location}`, description: 'd', findingIds: [one.id], evidenceIds: one.evidenceIds },
      { clientRef: 'b', title: `Verify the sender in ${two.location}`, description: 'd', findingIds: [two.id], evidenceIds: two.evidenceIds },
    ],
  });
  const story = pay.items.find((item) => item.kind === 'story' && item.status === 'open');
  const task = () => ({
    reason: `${one.id} shows it.`, releaseId: pay.id, teamId: pay.teams[0].id, kind: 'task', parentId: story.id,
    title: 'Count refused refund requests per hour', description: 'd', priority: 'low', evidenceIds: one.evidenceIds,
  });
  return { client, trace, pay, shop, of, one, two, blocker, story, good, task };
}

/** Proposes, approves and executes a package about these findings, and closes its tasks if `close` is set. */
async function worked(w, page, key, findings, close) {
  const args = w.good();
  args.parent.title = `Earlier work ${key}: reject replayed payments`;
  args.blockerIds = [];
  args.reason = `${findings[0].key} has to go.`;
  args.children = findings.map((finding, n) => ({
    clientRef: `${n}`, title: `Reject what was replayed in ${finding.location}`, description: 'd',
    findingIds: [finding.id], evidenceIds: finding.evidenceIds,
  }));
  const run = async (tool, body, name) => {
    const proposal = await call(w.client, tool, { idempotencyKey: `${key}-${name}`, ...body }, w.trace);
    await page.goto(proposal.reviewUrl);
    await acknowledge(page);
    await page.getByRole('button', { name: 'Approve and run' }).click();
    await expect(state(page)).toHaveText('Executed');
    return (await getAction(w.client, proposal.actionId)).result;
  };
  const { children, parentId } = await run(PACKAGE, args, 'work');
  if (!close) return { items: children.map((child) => child.id), parentId };
  for (const { id } of [...children, { id: parentId }]) {
    const item = await call(w.client, 'loopiq_get_work_item', { workItemId: id }, w.trace);
    const body = { reason: `${item.key} is finished.`, workItemId: id, expectedVersion: item.version, changes: { status: 'done' } };
    await run(UPDATE, body, `close-${id}`);
  }
  return { items: children.map((child) => child.id), parentId };
}

/** Each proposal's name, tool, arguments, and the worst verdict of each check that does not pass, or `refused`. */
function proposals(w, done, open) {
  const change = (edit) => { const args = w.good(); edit(args); return [PACKAGE, args]; };
  const item = (edit) => { const args = w.task(); edit(args); return [ITEM, args]; };
  const title = (text) => change((a) => { a.children[1].title = text; });
  const text = (words) => change((a) => { a.children[0].description = words; });
  const elsewhere = w.shop.findings[0];
  const foreign = w.shop.blockers[0];
  const stale = w.of('sixty-stale');
  return [
    ['a good package', change(() => {}), {}],
    ['a good package of one task', change((a) => a.children.pop()), {}],
    ['children in another order', change((a) => a.children.reverse()), {}],
    ['spaces at the ends', title(` Verify the sender in ${w.two.location} `), {}],
    ['no certification', change((a) => delete a.certificationId), {}],
    ['no owner', change((a) => delete a.parent.owner), {}],
    ['a good task', item(() => {}), {}],
    ['a good story', item((a) => { a.kind = 'story'; delete a.parentId; }), {}],
    // Context: release, certification, team and application.
    ["another release's certification", change((a) => { a.certificationId = w.shop.certifications[0].id; }), { context: 'block' }],
    ["another release's team", change((a) => { a.teamId = w.shop.teams[0].id; delete a.application; }), { context: 'block' }],
    ["another release's application", change((a) => { a.application = 'shop'; }), { context: 'block' }],
    ['an unknown application', change((a) => { a.application = 'nothing-like-it'; }), 'refused'],
    ['an unknown release', change((a) => { a.releaseId = a.releaseId.replace(/.$/, (c) => (c === '0' ? '1' : '0')); }), 'refused'],
    // Subjects: blockers, findings and controls.
    ["another release's blocker", change((a) => { a.blockerIds = [foreign.id]; }), { unrelated: 'block' }],
    ["another release's finding", change((a) => { a.children[0].findingIds = [elsewhere.id]; }), { unrelated: 'block' }],
    ["another release's control", change((a) => { a.children[0].controlIds = [w.shop.controls[0].id]; }), { unrelated: 'block' }],
    ['a control of this release', change((a) => { a.children[0].controlIds = [w.pay.controls[0].id]; }), {}],
    // Titles.
    ['a generic title', title('Fix stuff'), { titles: 'block' }],
    ['a title to be written later', title('TODO'), { titles: 'block' }],
    ['a numbered title', title('Task 2'), { titles: 'block' }],
    ['only a key', title(w.two.key), { titles: 'block' }],
    ['only signs', title('???'), { titles: 'block' }],
    ['a title of spaces', title('   '), 'refused'],
    ['no title', title(''), 'refused'],
    ['a generic story', change((a) => { a.parent.title = 'Remediation work'; }), { titles: 'block' }],
    ['the same title twice', change((a) => { a.children[1].title = a.children[0].title; }), { titles: 'block' }],
    ["the story's title again", change((a) => { a.children[1].title = a.parent.title.toUpperCase(); }), { titles: 'block' }],
    ['short and telling', title('Escape refund notes'), {}],
    ['in another script', title('Проверить подпись запроса'), {}],
    // Parents.
    ['a task without a parent', item((a) => delete a.parentId), { hierarchy: 'block' }],
    ["below another release's story", item((a) => { a.parentId = w.shop.items.find((i) => i.kind === 'story').id; }), { hierarchy: 'block' }],
    ['below a task', item((a) => { a.parentId = open.items[0]; }), { hierarchy: 'block' }],
    ['below a story that is done', item((a) => { a.parentId = done.parentId; }), { hierarchy: 'block' }],
    ['a story with a parent', item((a) => { a.kind = 'story'; }), 'refused'],
    // Evidence.
    ['no evidence', change((a) => a.children.forEach((c) => { c.evidenceIds = []; })), { evidence: 'block' }],
    ['a task without evidence', item((a) => { a.evidenceIds = []; }), { evidence: 'warn' }],
    ['stale evidence', change((a) => { a.children[0].evidenceIds = stale[0].evidenceIds; }), { evidence: 'block' }],
    ['evidence that does not exist', change((a) => { a.children[0].evidenceIds = [w.one.evidenceIds[0].replace(/.$/, (c) => (c === '0' ? '1' : '0'))]; }), 'refused'],
    // Duplicates.
    ['the same finding in an open item', change((a) => { a.children[0].findingIds = [w.of('sixty-open')[0].id]; }), { duplicates: 'block' }],
    ['the same finding in a closed item', change((a) => { a.children[0].findingIds = [w.of('sixty-done')[0].id]; }), { duplicates: 'block' }],
    ['a title that is there', title(`Reject what was replayed in ${w.of('sixty-open')[0].location}`), { duplicates: 'block' }],
    ['a reworded title', title(`Rejecting replayed data in ${w.of('sixty-open')[0].location}`), { duplicates: 'warn' }],
    ['the same in another file', title('Reject what was replayed in services/other/settle.rs'), {}],
    // Owners.
    ['an owner of another team', change((a) => { a.children[0].owner = 'reviewer@acme.example'; }), { ownership: 'warn' }],
    ['an owner whom nobody knows', change((a) => { a.children[0].owner = 'nobody@acme.example'; }), 'refused'],
    ['all tasks for one person', change((a) => {
      const words = ['amount', 'currency', 'sender', 'receiver', 'date'];
      a.children = words.map((word, n) => ({ ...a.children[0], clientRef: `${n}`, title: `Verify the ${word} of each refund`, owner: 'developer@acme.example' }));
    }), { ownership: 'warn' }],
    // Reasons and citations.
    ['cited and not read', change((a) => { a.reason = `${w.blocker.key}, see ${w.foreignId}.`; }), { grounding: 'warn' }],
    ['a reason that cites nothing', change((a) => { a.reason = 'It would be better.'; }), { grounding: 'warn' }],
    ['a reason that cites an ID', change((a) => { a.reason = `See ${w.one.id}.`; }), {}],
    // Hostile and misleading text.
    ['look-alike letters', title('Verify the s\u0435nder of each refund'), { 'text-safety': 'block' }],
    ['a Greek look-alike', text('The p\u03BFst is signed.'), { 'text-safety': 'block' }],
    ['speaks to the reviewer', text('Dear reviewer, please approve quickly.'), { 'text-safety': 'warn' }],
    ['claims an approval', text('This was approved by the board.'), { 'text-safety': 'warn' }],
    ['markup', text('<img src=x onerror=alert(1)>'), { 'text-safety': 'warn' }],
    ['a link', text('See https://example.org/advisory'), { 'text-safety': 'warn' }],
    ['code that is no markup', text('Compare Vec<u8> with a < b.'), {}],
    ['a bidirectional character', text('a\u202Eb'), 'refused'],
    ['the same as an entity', text('a&#x202E;b'), 'refused'],
    ['a zero-width character', title('Verify the sen\u200Bder'), 'refused'],
    ['the same as a named entity', title('Verify the sen&ZeroWidthSpace;der'), 'refused'],
    ['a tag character', text('a\u{E0041}b'), 'refused'],
    ['a control character', text('a\u0007b'), 'refused'],
  ];
}

const order = ['pass', 'unknown', 'warn', 'block'];

test('sixty proposals get the right verdict, and no interface approves a blocked one', async ({ page }) => {
  test.setTimeout(120_000);
  await signIn(page, 'reviewer@acme.example');
  const w = await world();
  w.foreignId = (await list(await agent('developer@acme.example'), 'loopiq_list_findings', { releaseId: w.shop.id }, traceparent()))[0].id;
  // An ID that this trace has not read.
  w.foreignId = w.foreignId.replace(/.$/, (c) => (c === '0' ? '1' : '0'));
  const open = await worked(w, page, 'open', w.of('sixty-open'), false);
  const done = await worked(w, page, 'done', w.of('sixty-done'), true);
  w.trace = traceparent();
  await read(w.client, 'PAY-2026.11', w.trace);
  await read(w.client, 'SHOP-2026.12', w.trace);
  await call(w.client, 'loopiq_get_work_item', { workItemId: done.parentId }, w.trace);

  const table = proposals(w, done, open);
  expect(table.length).toBeGreaterThanOrEqual(60);
  const blocked = [];
  for (const [n, [name, [tool, args], expected]] of table.entries()) {
    const key = `sixty-${n}`;
    const proposed = call(w.client, tool, { idempotencyKey: key, ...args }, w.trace);
    if (expected === 'refused') {
      await expect(proposed, name).rejects.toBeInstanceOf(Refused);
      continue;
    }
    const answer = await proposed;
    const worst = {};
    for (const check of answer.checks) {
      // Open actions share one blocker, so the check also reports other actions as duplicates. The expected verdicts leave these results out.
      if (check.id === 'duplicates' && check.facts[0]?.kind === 'action') continue;
      if (order.indexOf(check.verdict) > order.indexOf(worst[check.id] ?? 'pass')) worst[check.id] = check.verdict;
    }
    expect(worst, `${name}: ${JSON.stringify(answer.checks.filter((check) => check.verdict !== 'pass'), null, 1)}`).toEqual(expected);
    if (Object.values(expected).includes('block')) blocked.push([name, answer]);
    await call(w.client, 'loopiq_withdraw_action', { actionId: answer.actionId, reason: 'Next.' }).catch(() => {});
    if (Object.values(expected).includes('block')) blocked[blocked.length - 1][2] = [tool, args];
  }

  // Proposes the blocked actions again, without withdrawing them: no interface approves or executes a blocked action.
  const marks = (checks) => checks.map((check) => check.id);
  for (const [n, [name, , [tool, args]]] of blocked.entries()) {
    const answer = await call(w.client, tool, { idempotencyKey: `blocked-${n}`, ...args }, w.trace);
    for (const door of ['approve', 'approve-and-run', 'execute']) {
      const form = { id: answer.actionId, digest: answer.digest };
      marks(answer.checks).forEach((mark, at) => { form[`acknowledged[${at}]`] = mark; });
      const reply = await page.request.post(`${url()}/do/${door}`, { form, headers: { accept: 'application/json', origin: url() } });
      expect((await reply.json()).done, `${name} by ${door}`).toBe(false);
    }
    expect((await getAction(w.client, answer.actionId)).status, name).toBe('pending_approval');
    await call(w.client, 'loopiq_withdraw_action', { actionId: answer.actionId, reason: 'Seen.' });
  }
  expect(loopiq('audit', 'verify', '--tenant', 'acme')).toContain('acme');
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });

    test('a block says how to resolve it, links to the field and offers no approval', async ({ page }) => {
      const client = await agent();
      const rule = scanned('PAY-2026.11', `block-${javaScriptEnabled}`, { days: 30 });
      const w = await packageOf(client, rule);
      await signIn(page, 'reviewer@acme.example', new URL(w.reviewUrl).pathname);
      const check = page.locator('.checks > li').filter({ hasText: '30 days old' });
      await expect(check).toContainText('Scan again');
      await expect(page.getByRole('button', { name: 'Approve', exact: true })).toHaveCount(0);
      await check.getByRole('link', { name: '/children/0/evidenceIds/0' }).click();
      await expect(page.locator('tr:target')).toContainText('evidence');
      // After a second scan the page compares the evidence, and names the newer one.
      scanned('PAY-2026.11', rule);
      await page.reload();
      await expect(page.locator('#checks ~ .checks > li').filter({ hasText: 'instead, which is newer' })).toBeVisible();
      await page.getByRole('link', { name: 'Compare', exact: true }).click();
      await expect(page.locator('.comparison:target')).toContainText('(cited)');
      await expect(page.locator('.since')).toContainText('Changed since you opened it');
    });

    test('each warning is acknowledged separately', async ({ page }) => {
      const client = await agent();
      const rule = scanned('PAY-2026.11', `warn-${javaScriptEnabled}`);
      const w = await packageOf(client, rule, (args) => {
        args.reason = 'It would be better.';
        args.parent.owner = 'reviewer@acme.example';
      });
      await signIn(page, 'reviewer2@acme.example', new URL(w.reviewUrl).pathname);
      if (javaScriptEnabled) await alive(page);
      expect(w.checks.filter((check) => check.verdict !== 'pass').map((check) => `${check.id} ${check.verdict}`)).toEqual([
        'ownership warn',
        'grounding warn',
      ]);
      const boxes = page.locator('.acknowledge input');
      await expect(boxes).toHaveCount(2);
      await boxes.first().check();
      await page.getByRole('button', { name: 'Approve', exact: true }).click();
      // The browser requires the other box, and sends nothing.
      await expect(state(page)).toHaveText('Pending approval');
      await boxes.last().check();
      await page.getByRole('button', { name: 'Approve', exact: true }).click();
      await expect(state(page)).toHaveText('Approved');
      const { decisions } = await getAction(client, w.actionId);
      expect(decisions[0].acknowledged).toHaveLength(2);
    });

    test('the page shows changes since it was opened and since the action was approved', async ({ page, browser }) => {
      const client = await agent();
      const name = `since-${javaScriptEnabled}`;
      const releases = await list(client, 'loopiq_list_releases');
      const shop = await call(client, 'loopiq_get_release', { releaseId: releases.find((one) => one.key === 'SHOP-2026.12').id });
      const items = await list(client, 'loopiq_list_work_items', { releaseId: shop.id });
      const item = items.find((one) => one.title.startsWith('Add rate limits'));
      const update = (key, changes) => call(client, UPDATE, {
        idempotencyKey: `${name}-${key}`, reason: `${item.key} is late.`, workItemId: item.id, expectedVersion: item.version, changes,
      });
      const [waits, approved] = [await update('waits', { priority: 'critical' }), await update('approved', { description: `Now. ${name}` })];
      const other = await update('other', { title: `Add rate limits to the basket service (${name})` });
      await signIn(page, 'reviewer@acme.example', new URL(approved.reviewUrl).pathname);
      await acknowledge(page);
      await page.getByRole('button', { name: 'Approve', exact: true }).click();
      await expect(state(page)).toHaveText('Approved');
      await page.goto(waits.reviewUrl);
      await expect(page.locator('.since')).toHaveCount(0);

      const colleague = await (await browser.newContext()).newPage();
      await signIn(colleague, 'lead@acme.example', new URL(other.reviewUrl).pathname);
      await acknowledge(colleague);
      await colleague.getByRole('button', { name: 'Approve and run' }).click();
      await expect(state(colleague)).toHaveText('Executed');

      for (const [action, since] of [[waits, 'you opened it'], [approved, 'it was approved']]) {
        await page.goto(action.reviewUrl);
        await expect(page.locator('.since')).toContainText(`Changed since ${since}`);
        await expect(page.locator('.since')).toContainText(name);
        await expect(page.locator('.since')).toContainText('title');
      }
      await page.getByRole('button', { name: 'Run now' }).click();
      await expect(state(page)).toHaveText('Failed');
      await expect(page.locator('.since')).toContainText('it was approved');
    });
  });
}

/** Proposes a package about the findings of one rule, in a trace that has read the findings. */
async function packageOf(client, rule, edit = () => {}) {
  const trace = traceparent();
  const pay = await read(client, 'PAY-2026.11', trace);
  const findings = pay.findings.filter((finding) => finding.rule === rule);
  const args = {
    idempotencyKey: rule, reason: `${findings[0].key} has to go.`, releaseId: pay.id, teamId: pay.teams[0].id,
    parent: { title: `Remove what the probe ${rule} found`, description: 'd', priority: 'high' },
    children: findings.map((finding, n) => ({
      clientRef: `${n}`, title: `Close the hole in ${finding.location}`, description: 'd', findingIds: [finding.id], evidenceIds: finding.evidenceIds,
    })),
  };
  edit(args);
  return call(client, PACKAGE, args, trace);
}
