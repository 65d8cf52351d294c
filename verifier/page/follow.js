// Whether the log continues the one that this browser saw before. Both pages ask this.
import { get, verifier } from './server.js';
import { recall, remember } from './memory.js';
import { download, element, entries, time } from './show.js';

/** The number of entries of a signed note; 0 if it has none. */
export const sizeOf = (note) => Number(/^[^\n]+\n(\d{1,15})\n/.exec(note ?? '')?.[1] ?? 0);

/**
 * Compares a checkpoint with what this browser remembers, and remembers the checkpoint if it continues that. `now` is null if the server has
 * none. Returns the verifier's report with `seen` (what was remembered) and `kept` (whether the browser keeps the checkpoint).
 */
export async function follow(tenant, now, keys) {
  const seen = recall(tenant);
  if (now === null) return { report: missing(seen), seen, now };
  const { verifyGrowth } = await verifier();
  const request = { tenant, seen, now, keys, consistency: null, rotations: [] };
  const run = () => JSON.parse(verifyGrowth(JSON.stringify(request)));
  const [from, to] = [sizeOf(seen?.checkpoint), sizeOf(now)];
  if (from > 0 && from < to) request.consistency = await get(`/api/v1/audit/consistency?from=${from}&to=${to}`);
  let report = run();
  if (report.newKey) {
    request.rotations = await rotations();
    report = run();
  }
  const kept = report.verdict === 'verified' && remember(tenant, now, report.key);
  return { report, seen, now, kept };
}

/** The proofs of the entries that announce keys. */
async function rotations() {
  const entries = JSON.parse((await get('/api/v1/audit/key-rotations')) ?? '[]');
  const proofs = await Promise.all(entries.map((seq) => get(`/api/v1/audit/${seq}/proof`)));
  return proofs.filter((proof) => proof !== null);
}

/** The report if the server has no checkpoint. */
function missing(seen) {
  const size = sizeOf(seen?.checkpoint);
  if (size === 0) return { verdict: 'notSignedYet', headline: '', steps: [] };
  const says = `The server has no checkpoint, but this browser has seen one of ${entries(size)}. Entries were removed.`;
  return { verdict: 'failed', headline: says, steps: [{ name: 'growth', ok: false, says }], seenSize: size };
}

/** What to do if the log does not continue: keep both checkpoints. `again` verifies again. */
export function advice({ report, seen, now }, tenant, again) {
  const forget = element('button', { type: 'button', class: 'button small danger' }, "Remember today's log instead");
  forget.addEventListener('click', () => {
    remember(tenant, now, report.key);
    again();
  });
  const files = [
    download('Save the checkpoint of your last visit', `checkpoint-${tenant}-seen.txt`, seen.checkpoint),
    now === null ? '' : download("Save today's checkpoint", `checkpoint-${tenant}-today.txt`, now),
  ];
  return [
    element('p', {}, `This browser last saw the log on ${time(seen.at)}. Save both checkpoints: they are the evidence. Then tell your operator `
      + 'and your auditors, who compare the log with the checkpoint of your last visit: ',
    element('code', {}, `loopiq audit verify --tenant ${tenant} --checkpoint FILE`)),
    element('div', { class: 'buttons' }, ...files),
    now === null || !report.key
      ? ''
      : element('details', {}, element('summary', {}, 'If the reason is known'),
        element('p', {}, 'A restored backup, for example, makes a log shorter. Your browser then compares later visits with the log of today.'), forget),
  ];
}
