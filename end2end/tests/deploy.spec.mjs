// The files in deploy/, as far as they can be checked without a server and without building an image. production.spec.mjs runs the service with the unit's
// settings.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';

const read = (file) => readFileSync(`../deploy/${file}`, 'utf8');

test('systemd accepts the unit and finds it well protected', () => {
  test.skip(spawnSync('systemd-analyze', ['--version']).error !== undefined, 'systemd is missing here');
  const folder = mkdtempSync(join(tmpdir(), 'unit-'));
  const unit = join(folder, 'loopiq.service');
  // systemd looks for the program, which is not installed here.
  writeFileSync(unit, read('loopiq.service').replaceAll('/opt/loopiq/loopiq', '/bin/true'));
  const analyze = (...words) => spawnSync('systemd-analyze', [...words, unit], { encoding: 'utf8' });
  const verified = analyze('verify');
  expect([verified.status, verified.stdout, verified.stderr]).toEqual([0, '', '']);
  // The exposure in tenths: from 0 to 100.
  const security = analyze('security', '--offline=true', '--threshold=15');
  expect(security.status, security.stdout).toBe(0);
  rmSync(folder, { recursive: true });
});

test('the image has no shell and runs as another user than root', () => {
  const instructions = read('Containerfile')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => [line.split(' ')[0], line.slice(line.indexOf(' ') + 1)]);
  const stages = instructions.filter(([name]) => name === 'FROM');
  expect(stages).toHaveLength(2);
  const final = instructions.slice(instructions.lastIndexOf(stages[1]) + 1);
  const of = (name) => final.filter(([one]) => one === name).map(([, value]) => value);
  expect(of('RUN')).toEqual([]);
  expect(of('USER')).toEqual(['65532:65532']);
  expect(JSON.parse(of('ENTRYPOINT')[0])).toEqual(['/opt/loopiq/loopiq']);
  expect(JSON.parse(of('CMD')[0])).toEqual(['serve']);
  // The service looks for its site next to the binary.
  expect(of('COPY').map((copy) => copy.split(' ').slice(-2))).toEqual([
    ['/src/target/release/loopiq', '/opt/loopiq/loopiq'],
    ['/src/target/site', '/opt/loopiq/site'],
    ['/data', '/data'],
  ]);
  for (const built of ['target/release/loopiq', 'target/site']) expect(readFileSync('../Makefile', 'utf8')).toContain(built);
});

test('each setting of the example is one that the service has', () => {
  const { stdout } = spawnSync(process.env.LOOPIQ_BIN, ['serve', '--help'], { encoding: 'utf8' });
  const names = [...read('loopiq.env').matchAll(/^#?(LOOPIQ_\w+)=/gm), ...read('Containerfile').matchAll(/(LOOPIQ_\w+)[= ,]/g)].map((match) => match[1]);
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) expect(stdout, name).toMatch(new RegExp(`\\b${name}[=\\]]`));
});
