/** Records that do not keep a rule which a publish brings: they stay as they are, and the plan says how many there are. */
import type { PoolClient } from 'pg';
import type { FieldOperand } from '../condition/condition.ts';
import { operandsOf } from '../condition/operands.ts';
import { qualified, quote } from '../db/identifiers.ts';
import type { Entity } from '../model/model.ts';
import type { Rule } from '../model/parts.ts';
import { SQL_TYPE } from '../model/value-type.ts';
import type { Context } from './context.ts';
import { brokenSql } from './rules.ts';
import type { DesiredState } from './state.ts';

/** Counting ends here: more is said as "more than". */
const COUNTED = 10_000;

/**
 * @param before what is there: names of tables and columns are those of before the publish
 * @returns a sentence for each rule of a table whose checks change, and that some records do not keep
 */
export async function rulesBroken(
  client: PoolClient,
  context: Context,
  before: DesiredState,
  after: DesiredState,
): Promise<readonly string[]> {
  const sentences: string[] = [];
  for (const [name, rules] of context.model.rules) {
    const entity = context.model.entities.get(name);
    const table = entity && before.tables[entity.id];
    if (!entity || !table || table.aside) continue;
    const function_ = `before_${entity.id}`;
    if (before.functions[function_] === after.functions[function_]) continue;
    for (const rule of rules) {
      if (!countable(context, before, entity, rule)) continue;
      const field = (operand: FieldOperand) => columnBefore(before, entity, operand);
      const live = entity.softDelete && columnNamed(before, entity, 'deleted_at') ? ' and x."deleted_at" is null' : '';
      const broken = brokenSql(context, entity, rule, 'x.', field);
      const { rows } = await client.query<{ count: number }>(
        `select count(*)::int as count from (select from ${qualified(before.schema, table.name)} x
         where (${broken})${live} limit ${COUNTED + 1}) broken`,
      );
      const count = rows[0]?.count ?? 0;
      if (count > 0) sentences.push(sentence(entity, rule, count));
    }
  }
  return sentences;
}

function sentence(entity: Entity, rule: Rule, count: number): string {
  const many = count > COUNTED ? `More than ${COUNTED.toLocaleString('en')}` : count.toLocaleString('en');
  const records = count === 1 ? 'record' : 'records';
  const then =
    rule.severity === 'error'
      ? 'They stay as they are, and have to be put right when they are changed next.'
      : 'They stay as they are.';
  return `${many} ${records} of ${entity.label} do not keep “${rule.label}”. ${then}`;
}

/** A way over references is written with the names of after the publish: it counts only where those are there already. */
function countable({ model }: Context, before: DesiredState, entity: Entity, rule: Rule): boolean {
  return operandsOf(rule.broken).every((operand) => {
    if (operand.kind !== 'field' || operand.steps.length === 0) return true;
    let current: Entity | undefined = entity;
    for (const step of operand.steps) {
      if (!current || !columnNamed(before, current, step.field)) return false;
      current = model.entities.get(step.entity);
      const table = current && before.tables[current.id];
      if (!table || table.aside || table.name !== step.table) return false;
    }
    return current !== undefined && columnNamed(before, current, operand.field);
  });
}

function columnNamed(before: DesiredState, entity: Entity, key: string): boolean {
  const id = entity.fields.get(key)?.id;
  const column = id === undefined ? undefined : before.tables[entity.id]?.columns[id];
  return column !== undefined && !column.aside && column.name === key;
}

/** A field under its former name; one that is not there yet has no value. */
function columnBefore(before: DesiredState, entity: Entity, operand: FieldOperand): string | undefined {
  if (operand.steps.length > 0) return undefined;
  const column = before.tables[entity.id]?.columns[operand.fieldId];
  if (!column || column.aside) return `null::${SQL_TYPE[operand.type]}`;
  return `x.${quote(column.name)}`;
}
