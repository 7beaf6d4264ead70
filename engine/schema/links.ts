/**
 * Links between records of two entities: a table for each `links` field, one row for each link. Both ends decide:
 * a link is seen by whoever may see the field on the one record, and the record at the other end; it is made and undone
 * by whoever may change the field on the one record, and see the other. A field that shows the same links from the
 * other side gives the same rights from there.
 */
import { fit, literal, qualified, quote } from '../db/identifiers.ts';
import type { Entity, Field } from '../model/model.ts';
import type { Many } from '../model/relations.ts';
import type { Context } from './context.ts';
import { anyOf, tableOf } from './context.ts';
import { historyTableName, indexName, linkTableId, primaryKeyName, referenceName } from './names.ts';
import { type OwnGrant, ownRights } from './own-rights.ts';
import { rowsOf } from './row-rights.ts';
import type { ColumnState, GrantState, PolicyState, TableState } from './state.ts';
import type { TriggersOf } from './triggers.ts';
import { OWNER, PINNED } from './owner.ts';

/** One side of the links: a field of an entity, and the column with that entity's records. */
interface Side {
  readonly entity: Entity;
  readonly field: Field;
  readonly many: Extract<Many, { via: 'links' }>;
}

/** Fields whose links have their table here and not with the field they are the other side of. */
export function ownLinks(entity: Entity): readonly Side[] {
  return [...entity.fields.values()].flatMap((field) =>
    field.many?.via === 'links' && field.many.of === field.id ? [{ entity, field, many: field.many }] : [],
  );
}

function sidesOf({ model }: Context, own: Side): readonly Side[] {
  const target = model.entities.get(own.many.entity);
  const others = [...(target?.fields.values() ?? [])].flatMap((field) =>
    target && field.many?.via === 'links' && field.many.of === own.field.id && field.id !== own.field.id
      ? [{ entity: target, field, many: field.many }]
      : [],
  );
  return [own, ...others];
}

const COLUMNS = [
  ['id', 'bigint', null],
  ['near', 'uuid', null],
  ['far', 'uuid', null],
  ['created_at', 'timestamptz(3)', 'armature.now()'],
  ['created_by', 'uuid', 'armature.user_id()'],
] as const;

export function linkTable(
  context: Context,
  entity: Entity,
  field: Field,
  triggers: TriggersOf['triggers'],
): TableState | null {
  const own = ownLinks(entity).find((side) => side.field === field);
  const target = own && context.model.entities.get(own.many.entity);
  if (!own || !target) return null;
  const id = linkTableId(field);
  const column = (key: string): string => `${id}_${key}`;
  const columns: Record<string, ColumnState> = {};
  for (const [key, type, preset] of COLUMNS) {
    columns[column(key)] = {
      name: key,
      type,
      collation: null,
      notNull: key !== 'created_by',
      default: preset,
      generated: null,
      identity: key === 'id' ? fit(`sq_${id}`) : null,
      aside: false,
      label: key,
      field: null,
    };
  }
  const near = column('near');
  const far = column('far');
  return {
    id,
    name: own.many.table,
    label: `${field.label} of ${entity.label}`,
    entity: entity.name,
    history: false,
    links: true,
    aside: false,
    columns,
    primaryKey: { name: primaryKeyName(id), column: column('id') },
    checks: {},
    references: {
      [referenceName(near)]: { column: near, table: entity.id, onDelete: 'cascade' },
      [referenceName(far)]: { column: far, table: target.id, onDelete: 'cascade' },
    },
    indexes: {
      [fit(`uq_${id}`)]: { columns: [near, far], unique: true, method: 'btree', whereNull: null },
      [indexName(far)]: { columns: [far, near], unique: false, method: 'btree', whereNull: null },
    },
    triggers,
    policies: policies(context, own),
    grants: grants(context, own, column),
  };
}

type Verb = 'read' | 'update';

/** The grants of a role that cover the field. */
function covering(context: Context, { entity, field }: Side, verb: Verb, role: Context['roles'][number]): OwnGrant[] {
  const rights = ownRights(context.model, entity, role);
  return rights[verb].filter(({ fields }) => fields === null || fields.has(field.id));
}

function policies(context: Context, own: Side): Record<string, PolicyState> {
  const { names } = context.tenant;
  const made: Record<string, PolicyState> = {
    owner: OWNER,
    system: { role: names.system, command: 'all', using: 'true', check: 'true' },
  };
  for (const role of context.roles) {
    const to = names.role(role.key);
    const read = rows(context, own, 'read', role);
    const write = rows(context, own, 'update', role);
    if (read) made[fit(`read_${role.key}`)] = { role: to, command: 'select', using: read, check: null };
    if (write) {
      made[fit(`create_${role.key}`)] = { role: to, command: 'insert', using: null, check: write };
      made[fit(`delete_${role.key}`)] = { role: to, command: 'delete', using: write, check: null };
    }
  }
  return made;
}

/** Which links a role reaches; both ends are looked up under the row policies of their own tables. */
function rows(context: Context, own: Side, verb: Verb, role: Context['roles'][number]): string | null {
  const link = `${quote(own.many.table)}.`;
  return anyOf(
    sidesOf(context, own).flatMap((side) => {
      const other = context.model.entities.get(side.many.entity);
      const here = rowsOf(context, side.entity, covering(context, side, verb, role), '"n".');
      if (here === null || !other) return [];
      const also = here === 'true' ? '' : ` and ${here}`;
      return [
        `(exists (select from ${tableOf(context, side.entity)} "n" where "n"."id" = ${link}${quote(side.many.near)}${also})` +
          ` and exists (select from ${tableOf(context, other)} "f" where "f"."id" = ${link}${quote(side.many.far)}))`,
      ];
    }),
  );
}

function grants(context: Context, own: Side, column: (key: string) => string): Record<string, GrantState> {
  const { names } = context.tenant;
  const insert = [column('near'), column('far')].sort();
  const made: Record<string, GrantState> = {
    [names.system]: { select: 'all', insert, update: [], delete: true },
  };
  for (const role of context.roles) {
    const may = (verb: Verb): boolean =>
      sidesOf(context, own).some((side) => covering(context, side, verb, role).length > 0);
    const write = may('update');
    if (may('read') || write)
      made[names.role(role.key)] = { select: 'all', insert: write ? insert : [], update: [], delete: write };
  }
  return made;
}

/** Links come and go in the history of the records they are shown on: one row each, with the id at the other end. */
export function linkTriggers(context: Context, entity: Entity, field: Field): TriggersOf {
  const own = ownLinks(entity).find((side) => side.field === field);
  const kept = own ? sidesOf(context, own).filter((side) => side.entity.history) : [];
  if (!own || kept.length === 0) return { functions: {}, triggers: {} };
  const { schema } = context.tenant.names;
  const name = fit(`after_${linkTableId(field)}`);
  const called = qualified(schema, name);
  const table = qualified(schema, own.many.table);
  const rowsInto = (transition: string, old: string, now: string): string =>
    kept.map((side) => historyOf(context, side, transition, old, now)).join('');
  return {
    functions: {
      [name]: `create or replace function ${called}() returns trigger language plpgsql security definer ${PINNED} as $body$
begin
  if tg_op = 'INSERT' then
${rowsInto('new_rows', 'null::jsonb', '{}')}  else
${rowsInto('old_rows', '{}', 'null::jsonb')}  end if;
  return null;
end $body$`,
    },
    triggers: {
      after_insert: `create trigger "after_insert" after insert on ${table} referencing new table as new_rows for each statement execute function ${called}()`,
      after_delete: `create trigger "after_delete" after delete on ${table} referencing old table as old_rows for each statement execute function ${called}()`,
    },
  };
}

/** Links that go with their record leave no trace: there is no record left to tell of. */
function historyOf(context: Context, { entity, field, many }: Side, rows: string, old: string, now: string): string {
  const value = `to_jsonb(l.${quote(many.far)}::text)`;
  return `    insert into ${qualified(context.tenant.names.schema, historyTableName(entity))} (record_id, version, field_id, old, new, at, actor)
    select n."id", n."version", ${literal(field.id)}, ${old.replace('{}', value)}, ${now.replace('{}', value)}, armature.now(), armature.user_id()
    from ${rows} l join ${tableOf(context, entity)} n on n."id" = l.${quote(many.near)} order by l."id";
`;
}

/**
 * Of the history rows of links only those whose other end may be seen.
 * @param alias of the history table, quoted, with the dot
 */
export function seenLinks(context: Context, entity: Entity, alias: string): readonly string[] {
  return [...entity.fields.values()].flatMap((field) => {
    const target = field.many?.via === 'links' ? context.model.entities.get(field.many.entity) : undefined;
    if (!target) return [];
    const id = `(coalesce(${alias}"new", ${alias}"old") #>> '{}')::uuid`;
    return [
      `(case when ${alias}"field_id" = ${literal(field.id)} then exists (select from ${tableOf(context, target)} "f" where "f"."id" = ${id}) else true end)`,
    ];
  });
}
