// An agent that learns from a rejection. The agent reads a rejected action with `loopiq_get_action`, and proposes a corrected action.
// It uses only the reason codes and their pointers, and no text that a person has written.

import { call, getAction, list, traceparent } from './client.mjs';

/** The value that a JSON pointer (RFC 6901) names, with its holder: the object or list that contains the value. */
function at(root, pointer) {
  const parts = pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = parts.pop();
  const holder = parts.reduce((value, part) => value?.[part], root);
  return { holder, last, value: holder?.[last], item: parts.slice(0, 2).reduce((value, part) => value?.[part], root) };
}

/** Removes the list entries that these pointers name, from the last to the first, so that the other pointers stay valid. */
function takeOut(payload, pointers) {
  const places = pointers.map((pointer) => at(payload, pointer)).filter(({ holder }) => Array.isArray(holder));
  for (const { holder, last } of places.sort((one, two) => Number(two.last) - Number(one.last))) holder.splice(Number(last), 1);
}

/** The tool that reads the records of each kind. */
const readers = {
  finding: 'loopiq_list_findings',
  blocker: 'loopiq_list_blockers',
  control: 'loopiq_list_controls',
  evidence: 'loopiq_search_evidence',
};

/** Writes each of these titles from the findings of its item; the findings of the parent are those of its children. */
async function entitle(payload, pointers, read) {
  const known = new Map((await read('finding')).map((finding) => [finding.id, finding]));
  for (const pointer of pointers) {
    const { holder, last, item } = at(payload, pointer);
    const about = item === payload.parent ? payload.children.flatMap((child) => child.findingIds) : (item.findingIds ?? []);
    const findings = about.filter((id) => known.has(id)).map((id) => known.get(id));
    const rules = new Set(findings.map((finding) => finding.rule));
    const places = findings.map((finding) => `${finding.location ?? finding.component}:${finding.line ?? 1}`);
    if (findings.length > 0) holder[last] = `Resolve ${[...rules].join(', ')} in ${places.join(', ')}`.slice(0, 200);
  }
}

/** The correction for each reason code. `read` returns all records of a kind in the release, and the service counts them as read. */
const corrections = {
  titles: (payload, { pointers }, read) => entitle(payload, pointers, read),
  // Records that are unrelated to the release are removed.
  unrelated: (payload, { pointers }) => takeOut(payload, pointers),
  evidence: (payload, { pointers }) => takeOut(payload, pointers),
  // An item with the title of an existing one gets a new title, and an item for work that is planned already is removed.
  async duplicates(payload, { pointers }, read) {
    const isTitle = (pointer) => pointer.endsWith('/title');
    await entitle(payload, pointers.filter(isTitle), read);
    const twice = new Set(pointers.filter((pointer) => !isTitle(pointer)).map((pointer) => at(payload, pointer).item));
    payload.children = payload.children.filter((child) => !twice.has(child));
  },
  // The agent reads the records that the reason cites.
  async grounding(payload, { facts }, read) {
    for (const kind of new Set(facts.map((fact) => fact.kind))) if (readers[kind]) await read(kind);
  },
};

/** Proposes the corrected action with this key. Returns the new proposal, or throws if a code needs the judgement of a person. */
export async function learn(client, actionId, idempotencyKey) {
  const rejected = await getAction(client, actionId);
  const payload = structuredClone(rejected.submittedPayload);
  const trace = traceparent();
  const read = (kind) => list(client, readers[kind], { releaseId: payload.releaseId }, trace);
  for (const reason of rejected.reasons) {
    const correct = corrections[reason.code];
    if (!correct) throw new Error(`${reason.code} needs the judgement of a person`);
    await correct(payload, reason, read);
  }
  // An item without findings and controls is removed.
  payload.children = payload.children.filter((child) => child.findingIds.length + child.controlIds.length > 0);
  const reason = `Corrected by ${rejected.reasonCodes.join(', ')}.`;
  return call(client, rejected.tool, { ...payload, reason, idempotencyKey, supersedesActionId: actionId }, trace);
}
