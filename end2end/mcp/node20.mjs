// Loaded before the conformance suite, which imports `globSync` from `fs`. Node.js 20 has no such function; the suite needs it only to look for files of
// its own results, which no test asks for.
import * as fs from 'node:fs';
import { register } from 'node:module';

const replacement = `
export * from 'node:fs';
export { default } from 'node:fs';
export const globSync = () => { throw new Error('globSync needs Node.js 22'); };`;
const hooks = `
export const resolve = (name, context, next) =>
  name === 'fs' && context.parentURL?.includes('/conformance') ? { url: ${JSON.stringify(`data:text/javascript,${encodeURIComponent(replacement)}`)}, shortCircuit: true } : next(name, context);`;

if (!fs.globSync) register(`data:text/javascript,${encodeURIComponent(hooks)}`);
