/**
 * The two triggers of an entity's table: one before each row that keeps the system fields and refuses what is not
 * allowed, one after each statement that writes the outbox and the history.
 */
import { operandsOf } from '../condition/operands.ts';
import { fit, literal, qualified, quote } from '../db/identifiers.ts';
import type { Entity, Field } from '../model/model.ts';
import { attachedFiles } from './attached.ts';
import type { Context } from './context.ts';
import { storedFields, tableOf } from './context.ts';
import { keepDeadlines } from './deadlines.ts';
import { fillNew } from './fills.ts';
import { creationGuard, pairingGuard } from './guard.ts';
import { RULE_VARIABLES, ruleChecks } from './rules.ts';
import { historyTableName, lifecycleName } from './names.ts';
import { PINNED } from './owner.ts';
import { passRollups, refreshWholes } from './rollups.ts';

/** SQLSTATE of a refused lifecycle step; the error names the constraint `lc_<field id>`. */
export const TRANSITION_REFUSED = 'AR001';

export interface TriggersOf {
  readonly functions: Readonly<Record<string, string>>;
  readonly triggers: Readonly<Record<string, string>>;
}

export function tableTriggers(context: Context, entity: Entity): TriggersOf {
  const { schema } = context.tenant.names;
  const before = fit(`before_${entity.id}`);
  const after = fit(`after_${entity.id}`);
  const table = tableOf(context, entity);
  return {
    functions: {
      [before]: beforeFunction(qualified(schema, before), context, entity),
      [after]: afterFunction(qualified(schema, after), context, entity),
    },
    triggers: {
      before: `create trigger "before" before insert or update on ${table} for each row execute function ${qualified(schema, before)}()`,
      after_insert: `create trigger "after_insert" after insert on ${table} referencing new table as new_rows for each statement execute function ${qualified(schema, after)}()`,
      after_update: `create trigger "after_update" after update on ${table} referencing old table as old_rows new table as new_rows for each statement execute function ${qualified(schema, after)}()`,
      after_delete: `create trigger "after_delete" after delete on ${table} referencing old table as old_rows for each statement execute function ${qualified(schema, after)}()`,
    },
  };
}

/**
 * Publishing gives values another form: no version, no history, no event. Nobody else is that session's user, whatever
 * settings they make.
 */
const QUIET = `session_user = 'armature_owner' and current_setting('armature.quiet', true) = 'on'`;

/** Runs as whoever writes (SECURITY INVOKER): the guard's conditions see what that role may see. */
function beforeFunction(name: string, context: Context, entity: Entity): string {
  const states = storedFields(entity).filter((field) => field.lifecycle !== null);
  const insert = [
    ...(entity.owner ? ['    if new."owner" is null then new."owner" := armature.user_id(); end if;'] : []),
    ...states.map((field) => createdIn(context, field)),
    creationGuard(context, entity),
  ];
  const update = [pairingGuard(context, entity), ...states.map((field) => moves(context, field))];
  const rules = ruleChecks(context, entity);
  return `create or replace function ${name}() returns trigger language plpgsql ${PINNED} as $body$
${rules && RULE_VARIABLES}begin
  if ${QUIET} then return new; end if;
  if tg_op = 'INSERT' then
${lines(insert)}${fillNew(context, entity)}    new."version" := 1;
    new."created_at" := armature.now();
    new."created_by" := armature.user_id();
  else
${passRollups(entity)}${lines(update)}    new."version" := old."version" + 1;
    new."created_at" := old."created_at";
    new."created_by" := old."created_by";
  end if;
  new."updated_at" := armature.now();
  new."updated_by" := armature.user_id();
${keepDeadlines(context, entity)}${rules}  return new;
end $body$`;
}

function createdIn(context: Context, field: Field): string {
  const lifecycle = field.lifecycle === null ? undefined : context.model.lifecycles.get(field.lifecycle);
  if (!lifecycle) return '';
  const column = `new.${quote(field.key)}`;
  return `    if ${column} is null then ${column} := ${literal(lifecycle.initial)}; end if;
    if ${column} <> all (array[${[...lifecycle.createIn].map(literal).join(', ')}]::text[]) then
${refuse(field)}
    end if;`;
}

function moves(context: Context, field: Field): string {
  const lifecycle = field.lifecycle === null ? undefined : context.model.lifecycles.get(field.lifecycle);
  if (!lifecycle) return '';
  const column = quote(field.key);
  const pairs = new Set(
    [...lifecycle.transitions.values()].flatMap(({ from, to }) =>
      from.map((state) => `(${literal(state)}, ${literal(to)})`),
    ),
  );
  const changed = `new.${column} is distinct from old.${column}`;
  const refused =
    pairs.size === 0 ? changed : `${changed} and (old.${column}, new.${column}) not in (${[...pairs].join(', ')})`;
  // A record of a time before the field had states (NULL) is moved by nobody but the owner.
  return `    if (${refused}) is not false and current_user <> 'armature_owner' then
${refuse(field)}
    end if;`;
}

function refuse(field: Field): string {
  return `      raise exception using errcode = ${literal(TRANSITION_REFUSED)}, constraint = ${literal(lifecycleName(field.id))}, message = 'this step is not possible';`;
}

/**
 * Writes as the owner (SECURITY DEFINER), because nobody may write these tables. One INSERT for each table and
 * statement, however many rows the statement touched. What one statement changed is told in the order of the ids: where
 * the rows lie depends on records that the reader of the feed may not see.
 */
function afterFunction(name: string, context: Context, entity: Entity): string {
  return `create or replace function ${name}() returns trigger language plpgsql security definer ${PINNED} as $body$
begin
  if ${QUIET} then return null; end if;
  if tg_op = 'INSERT' then
${outbox(context, entity, 'n', `'create'`, 'null', 'new_rows n')}
${attachedFiles(context, entity, 'insert')}${refreshWholes(context, entity, ['new_rows'])}  elsif tg_op = 'UPDATE' then
${outbox(context, entity, 'n', operation(entity), seenBefore(entity), 'new_rows n join old_rows o on o."id" = n."id" order by n."id"')}
${attachedFiles(context, entity, 'update')}${entity.history ? history(context, entity, true) : ''}${refreshWholes(context, entity, ['new_rows', 'old_rows'])}  else
${outbox(context, entity, 'o', `'delete'`, wholeBefore(entity), 'old_rows o order by o."id"')}
${attachedFiles(context, entity, 'delete')}${entity.history ? history(context, entity, false) : ''}${refreshWholes(context, entity, ['old_rows'])}  end if;
  return null;
end $body$`;
}

function operation(entity: Entity): string {
  if (!entity.softDelete) return `'update'`;
  return `case when o."deleted_at" is null and n."deleted_at" is not null then 'delete'
           when o."deleted_at" is not null and n."deleted_at" is null then 'restore' else 'update' end`;
}

function outbox(
  { tenant }: Context,
  entity: Entity,
  row: string,
  operation: string,
  before: string,
  from: string,
): string {
  return `    insert into armature.outbox (tenant_id, entity_id, record_id, version, operation, actor, at, before)
    select ${literal(tenant.id)}::uuid, ${literal(entity.id)}, ${row}."id", ${row}."version", ${operation}, armature.user_id(), armature.now(), ${before}
    from ${from};`;
}

/**
 * What decides who sees a record, as it was before a change of it: whoever saw the record then may be told that it is
 * gone. Only the record's own values; a permission that looks through references is not decided by them.
 */
function seenBefore(entity: Entity): string {
  const ids = new Set(
    entity.permissions
      .filter(({ actions, condition }) => actions.has('read') && condition !== null)
      .flatMap(({ condition }) => (condition ? operandsOf(condition) : []))
      .flatMap((operand) => (operand.kind === 'field' && operand.steps.length === 0 ? [operand.fieldId] : [])),
  );
  const fields = storedFields(entity).filter((field) => ids.has(field.id) && field.formula === null);
  if (fields.length === 0) return 'null';
  const tuple = (row: 'o' | 'n') => fields.map((field) => `${row}.${quote(field.key)}`).join(', ');
  const values = fields.map((field) => `${literal(field.id)}, ${valueOf('o', field)}`).join(', ');
  return `case when row(${tuple('o')}) is distinct from row(${tuple('n')}) then jsonb_build_object(${values}) end`;
}

/** A part that is gone is told as a change of its whole. */
function wholeBefore(entity: Entity): string {
  const back = entity.parent === null ? undefined : entity.fields.get(entity.parent.field);
  return back === undefined ? 'null' : `jsonb_build_object(${literal(back.id)}, ${valueOf('o', back)})`;
}

const valueOf = (row: 'o' | 'n', field: Field): string => {
  const column = `${row}.${quote(field.key)}`;
  if (!field.type.sealed) return `to_jsonb(${field.type.select(column, field)})`;
  // That it changed, and nothing of what it was: the two signs differ where the values do.
  const old = `o.${quote(field.key)}`;
  const sign = row === 'o' ? `'••••'` : `case when ${column} is distinct from ${old} then '•••••' else '••••' end`;
  return `case when ${column} is not null then to_jsonb((${sign})::text) end`;
};

/** Values stand as the API writes them (decimals as text), so that nothing is rounded on the way through JSON. */
function history({ tenant }: Context, entity: Entity, update: boolean): string {
  const kept = keptFields(entity);
  if (kept.length === 0) return '';
  const rows = kept.map(
    (field) => `(${literal(field.id)}, ${valueOf('o', field)}, ${update ? valueOf('n', field) : 'null::jsonb'})`,
  );
  const from = update ? 'new_rows n join old_rows o on o."id" = n."id"' : 'old_rows o';
  return `    insert into ${qualified(tenant.names.schema, historyTableName(entity))} (record_id, version, field_id, old, new, at, actor)
    select o."id", ${update ? 'n."version"' : 'o."version"'}, f.field_id, f.old, f.new, armature.now(), armature.user_id()
    from ${from}
    cross join lateral (values
      ${rows.join(',\n      ')}) f(field_id, old, new)
    where f.old is distinct from f.new;
`;
}

const UNKEPT: ReadonlySet<string> = new Set(['id', 'version', 'created_at', 'created_by', 'updated_at', 'updated_by']);

function keptFields(entity: Entity): readonly Field[] {
  return storedFields(entity).filter(
    (field) => !field.type.computed && field.rollup === null && !UNKEPT.has(field.key),
  );
}

const lines = (parts: readonly string[]): string =>
  parts
    .filter((part) => part !== '')
    .map((part) => `${part}\n`)
    .join('');
