// The audit page: whether the log continues the one that this browser saw before.
import { get } from './server.js';
import { advice, follow } from './follow.js';
import { element, entries, say, showSteps, time } from './show.js';

export async function verifyGrowth(place) {
  const { tenant } = place.dataset;
  const now = await get('/api/v1/audit/checkpoint');
  const keys = ((await get('/api/v1/audit/keys')) ?? '').split('\n').filter(Boolean);
  const outcome = await follow(tenant, now, keys);
  const { report, seen } = outcome;
  const more = place.querySelector('[data-steps]');
  more.replaceChildren();
  if (report.verdict === 'failed') {
    showSteps(place, report.steps);
    more.prepend(...(seen ? advice(outcome, tenant, () => verifyGrowth(place)) : []));
    return say(place, 'broken', seen ? 'This is NOT the log that your browser has seen before:' : 'The log is NOT verified:', report.headline);
  }
  if (report.verdict === 'notSignedYet') {
    return say(place, 'open', 'No checkpoint of this log is signed yet. Your browser will remember the first one.');
  }
  const size = entries(report.size);
  const kept = outcome.kept ? '' : ' Your browser does not store data of this site, so it cannot compare your next visit.';
  if (report.seenSize === null) {
    return say(place, 'intact', `Your browser sees this log for the first time, with ${size}. From now on, it verifies that the log continues.${kept}`);
  }
  const before = `Your browser last saw the signed log with ${entries(report.seenSize)} on ${time(seen.at)}; `;
  const same = report.seenSize === report.size;
  const what = same ? "today's are the same: verified." : `today's ${size} continue it: verified.`;
  const key = report.announcedBy && element('span', {}, 'It is signed with a new key, which ', element('a', { href: `/audit/${report.announcedBy}` }, `entry ${report.announcedBy}`), ' announces.');
  say(place, 'intact', before + what + kept, key);
}
