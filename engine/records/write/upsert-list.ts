/**
 * Up to 1,000 records at once: one look for all their keys, one INSERT for those that are new, one UPDATE for those that
 * are there for each set of fields that was sent. However many records, a handful of statements.
 */
import type { Transaction } from '#engine/db/database.ts';
import type { Statement } from '#engine/db/execute.ts';
import type { Field } from '#engine/model/model.ts';
import type { Value } from '#engine/model/value-type.ts';
import { Problem } from '#engine/problem.ts';
import { withDuplicates } from '../duplicates/on-create.ts';
import { keyedStatement } from '../read/matching.ts';
import type { Outcome } from './change-many.ts';
import { changeManyStatement, outcomesOf } from './change-many.ts';
import { planNew, requireCreate, requireList } from './create.ts';
import { mayCompare } from './compare.ts';
import { diagnose, requireGrants } from './diagnose.ts';
import type { NewRow } from './insert.ts';
import { recordset } from './insert.ts';
import { refilled, refilledColumns } from './fills.ts';
import { leftAlone } from './left-alone.ts';
import type { Plan, Refusal } from './plan.ts';
import { References } from './references.ts';
import type { ManyJob, WriteOptions, WriteResult } from './run.ts';
import { runMany } from './run.ts';
import type { Warning } from './rules.ts';
import { column, textOf } from './sql.ts';
import { keptAssignment } from './update.ts';
import type { UpsertOptions } from './upsert.ts';
import type { Upserting } from './upserting.ts';
import { forChange, isTaken } from './upserting.ts';
import { at, checkBody, checkValues, Faults, refuseNested } from './validate.ts';

interface Row {
  readonly body: unknown;
  readonly pointer: string;
  readonly key: readonly Value[];
  /** The key as one text, to sort and compare by. */
  readonly name: string;
}

/** Answers `{"data": [{"id", "version", "outcome": "created" | "updated" | "unchanged"}, …]}` in the list's order. */
export function upsertList(
  upserting: Upserting,
  bodies: readonly unknown[],
  options: WriteOptions & Pick<UpsertOptions, 'duplicates'>,
): Promise<WriteResult> {
  const { sender, scope, entity, key } = upserting;
  requireList(bodies);
  const rows = rowsOf(upserting, bodies);
  let taken: { readonly error: unknown; readonly missing: string } | null = null;
  return runMany(sender, scope, entity, options, 200, (): ManyJob => {
    let changes: Changes | null = null;
    let creation: Plan | null = null;
    let missing = '';
    let warnings: readonly Warning[] = [];
    return {
      work: async (transaction: Transaction) => {
        const found = await findAll(upserting, transaction, rows);
        missing = rows.flatMap(({ name }, n) => (found.has(n) ? [] : [name])).join('\n');
        // What was taken and still is not to be seen is hidden: told as for any creation.
        if (taken?.missing === missing) throw taken.error;
        const faults = new Faults();
        changes = changesOf(upserting, rows, found, faults);
        const created = creationOf(upserting, rows, found, options.duplicates, faults);
        creation = created.plan;
        const left = leftAlone(
          upserting,
          rows.flatMap(({ body, pointer }, n) => (found.has(n) ? [{ id: found.get(n) ?? '', pointer, body }] : [])),
        );
        const [looked] = left ? await transaction.send(left.look) : [];
        const statements = [...(creation?.statements ?? []), ...changes.statements];
        const results = statements.length === 0 ? [] : await transaction.send(...statements);
        warnings = [...(creation?.told?.(results) ?? []), ...(left?.warnings(looked) ?? [])];
        const outcomes = results.slice(results.length - changes.groups).flatMap(outcomesOf);
        return answer(rows, found, created.ids, outcomes);
      },
      told: () => warnings,
      pointerOf: (record) => creation?.pointers?.get(record) ?? changes?.rows.get(record)?.pointer,
      refused: (refusal) => refusedBecause(upserting, refusal, creation, changes),
      overtaken: (error) => {
        if (!isTaken(error, key)) return false;
        if (taken?.error === error) return false;
        taken = { error, missing };
        return true;
      },
    };
  });
}

/** @throws Problem `invalid`: keys that are missing, wrong, or there twice */
function rowsOf({ scope, entity, key }: Upserting, bodies: readonly unknown[]): readonly Row[] {
  const faults = new Faults();
  const known = new Set<string>();
  const rows = bodies.map((body, index): Row => {
    const pointer = at('', index);
    const before = faults.details.length;
    const values = checkValues(scope, entity, key.fields, body, pointer, faults);
    const name = JSON.stringify(values.map(textOf));
    if (faults.details.length === before) {
      if (known.has(name)) {
        const message = 'This record is in the list twice.';
        faults.add({ code: 'duplicate', message, pointer });
      }
      known.add(name);
    }
    return { body, pointer, key: values, name };
  });
  faults.check();
  return rows;
}

/** Ids of the records that are there, by position in the list. */
async function findAll(
  { scope, entity, key }: Upserting,
  transaction: Transaction,
  rows: readonly Row[],
): Promise<ReadonlyMap<number, string>> {
  const keys = rows.map((row) => row.key);
  const [result] = await transaction.send(keyedStatement(scope, entity, key.fields, keys));
  return new Map((result?.rows ?? []).map(([n, id]) => [Number(n), id ?? '']));
}

interface Changes {
  readonly statements: readonly Statement[];
  /** How many of the statements, from the end, tell outcomes. */
  readonly groups: number;
  readonly references: References;
  /** What was sent, by the record's id. */
  readonly rows: ReadonlyMap<string, NewRow>;
}

function changesOf(
  { scope, entity, key }: Upserting,
  rows: readonly Row[],
  found: ReadonlyMap<number, string>,
  faults: Faults,
): Changes {
  const groups = new Map<string, NewRow[]>();
  const known = new Map<string, NewRow>();
  const references = new References(scope);
  const { update: grants } = scope.rights.of(entity.name);
  if (found.size > 0) requireGrants(scope, entity, grants, 'change');
  for (const [n, { body, pointer, key: values }] of rows.entries()) {
    const id = found.get(n);
    if (id === undefined) continue;
    const accepted = checkBody(scope, entity, 'update', forChange(scope, entity, key, body), pointer, faults, {
      record: id,
    });
    const why = 'of a record that exists cannot be changed in a list; send this record by itself.';
    refuseNested(accepted, pointer, why, faults);
    const sent = new Set(accepted.values.keys());
    for (const [i, field] of key.fields.entries()) accepted.values.set(field.key, values[i] ?? null);
    const signature = [...sent].sort().join(' ');
    const row: NewRow = { id, pointer, values: accepted.values, sent };
    known.set(id, row);
    const group = groups.get(signature) ?? [];
    groups.set(signature, group);
    group.push(row);
  }
  const statements = [...groups.values()].map((group) => {
    references.add(entity, group);
    const sent = [...entity.fields.values()].filter((field) => group[0]?.sent.has(field.key));
    const now = new Map(sent.map((field) => [field.key, `r.${column(field)}`]));
    const again = refilled(scope, entity, new Set(now.keys()));
    const fields = [...sent, ...again].map((field) => field.key);
    return changeManyStatement(scope, entity, {
      source: (parameters) => recordset([...key.fields, ...sent], group, parameters),
      // Whoever has been given another key since is another record.
      conditions: () => key.fields.map((field: Field) => `x.${column(field)} = r.${column(field)}`),
      assignments: () =>
        sent.length === 0
          ? [keptAssignment(scope, entity)]
          : [
              ...sent.map((field) => ({ column: column(field), value: `r.${column(field)}` })),
              ...again.flatMap((field) => refilledColumns(scope, entity, field, (name) => now.get(name))),
            ],
      grants,
      fields,
      skipEqual: mayCompare(scope, entity, fields),
    });
  });
  const lookup = references.statement();
  return {
    statements: [...(lookup ? [lookup] : []), ...statements],
    groups: statements.length,
    references,
    rows: known,
  };
}

/** New ones in the order of their keys: two lists that meet wait for each other and do not lock each other out. */
function creationOf(
  { sender, scope, entity, ids }: Upserting,
  rows: readonly Row[],
  found: ReadonlyMap<number, string>,
  duplicates: UpsertOptions['duplicates'],
  faults: Faults,
): { readonly plan: Plan | null; readonly ids: ReadonlyMap<string, string> } {
  const fresh = rows.filter((_, n) => !found.has(n)).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (fresh.length === 0) {
    faults.check();
    return { plan: null, ids: new Map() };
  }
  requireCreate(scope, entity);
  const plan = planNew(scope, entity, fresh, ids, faults);
  const drafts = fresh.map(({ body, pointer }, index) => ({ id: plan.ids[index] ?? '', body, pointer }));
  return {
    plan: withDuplicates(sender, scope, entity, drafts, duplicates, plan),
    ids: new Map(fresh.map(({ name }, index) => [name, plan.ids[index] ?? ''])),
  };
}

function answer(
  rows: readonly Row[],
  found: ReadonlyMap<number, string>,
  created: ReadonlyMap<string, string>,
  outcomes: readonly Outcome[],
): string {
  const byId = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
  const data = rows.map(({ name }, n) => {
    const id = found.get(n);
    const outcome = id === undefined ? undefined : byId.get(id);
    if (!outcome) return { id: created.get(name), version: 1, outcome: 'created' };
    return { id, version: outcome.version, outcome: outcome.changed ? 'updated' : 'unchanged' };
  });
  return JSON.stringify({ data });
}

async function refusedBecause(
  { sender, scope, entity }: Upserting,
  refusal: Refusal,
  creation: Plan | null,
  changes: Changes | null,
): Promise<Problem | 'again' | 'unexplained'> {
  if (refusal.code === 'references') {
    const problem = changes?.references.problem(refusal.ids);
    if (problem && problem.errors.length > 0) return problem;
  }
  if (refusal.code !== 'unmatched' && creation) return creation.refused(refusal);
  const { update: grants } = scope.rights.of(entity.name);
  for (const id of refusal.ids.slice(0, 5)) {
    const fields = changes?.rows.get(id)?.sent ?? [];
    const wanted = { id, version: null, deleted: false, grants, fields, verb: 'change' };
    const { problem } = await diagnose(sender, scope, entity, wanted);
    if (problem?.code === 'not_found') return 'again';
    if (problem?.code !== 'forbidden') continue;
    const details = refusal.ids.map((one) => ({
      code: 'forbidden',
      message: problem.message,
      pointer: changes?.rows.get(one)?.pointer ?? '',
    }));
    return new Problem('forbidden', problem.message, details);
  }
  return 'unexplained';
}
