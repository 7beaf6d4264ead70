/**
 * Links of a record: made and undone in the batch that writes the record. They are sent as a list of ids, which is what
 * the record shall be linked to, or as `{"set": […], "add": […], "remove": […]}`. What the principal may not see
 * stays as it is, and nothing new leads there.
 */
import type { Statement } from '#engine/db/execute.ts';
import { qualified, quote } from '#engine/db/identifiers.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import type { Many } from '#engine/model/relations.ts';
import { uuidOf } from '#engine/uuid.ts';
import type { Scope } from '../scope.ts';
import { andReadable, pairedPredicates } from './predicate.ts';
import type { References } from './references.ts';
import { found } from './sentences.ts';
import { andLive, Parameters, tableOf } from './sql.ts';
import type { Faults } from './validate.ts';
import { at, isObject } from './validate.ts';

/** What shall become of the links of one field of one record. */
export interface LinkChange {
  readonly field: Field;
  readonly many: Extract<Many, { via: 'links' }>;
  /** Of the record. */
  readonly id: string;
  /** JSON Pointer of the field's value in the request. */
  readonly pointer: string;
  readonly add: readonly string[];
  readonly remove: readonly string[];
  /** All others go. */
  readonly only: boolean;
}

const COMMANDS: readonly string[] = ['set', 'add', 'remove'];
/** Links that one request may name for one field. */
const MAX_LINKS = 1000;

/** What was sent for the links of one record. */
export function preparedLinks(
  sent: ReadonlyMap<Field, unknown>,
  id: string,
  pointer: string,
  faults: Faults,
): LinkChange[] {
  return [...sent].flatMap(([field, value]) => prepareLinks(field, value, id, at(pointer, field.key), faults) ?? []);
}

/** @returns `null` after a fault */
function prepareLinks(field: Field, sent: unknown, id: string, pointer: string, faults: Faults): LinkChange | null {
  if (field.many?.via !== 'links') return null;
  const { length } = faults.details;
  const wrong = (message: string, code = 'wrong_type', where = pointer): void =>
    faults.add({ code, message, pointer: where });
  const idsOf = (value: unknown, where: string): string[] => {
    if (!Array.isArray(value)) {
      wrong(`${field.label} must be a list of ids, not ${found(value)}.`, 'wrong_type', where);
      return [];
    }
    if (value.length > MAX_LINKS) {
      wrong(`${field.label}: at most ${MAX_LINKS} at a time.`, 'too_many', where);
      return [];
    }
    const ids = value.map((one: unknown, index) => {
      const id = typeof one === 'string' ? uuidOf(one) : null;
      if (id !== null) return id;
      wrong('This must be the id of a record.', 'wrong_type', at(where, index));
      return '';
    });
    return [...new Set(ids)];
  };
  let [only, add, remove]: [boolean, string[], string[]] = [true, [], []];
  if (Array.isArray(sent)) add = idsOf(sent, pointer);
  else if (isObject(sent) && Object.keys(sent).every((key) => COMMANDS.includes(key))) {
    only = sent['set'] !== undefined;
    if (only) add = idsOf(sent['set'], at(pointer, 'set'));
    if (sent['add'] !== undefined) add = [...new Set([...add, ...idsOf(sent['add'], at(pointer, 'add'))])];
    if (sent['remove'] !== undefined) remove = idsOf(sent['remove'], at(pointer, 'remove'));
    if (remove.some((one) => add.includes(one))) wrong(`${field.label}: an id is to be added and removed.`, 'invalid');
  } else {
    wrong(
      `${field.label} must be a list of ids, or an object with the lists “add”, “remove” or “set”, not ${found(sent)}.`,
    );
  }
  return faults.details.length > length ? null : { field, many: field.many, id, pointer, add, remove, only };
}

/**
 * Statements for the changes of records of one entity, one for each field and kind of change.
 * @param references takes up what is linked to
 */
export function linkStatements(scope: Scope, changes: readonly LinkChange[], references: References): Statement[] {
  return [...Map.groupBy(changes, ({ field }) => field).values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    for (const { many, add, pointer } of group) for (const id of add) references.need(many.entity, id, pointer);
    return ofField(scope, first.many, group);
  });
}

function ofField(scope: Scope, many: LinkChange['many'], group: readonly LinkChange[]): Statement[] {
  const table = qualified(scope.tenant.names.schema, many.table);
  const [near, far] = [quote(many.near), quote(many.far)];
  const statements: Statement[] = [];
  const pairs = (of: 'add' | 'remove', parameters: Parameters): string => {
    const all = group.flatMap((change) => change[of].map((id) => [change.id, id] as const));
    const nears = parameters.bind(
      all.map(([id]) => id),
      'uuid[]',
    );
    return `unnest(${nears}, ${parameters.bind(
      all.map(([, id]) => id),
      'uuid[]',
    )}) as n(near, far)`;
  };
  const undo = (which: (parameters: Parameters) => string): void => {
    const parameters = new Parameters();
    const where = which(parameters);
    statements.push({
      text: `delete from ${table} x where ${where}${visible(scope, many, `x.${far}`, parameters)}`,
      values: parameters.values,
    });
  };
  const only = group.filter((change) => change.only);
  if (only.length > 0) {
    undo((parameters) => {
      const ids = parameters.bind(
        only.map(({ id }) => id),
        'uuid[]',
      );
      return `x.${near} = any(${ids}) and not exists (select from ${pairs('add', parameters)} where n.near = x.${near} and n.far = x.${far})`;
    });
  }
  if (group.some(({ remove }) => remove.length > 0)) {
    undo((parameters) => `(x.${near}, x.${far}) in (select n.near, n.far from ${pairs('remove', parameters)})`);
  }
  if (group.some(({ add }) => add.length > 0)) {
    const parameters = new Parameters();
    statements.push({
      text: `insert into ${table} (${near}, ${far}) select n.near, n.far from ${pairs('add', parameters)} on conflict do nothing`,
      values: parameters.values,
    });
  }
  return statements;
}

/** Only links whose other end the principal sees: the others are not theirs to undo. */
function visible(scope: Scope, many: LinkChange['many'], far: string, parameters: Parameters): string {
  const target = scope.model.entities.get(many.entity);
  if (!target) return ' and false';
  return ` and exists (select from ${tableOf(scope, target)} f where f.id = ${far}${andLive(target, 'f')}${andReadable(scope, target, 'f', parameters)})`;
}

/**
 * Links of new records are made by whoever may change the field on them: refuses (`condition`, details: ids) the others.
 */
export function linkChecks(scope: Scope, entity: Entity, changes: readonly LinkChange[]): Statement[] {
  const grants = scope.rights.of(entity.name).update;
  return [...Map.groupBy(changes, ({ field }) => field)].flatMap(([field, group]) => {
    const parameters = new Parameters();
    const predicates = pairedPredicates(scope, grants, [field.key], 'x', parameters);
    if (predicates.length === 0) return [];
    const ids = parameters.bind(
      group.map(({ id }) => id),
      'uuid[]',
    );
    return [
      {
        text: `select armature.refuse('condition', json_agg(n.id)) from unnest(${ids}) as n(id) where not exists (select from ${tableOf(scope, entity)} x where x.id = n.id and ${predicates.join(' and ')}) having count(*) > 0`,
        values: parameters.values,
      },
    ];
  });
}
