/** The first gate for documents: their shape. What they say of each other is checked by `build.ts`. */
import type { ErrorObject } from 'ajv/dist/2020.js';
import { nearest } from '../nearest.ts';
import { type Document, isKind, isObject, type Kind, KINDS, type SourceDocument } from './documents.ts';
import { describe, didYouMean, Faults, type Place, pointer } from './faults.ts';
import { type EffectiveDocument, jsonOf, type LayeredDocument } from './layers.ts';
import { identityOf } from './naming.ts';
import { documentedTypes } from './fields/index.ts';
import { addSchemaErrors } from './schema-errors.ts';
import { partialDocuments, type Validators, wholeDocuments } from './schemas.ts';

/**
 * Checks documents against the schemas of their kinds and of their fields' types. A document that repeats the identity
 * of an earlier one is an override and may leave everything out but that.
 * @throws Problem `invalid_document` with all faults
 */
export function validateDocuments(documents: readonly SourceDocument[]): void {
  const faults = new Faults();
  shapeDocuments(documents, faults);
  faults.check();
}

/** As {@link validateDocuments}, but collects faults and answers the documents that have a shape. */
export function shapeDocuments(documents: readonly SourceDocument[], faults: Faults): readonly LayeredDocument[] {
  const shaped: LayeredDocument[] = [];
  const seen = new Set<string>();
  for (const { document, source, pack } of documents) {
    const at = (path: string): Place => ({ document: source, pointer: path });
    if (!isObject(document)) {
      faults.add(at(''), 'invalid', `Found ${describe(document)}, expected an object.`, {
        found: describe(document),
        expected: 'an object',
      });
      continue;
    }
    const kind = document['kind'];
    if (!isKind(kind)) {
      const suggestion = typeof kind === 'string' ? nearest(kind, KINDS) : undefined;
      faults.add(
        at('/kind'),
        'invalid',
        `Found ${describe(kind)}, expected one of: ${KINDS.join(', ')}.${didYouMean(suggestion)}`,
        {
          found: kind,
          expected: KINDS,
          ...(suggestion === undefined ? {} : { nearest: suggestion }),
        },
      );
      continue;
    }
    const before = faults.count;
    const target = typeof document['pack'] === 'string' ? document['pack'] : pack;
    const identity = hasIdentity(document) ? identityOf(document, target) : undefined;
    const override = document['removed'] === true || (identity !== undefined && seen.has(identity));
    addSchemaErrors(schemaErrors(document, kind, override ? partialDocuments() : wholeDocuments()), faults, at);
    if (identity !== undefined) seen.add(identity);
    if (faults.count === before && hasIdentity(document)) shaped.push({ document, source, pack: target, layer: pack });
  }
  return shaped;
}

/** Checks what came out of a merge: it must be a whole document. */
export function checkMerged(merged: EffectiveDocument, faults: Faults): void {
  const errors = schemaErrors(jsonOf(merged.document), merged.document.kind, wholeDocuments());
  addSchemaErrors(errors, faults, (path) => merged.place(...segments(path)));
}

/** What makes up a document's identity is text; the schema of its kind says the rest. */
export function hasIdentity(
  document: Readonly<Record<string, unknown>>,
): document is Readonly<Record<string, unknown>> & Document {
  const { kind, key, role, entity, resource, locale } = document;
  const texts = { permission: [role, entity ?? resource], form: [entity], translation: [locale] };
  const needed = kind === 'permission' || kind === 'form' || kind === 'translation' ? texts[kind] : [key];
  return isKind(kind) && needed.every((part) => typeof part === 'string');
}

function schemaErrors(
  document: Readonly<Record<string, unknown>>,
  kind: Kind,
  validators: Validators,
): readonly ErrorObject[] {
  const validate = validators.kind(kind);
  validate(document);
  const errors = [...(validate.errors ?? [])];
  if (kind === 'entity' && Array.isArray(document['fields'])) {
    document['fields'].forEach((field: unknown, index) =>
      errors.push(...fieldErrors(field, pointer('/fields', index), validators)),
    );
  }
  return errors;
}

function fieldErrors(field: unknown, path: string, validators: Validators): ErrorObject[] {
  // The entity's schema has complained of what is no object, has no key or no type.
  if (!isObject(field) || typeof field['type'] !== 'string') return [];
  const validate = validators.field(field['type']);
  if (!validate) {
    const params = { allowedValues: documentedTypes() };
    return [{ instancePath: pointer(path, 'type'), schemaPath: '', keyword: 'enum', params, data: field['type'] }];
  }
  validate(field);
  return (validate.errors ?? []).map((error) => ({ ...error, instancePath: path + error.instancePath }));
}

/** The keys of a JSON Pointer. */
export function segments(path: string): string[] {
  return path === ''
    ? []
    : path
        .slice(1)
        .split('/')
        .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}
