// An agent that learns from a rejection. It is given the ID of an action that was rejected, reads what `loopiq_get_action` says, and
// proposes anew: by the reason codes and the places that they point at, and by nothing that anybody wrote.

import { call, getAction, list, traceparent } from './client.mjs';

/** The value that a JSON pointer (RFC 6901) names, with what holds it. */
function at(root, pointer) {
  const parts = pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = parts.pop();
  const holder = parts.reduce((value, part) => value?.[part], root);
  return { holder, last, value: holder?.[last], item: parts.slice(0, 2).reduce((value, part) => value?.[part], root) };
}

/** Takes what these pointers name out of the lists that hold it. Last first, so that the places before stay where they are. */
function takeOut(payload, pointers) {
  const places = pointers.map((pointer) => at(payload, pointer)).filter(({ holder }) => Array.isArray(holder));
  for (const { holder, last } of places.sort((one, two) => Number(two.last) - Number(one.last))) holder.splice(Number(last), 1);
}

/** Where records of a kind are read. */
const readers = {
  finding: 'loopiq_list_findings',
  blocker: 'loopiq_list_blockers',
  control: 'loopiq_list_controls',
  evidence: 'loopiq_search_evidence',
};

/** Makes each of these titles of the findings that the item is about; the parent is about what its children are. */
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

/** What to do about each code. `read` gives all records of a kind in the release, and is remembered as read. */
const corrections = {
  titles: (payload, { pointers }, read) => entitle(payload, pointers, read),
  // What does not belong here is left out.
  unrelated: (payload, { pointers }) => takeOut(payload, pointers),
  evidence: (payload, { pointers }) => takeOut(payload, pointers),
  // What is called like something that is there already gets a title of its own; what is planned already needs no second item.
  async duplicates(payload, { pointers }, read) {
    const isTitle = (pointer) => pointer.endsWith('/title');
    await entitle(payload, pointers.filter(isTitle), read);
    const twice = new Set(pointers.filter((pointer) => !isTitle(pointer)).map((pointer) => at(payload, pointer).item));
    payload.children = payload.children.filter((child) => !twice.has(child));
  },
  // What is cited is read first.
  async grounding(payload, { facts }, read) {
    for (const kind of new Set(facts.map((fact) => fact.kind))) if (readers[kind]) await read(kind);
  },
};

/** Proposes anew what was rejected, under this key; gives the new proposal, or throws where a code is for people to think about. */
export async function learn(client, actionId, idempotencyKey) {
  const rejected = await getAction(client, actionId);
  const payload = structuredClone(rejected.submittedPayload);
  const trace = traceparent();
  const read = (kind) => list(client, readers[kind], { releaseId: payload.releaseId }, trace);
  for (const reason of rejected.reasons) {
    const correct = corrections[reason.code];
    if (!correct) throw new Error(`${reason.code} is for somebody to think about`);
    await correct(payload, reason, read);
  }
  // An item that rests on nothing any more has nothing to do.
  payload.children = payload.children.filter((child) => child.findingIds.length + child.controlIds.length > 0);
  const reason = `Corrected by ${rejected.reasonCodes.join(', ')}.`;
  return call(client, rejected.tool, { ...payload, reason, idempotencyKey, supersedesActionId: actionId }, trace);
}
