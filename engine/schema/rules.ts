/**
 * Validation rules in the row trigger: what a record does not keep is refused (errors) or told (warnings), whoever
 * writes it. All of them are looked at before anything is said, and all are said at once: as one exception, or one
 * notice, with ids alone. Words come from the model (`records/write/rules.ts`).
 *
 * The trigger runs as whoever writes: a rule that looks over a reference sees what that person may see.
 */
import { conditionToSql, inlineValue } from '../condition/to-sql.ts';
import type { Condition, FieldOperand } from '../condition/condition.ts';
import { literal, quote } from '../db/identifiers.ts';
import { formulaToSql } from '../formula/to-sql.ts';
import type { Entity } from '../model/model.ts';
import type { Flag, Rule } from '../model/parts.ts';
import type { Context } from './context.ts';
import { textArray } from './context.ts';

/** SQLSTATE of records that do not keep a rule; the message is JSON, `{"record": id, "rules": [ids]}`. */
export const RULES_BROKEN = 'AR003';
/** SQLSTATE of the notice about rules that only warn; the message as above. */
export const RULES_WARN = 'AR004';

export const RULE_VARIABLES = 'declare errors text[] := array[]::text[]; warnings text[] := array[]::text[];\n';

/** Statements of the row trigger, or '' without rules. A record that is being deleted need not keep any. */
export function ruleChecks(context: Context, entity: Entity): string {
  const rules = context.model.rules.get(entity.name) ?? [];
  if (rules.length === 0) return '';
  const live = entity.softDelete ? ' and new."deleted_at" is null' : '';
  const checks = rules.map((rule) => {
    const flag = rule.flag === null ? undefined : context.model.flags.get(rule.flag);
    const applies = flag ? `${flagSql(flag)} and ` : '';
    const into = rule.severity === 'error' ? 'errors' : 'warnings';
    return `    if ${applies}(${brokenSql(context, entity, rule, 'new.')}) is true then ${into} := ${into} || ${literal(rule.id)}::text; end if;\n`;
  });
  // What the engine itself fills in when publishing is not for people to put right just then.
  return `  if current_user <> 'armature_owner'${live} then
${checks.join('')}    if cardinality(errors) > 0 then
      raise exception using errcode = ${literal(RULES_BROKEN)}, message = pg_catalog.json_build_object('record', new."id", 'rules', errors)::text;
    end if;
    if cardinality(warnings) > 0 then
      raise notice using errcode = ${literal(RULES_WARN)}, message = pg_catalog.json_build_object('record', new."id", 'rules', warnings)::text;
    end if;
  end if;
`;
}

/** A condition about the row of a trigger, where virtual columns are not computed yet: formulas are written out. */
export function rowSql({ schema }: Context, entity: Entity, condition: Condition, alias: string): string {
  const field = (operand: FieldOperand) => computed(entity, operand, alias);
  return conditionToSql(condition, { alias, schema, mode: 'policy', bind: inlineValue, field });
}

/**
 * The condition that a record must not fulfil.
 * @param alias of the record, with the dot
 * @param field where else a field is found
 */
export function brokenSql(
  { schema }: Context,
  entity: Entity,
  rule: Rule,
  alias: string,
  field: (operand: FieldOperand) => string | undefined = (operand) => computed(entity, operand, alias),
): string {
  return conditionToSql(rule.broken, { alias, schema, mode: 'policy', bind: inlineValue, field });
}

function computed(entity: Entity, operand: FieldOperand, alias: string): string | undefined {
  const found = operand.steps.length === 0 ? entity.fields.get(operand.field) : undefined;
  const type = found && found.type.columns(found)[0]?.type;
  if (!found?.formula || type === undefined) return undefined;
  return `(${formulaToSql(found.formula, (key) => `${alias}${quote(key)}`)})::${type}`;
}

/** Whether the flag is on for whoever acts; the twin of `model/flags.ts`. */
export function flagSql({ name, on, roles, percent, from, until }: Flag): string {
  const moment = (milliseconds: number | null) =>
    milliseconds === null ? 'null' : `${literal(new Date(milliseconds).toISOString())}::timestamptz`;
  const list = roles === null ? 'null' : textArray(roles);
  return `armature.flag_on(${literal(name)}, ${on}, ${list}, ${percent ?? 'null'}, ${moment(from)}, ${moment(until)})`;
}
