// What this browser remembers of a tenant's log: the last checkpoint that it verified, the key that signed it, and when. It is in this browser's
// local storage, where the server cannot change it.

const name = (tenant) => `loopiq.audit-log.${tenant}`;

/** What was remembered, or null. A damaged value is returned as one that the verifier refuses. */
export function recall(tenant) {
  const text = stored(() => localStorage.getItem(name(tenant)));
  if (!text) return null;
  try {
    const { checkpoint, key, at } = JSON.parse(text);
    return { checkpoint: String(checkpoint), key: String(key), at: String(at) };
  } catch {
    return { checkpoint: text, key: '', at: '' };
  }
}

/** Remembers a verified checkpoint. Returns whether the browser keeps it. */
export function remember(tenant, checkpoint, key) {
  const text = JSON.stringify({ checkpoint, key, at: new Date().toISOString() });
  return stored(() => localStorage.setItem(name(tenant), text)) !== null && recall(tenant)?.checkpoint === checkpoint;
}

/** Runs an access. Browsers can refuse to store data of a site; then it returns null. */
function stored(access) {
  try {
    return access();
  } catch {
    return null;
  }
}
