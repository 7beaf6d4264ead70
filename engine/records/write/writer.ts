/**
 * The one write path. Every change of a record by anybody (a person, an import, a workflow, a plugin) is one of these
 * methods, done as the principal's database role.
 *
 * A write is one round trip: checks, changes, and the answer, in one implicit transaction. The reasons of a refusal are
 * looked up afterwards, which only those pay for who are refused. What must look before it writes (by key, by filter)
 * is a transaction of few statements, however many records it is about.
 */
import type { Clock, IdSource } from '#engine/clock.ts';
import type { Sender } from '#engine/db/sender.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Scope } from '../scope.ts';
import { type DuplicateWish, withDuplicates } from '../duplicates/on-create.ts';
import { opened } from '../sealed.ts';
import { assignMany } from './assign-many.ts';
import type { Versions } from './change.ts';
import { planCreate } from './create.ts';
import type { Inspected, Inspector } from './inspector.ts';
import type { ManyNow, ManyOptions, Matching } from './many.ts';
import { removeMany, transitionMany, updateMany } from './many.ts';
import type { Plan } from './plan.ts';
import { planRemove, planRestore } from './remove.ts';
import type { OneJob, WriteOptions, WriteResult } from './run.ts';
import { runOne, runTogether } from './run.ts';
import { planTransition } from './transition.ts';
import { planUpdate } from './update.ts';
import type { UpsertOptions } from './upsert.ts';
import { upsert } from './upsert.ts';

export type { OneJob, WriteOptions, WriteResult } from './run.ts';

export interface CreateOptions extends WriteOptions {
  /** Whether to look for probable duplicates. */
  readonly duplicates?: DuplicateWish | undefined;
}

export interface ChangeOptions extends WriteOptions {
  /** Version or versions of `If-Match`: the write is refused (`precondition_failed`) when the record has another one. */
  readonly ifMatch?: number | readonly number[] | null | undefined;
}

/**
 * Called when something was written, before the answer goes out.
 * @param recordId `null` for many at once
 */
export type Announce = (tenant: string, entity: string, recordId: string | null) => Promise<void>;

export interface WriterServices {
  readonly database: Sender;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly announce?: Announce;
  /** Asked about new values outside the database. */
  readonly inspector?: Inspector | undefined;
}

export class Writer {
  readonly #services: WriterServices;

  constructor(services: WriterServices) {
    this.#services = services;
  }

  /**
   * Several requests as one transaction: each sees what those before it have done, and all of them are kept or none.
   * @param work gets a writer into the transaction and the way there for a reader; what it returns is stored under the
   *   Idempotency-Key. It is called once more when it met another change.
   * @returns what `work` gave, or (`replayed`) what it gave when this was asked before; `sameRights`: the principal may
   *   see now what they might see then
   */
  async together(
    scope: Scope,
    options: Pick<WriteOptions, 'idempotency' | 'dryRun'>,
    work: (writer: Writer, inside: Sender) => Promise<string>,
  ): Promise<{ readonly text: string; readonly replayed: boolean; readonly sameRights: boolean }> {
    const { announce, ids, clock, database, inspector } = this.#services;
    const inspected = inspector?.together();
    let written: Parameters<Announce>[] = [];
    const result = await runTogether(database, scope, options, (inside) => {
      written = [];
      const noted: Announce = async (...what) => {
        written.push(what);
      };
      return work(new Writer({ database: inside, ids, clock, announce: noted, inspector: inspected }), inside);
    });
    if (announce && options.dryRun !== true && !result.replayed) for (const what of written) await announce(...what);
    return result;
  }

  /**
   * Creates one record (an object, with its parts) or up to 1,000 (a list), all or none.
   * Answers a list with `{"data": [{"id", "version"}, …]}` in its order.
   * @throws Problem `invalid` (pointers into the body), `unique`, `possible_duplicate`, `forbidden`, `not_found`, `too_large`,
   *   `idempotency_mismatch`
   */
  create(scope: Scope, entity: Entity, body: unknown, options: CreateOptions = {}): Promise<WriteResult> {
    const { database, ids } = this.#services;
    const plan = () => {
      const made = planCreate(scope, entity, body, ids);
      const bodies: readonly unknown[] = Array.isArray(body) ? body : [body];
      const drafts = bodies.map((one, at) => ({
        id: made.ids[at] ?? '',
        body: one,
        pointer: Array.isArray(body) ? `/${at}` : '',
      }));
      return withDuplicates(database, scope, entity, drafts, options.duplicates, made);
    };
    return this.#write(
      scope,
      entity,
      this.#inspected(options, { scope, entity, body, target: null }),
      Array.isArray(body)
        ? {
            plan,
            status: 201,
            id: () => undefined,
            fixed: (made) => JSON.stringify({ data: createdIds(made).map((id) => ({ id, version: 1 })) }),
          }
        : {
            plan,
            status: 201,
            id: (made) => createdIds(made)[0],
            version: 1,
          },
    );
  }

  /**
   * Changes a record by merge patch, and its parts with it.
   * @throws Problem `invalid`, `unique`, `forbidden`, `not_found`, `precondition_failed`, `idempotency_mismatch`
   */
  update(scope: Scope, entity: Entity, id: string, body: unknown, options: ChangeOptions = {}): Promise<WriteResult> {
    const { database, ids } = this.#services;
    const version = versionsOf(options);
    return this.#write(scope, entity, this.#inspected(options, { scope, entity, body, target: { id } }), {
      plan: () => planUpdate(database, scope, entity, id, body, version, ids, options),
      status: 200,
      id: () => id.toLowerCase(),
    });
  }

  /**
   * Creates records or changes those that have the same key; see `upsert.ts`.
   * @param keys fields of a unique key
   * @param body a record (answered like `create` or `update`), or a list of up to 1,000
   */
  upsert(
    scope: Scope,
    entity: Entity,
    keys: readonly string[],
    body: unknown,
    options: UpsertOptions = {},
  ): Promise<WriteResult> {
    const { database, ids } = this.#services;
    const inspected = this.#inspected(options, { scope, entity, body, target: { keys } });
    return this.#announced(scope, entity, options, upsert(database, ids, scope, entity, keys, body, inspected));
  }

  /** Changes all records that match, or none; see `many.ts`. */
  updateMany(
    scope: Scope,
    entity: Entity,
    matching: Matching,
    body: unknown,
    options: ManyOptions = {},
  ): Promise<WriteResult> {
    const { database } = this.#services;
    return this.#announced(
      scope,
      entity,
      options,
      updateMany(
        database,
        scope,
        entity,
        matching,
        body,
        this.#now(this.#inspected(options, { scope, entity, body, target: null })),
      ),
    );
  }

  /** Deletes all records that match, or none; see `many.ts`. */
  removeMany(scope: Scope, entity: Entity, matching: Matching, options: ManyOptions = {}): Promise<WriteResult> {
    const { database } = this.#services;
    return this.#announced(scope, entity, options, removeMany(database, scope, entity, matching, this.#now(options)));
  }

  /** Takes a step with all records that match, or with none; see `many.ts`. */
  transitionMany(
    scope: Scope,
    entity: Entity,
    matching: Matching,
    action: string,
    body: unknown,
    options: ManyOptions = {},
  ): Promise<WriteResult> {
    const { database } = this.#services;
    const inspected = this.#now(this.#inspected(options, { scope, entity, body, target: null }));
    const done = transitionMany(database, scope, entity, matching, action, body, inspected);
    return this.#announced(scope, entity, options, done);
  }

  /** Gives all records that match to another owner, or none; see `assign-many.ts`. */
  assignMany(
    scope: Scope,
    entity: Entity,
    matching: Matching,
    body: unknown,
    options: ManyOptions = {},
  ): Promise<WriteResult> {
    const done = assignMany(this.#services.database, scope, entity, matching, body, this.#now(options));
    return this.#announced(scope, entity, options, done);
  }

  /** Deletes a record. @throws Problem `still_referenced` and those of {@link update}; answers 204 */
  remove(scope: Scope, entity: Entity, id: string, options: ChangeOptions = {}): Promise<WriteResult> {
    const version = versionsOf(options);
    return this.#write(
      scope,
      entity,
      { ...options, returning: 'minimal' },
      {
        plan: () => planRemove(this.#services.database, scope, entity, id, version),
        status: 204,
        id: () => id.toLowerCase(),
      },
    );
  }

  /** Brings a deleted record back. */
  restore(scope: Scope, entity: Entity, id: string, options: ChangeOptions = {}): Promise<WriteResult> {
    const version = versionsOf(options);
    return this.#write(scope, entity, options, {
      plan: () => planRestore(this.#services.database, scope, entity, id, version),
      status: 200,
      id: () => id.toLowerCase(),
    });
  }

  /**
   * Takes a step of the record's lifecycle.
   * @param body values that go with the step; `undefined` and `{}` for none
   * @throws Problem `transition_refused` (details: empty required fields, the guard's message) and those of {@link update}
   */
  transition(
    scope: Scope,
    entity: Entity,
    id: string,
    action: string,
    body: unknown,
    options: ChangeOptions = {},
  ): Promise<WriteResult> {
    const version = versionsOf(options);
    return this.#write(scope, entity, this.#inspected(options, { scope, entity, body, target: { id } }), {
      plan: () => planTransition(this.#services.database, scope, entity, id, action, body, version),
      status: 200,
      id: () => id.toLowerCase(),
    });
  }

  /** The options, with what the write waits for where there is anything to ask. */
  #inspected<T extends WriteOptions>(options: T, write: Inspected): T {
    const { inspector, database } = this.#services;
    const ready = inspector?.inspect(database, write);
    return ready ? { ...options, ready } : options;
  }

  #now(options: ManyOptions): ManyNow {
    return { ...options, now: this.#services.clock.now() };
  }

  /** For commands of other files: the same road, with their own plan. */
  run(scope: Scope, entity: Entity, options: WriteOptions, job: OneJob): Promise<WriteResult> {
    return this.#write(scope, entity, options, job);
  }

  #write(scope: Scope, entity: Entity, options: WriteOptions, job: OneJob): Promise<WriteResult> {
    return this.#announced(scope, entity, options, runOne(this.#services.database, scope, entity, options, job));
  }

  async #announced(
    scope: Scope,
    entity: Entity,
    { dryRun }: WriteOptions,
    written: Promise<WriteResult>,
  ): Promise<WriteResult> {
    const result = await written;
    const { announce } = this.#services;
    if (announce && dryRun !== true) await announce(scope.tenant.key, entity.name, result.id ?? null);
    // What is stored for a repeated request keeps encrypted values sealed; they are opened on the way out.
    return result.body === null ? result : { ...result, body: opened(scope, result.body) };
  }
}

export function versionsOf({ ifMatch }: ChangeOptions): Versions {
  if (ifMatch === undefined || ifMatch === null) return null;
  return typeof ifMatch === 'number' ? [ifMatch] : ifMatch;
}

function createdIds(plan: Plan): readonly string[] {
  return 'ids' in plan && Array.isArray(plan.ids) ? plan.ids : [];
}
