// The programs of the server in server.mjs: node programs.mjs ROOT NAME ARGUMENT...
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const [root, name, ...words] = process.argv.slice(2);
const { places, contents, postgres } = JSON.parse(readFileSync(join(root, 'server.json'), 'utf8'));
const fail = (why) => {
  console.error(`${name}: ${why}`);
  process.exit(1);
};
/** Replaces the places of the document in a file that it installs. */
const place = (file) => {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, places.reduce((all, [theirs, ours]) => all.replaceAll(theirs, ours), text));
};
const exec = (program, arguments_, options = {}) => {
  const done = spawnSync(program, arguments_, { stdio: 'inherit', ...options });
  if (done.error) fail(done.error.message);
  process.exit(done.status ?? 1);
};

/** The sections of a unit: the values of each key, in their order. */
function unit(file) {
  const values = {};
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key) (values[key] ??= []).push(value);
  }
  return values;
}

const programs = {
  sudo() {
    let user = 'root';
    if (words[0] === '-u') [, user] = words.splice(0, 2);
    const [program, ...rest] = words;
    // What the account `loopiq` is on a real server.
    exec(program, rest, { env: { ...process.env, TEST_ACCOUNT: user } });
  },
  id: () => console.log(process.env.TEST_ACCOUNT === 'loopiq' ? 998 : 0),
  useradd: () => words.at(-1) === 'loopiq' || fail('another account'),
  make: () => (words.join(' ') === 'build' && existsSync(process.env.TEST_BINARY)) || fail('another target'),
  sudoedit() {
    const file = words[0];
    const content = contents[basename(file)] ?? fail(`the test has no content for ${file}`);
    let text = readFileSync(file, 'utf8');
    for (const [found, replacement] of content.replace ?? []) {
      if (!text.includes(found)) fail(`${file} does not contain ${found}`);
      text = text.replace(found, replacement);
    }
    writeFileSync(file, content.text ?? text);
  },
  install() {
    const folder = words.includes('-d');
    const rest = [];
    let mode;
    for (let n = 0; n < words.length; n += 1) {
      if (words[n] === '-m') mode = parseInt(words[(n += 1)], 8);
      else if (words[n] === '-o' || words[n] === '-g') words[(n += 1)] === 'loopiq' || fail('another account');
      else if (words[n] !== '-d') rest.push(words[n]);
    }
    if (folder) {
      for (const one of rest) mkdirSync(one, { recursive: true, mode: mode ?? 0o755 });
      return;
    }
    const [from, to] = rest;
    if (from === 'target/release/loopiq') {
      try {
        linkSync(process.env.TEST_BINARY, to);
      } catch {
        copyFileSync(process.env.TEST_BINARY, to);
      }
      return;
    }
    writeFileSync(to, readFileSync(from), { mode });
    chmodSync(to, mode);
    if (from.startsWith('deploy/')) place(to);
  },
  cp() {
    const [, from, to] = words;
    if (words[0] !== '-r') fail('another option');
    if (from === 'target/site') return symlinkSync(process.env.TEST_SITE, join(to, 'site'));
    cpSync(from, to, { recursive: true });
  },
  curl() {
    const { status, stdout } = spawnSync(process.execPath, ['-e', `fetch(${JSON.stringify(words.at(-1))}).then(async (r) => { console.log(await r.text()); process.exit(r.ok ? 0 : 22); })`]);
    process.stdout.write(stdout);
    process.exit(status);
  },
  psql() {
    // The cluster of the test has roles of these names for other tests.
    const sql = readFileSync(0, 'utf8').replaceAll('loopiq', postgres.database);
    exec(postgres.psql, [postgres.admin, '--quiet', '--set', 'ON_ERROR_STOP=1'], { input: sql, stdio: ['pipe', 'inherit', 'inherit'] });
  },
  async systemctl() {
    const pid = join(root, 'run/pid');
    const action = words[0];
    if (action === 'stop' || action === 'restart') {
      if (existsSync(pid)) {
        const running = Number(readFileSync(pid, 'utf8'));
        process.kill(running, 'SIGTERM');
        while (existsSync(`/proc/${running}/exe`)) await new Promise((resolve) => setTimeout(resolve, 50));
        rmSync(pid);
      }
      if (action === 'stop') return;
    } else if (words.join(' ') !== 'enable --now loopiq') fail('another action');
    const service = unit(join(root, 'units/loopiq.service'));
    if (service.User[0] !== 'loopiq') fail('the service is root');
    const credentials = join(root, 'run/credentials');
    rmSync(credentials, { recursive: true, force: true });
    mkdirSync(credentials, { mode: 0o700 });
    for (const credential of service.LoadCredential) {
      const [called, file] = credential.split(':');
      writeFileSync(join(credentials, called), readFileSync(file), { mode: 0o400 });
    }
    mkdirSync(join(root, 'lib', service.StateDirectory[0]), { recursive: true, mode: 0o700 });
    const env = { PATH: '/usr/bin:/bin', CREDENTIALS_DIRECTORY: credentials };
    for (const line of readFileSync(service.EnvironmentFile[0], 'utf8').split('\n')) {
      const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
      if (key) env[key] = value;
    }
    const command = (line) => line.replace(/^-/, '').replaceAll('${CREDENTIALS_DIRECTORY}', credentials).split(' ');
    const journal = openSync(join(root, 'run/journal'), 'a');
    const options = { cwd: '/', env, stdio: ['ignore', journal, journal] };
    for (const line of service.ExecStartPre) {
      const [program, ...arguments_] = command(line);
      const done = spawnSync(program, arguments_, options);
      if (done.status !== 0 && !line.startsWith('-')) fail('the start failed');
    }
    const size = statSync(join(root, 'run/journal')).size;
    const [program, ...arguments_] = command(service.ExecStart[0]);
    const child = spawn(program, arguments_, { ...options, detached: true });
    writeFileSync(pid, String(child.pid));
    child.unref();
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const printed = () => readFileSync(join(root, 'run/journal')).subarray(size).toString();
    while (!printed().includes('ready on ')) {
      const code = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 50))]);
      if (code !== undefined) fail(`the service ended with ${code}: ${printed()}`);
    }
    process.exit(0);
  },
};

await (programs[name] ?? (() => fail('unknown')))();
