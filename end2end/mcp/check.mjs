// One visit of the official client to a running demo: `node mcp/check.mjs --url http://127.0.0.1:3000 --release PAY-2026.11`,
// with the token in LOOPIQ_TOKEN. It lists tools, reads, makes an invalid call, proposes and withdraws, and repeats the steps with the
// protocol of older clients. It prints a line for each step, and exits with 1 after the first failed step.

import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { call, connect, getAction, proposeWorkPackage, toolNames, withdraw } from './client.mjs';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:3000' },
    release: { type: 'string', default: 'PAY-2026.11' },
  },
});
const token = process.env.LOOPIQ_TOKEN;
assert.ok(token, 'LOOPIQ_TOKEN must hold a token from `loopiq token`');

for (const mode of [{ pin: '2026-07-28' }, 'auto', 'legacy']) {
  const client = await connect(values.url, token, { mode });
  const say = (line) => console.log(`${client.getNegotiatedProtocolVersion()}: ${line}`);
  try {
    const names = await toolNames(client);
    assert.ok(names.includes('loopiq_create_remediation_work_package'));
    assert.ok(!names.some((name) => /approve|reject|execute/.test(name)), 'no tool decides or executes');
    say(`${names.length} tools`);

    const context = await call(client, 'loopiq_get_context');
    assert.deepEqual([...context.tools].sort(), [...names].sort());
    say(`acting for ${context.caller.email} in ${context.tenant.id}`);

    const bad = await call(client, 'loopiq_get_release', { releaseId: 7, extra: true }).catch((error) => error);
    assert.equal(bad.code, 'invalid_arguments');
    assert.ok(bad.fields.some((field) => field.pointer === '/extra'));
    const unknown = await call(client, 'loopiq_approve_action').catch((error) => error);
    assert.equal(unknown.code, 'unknown_tool');
    say(`a bad call: ${bad.message}`);

    const key = `check-${Date.now()}`;
    const preview = await proposeWorkPackage(client, values.release, key, { dryRun: true });
    assert.equal(preview.actionId, undefined);
    const proposed = await proposeWorkPackage(client, values.release, key);
    assert.equal(proposed.status, 'pending_approval');
    assert.equal((await proposeWorkPackage(client, values.release, key)).actionId, proposed.actionId);
    say(`proposed ${proposed.actionId}: ${proposed.reviewUrl}`);

    await withdraw(client, proposed.actionId);
    const ended = await getAction(client, proposed.actionId);
    assert.equal(ended.status, 'rejected');
    assert.deepEqual(ended.reasonCodes, ['withdrawn']);
    say(`withdrawn ${proposed.actionId}`);
  } finally {
    await client.close();
  }
}

const refused = await connect(values.url, 'loopiq_nothing').catch((error) => error);
assert.ok(refused instanceof Error, 'an unknown token is refused');
console.log(`an unknown token: ${refused.message.split('\n')[0]}`);
