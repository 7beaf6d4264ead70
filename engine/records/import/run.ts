/**
 * The background part of an import. A run can be broken off at any row and taken up again: what a chunk has written and
 * what became of its rows commit together, and only rows without an outcome are taken.
 *
 * A dry run does everything in one transaction and then rolls it back.
 */
import type { IdSource } from '#engine/clock.ts';
import type { Database } from '#engine/db/database.ts';
import { sessionOf } from '#engine/db/database.ts';
import { problemOf } from '#engine/db/database-error.ts';
import type { Entity } from '#engine/model/model.ts';
import { Problem } from '#engine/problem.ts';
import { Interrupted } from '#engine/jobs/interrupted.ts';
import type { Scope } from '../scope.ts';
import type { ChunkContext, Outcome } from './chunk.ts';
import { importRows } from './chunk.ts';
import { Converter } from './convert.ts';
import { Lookups } from './lookups.ts';
import { findsBy } from './mapping.ts';
import type { StoredImport } from './store.ts';
import {
  addProgress,
  keepOutcomes,
  readImport,
  readRows,
  resetImport,
  selectImport,
  selectOpenRows,
  setState,
} from './store.ts';

/** Rows of a transaction. */
const CHUNK = 500;

export interface RunOptions {
  readonly database: Database;
  readonly ids: IdSource;
  readonly scope: Scope;
  readonly id: string;
  readonly signal: AbortSignal;
}

/** @throws Problem when the import cannot run at all; Interrupted when the signal was aborted */
export async function runImport({ database, ids, scope, id, signal }: RunOptions): Promise<void> {
  const session = sessionOf(scope.principal);
  const [found] = await database.batch(session, [selectImport(scope, id)]);
  const stored = readImport(found);
  if (stored.state !== 'queued' && stored.state !== 'running') return;
  const entity = importedEntity(scope, stored.entity);
  const { upsertBy } = stored.settings;
  if (upsertBy && !findsBy(scope, entity, upsertBy))
    throw new Problem('forbidden', 'The fields by which records were to be found may no longer be read.');
  await database.batch(
    session,
    stored.settings.dryRun ? resetImport(scope, id, 'running') : [setState(scope, id, 'running')],
  );
  const context: ChunkContext = {
    database,
    scope,
    entity,
    ids,
    converter: new Converter(scope, entity, stored.columns, stored.settings),
    lookups: new Lookups(scope),
    upsertBy,
  };
  if (stored.settings.dryRun) await tryOut(context, stored, signal);
  else await writeAll(context, stored, signal);
  await database.batch(session, [setState(scope, id, 'done')]);
}

/** The entity, if it still exists and may be imported into. @throws Problem `not_found`, `forbidden` */
export function importedEntity(scope: Scope, name: string): Entity {
  const entity = scope.model.entities.get(name);
  const rights = scope.rights.of(name);
  if (!entity || (rights.read.length === 0 && rights.create.length === 0)) {
    throw new Problem('not_found', 'There is nothing at this address, or nothing you may see.');
  }
  if (!rights.import || rights.create.length === 0) {
    throw new Problem('forbidden', `You may not import records of “${entity.label}”.`);
  }
  return entity;
}

async function writeAll(context: ChunkContext, { id }: StoredImport, signal: AbortSignal): Promise<void> {
  const { database, scope } = context;
  for (;;) {
    if (signal.aborted) throw new Interrupted();
    const count = await database.transaction(sessionOf(scope.principal), async (transaction) => {
      // The lock keeps a second worker out, should a first one that was thought dead still be at it.
      const [, open] = await transaction.send(selectImport(scope, id, true), selectOpenRows(scope, id, 0, CHUNK));
      const rows = readRows(open);
      if (rows.length === 0) return 0;
      const outcomes = await importRows(context, transaction, rows);
      await transaction.send(keepOutcomes(scope, id, outcomes), addProgress(scope, id, outcomes));
      return rows.length;
    });
    if (count === 0) return;
  }
}

class Undo extends Error {}

async function tryOut(context: ChunkContext, { id }: StoredImport, signal: AbortSignal): Promise<void> {
  const { database, scope } = context;
  const session = sessionOf(scope.principal);
  const outcomes: Outcome[] = [];
  try {
    await database.transaction(session, async (transaction) => {
      for (let last = 0; ; ) {
        if (signal.aborted) throw new Interrupted();
        const [open] = await transaction.send(selectOpenRows(scope, id, last, CHUNK));
        const rows = readRows(open);
        if (rows.length === 0) throw new Undo();
        last = rows.at(-1)?.line ?? last;
        const some = await importRows(context, transaction, rows);
        outcomes.push(...some);
        await database.batch(session, [addProgress(scope, id, some)]);
      }
    });
  } catch (error) {
    if (!(error instanceof Undo)) throw error;
  }
  for (let start = 0; start < outcomes.length; start += 5000) {
    await database.batch(session, [keepOutcomes(scope, id, outcomes.slice(start, start + 5000))]);
  }
}

/** Remembers why a run has ended before its time. */
export async function markFailed(database: Database, scope: Scope, id: string, error: unknown): Promise<void> {
  const { code, message } = problemOf(error);
  await database.batch(sessionOf(scope.principal), [setState(scope, id, 'failed', { code, message })]);
}
