/**
 * Changing a record, by merge patch (RFC 7396): what is not sent stays, null clears. Its parts may be created, changed
 * and deleted with it: `{"lines": {"create": [{…}], "update": [{"id": …, …}], "delete": ["…"]}}`.
 *
 * A change that changes nothing leaves the version alone. Changed parts count as a change of the whole.
 */
import type { IdSource } from '#engine/clock.ts';
import type { Database } from '#engine/db/database.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Value } from '#engine/model/value-type.ts';
import { Problem } from '#engine/problem.ts';
import type { Scope } from '../scope.ts';
import type { Change } from './change.ts';
import { changeStatement } from './change.ts';
import { insertStatements } from './create.ts';
import { diagnose, recordId, requireGrants } from './diagnose.ts';
import { linkStatements, preparedLinks } from './links.ts';
import type { Parts } from './parts.ts';
import { noParts, partStatements, prepareChangedParts } from './parts.ts';
import type { Plan } from './plan.ts';
import { References } from './references.ts';
import { column, sqlTypeOf } from './sql.ts';
import { checkBody, Faults, writableFields } from './validate.ts';

/**
 * @param version of `If-Match`, `null` without
 * @throws Problem `not_found`, `forbidden`, `invalid`
 */
export function planUpdate(
  database: Database,
  scope: Scope,
  entity: Entity,
  id: string,
  body: unknown,
  version: number | null,
  ids: IdSource,
): Plan {
  const record = recordId(id);
  const { update: grants } = scope.rights.of(entity.name);
  requireGrants(scope, entity, grants, 'change');
  const faults = new Faults();
  const { values, children, links: linked } = checkBody(scope, entity, 'update', body, '', faults, { record: id });
  const parts: Parts = noParts();
  for (const [field, sent] of children) prepareChangedParts(scope, field, sent, record, ids, faults, parts);
  const links = preparedLinks(linked, record, '', faults);
  faults.check();

  const references = new References(scope);
  references.add(entity, [{ pointer: '', values }]);
  const inserts = insertStatements(scope, parts.created, references, null);
  const changes = [...partStatements(scope, parts, references), ...linkStatements(scope, links, references)];
  const lookup = references.statement();
  const touched = inserts.length + changes.length > 0;
  const written = links.map(({ field }) => field.key);
  const change = updateOf(scope, entity, record, version, values, touched, written);
  return {
    entity,
    statements: [...(lookup ? [lookup] : []), changeStatement(scope, entity, change), ...inserts, ...changes],
    refused: async (refusal) => {
      if (refusal.code === 'references') return references.problem(refusal.ids);
      if (refusal.code === 'parts') return parts.problem(refusal.ids);
      if (refusal.code !== 'unmatched') return new Problem('forbidden', 'You may not change this record like this.');
      const { problem } = await diagnose(database, scope, entity, { ...change, deleted: false, verb: 'change' });
      return problem ?? 'again';
    },
  };
}

function updateOf(
  scope: Scope,
  entity: Entity,
  id: string,
  version: number | null,
  values: ReadonlyMap<string, Value>,
  touched: boolean,
  linked: readonly string[],
): Change {
  const { readableFields } = scope.rights.of(entity.name);
  return {
    id,
    version,
    grants: scope.rights.of(entity.name).update,
    fields: [...values.keys(), ...linked],
    // Comparing means reading, which not everybody may who may write.
    skipEqual: !touched && [...values.keys()].every((key) => readableFields.get(key) === 'always'),
    assignments: (parameters) => {
      const assignments = [...values].flatMap(([key, value]) => {
        const field = entity.fields.get(key);
        return field ? [{ column: column(field), value: parameters.bind(value, sqlTypeOf(field)) }] : [];
      });
      // A version of the whole stands for its parts as well: something has to be written for it to rise.
      return assignments.length > 0 ? assignments : [keep(scope, entity)];
    },
  };
}

/**
 * A column set to what it holds. Whoever may change nothing but lists may write `updated_at`, which the row trigger sets
 * whatever is written to it.
 */
function keep(scope: Scope, entity: Entity): { column: string; value: string } {
  const writable = [...writableFields(scope, entity, 'update').values()];
  const field = writable.find(({ column }) => column !== null) ?? (writable[0] && entity.fields.get('updated_at'));
  if (!field) throw new Problem('forbidden', `You may not change records of “${entity.label}”.`);
  return { column: column(field), value: `x.${column(field)}` };
}
