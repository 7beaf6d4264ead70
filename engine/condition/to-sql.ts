/**
 * From a condition to SQL. SQL has three truth values and the language has two: the tree is brought into negation
 * normal form, a plain test may be NULL (which no `where` and no policy lets pass, and which keeps it indexable), and a
 * negated one becomes `(…) is not true`.
 */
import { literal, quote } from '../db/identifiers.ts';
import type { Operator, Value } from '../model/value-type.ts';
import { SQL_TYPE } from '../model/value-type.ts';
import type { Condition, FieldOperand, Many, Operand, SettingOperand, Shared } from './condition.ts';
import { wordPattern } from './fold.ts';
import { isTrue, negationNormalForm } from './simplify.ts';

export interface SqlTarget {
  /**
   * What stands before a column of the record, quoted, with the dot: `x.` or `"crm_account".` in a policy. Never empty:
   * in a subselect a bare column would be looked for in the inner table first.
   */
  readonly alias: string;
  /** The tenant's schema, quoted. */
  readonly schema: string;
  /** A policy stands in the catalog and asks the session for the user; a query brings the user along as values. */
  readonly mode: 'policy' | 'query';
  /**
   * Writes a value into the statement and returns how it is referred to: `$3::numeric` in a query, an escaped literal
   * with a cast in a policy ({@link inlineValue}). Lists, of numbers too, come as arrays of texts, e.g. `['1', '2']` with
   * `bigint[]`. Called from left to right, so that equal shapes give equal texts.
   */
  readonly bind: (value: Value, sqlType: string) => string;
  /** How many records of others lie around it; kept by the compiler itself. */
  readonly depth?: number;
  /** The acting user's attributes, for queries. */
  readonly user?: (attribute: string) => Value;
  /** Where a field is found, when it is not simply the column of the record or of a referenced table (masks, joins); `undefined`: there. */
  readonly field?: (operand: FieldOperand) => string | undefined;
  /** A period of the moment, for queries that bring it along as a value. Without it Postgres is asked. */
  readonly period?: (operand: PeriodOperand) => string;
  /**
   * Where records of another entity come from: those of a tree, and those that belong to one. Without it the table, under
   * its row policies.
   */
  readonly others?: (entity: string, table: string) => Others;
}

/** Records of another entity inside a condition. */
export interface Others {
  readonly alias: string;
  /** `"t_acme"."crm_lines" _m1` */
  readonly from: string;
  readonly where: readonly string[];
  /** What conditions on these records are written with. */
  readonly target: SqlTarget;
  /** Joins that these conditions turned out to need; asked for after they are written. */
  readonly joins: () => string;
}

type PeriodOperand = Extract<Operand, { kind: 'period' }>;
/** The function of the tenant's schema that tells the records shared with the acting user: `(entity id, level)` → ids. */
export const SHARED_RECORDS = 'reach_shares';

type Test = Extract<Condition, { kind: 'test' }>;

/**
 * A boolean expression for `where`, `using` or `with check`. It may be NULL where it does not hold: in other places
 * (a select list, a CHECK constraint, under `not`) write `(…) is true`.
 */
export function conditionToSql(condition: Condition, target: SqlTarget): string {
  if (target.alias === '') throw new TypeError('a condition in SQL needs an alias for its record');
  return write(negationNormalForm(condition), target);
}

/** The value as a literal with a cast, for {@link SqlTarget.bind} of policies. */
export function inlineValue(value: Value, sqlType: string): string {
  if (value === null) return `null::${sqlType}`;
  if (typeof value === 'object') return `array[${value.map(literal).join(', ')}]::${sqlType}`;
  return `${literal(String(value))}::${sqlType}`;
}

function write(condition: Condition, target: SqlTarget): string {
  switch (condition.kind) {
    case 'all':
    case 'any': {
      if (condition.of.length === 0) return condition.kind === 'all' ? 'true' : 'false';
      const members = condition.of.map((member) => write(member, target));
      return `(${members.join(condition.kind === 'all' ? ' and ' : ' or ')})`;
    }
    case 'not':
      return writeNegated(condition.of, target);
    case 'test':
      return writeTest(condition, target);
    case 'under':
      return writeUnder(condition, target);
    case 'some':
      return `exists (select ${writeMany(condition.many, condition.of, target)})`;
    case 'business_hours':
      return '(select armature.in_business_hours())';
    case 'shared':
      return writeShared(condition, target);
  }
}

/**
 * The ids are looked up once for the whole statement and then compared, so that the primary key serves: beside an owner
 * Postgres joins two indexes. Told from a part, the reference to its whole is compared.
 */
function writeShared({ entity, level, record }: Shared, target: SqlTarget): string {
  const reach = `${target.schema}.${quote(SHARED_RECORDS)}(${literal(entity)}, ${literal(level)})`;
  return `${writeOperand(record, target)} = any(array(select ${reach}))`;
}

function writeNegated(condition: Condition, target: SqlTarget): string {
  if (condition.kind === 'test' && condition.operator === 'null') {
    return `${writeOperand(condition.left, target)} is not null`;
  }
  if (condition.kind === 'test' && target.mode === 'query') {
    const beyond = writeBeyond(condition, target);
    if (beyond !== null) return beyond;
  }
  return `(${write(condition, target)}) is not true`;
}

/**
 * What is not less is equal or greater, or missing: said so, an index serves, which `is not true` keeps away. Policies
 * stay as they are: they stand in the catalog, and an index of theirs is the owner's.
 * @returns `null` for what is no comparison of the record's own field with a value that is there
 */
function writeBeyond({ left, operator, right, ...rest }: Test, target: SqlTarget): string | null {
  if (operator !== 'lt' && operator !== 'lte' && operator !== 'gt' && operator !== 'gte') return null;
  const given = right.kind === 'literal' ? right.value !== null : right.kind === 'period';
  if (!given || left.kind !== 'field' || left.steps.length > 0) return null;
  const other = writeTest({ ...rest, left, operator: OPPOSITE[operator], right }, target);
  return `(${other} or ${writeOperand(left, target)} is null)`;
}

const OPPOSITE = { lt: 'gte', lte: 'gt', gt: 'lte', gte: 'lt' } as const satisfies Partial<Record<Operator, Operator>>;

function writeTest({ left, operator, right }: Test, target: SqlTarget): string {
  const a = writeOperand(left, target);
  if (operator === 'null') return `${a} is null`;
  const b = operator === 'search' ? writeWord(right, target) : writeOperand(right, target);
  switch (operator) {
    case 'eq':
      return left.type === 'text' && left.kind === 'field' && right.kind === 'field'
        ? // Two columns of different collations would make Postgres ask which one to use.
          `${a} collate "C" = ${b}`
        : `${a} = ${b}`;
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return `${a}${left.type === 'text' ? ' collate "C"' : ''} ${COMPARISON[operator]} ${b}`;
    case 'in':
      return `${a} = any(${castArray(b, right)})`;
    case 'contains':
      return `strpos(${a}, ${b}) > 0`;
    case 'icontains':
      return `strpos(${lower(a)}, ${lower(b)}) > 0`;
    case 'starts':
      return `${a} ^@ ${b}`;
    case 'istarts':
      return `${lower(a)} ^@ ${lower(b)}`;
    case 'ends':
      return `right(${a}, length(${b})) = ${b}`;
    case 'like':
      return `${a} collate "C" like ${b}`;
    case 'ilike':
      return `${lower(a)} like ${lower(b)}`;
    case 'search':
      return `armature.fold(${a}) like ${b}`;
    case 'has':
      // `@>` can use an index on the record's array, `= any` one on the value to be found.
      return left.kind === 'field' ? `${a} @> array[${b}]` : `${b} = any(${castArray(a, left)})`;
    case 'hasAny':
      return `${a} && ${b}`;
    case 'hasAll':
      return `${a} @> ${b}`;
    case 'ne':
    case 'nin':
    case 'between':
    case 'within':
    case 'under':
      throw new TypeError(`"${operator}" is gone after simplifying`);
  }
}

const COMPARISON = { lt: '<', lte: '<=', gt: '>', gte: '>=' } as const satisfies Partial<Record<Operator, string>>;

/** Unicode's full case mapping without a language, whatever the database's own collation is; for the sigma see `evaluate-test.ts`. */
function lower(sql: string): string {
  return `lower(translate(${sql}, 'Σς', 'σσ') collate pg_unicode_fast)`;
}

/** Without a cast, `= any((select …))` compares with the rows of a subquery and not with the elements of its one array. */
function castArray(sql: string, operand: Operand): string {
  return operand.kind === 'list' ? sql : `${sql}::${SQL_TYPE[operand.type]}`;
}

function writeOperand(operand: Operand, target: SqlTarget): string {
  switch (operand.kind) {
    case 'literal':
      return target.bind(operand.value, SQL_TYPE[operand.type]);
    case 'list':
      return target.bind(operand.values.map(String), `${SQL_TYPE[operand.type]}[]`);
    case 'user':
      return writeUser(operand, target);
    case 'setting':
      return writeSetting(operand);
    case 'now':
      return '(select armature.now())';
    case 'today':
      return '(select armature.today())';
    case 'period':
      return target.period === undefined ? writePeriod(operand) : target.period(operand);
    case 'count':
      return `(select count(*) ${writeMany(operand.many, operand.of, target)})`;
    case 'field':
      return (operand.bare ? undefined : target.field?.(operand)) ?? writeField(operand, target);
  }
}

/** Looked up once for a statement, by Postgres itself: what was set a moment ago counts. A value of another type is none. */
function writeSetting({ setting, own, type, fallback }: SettingOperand): string {
  const stored = `armature.setting(${literal(setting)}, ${own}, ${literal(type)})::${SQL_TYPE[type]}`;
  return `(select ${fallback === null ? stored : `coalesce(${stored}, ${inlineValue(fallback, SQL_TYPE[type])})`})`;
}

/** In the session's time zone, as `today` is. */
function writePeriod({ period, edge, type }: PeriodOperand): string {
  const asked = `armature.period_${edge}(${literal(period)})`;
  return type === 'date' ? `(select ${asked})` : `(select armature.start_of_day(${asked}))`;
}

function writeWord(operand: Operand, target: SqlTarget): string {
  if (operand.kind !== 'literal') throw new TypeError('words are literals');
  return target.bind(wordPattern(String(operand.value)), 'text');
}

/** From the top downwards, as far as records may be seen; `union` ends in a circle. One array per query: an index serves. */
function writeUnder({ left, right, tree }: Extract<Condition, { kind: 'under' }>, target: SqlTarget): string {
  const a = writeOperand(left, target);
  const top = writeOperand(right, target);
  const first = othersOf(tree.entity, tree.table, target);
  const next = othersOf(tree.entity, tree.table, target);
  const start = [`${first.alias}."id" = ${top}`, ...first.where].join(' and ');
  const below = next.where.length === 0 ? '' : ` where ${next.where.join(' and ')}`;
  return `${a} = any(array(with recursive _u(id) as (select ${first.alias}."id" from ${first.from} where ${start} union select ${next.alias}."id" from _u join ${next.from} on ${next.alias}.${quote(tree.parent)} = _u.id${below}) select _u.id from _u))`;
}

function writeMany(many: Many, of: Condition, target: SqlTarget): string {
  const anchor = writeOperand(many.anchor, target);
  const others = othersOf(many.entity, many.table, target);
  const { link } = many;
  const via =
    link === null
      ? ''
      : ` join ${target.schema}.${quote(link.table)} _l on _l.${quote(link.far)} = ${others.alias}."id"`;
  const belongs = link === null ? `${others.alias}.${quote(many.by ?? 'id')}` : `_l.${quote(link.near)}`;
  const conditions = [`${belongs} = ${anchor}`, ...others.where];
  if (!isTrue(of)) conditions.push(write(negationNormalForm(of), others.target));
  return `from ${others.from}${via}${others.joins()} where ${conditions.join(' and ')}`;
}

function othersOf(entity: string, table: string, target: SqlTarget): Others {
  if (target.others !== undefined) return target.others(entity, table);
  const depth = (target.depth ?? 0) + 1;
  const alias = `_o${depth}`;
  // Where the fields of the outer record are found is of no use here.
  const { field: _, ...rest } = target;
  const inner: SqlTarget = { ...rest, alias: `${alias}.`, depth };
  return { alias, from: `${target.schema}.${quote(table)} ${alias}`, where: [], target: inner, joins: () => '' };
}

function writeUser({ attribute, type }: Extract<Operand, { kind: 'user' }>, target: SqlTarget): string {
  if (target.mode === 'query') {
    if (target.user === undefined) throw new TypeError('a query needs the attributes of its user');
    return target.bind(target.user(attribute), SQL_TYPE[type]);
  }
  switch (attribute) {
    case 'id':
      return '(select armature.user_id())';
    case 'team':
      return '(select armature.team())';
    case 'teams':
      return '(select armature.teams())';
    case 'roles':
      return '(select armature.roles())';
    case 'team_members':
      return `array(select u.id from ${target.schema}.${quote('core_users')} u where u.team = any((select armature.teams())::uuid[]))`;
    default:
      return `(select armature.attribute(${literal(attribute)}))`;
  }
}

/** References become scalar subselects, innermost first: a missing or hidden record gives NULL. */
function writeField({ steps, field }: FieldOperand, target: SqlTarget): string {
  let reached = `${target.alias}${quote(steps[0]?.field ?? field)}`;
  for (const [index, step] of steps.entries()) {
    const inner = `_r${index + 1}`;
    const column = quote(steps[index + 1]?.field ?? field);
    reached = `(select ${inner}.${column} from ${target.schema}.${quote(step.table)} ${inner} where ${inner}.id = ${reached})`;
  }
  return reached;
}
