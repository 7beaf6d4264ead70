/** What the bodies of metadata requests hold, checked. */
import { isObject } from '../model/documents.ts';
import type { Resolutions } from '../model/merge-documents.ts';
import { invalidAt } from '../problem.ts';
import type { Scope } from '../records/scope.ts';
import type { OnFail, OnFails } from '../schema/convert/conversions.ts';
import type { SourceInput, TenantDocument } from '../schema/source.ts';
import { METADATA_LIMIT, objectOf, readJson } from './body.ts';
import type { Exchange } from './exchange.ts';

const MESSAGE_LENGTH = 500;

export type Body = Readonly<Record<string, unknown>>;

export function releaseNumber(body: Body, key: string): number {
  const value = body[key];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw invalidAt(`/${key}`, 'This must be the number of a release.', 'type', { expected: 'integer' });
  }
  return value;
}

export function message(body: Body): string {
  const value = body['message'];
  if (typeof value !== 'string' || value.trim() === '')
    throw invalidAt('/message', 'Say what this release is for.', 'required');
  if (value.length > MESSAGE_LENGTH)
    throw invalidAt('/message', `This may have ${MESSAGE_LENGTH} characters.`, 'too_long');
  return value;
}

/** `{"entity custom.boat/label": "keep"}` @throws Problem `invalid` */
export function resolutionsIn(body: Body): Resolutions {
  const { resolutions = {} } = body;
  if (!isObject(resolutions))
    throw invalidAt('/resolutions', 'This must be an object: id of a conflict → keep or take.', 'type');
  const decided: Record<string, 'keep' | 'take'> = {};
  for (const [id, decision] of Object.entries(resolutions)) {
    if (decision !== 'keep' && decision !== 'take')
      throw invalidAt(
        `/resolutions/${id.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        'This must be keep or take.',
        'enum',
        {
          expected: ['keep', 'take'],
        },
      );
    decided[id] = decision;
  }
  return decided;
}

/** `undefined` without them. */
export function documentsIn({ documents }: Body): readonly TenantDocument[] | undefined {
  if (documents === undefined) return undefined;
  if (!Array.isArray(documents)) throw invalidAt('/documents', 'This must be a list of documents.', 'type');
  return documents.map((document: unknown, at) => {
    if (typeof document !== 'object' || document === null || Array.isArray(document)) {
      throw invalidAt(`/documents/${at}`, 'A document is an object.', 'type');
    }
    return { ...document };
  });
}

/** `{"custom.boat.length": "null"}`: what becomes of values that a field's new type cannot take. */
export function onFailIn({ onFail }: Body): OnFails | undefined {
  if (onFail === undefined) return undefined;
  if (!isObject(onFail)) throw invalidAt('/onFail', 'This must be an object: field → null or refuse.', 'type');
  const decided: Record<string, OnFail> = {};
  for (const [field, how] of Object.entries(onFail)) {
    if (how !== 'null' && how !== 'refuse')
      throw invalidAt(
        `/onFail/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        'This must be “null” or “refuse”.',
        'enum',
        { expected: ['null', 'refuse'] },
      );
    decided[field] = how;
  }
  return decided;
}

/** `packs`, `documents` and `upgrade`, each optional: what is left out stays as it is. */
export function source(body: Body): SourceInput {
  const { packs, upgrade } = body;
  if (packs !== undefined && !(Array.isArray(packs) && packs.every((key) => typeof key === 'string'))) {
    throw invalidAt('/packs', 'This must be a list of pack keys.', 'type');
  }
  if (upgrade !== undefined && typeof upgrade !== 'boolean')
    throw invalidAt('/upgrade', 'This must be true or false.', 'type');
  const documents = documentsIn(body);
  return {
    ...(packs && { packs }),
    ...(documents && { documents }),
    ...(upgrade !== undefined && { upgrade }),
    ...(body['onFail'] !== undefined && { onFail: onFailIn(body) }),
    ...(body['resolutions'] !== undefined && { resolutions: resolutionsIn(body) }),
  };
}

export function onlyKeys(body: Body, ...known: readonly string[]): void {
  const other = Object.keys(body).find((key) => !known.includes(key));
  if (other !== undefined)
    throw invalidAt(`/${other.replaceAll('~', '~0').replaceAll('/', '~1')}`, 'This is not known here.', 'unknown', {
      known,
    });
}

export async function read(exchange: Exchange): Promise<Body> {
  return objectOf(await readJson(exchange.request, METADATA_LIMIT));
}

/** The name a release is published under. */
export function author({ principal }: Scope): string {
  return principal.email ?? principal.name;
}
