import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Problem } from '../problem.ts';
import { assignIdentities, buildModel } from './build.ts';
import type { SourceDocument } from './documents.ts';
import { loadShippedPacks } from './packs.ts';

const packs = await loadShippedPacks();
const shipped = packs.flatMap(({ documents }) => documents);
const settings = { currency: 'USD', country: 'US', timeZone: 'UTC', locale: 'en' };

type Path = readonly (string | number)[];

/** Every place inside a JSON value. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))];
}

/** The value with something else at a place; `undefined` takes it away. */
function changed(value: unknown, [key, ...rest]: Path, to: unknown): unknown {
  if (key === undefined) return to;
  if (Array.isArray(value))
    return value.map((inner, index) => (index === Number(key) ? changed(inner, rest, to) : inner));
  if (typeof value !== 'object' || value === null) return to;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, name === key ? changed(inner, rest, to) : inner]),
  );
}

const places = shipped.map(({ document }) => pathsOf(document));
const mutation = fc
  .integer({ min: 0, max: shipped.length - 1 })
  .chain((index) =>
    fc.tuple(
      fc.constant(index),
      fc.constantFrom(...(places[index] ?? [[]])),
      fc.oneof(
        fc.jsonValue({ maxDepth: 2 }),
        fc.constant(undefined),
        fc.constantFrom('name', 'account', 'core.user', 'owner', '__proto__', 'constructor'),
      ),
    ),
  );

test('whatever is done to the documents, the answer is a model or a problem with places', () => {
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), fc.boolean(), (mutations, asTenant) => {
      const documents = new Map<number, SourceDocument>();
      for (const [index, path, to] of mutations) {
        const before = documents.get(index) ?? shipped[index];
        if (before) documents.set(index, { ...before, document: changed(before.document, path, to) });
      }
      const mutated = [...documents.values()];
      const replaced = packs.map((pack) => ({
        ...pack,
        documents: pack.documents.map((one) => documents.get(shipped.indexOf(one)) ?? one),
      }));
      const tenantDocuments = mutated.map((one) => ({ ...one, source: `tenant:${one.source}` }));
      const source = {
        tenant: 'acme',
        release: 1,
        packs: asTenant ? packs : replaced,
        tenantDocuments: asTenant ? tenantDocuments : [],
      };
      let outcome: unknown;
      try {
        outcome = buildModel({ ...source, settings, identities: assignIdentities(source) });
      } catch (error) {
        outcome = error;
      }
      if (!(outcome instanceof Error)) return;
      expect(outcome).toBeInstanceOf(Problem);
      if (!(outcome instanceof Problem)) return;
      expect(outcome.code).toBe('invalid_document');
      expect(
        outcome.errors.every(
          ({ pointer, document, message }) => pointer !== undefined && document !== undefined && message !== '',
        ),
      ).toBe(true);
    }),
    { numRuns: 150 },
  );
}, 60_000);
