// The door of every npm script. It runs on whatever Node the machine has (20 or later), installs the pinned toolchain
// when the lock file changed, and hands over to the pinned Node 24, which runs TypeScript as it is.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'node_modules', '.armature-lock');
const node = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');

const [task = 'start', ...args] = process.argv.slice(2);

/**
 * Memory stays flat: V8 would keep up to a hundred megabytes of young objects before it looks, and let the old ones grow
 * to four times what is alive. Node's own code, where nearly half of the time of a read goes, stands on large pages
 * where the system has them.
 */
const SERVER = JSON.parse(readFileSync(join(root, 'scripts', 'server-flags.json'), 'utf8'));

/** What each script runs: steps one after the other; the last one receives the command line's arguments. */
const tasks = {
  start: [['scripts/build-ui.ts'], [...SERVER, 'engine/main.ts']],
  dev: [['scripts/build-ui.ts'], ['--watch', '--watch-path=engine', '--watch-path=metadata', 'engine/main.ts']],
  test: [['scripts/test.ts']],
  check: [['scripts/check.ts']],
  bench: [['tests/bench/main.ts']],
  armature: [['engine/armature.ts']],
  generate: [['scripts/generate-types.ts']],
  format: [['node_modules/@biomejs/biome/bin/biome', 'format', '--write', '.']],
};

function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error('Installing dependencies (the lock file changed) …');
  // Not `npm ci`: it refuses a lock file that leaves out the binaries of other platforms, which some registries lack.
  // `--no-save` installs what the lock file says and leaves it as it is.
  const install = ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error'];
  const done = spawnSync('npm', install, { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.status !== 0) {
    console.error('npm install failed: see the lines above. Nothing was started.');
    process.exit(done.status ?? 1);
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, lock);
}

/**
 * What Node makes of the sources is kept between starts: a start then takes less than half of the processor's time.
 * https://nodejs.org/api/module.html#module-compile-cache
 */
const env = { NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node'), ...process.env };

/** Runs one step on the pinned Node; signals are passed on, so that Ctrl+C and SIGTERM reach the server itself. */
function run(step, extra) {
  return new Promise((resolve) => {
    const child = spawn(node, ['--disable-warning=ExperimentalWarning', ...step, ...extra], {
      cwd: root,
      stdio: 'inherit',
      env,
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 128 : 1)));
  });
}

const steps = tasks[task];
if (!steps) {
  console.error(`Unknown task "${task}". One of: ${Object.keys(tasks).join(', ')}.`);
  process.exit(2);
}
install();
for (const [index, step] of steps.entries()) {
  const code = await run(step, index === steps.length - 1 ? args : []);
  if (code !== 0) process.exit(code);
}
