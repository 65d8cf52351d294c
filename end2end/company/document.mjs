// The commands of docs/production.md.
import { readFileSync } from 'node:fs';

/** The shell blocks of a document, in their order: the heading above each, its text, and the database that it is for, if it is for one only. */
export function shellBlocks(file) {
  const blocks = [];
  let heading = '';
  let open;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (open) {
      if (line === '```') {
        const [language, database] = open.kind.split(' ');
        if (language === 'sh') blocks.push({ heading, text: open.lines.join('\n'), database });
        open = undefined;
      } else open.lines.push(line);
    } else if (line.startsWith('```')) open = { kind: line.slice(3), lines: [] };
    else if (line.startsWith('## ')) heading = line.slice(3);
  }
  if (open) throw new Error(`${file} has a block without an end`);
  return blocks;
}
