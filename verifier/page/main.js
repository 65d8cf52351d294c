// Verifies the audit log in the browser, once the page is idle. A page names what it wants verified with `data-verify`: an entry, or the growth
// of the log. Without this script, the page shows only what the server says.

/** What verifies each kind of place. */
const KINDS = {
  entry: async (place) => (await import('./entry.js')).verifyEntry(place),
  growth: async (place) => (await import('./growth.js')).verifyGrowth(place),
};

async function verify(place) {
  const region = place.querySelector('[data-outcome]');
  region.textContent = 'Verifying in your browser…';
  try {
    await KINDS[place.dataset.verify](place);
  } catch (error) {
    try {
      const [{ explain }, { say }] = await Promise.all([import('./server.js'), import('./show.js')]);
      const { text, link } = explain(error);
      say(place, 'open', `Not verified: ${text}`, link, ['Try again', () => verify(place)]);
    } catch {
      region.textContent = 'Not verified: your browser could not load the verifier. Load the page again.';
    }
  }
}

const start = () => document.querySelectorAll('[data-verify]').forEach(verify);
'requestIdleCallback' in window ? requestIdleCallback(start) : setTimeout(start);
