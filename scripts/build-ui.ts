/**
 * Builds the screens into dist/ui, when what they are made of has changed since the last build.
 * The page it writes carries `__CSP_NONCE__` wherever the server has to put the nonce of a response.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const source = join(root, 'runtime-ui');
const target = join(root, 'dist', 'ui');
const stamp = join(target, '.sources');

/**
 * @rjsf/core exports a helper for its tests, which asks for the Ajv validator. The screens check without Ajv (it compiles
 * with `eval`, see runtime-ui/form/validator.ts), so it is not installed.
 */
const withoutAjv: Plugin = {
  name: 'without-ajv',
  resolveId: (id) => (id === '@rjsf/validator-ajv8' ? '\0without-ajv' : null),
  load: (id) => (id === '\0without-ajv' ? 'export default {};' : null),
};

/** Hash of everything that goes into the build. Tests and texts for people do not. */
function hashOfSources(): string {
  const files = globSync('**/*', { cwd: source }).filter((file) => !/\.test\.tsx?$|\.md$/.test(file));
  const own = [
    ...files.map((file) => join(source, file)),
    join(root, 'package-lock.json'),
    fileURLToPath(import.meta.url),
  ];
  const hash = createHash('sha256');
  for (const file of own.toSorted()) {
    if (!statSync(file).isFile()) continue;
    hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

const hash = hashOfSources();
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) {
  console.log('Screens are up to date.');
} else {
  const start = performance.now();
  const { build } = await import('vite');
  const { default: react } = await import('@vitejs/plugin-react');
  await build({
    configFile: false,
    root: source,
    base: '/',
    logLevel: 'error',
    publicDir: false,
    plugins: [react(), withoutAjv],
    html: { cspNonce: '__CSP_NONCE__' },
    build: {
      outDir: target,
      emptyOutDir: true,
      // No pack can be called `_ui`, so no screen has an address below it.
      assetsDir: '_ui',
      // `img-src` allows data:, but a style or font inlined that way would be refused.
      assetsInlineLimit: 0,
      target: 'es2023',
      chunkSizeWarningLimit: 2000,
    },
  });
  writeFileSync(stamp, hash);
  console.log(`Built the screens in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
}
