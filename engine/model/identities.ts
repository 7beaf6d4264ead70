/** Immutable identities: what tells a rename from a removal and a new beginning (rule 10). */
import { createHash } from 'node:crypto';
import type { EntityDocument, Identities, ReleaseSource } from './documents.ts';
import { type Effective, effectiveDocuments } from './effective.ts';
import { Faults, type Place } from './faults.ts';
import { fieldTypes } from './fields/index.ts';
import { permissionEntity, permissionName, qualify } from './naming.ts';
import { systemFields } from './system-fields.ts';

export const NO_IDENTITIES: Identities = { entities: {}, fields: {}, permissions: {} };

/**
 * Gives every entity, field and permission of a release its identity. The previous release's is kept by name, by the
 * document's `id`, or by its former key (`was`); everything else is new. Names that are gone lose theirs: a field made
 * anew under an old key is another field.
 *
 * @param previous identities of the release this one follows; those of an older one to bring it back (a rollback)
 * @param former those of older releases that had what comes back by its `id`, the newest first
 * @throws Problem `invalid_document` for documents without a shape, or two that claim one identity
 */
export function assignIdentities(
  source: Omit<ReleaseSource, 'identities' | 'settings'>,
  previous: Identities = NO_IDENTITIES,
  former: readonly Identities[] = [],
): Identities {
  const faults = new Faults();
  const effective = effectiveDocuments(source, faults);
  faults.check();
  const assigned = assign(source, effective, [previous, ...former], faults);
  faults.check();
  return assigned;
}

function assign(
  source: Pick<ReleaseSource, 'tenant' | 'release'>,
  effective: Effective,
  releases: readonly Identities[],
  faults: Faults,
): Identities {
  const [previous = NO_IDENTITIES] = releases;
  const made = (prefix: string, name: string) =>
    `${prefix}_${createHash('sha256').update(`${source.tenant}/${name}@${source.release}`).digest('hex').slice(0, 12)}`;
  const owners = new Map<string, string>();
  const claim = (id: string, name: string, place: Place): string => {
    const owner = owners.get(id);
    // What stands in a document twice is refused as that, by the build.
    if (owner !== undefined && owner !== name) {
      faults.add(
        place,
        'duplicate',
        `“${name}” would be the same as “${owner}” (${id}): two things cannot come from one.`,
        { found: id },
      );
    }
    owners.set(id, name);
    return id;
  };
  const entities: Record<string, string> = {};
  const fields: Record<string, string> = {};
  const permissions: Record<string, string> = {};

  const entityDocuments = effective.of('entity');
  const names = new Set(entityDocuments.map((one) => `${one.pack}.${one.document.key}`));
  for (const one of entityDocuments) {
    const { document, pack } = one;
    const name = `${pack}.${document.key}`;
    const was = document.was === undefined ? bearerOf(previous.entities, document.id) : `${pack}.${document.was}`;
    const former = formerName(was, name, names, previous.entities);
    const entity = document.id ?? previous.entities[name] ?? kept(previous.entities, former) ?? made('e', name);
    entities[name] = claim(entity, name, one.place('key'));

    const written = fieldsOf(document, (id, suffix) => companionOf(releases, entity, id, suffix));
    const keys = new Set(written.map(({ key }) => key));
    // By the name that it had: its new one may have been another's.
    const last = releases.find(({ entities: known }) => bearerOf(known, entity) !== undefined);
    const before = last && bearerOf(last.entities, entity);
    const known = (key: string): string | undefined => last?.fields[`${before}.${key}`];
    for (const { key, id, was, follows, place } of written) {
      const renamed = was !== undefined && !keys.has(was) ? known(was) : undefined;
      const same = id ?? (follows ? undefined : (known(key) ?? renamed));
      fields[`${name}.${key}`] = claim(same ?? made('f', `${name}.${key}`), `${name}.${key}`, one.place(...place));
    }
  }
  for (const one of effective.of('permission')) {
    const { document, pack } = one;
    const name = permissionName(document.role, qualify(permissionEntity(document), pack), document.key);
    permissions[name] = claim(document.id ?? previous.permissions[name] ?? made('p', name), name, one.place('role'));
  }
  return { entities, fields, permissions };
}

/** The name under which an identity is known. */
function bearerOf(known: Readonly<Record<string, string>>, id: string | undefined): string | undefined {
  return id === undefined ? undefined : Object.entries(known).find(([, other]) => other === id)?.[0];
}

/** What a field's type brought along, wherever its key is now and whoever has its old one. */
function companionOf(releases: readonly Identities[], entity: string, id: string, suffix: string): string | undefined {
  for (const { entities, fields } of releases) {
    const bearer = bearerOf(fields, id);
    if (bearer === undefined) continue;
    return entities[bearer.slice(0, bearer.lastIndexOf('.'))] === entity ? fields[`${bearer}${suffix}`] : undefined;
  }
  return undefined;
}

function kept(known: Readonly<Record<string, string>>, name: string | undefined): string | undefined {
  return name === undefined ? undefined : known[name];
}

/** The former name, unless the name is no news or something else bears the former one now. */
function formerName(
  was: string | undefined,
  name: string,
  names: ReadonlySet<string>,
  previous: Readonly<Record<string, string>>,
): string | undefined {
  return was === undefined || names.has(was) || previous[name] !== undefined ? undefined : was;
}

interface WrittenField {
  readonly key: string;
  readonly id: string | undefined;
  readonly was: string | undefined;
  /** What a field with an `id` brings along is known by that and not by its key. */
  readonly follows?: true;
  readonly place: readonly (string | number)[];
}

/** Every field that gets an identity: the engine's, the document's, and the companions that types bring. */
function fieldsOf(
  document: EntityDocument,
  companion: (id: string, suffix: string) => string | undefined,
): readonly WrittenField[] {
  return [
    ...systemFields(document).map(({ key }) => ({ key, id: undefined, was: undefined, place: ['key'] })),
    ...document.fields.flatMap((field, index): readonly WrittenField[] => {
      const place = ['fields', index];
      const companions = fieldTypes.get(field.type)?.companions ?? [];
      const { key, id, was } = field;
      return [
        { key, id, was, place },
        ...companions.map(({ suffix }): WrittenField => {
          const own = { key: `${key}${suffix}`, was: was === undefined ? undefined : `${was}${suffix}`, place };
          return id === undefined ? { ...own, id } : { ...own, id: companion(id, suffix), follows: true };
        }),
      ];
    }),
  ];
}
