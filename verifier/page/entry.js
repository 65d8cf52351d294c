// The page of an entry: whether the entry is in the signed log, and whether the page shows it.
import { get, verifier } from './server.js';
import { follow, sizeOf } from './follow.js';
import { say, showSteps } from './show.js';

export async function verifyEntry(place) {
  const { tenant, seq, event } = place.dataset;
  const { verifyEntry: verify } = await verifier();
  const shown = JSON.stringify({
    tenant,
    seq: Number(seq),
    event,
    leafHash: place.querySelector('[data-leaf] code').textContent,
    content: document.querySelector('[data-content] code').textContent,
  });
  const judge = async () => {
    const proof = await get(`/api/v1/audit/${seq}/proof`);
    return { proof, report: proof && JSON.parse(verify(proof, shown)) };
  };

  let { proof, report } = await judge();
  let latest = null;
  if (report?.verdict === 'notSignedYet') {
    latest = await get('/api/v1/audit/checkpoint');
    // A checkpoint may have been signed since the proof was made.
    if (sizeOf(latest) >= Number(seq)) ({ proof, report } = await judge());
  }
  if (!report) return say(place, 'broken', 'This entry is NOT in the signed log: the server has no proof of it.');
  if (report.verdict === 'failed') {
    showSteps(place, report.steps);
    return say(place, 'broken', report.headline, 'Tell your operator, who runs loopiq audit verify.');
  }
  const { checkpoint, keys } = JSON.parse(proof);
  const growth = (await follow(tenant, checkpoint ?? latest, keys)).report;
  const names = new Set(report.steps.map((step) => step.name));
  showSteps(place, [...report.steps, ...growth.steps.filter((step) => !names.has(step.name))]);
  if (growth.verdict === 'failed') {
    say(place, 'broken', 'This is NOT the log that your browser has seen before:', growth.headline, ['What to do', '/audit']);
  } else if (report.verdict === 'notSignedYet' && growth.size >= Number(seq)) {
    say(place, 'broken', 'This entry is NOT in the signed log: a checkpoint covers its number, but the server sends no proof.');
  } else {
    say(place, report.verdict === 'verified' ? 'intact' : 'open', report.headline);
  }
}
