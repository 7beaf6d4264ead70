/**
 * Changing a record, by merge patch (RFC 7396): what is not sent stays, null clears, a list takes the place of the one
 * before. Its parts may be created, changed and deleted with it: `{"lines": {"create": [{…}], "update": [{"id": …, …}],
 * "delete": ["…"]}}`, and what it is to refer to may be created: `{"account": {"create": {…}}}`.
 *
 * A change that changes nothing leaves the version alone. Changed parts count as a change of the whole.
 */
import type { IdSource } from '#engine/clock.ts';
import type { Sender } from '#engine/db/sender.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Value } from '#engine/model/value-type.ts';
import { Problem } from '#engine/problem.ts';
import { recordId } from '../record-id.ts';
import type { Scope } from '../scope.ts';
import type { Change, Versions } from './change.ts';
import { changeStatement } from './change.ts';
import { mayCompare } from './compare.ts';
import { insertStatements, notAllowed } from './create.ts';
import { diagnose, requireGrants } from './diagnose.ts';
import { refilled, refilledColumns } from './fills.ts';
import { linkStatements, preparedLinks } from './links.ts';
import { mergedValue, refuseBlindPatches } from './merge-patch.ts';
import type { Parts } from './parts.ts';
import { noParts, partStatements, prepareChangedParts } from './parts.ts';
import type { Plan } from './plan.ts';
import { NewRecords } from './new-records.ts';
import type { Nest } from './prepare.ts';
import { outermost, prepareReferred } from './prepare.ts';
import { References } from './references.ts';
import type { Parameters } from './sql.ts';
import { column, sqlTypeOf } from './sql.ts';
import { at, checkBody, Faults, writableFields } from './validate.ts';

/**
 * @param version of `If-Match`, `null` without
 * @param how `also`: further conditions on the record as it was, called `x`; `mergePatch`: JSON fields are merged into
 * @throws Problem `not_found`, `forbidden`, `invalid`
 */
export function planUpdate(
  sender: Sender,
  scope: Scope,
  entity: Entity,
  id: string,
  body: unknown,
  version: Versions,
  ids: IdSource,
  how: {
    readonly also?: (parameters: Parameters) => readonly string[];
    readonly mergePatch?: boolean | undefined;
  } = {},
): Plan {
  const { also, mergePatch = false } = how;
  const record = recordId(id);
  const { update: grants } = scope.rights.of(entity.name);
  requireGrants(scope, entity, grants, 'change');
  const faults = new Faults();
  const records = new NewRecords();
  const nest: Nest = { scope, ids, faults, records };
  const place = outermost();
  const accepted = checkBody(scope, entity, 'update', body, '', faults, { record: id });
  const { values, children } = accepted;
  prepareReferred(nest, accepted, '', place);
  const links = preparedLinks(accepted.links, record, '', faults);
  const parts: Parts = noParts();
  if (mergePatch) refuseBlindPatches(scope, entity, values, faults);
  for (const [field, sent] of children) prepareChangedParts(nest, field, sent, record, at('', field.key), place, parts);
  faults.check();

  const references = new References(scope, records);
  references.add(entity, [{ pointer: '', values }]);
  const { referred, own } = insertStatements(scope, records, references);
  const changes = [...partStatements(scope, parts, references), ...linkStatements(scope, links, references)];
  const pointers = new Map([
    [record, ''] as const,
    ...parts.pointers,
    ...records.rows().map(({ id: made, pointer }) => [made, pointer] as const),
  ]);
  const lookup = references.statement();
  const touched = own.length + changes.length > 0;
  const change: Change = {
    ...updateOf(
      scope,
      entity,
      record,
      version,
      values,
      touched,
      links.map(({ field }) => field.key),
      mergePatch,
    ),
    ...(also && { conditions: also }),
  };
  return {
    entity,
    pointers,
    statements: [
      ...(lookup ? [lookup] : []),
      ...referred,
      changeStatement(scope, entity, change),
      // First what is there: it must be a part of this record before it gets parts of its own, and what goes makes room.
      ...changes,
      ...own,
    ],
    refused: async (refusal) => {
      if (refusal.code === 'references') return references.problem(refusal.ids);
      if (refusal.code === 'parts') return parts.problem(refusal.ids);
      if (refusal.code === 'condition') return notAllowed(refusal.ids, pointers);
      if (refusal.code !== 'unmatched') return new Problem('forbidden', 'You may not change this record like this.');
      const { problem } = await diagnose(sender, scope, entity, { ...change, deleted: false, verb: 'change' });
      return problem ?? 'again';
    },
  };
}

function updateOf(
  scope: Scope,
  entity: Entity,
  id: string,
  version: Versions,
  values: ReadonlyMap<string, Value>,
  touched: boolean,
  linked: readonly string[],
  mergePatch: boolean,
): Change {
  const written = [...values.keys(), ...refilled(scope, entity, new Set(values.keys())).map(({ key }) => key)];
  return {
    id,
    version,
    grants: scope.rights.of(entity.name).update,
    fields: [...written, ...linked],
    skipEqual: !touched && mayCompare(scope, entity, written),
    assignments: (parameters) => {
      const assignments = assignmentsOf(scope, entity, values, parameters, mergePatch);
      // A version of the whole stands for its parts as well: something has to be written for it to rise.
      return assignments.length > 0 ? assignments : [keptAssignment(scope, entity)];
    },
  };
}

/** Columns set to values that were sent, and to what is looked up anew because of them. */
export function assignmentsOf(
  scope: Scope,
  entity: Entity,
  values: ReadonlyMap<string, Value>,
  parameters: Parameters,
  mergePatch: boolean,
): { readonly column: string; readonly value: string }[] {
  const sent = [...values].flatMap(([key, value]) => {
    const field = entity.fields.get(key);
    if (!field) return [];
    const bound = parameters.bind(value, sqlTypeOf(field));
    return [{ field, column: column(field), value: mergePatch ? mergedValue(field, value, bound) : bound }];
  });
  const now = new Map(sent.map(({ field, value }) => [field.key, value]));
  const again = refilled(scope, entity, new Set(values.keys())).flatMap((field) =>
    refilledColumns(scope, entity, field, (key) => now.get(key)),
  );
  return [...sent.map(({ column: name, value }) => ({ column: name, value })), ...again];
}

/**
 * A column set to what it holds. Whoever may change nothing but lists may write `updated_at`, which the row trigger sets
 * whatever is written to it.
 */
export function keptAssignment(scope: Scope, entity: Entity): { column: string; value: string } {
  const writable = [...writableFields(scope, entity, 'update').values()];
  const field = writable.find(({ column }) => column !== null) ?? (writable[0] && entity.fields.get('updated_at'));
  if (!field) throw new Problem('forbidden', `You may not change records of “${entity.label}”.`);
  return { column: column(field), value: `x.${column(field)}` };
}
