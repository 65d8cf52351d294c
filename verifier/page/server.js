// What the server knows: proofs, checkpoints and keys. Responses are passed to the verifier as they are.

/** A response that is not a success. */
class Refused extends Error {
  constructor(status) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** The browser did not get a response. */
class Unreachable extends Error {}

/** The text at a path; null if there is none (404). */
export async function get(path) {
  let response;
  try {
    response = await fetch(path, { headers: { accept: 'application/json, text/plain' }, cache: 'no-store' });
  } catch {
    throw new Unreachable(path);
  }
  if (response.status === 404) return null;
  if (!response.ok) throw new Refused(response.status);
  return response.text();
}

let loading;

/** The verifier. It is loaded once. */
export function verifier() {
  loading ??= import('./verifier.js').then(async (module) => {
    await module.default({ module_or_path: new URL('verifier_bg.wasm', import.meta.url) });
    return module;
  });
  // A failed load is tried again the next time.
  loading.catch(() => (loading = undefined));
  return loading;
}

/** Why nothing was verified: a sentence, and a link that helps. */
export function explain(error) {
  const signIn = ['Sign in', `/login?return_to=${encodeURIComponent(location.pathname + location.search)}`];
  if (error instanceof Unreachable) return { text: 'the server could not be reached.' };
  if (!(error instanceof Refused)) return { text: 'your browser could not load or run the verifier.' };
  switch (error.status) {
    case 401:
      return { text: 'you are signed out.', link: signIn };
    case 403:
      return { text: 'your roles do not allow you to read proofs.' };
    case 429:
    case 503:
      return { text: 'the server is busy. Try again in a minute.' };
    default:
      return { text: `the server responded with an error (${error.status}).` };
  }
}
