/**
 * About a thousand rows at a time, in one transaction, through the write path. When the database refuses them together they
 * are tried in halves, so that exactly the bad ones fail, each with its reason.
 */
import type { IdSource } from '#engine/clock.ts';
import type { Database, Transaction } from '#engine/db/database.ts';
import { isDatabaseError } from '#engine/db/database-error.ts';
import type { Statement, StatementResult } from '#engine/db/execute.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import type { Value } from '#engine/model/value-type.ts';
import { Problem } from '#engine/problem.ts';
import { duplicateLabel } from '../duplicates/candidates.ts';
import { type Draft, type Likeness, likenessesIn, likenessSentence, reportingLook } from '../duplicates/look.ts';
import type { Scope } from '../scope.ts';
import { ownerProblem } from '../write/assign.ts';
import { insertStatements } from '../write/create.ts';
import { writeProblem } from '../write/database-problem.ts';
import { fillProblem } from '../write/fills.ts';
import { refusalOf } from '../write/plan.ts';
import { andReadable } from '../write/predicate.ts';
import { NewRecords } from '../write/new-records.ts';
import { prepareNew } from '../write/prepare.ts';
import { References } from '../write/references.ts';
import { andLive, column, Parameters, recordColumns, tableOf, textOf } from '../write/sql.ts';
import { planUpdate } from '../write/update.ts';
import { Faults, writableFields } from '../write/validate.ts';
import type { Converted, Converter } from './convert.ts';
import type { Lookups } from './lookups.ts';

export interface Outcome {
  readonly line: number;
  readonly outcome: 'created' | 'updated' | 'failed';
  /** Why it failed, or what may be the same as the record it became; `null` when there is nothing to say. */
  readonly message: string | null;
  /** The records that the message says may be the same. */
  readonly alike?: readonly Alike[];
}

/** A record that a row may be the same as. */
export interface Alike {
  /** `null`: one that an earlier row of a dry run made, and that is not there any more. */
  readonly id: string | null;
  readonly title: string | null;
  /** What speaks for it: labels of rules, in the language of whoever imports. */
  readonly rules: readonly string[];
}

export interface ChunkContext {
  readonly database: Database;
  readonly scope: Scope;
  readonly entity: Entity;
  readonly ids: IdSource;
  readonly converter: Converter;
  readonly lookups: Lookups;
  readonly upsertBy: readonly string[] | null;
  /** Whether to look for records like those that are created. */
  readonly duplicates: boolean;
  /** Ids of what a dry run has made; `null` when it is meant. */
  readonly trial: Set<string> | null;
}

type Prepared = { readonly line: number } & (
  | { readonly kind: 'created'; readonly rows: NewRecords; readonly draft: Draft }
  | { readonly kind: 'updated'; readonly statements: readonly Statement[] }
);

/** Rows as far as they can be made ready without having written those before them. */
export interface Ready {
  /** Rows that cannot be used. */
  readonly outcomes: readonly Outcome[];
  readonly usable: readonly Converted[];
  /** Finished, where no row can mean a record that an earlier one makes. */
  readonly made: { readonly prepared: readonly Prepared[]; readonly statements: readonly Statement[] | null } | null;
}

/** @param send as the importing user */
export async function makeReady(
  context: ChunkContext,
  send: Transaction['send'],
  converted: readonly Converted[],
): Promise<Ready> {
  await context.lookups.load(
    { send },
    converted.flatMap(({ references }) => references),
  );
  const outcomes: Outcome[] = [];
  const usable: Converted[] = [];
  for (const row of converted) {
    const faults = [...row.faults];
    for (const reference of row.references) {
      const found = context.lookups.find(reference);
      if ('fault' in found) faults.push(found.fault);
      else row.values.set(reference.field.key, pointing(reference.field, row.values, found.id));
    }
    if (faults.length > 0) outcomes.push(failed(row.line, faults));
    else usable.push(row);
  }
  context.lookups.forgetMissing();
  if (context.upsertBy) return { outcomes, usable, made: null };
  const prepared = prepareAll(context, usable, new Map(), outcomes);
  let statements: readonly Statement[] | null = null;
  try {
    statements = statementsOf(context, prepared);
  } catch (error) {
    // Which rows are refused is found out in halves.
    if (!(error instanceof Problem)) throw error;
  }
  return { outcomes, usable, made: { prepared, statements } };
}

/** Writes rows inside the transaction; what fails leaves nothing behind. */
export async function importRows(context: ChunkContext, transaction: Transaction, ready: Ready): Promise<Outcome[]> {
  const outcomes = [...ready.outcomes];
  if (ready.made) {
    const { prepared, statements } = ready.made;
    return [...outcomes, ...(await attempt(context, transaction, prepared, statements))];
  }
  for (const round of roundsOf(context.upsertBy, ready.usable))
    outcomes.push(...(await writeRound(context, transaction, round)));
  return outcomes;
}

/** One record, or one more of those it is linked to. */
function pointing({ key, many }: Field, values: ReadonlyMap<string, Value>, id: string): Value {
  if (many === null) return id;
  const before = values.get(key);
  return [...(Array.isArray(before) ? before.map(String) : []), id];
}

const failed = (line: number, sentences: readonly string[]): Outcome => ({
  line,
  outcome: 'failed',
  message: sentences.join(' ').slice(0, 1000),
});

/** Rows with the same key must not be written at once: the later one changes what the earlier one has made. */
function roundsOf(upsertBy: readonly string[] | null, rows: readonly Converted[]): readonly (readonly Converted[])[] {
  if (!upsertBy) return [rows];
  const rounds: Converted[][] = [];
  const times = new Map<string, number>();
  for (const row of rows) {
    const key = keyOf(upsertBy, row);
    const time = key === null ? 0 : (times.get(key) ?? 0);
    if (key !== null) times.set(key, time + 1);
    const round = rounds[time] ?? [];
    rounds[time] = round;
    round.push(row);
  }
  return rounds;
}

/** `null` when a part of the key is empty: such a row finds no record. */
/** The record as a client would send it: any JSON as itself, not as its text. */
function bodyOf(entity: Entity, values: Iterable<readonly [string, Value]>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    [...values].map(([key, value]) => [
      key,
      entity.fields.get(key)?.type.structured && typeof value === 'string' ? JSON.parse(value) : value,
    ]),
  );
}

function keyOf(upsertBy: readonly string[], { values }: Converted): string | null {
  const parts = upsertBy.map((key) => values.get(key) ?? null);
  return parts.some((part) => part === null) ? null : JSON.stringify(parts);
}

async function writeRound(
  context: ChunkContext,
  transaction: Transaction,
  rows: readonly Converted[],
): Promise<Outcome[]> {
  const existing = await findExisting(context, transaction, rows);
  const outcomes: Outcome[] = [];
  const prepared = prepareAll(context, rows, existing, outcomes);
  outcomes.push(...(await attempt(context, transaction, prepared)));
  return outcomes;
}

/** @param outcomes takes up the rows that are refused */
function prepareAll(
  context: ChunkContext,
  rows: readonly Converted[],
  existing: ReadonlyMap<number, string>,
  outcomes: Outcome[],
): readonly Prepared[] {
  return rows.flatMap((row) => {
    try {
      return [prepare(context, row, existing.get(row.line))];
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      outcomes.push(failed(row.line, sentencesOf(error)));
      return [];
    }
  });
}

function prepare(context: ChunkContext, row: Converted, existing: string | undefined): Prepared {
  const { scope, entity, ids, database } = context;
  if (existing !== undefined) {
    // What may only be given at creation (a state, an owner) stays as it is.
    const writable = writableFields(scope, entity, 'update');
    const values = [...row.values].filter(([key]) => writable.has(key) && !context.upsertBy?.includes(key));
    const plan = planUpdate(database, scope, entity, existing, bodyOf(entity, values), null, ids);
    return { line: row.line, kind: 'updated', statements: plan.statements };
  }
  const faults = new Faults();
  const rows = new NewRecords();
  const nest = { scope, ids, faults, records: rows };
  const body = bodyOf(entity, row.values);
  const [id = ''] = prepareNew(nest, entity, [{ body, pointer: '' }]);
  faults.check();
  return { line: row.line, kind: 'created', rows, draft: { id, body, pointer: '' } };
}

function statementsOf(context: ChunkContext, prepared: readonly Prepared[]): readonly Statement[] {
  const rows = new NewRecords();
  const updates: Statement[] = [];
  for (const one of prepared) {
    if (one.kind === 'updated') updates.push(...one.statements);
    else rows.addAll(one.rows);
  }
  // References were found as this user a moment ago, in this transaction.
  return [...insertStatements(context.scope, rows, new References(context.scope)).own, ...updates];
}

const control = (text: string): Statement => ({ text, values: [], unprepared: true });

async function attempt(
  context: ChunkContext,
  transaction: Transaction,
  prepared: readonly Prepared[],
  made: readonly Statement[] | null = null,
): Promise<Outcome[]> {
  if (prepared.length === 0) return [];
  let sent = false;
  try {
    // Some rows are refused before anything is sent.
    const statements = made ?? statementsOf(context, prepared);
    sent = true;
    const created = context.duplicates ? prepared.filter((one) => one.kind === 'created') : [];
    const drafts = created.map(({ draft }) => draft);
    const look = reportingLook(context.scope, context.entity, drafts);
    const looks = look ? [look] : [];
    const end = control('release savepoint chunk');
    const results = await transaction.send(control('savepoint chunk'), ...statements, ...looks, end);
    for (const { id } of drafts) context.trial?.add(id);
    const alike = toldOf(context, drafts.length, look ? results.at(-2) : undefined);
    const told = new Map(created.map(({ line }, at) => [line, alike[at]]));
    return prepared.map(({ line, kind }) => ({ line, outcome: kind, message: null, ...told.get(line) }));
  } catch (error) {
    const sentences = refusedBecause(error, context);
    if (!sentences) throw error;
    if (sent) await transaction.send(control('rollback to savepoint chunk'), control('release savepoint chunk'));
    const [first] = prepared;
    if (first && prepared.length === 1) return [failed(first.line, sentences)];
    const middle = prepared.length >> 1;
    return [
      ...(await attempt(context, transaction, prepared.slice(0, middle))),
      ...(await attempt(context, transaction, prepared.slice(middle))),
    ];
  }
}

/** Of each draft what it may be the same as; `undefined` for nothing. */
function toldOf(
  context: ChunkContext,
  drafts: number,
  result: StatementResult | undefined,
): readonly (Pick<Outcome, 'message' | 'alike'> | undefined)[] {
  const found = Map.groupBy(likenessesIn(context.entity, result), ({ draft }) => draft);
  return Array.from({ length: drafts }, (_, at) => {
    const told = found.get(at)?.slice(0, 3);
    return told && { message: told.map(likenessSentence).join(' '), alike: told.map((one) => alikeOf(context, one)) };
  });
}

function alikeOf({ scope, entity, trial }: ChunkContext, { id, title, rules }: Likeness): Alike {
  return { id: trial?.has(id) ? null : id, title, rules: rules.map((rule) => duplicateLabel(scope, entity, rule)) };
}

/** A row is told by its line. */
const nowhere = (): undefined => undefined;

/** What is wrong with a row, or `null` when nothing is: the database is away, or a statement of ours is broken. */
function refusedBecause(error: unknown, { scope, entity }: ChunkContext): readonly string[] | null {
  if (error instanceof Problem) return error.retryable || error.code === 'internal' ? null : sentencesOf(error);
  if (!isDatabaseError(error)) return null;
  const refusal = refusalOf(error);
  const known = refusal && (fillProblem(scope, refusal, nowhere) ?? ownerProblem(refusal, nowhere));
  if (known) return sentencesOf(known);
  if (refusal?.code === 'condition') return ['You may not create a record like this.'];
  if (refusal?.code === 'unmatched') return ['You may not change the record that this row means.'];
  if (refusal?.code === 'references') return ['It refers to a record that does not exist or that you may not see.'];
  const problem = writeProblem(error, scope, entity);
  return problem.retryable || problem.code === 'internal' ? null : sentencesOf(problem);
}

function sentencesOf(problem: Problem): readonly string[] {
  return problem.errors.length === 0 ? [problem.message] : [...new Set(problem.errors.map(({ message }) => message))];
}

/** Records that rows mean, by line: found by the unique key, as the user. */
async function findExisting(
  context: ChunkContext,
  transaction: Transaction,
  rows: readonly Converted[],
): Promise<ReadonlyMap<number, string>> {
  const { scope, entity, upsertBy } = context;
  const found = new Map<number, string>();
  const keyed = upsertBy ? rows.filter((row) => keyOf(upsertBy, row) !== null) : [];
  if (!upsertBy || keyed.length === 0) return found;
  const fields = upsertBy.flatMap((key) => entity.fields.get(key) ?? []);
  const parameters = new Parameters();
  // No field's key begins like this.
  const json = keyed.map(({ line, values }) => ({
    _line: line,
    ...Object.fromEntries(upsertBy.map((key) => [key, jsonOf(values.get(key) ?? null)])),
  }));
  const source = `json_to_recordset(${parameters.bind(JSON.stringify(json), 'json')}) as k(_line integer, ${recordColumns(fields)})`;
  const same = fields.map((field) => `x.${column(field)} = k.${column(field)}`).join(' and ');
  const readable = andReadable(scope, entity, 'x', parameters);
  const [result] = await transaction.send({
    text: `select k._line, x.id from ${source} join ${tableOf(scope, entity)} x on ${same} where true${andLive(entity, 'x')}${readable}`,
    values: parameters.values,
  });
  for (const [line, id] of result?.rows ?? []) if (line != null && id != null) found.set(Number(line), id);
  return found;
}

function jsonOf(value: Value): Value {
  return typeof value === 'object' ? textOf(value) : value;
}
