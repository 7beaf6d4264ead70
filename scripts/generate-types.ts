/**
 * Writes `engine/model/documents.generated.ts` from the JSON Schemas in `metadata/schema`.
 * With `--check` it writes nothing and exits 1 when the file is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { KINDS } from '../engine/model/documents.ts';

const schemas = new URL('../metadata/schema/', import.meta.url);
const target = fileURLToPath(new URL('../engine/model/documents.generated.ts', import.meta.url));

/** One root schema that holds every kind, so that shared parts are declared once. */
const root: JSONSchema = {
  title: 'Document',
  description: 'Any metadata document; `kind` tells which.',
  oneOf: KINDS.map((kind) => ({ $ref: `${kind}.schema.json` })),
};

const generated = await compile(root, 'Document', {
  cwd: fileURLToPath(schemas),
  bannerComment: '// Generated from metadata/schema by scripts/generate-types.ts (`npm run generate`). Do not edit.',
  additionalProperties: false,
  enableConstEnums: false,
  ignoreMinAndMaxItems: true,
  style: { singleQuote: true, printWidth: 120 },
});
// The engine never changes a document, so every property is readonly.
const text = generated.replaceAll(/^(\s+)([\w$]+\??): /gm, '$1readonly $2: ');

if (process.argv.includes('--check')) {
  let committed = '';
  try {
    committed = readFileSync(target, 'utf8');
  } catch {
    // Missing counts as stale.
  }
  if (committed !== text) {
    console.error('engine/model/documents.generated.ts is stale: run `npm run generate`.');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
