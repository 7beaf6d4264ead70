/**
 * The background part of an import. A run can be broken off at any row and taken up again: what a thousand rows have
 * written, what became of them and how far the run has come commit together. While Postgres writes one thousand the next
 * is read and converted.
 *
 * A dry run does the same and rolls each thousand back, so that it holds no locks for long.
 */
import type { IdSource } from '#engine/clock.ts';
import type { Database, Transaction } from '#engine/db/database.ts';
import { sessionOf } from '#engine/db/database.ts';
import { problemOf } from '#engine/db/database-error.ts';
import type { Entity } from '#engine/model/model.ts';
import { Problem } from '#engine/problem.ts';
import { Interrupted } from '#engine/jobs/interrupted.ts';
import type { Scope } from '../scope.ts';
import type { ChunkContext, Outcome, Ready } from './chunk.ts';
import { importRows, makeReady } from './chunk.ts';
import type { Converted } from './convert.ts';
import { Converter } from './convert.ts';
import type { FileRow } from './csv.ts';
import { EarlierRows } from './earlier-rows.ts';
import { Lookups } from './lookups.ts';
import { findsBy } from './mapping.ts';
import type { StoredImport } from './store.ts';
import {
  forgetFile,
  keepTold,
  NOT_BEGUN,
  progressAfter,
  readImport,
  readRows,
  resetImport,
  selectImport,
  selectRows,
  setProgress,
  setState,
} from './store.ts';

/** Milliseconds a run goes on while others wait. */
const TURN = 3000;

export interface RunOptions {
  readonly database: Database;
  readonly ids: IdSource;
  readonly scope: Scope;
  readonly id: string;
  readonly signal: AbortSignal;
  /** Whether other imports wait for their turn. */
  readonly othersWait?: () => Promise<boolean>;
}

/** @throws Problem when the import cannot run at all; Interrupted when it is to go on later: on shutdown, or after others */
export async function runImport(options: RunOptions): Promise<void> {
  const { database, ids, scope, id } = options;
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
    duplicates: stored.settings.duplicates === 'report',
    trial: stored.settings.dryRun ? new Set() : null,
  };
  if (stored.settings.dryRun) await tryOut(context, stored, options);
  else if (!(await writeAll(context, stored, options))) return;
  await database.batch(session, [
    setState(scope, id, 'done'),
    ...(stored.settings.dryRun ? [] : [forgetFile(scope, id)]),
  ]);
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

interface Piece {
  readonly rows: readonly FileRow[];
  readonly converted: readonly Converted[];
  /** `null` where rows may refer to rows before them, which have to be written first. */
  readonly ready: Ready | null;
  /** Its last line. */
  readonly last: number;
}

/** The piece after a line, converted; `null` at the end of the file. */
async function fetchPiece(context: ChunkContext, id: string, after: number): Promise<Piece | null> {
  const { database, scope, converter, entity } = context;
  const session = sessionOf(scope.principal);
  const [found] = await database.batch(session, [selectRows(scope, id, after)]);
  const piece = readRows(found);
  if (!piece) return null;
  const converted = piece.rows.map((row) => converter.convert(row));
  if (converter.refersTo(entity.name)) return { ...piece, converted, ready: null };
  const send: Transaction['send'] = (...statements) => database.batch(session, statements);
  return { ...piece, converted, ready: await makeReady(context, send, converted) };
}

async function writePiece(context: ChunkContext, transaction: Transaction, piece: Piece): Promise<Outcome[]> {
  const ready = piece.ready ?? (await makeReady(context, transaction.send, piece.converted));
  return importRows(context, transaction, ready);
}

/** Fetches ahead; what goes wrong is told to whoever takes the piece. */
function ahead(context: ChunkContext, id: string, after: number): Promise<Piece | null> {
  const piece = fetchPiece(context, id, after);
  piece.catch(() => {});
  return piece;
}

/** Whether this run came to the end of the file: `false` when another one has ended the import meanwhile. */
async function writeAll(context: ChunkContext, { id, position }: StoredImport, options: RunOptions): Promise<boolean> {
  const { database, scope } = context;
  const began = performance.now();
  let next = ahead(context, id, position);
  for (let done = position; ; ) {
    if (options.signal.aborted) throw new Interrupted();
    const piece = await next;
    if (!piece) return true;
    next = ahead(context, id, piece.last);
    const reached = await database.transaction(sessionOf(scope.principal), async (transaction) => {
      // The lock keeps a second worker out, should a first one that was thought dead still be at it.
      const [found] = await transaction.send(selectImport(scope, id, true));
      const stored = readImport(found);
      if (stored.state !== 'running') return null;
      if (stored.position !== done) return stored.position;
      const outcomes = await writePiece(context, transaction, piece);
      await transaction.send(
        ...keepTold(scope, id, outcomes, piece.rows),
        setProgress(scope, id, progressAfter(stored, outcomes, piece.last)),
      );
      return piece.last;
    });
    if (reached === null) return false;
    if (reached !== piece.last) next = ahead(context, id, reached);
    done = reached;
    // Others wait as well: this run goes on when they have had their turn.
    if (performance.now() - began > TURN && (await options.othersWait?.())) throw new Interrupted();
  }
}

class Undo extends Error {}

async function tryOut(context: ChunkContext, { id }: StoredImport, { signal }: RunOptions): Promise<void> {
  const { database, scope, converter, entity } = context;
  const session = sessionOf(scope.principal);
  const earlier = new EarlierRows(entity, context.upsertBy);
  // Rows that refer to rows before them need these to be there.
  const together = converter.refersTo(entity.name);
  let progress = NOT_BEGUN;
  let next = ahead(context, id, 0);
  for (let open = true; open; ) {
    try {
      await database.transaction(session, async (transaction) => {
        do {
          if (signal.aborted) throw new Interrupted();
          const piece = await next;
          if (!piece) {
            open = false;
            break;
          }
          const { rows, converted, last } = piece;
          next = ahead(context, id, last);
          const values = new Map(converted.map((row) => [row.line, row.values]));
          const outcomes = earlier.compare(await writePiece(context, transaction, piece), values);
          progress = progressAfter(progress, outcomes, last);
          await database.batch(session, [...keepTold(scope, id, outcomes, rows), setProgress(scope, id, progress)]);
        } while (together);
        throw new Undo();
      });
    } catch (error) {
      if (!(error instanceof Undo)) throw error;
    }
  }
}

/** Remembers why a run has ended before its time. */
export async function markFailed(database: Database, scope: Scope, id: string, error: unknown): Promise<void> {
  const { code, message } = problemOf(error);
  await database.batch(sessionOf(scope.principal), [setState(scope, id, 'failed', { code, message })]);
}
