// Shows outcomes and steps. Texts become text nodes, never markup.

/** An element with attributes, properties that begin with a dot, and children. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/**
 * Shows the outcome in the place's live region. `kind`: `intact`, `broken` or `open`. Parts are texts, nodes, links `[text, address]`, or
 * buttons `[text, function]`.
 */
export function say(place, kind, ...parts) {
  const region = place.querySelector('[data-outcome]');
  // An alert interrupts a screen reader; a status waits.
  region.setAttribute('role', kind === 'broken' ? 'alert' : 'status');
  region.className = `seal seal-${kind}`;
  const shown = parts.filter(Boolean).flatMap((part) => [' ', Array.isArray(part) ? control(...part) : part]);
  region.replaceChildren(element('span', {}, ...shown.slice(1)));
}

function control(text, does) {
  if (typeof does === 'string') return element('a', { href: does }, text);
  const button = element('button', { type: 'button', class: 'button small' }, text);
  button.addEventListener('click', does);
  return button;
}

/** Shows the steps. They are open if one of them does not hold. */
export function showSteps(place, steps) {
  const list = place.querySelector('[data-steps]');
  const failed = steps.some((step) => !step.ok);
  const details = element('details', failed ? { open: '' } : {}, element('summary', {}, `Steps (${steps.length})`));
  details.append(element('ol', { class: 'proof-steps' }, ...steps.map(step)));
  list.replaceChildren(details);
}

function step({ ok, says, value, levels = [] }) {
  const item = element('li', {}, element('span', { class: `verdict ${ok ? 'pass' : 'block'}` }, ok ? 'Holds' : 'Fails'), ' ', says);
  if (value) item.append(' ', hash(value), ' ', copyButton(value, says));
  if (levels.length > 0) {
    const level = ({ left, sibling, result }) =>
      element('li', {}, left ? 'with the hash on the left ' : 'with the hash on the right ', hash(sibling), ' gives ', hash(result));
    item.append(element('ol', { class: 'proof-levels' }, ...levels.map(level)));
  }
  return item;
}

/** A hash or key. It is cut by the style sheet, so that a selection copies the whole text. */
function hash(text) {
  return element('code', { class: 'proof-hash', title: text }, text);
}

function copyButton(text, what) {
  const label = element('span', { 'aria-live': 'polite' }, 'Copy');
  const button = element('button', { type: 'button', class: 'copy' }, label, element('span', { class: 'unseen' }, ` the value of: ${what}`));
  button.addEventListener('click', async () => {
    const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    label.textContent = copied ? 'Copied' : 'Not copied';
    setTimeout(() => (label.textContent = 'Copy'), 2000);
  });
  return button;
}

/** A link that saves a text as a file. */
export function download(text, file, content) {
  return element('a', { class: 'button small', download: file, href: URL.createObjectURL(new Blob([content], { type: 'text/plain' })) }, text);
}

/** `2026-11-22 21:20:34 UTC`, as the pages write times. */
export function time(at) {
  const date = new Date(at);
  return Number.isNaN(date.valueOf()) ? 'an earlier day' : `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `1 entry`, `8,213 entries`. */
export function entries(count) {
  return `${count.toLocaleString('en')} ${count === 1 ? 'entry' : 'entries'}`;
}
