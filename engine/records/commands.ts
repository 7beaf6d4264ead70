/**
 * What is done with a record beside writing its fields: giving it to somebody else, sharing it, merging others into it,
 * restoring and purging. Each is a plan like any write, and goes out through the Writer.
 */
import type { Clock, IdSource } from '#engine/clock.ts';
import type { Sender } from '#engine/db/sender.ts';
import { parseLiteral } from '#engine/condition/literals.ts';
import type { Entity } from '#engine/model/model.ts';
import { Problem } from '#engine/problem.ts';
import { candidates, duplicateGroups } from './duplicates/candidates.ts';
import { recordId } from './record-id.ts';
import type { Scope } from './scope.ts';
import { planEndShare, planShare } from './share/give.ts';
import { accessList } from './share/list.ts';
import { planAssign } from './write/assign.ts';
import type { Versions } from './write/change.ts';
import { writeProblem } from './write/database-problem.ts';
import { mergedInto, planMerge } from './write/merge.ts';
import type { Plan } from './write/plan.ts';
import { binCommand, planPurge, planRestoreMany, throwPurgeProblem } from './write/purge.ts';
import { isObject } from './write/validate.ts';
import type { ChangeOptions, WriteOptions, Writer, WriteResult } from './write/writer.ts';
import { versionsOf } from './write/writer.ts';

interface CommandServices {
  readonly writer: Pick<Writer, 'run'>;
  readonly database: Sender;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** What is done with one record: whose request, which record, what was sent. */
type About = [scope: Scope, entity: Entity, id: string, body: unknown, options?: ChangeOptions];

type PlanOne = (database: Sender, scope: Scope, entity: Entity, id: string, body: unknown, version: Versions) => Plan;

export class Commands {
  readonly #services: CommandServices;

  constructor(services: CommandServices) {
    this.#services = services;
  }

  /** The same commands inside a transaction of the caller's. */
  within(writer: Pick<Writer, 'run'>, database: Sender): Commands {
    return new Commands({ ...this.#services, writer, database });
  }

  /**
   * Gives a record to another owner. @param body `{"owner": id}`
   * @throws Problem `invalid` (nobody who is active) and those of {@link Writer.update}; answers `{"data":null}` to
   *   somebody who cannot see the record any more
   */
  assign(...about: About): Promise<WriteResult> {
    return this.#one(planAssign, about);
  }

  /**
   * Merges other records into this one. See {@link planMerge} for the body; `ifMatch` is the winner's version.
   * @throws Problem `invalid` (a loser that is not there), `unique` and those of {@link Writer.update}
   */
  merge(...about: About): Promise<WriteResult> {
    return this.#one(planMerge, about);
  }

  /** Where a record went that was merged; `null` when it was not, or nothing may be seen of it. */
  async mergedInto(scope: Scope, entity: Entity, id: string): Promise<string | null> {
    return this.#read(scope, entity, mergedInto(this.#services.database, scope, entity, id));
  }

  /**
   * Records that are probably the same as a draft, best first. @param body values as for a creation; with `id`, of a
   *   record that is there already
   * @returns `{"data":[{"id","_title","score","reasons":[{"rule","label","fields"}]}]}`
   */
  async duplicates(scope: Scope, entity: Entity, body: unknown): Promise<{ readonly body: string }> {
    const id = isObject(body) ? parseLiteral(body['id'], 'uuid') : undefined;
    const self = typeof id === 'string' ? id : null;
    const found = await this.#read(scope, entity, candidates(this.#services.database, scope, entity, body, self));
    return { body: JSON.stringify({ data: found }) };
  }

  /** Groups of records that are the same by a rule. See {@link duplicateGroups}. */
  async duplicateGroups(scope: Scope, entity: Entity): Promise<{ readonly body: string }> {
    return this.#read(scope, entity, duplicateGroups(this.#services.database, scope, entity));
  }

  /** Deletes a record of the bin for good; answers 204. @throws Problem `still_referenced` and those of {@link Writer.update} */
  async purge(scope: Scope, entity: Entity, id: string, options: ChangeOptions = {}): Promise<WriteResult> {
    const { database } = this.#services;
    return this.#nothing(scope, entity, options, () =>
      planPurge(database, scope, entity, [recordId(id)], versionsOf(options)),
    ).catch(throwPurgeProblem);
  }

  /**
   * Restores or purges up to 100 records of the bin, all or none. @param body `{"restore": [ids]}` or `{"purge": [ids]}`
   * @throws Problem as {@link Writer.restore} and {@link purge}; answers 204
   */
  async bin(scope: Scope, entity: Entity, body: unknown, options: WriteOptions = {}): Promise<WriteResult> {
    const { database } = this.#services;
    const { action, ids } = binCommand(body);
    return this.#nothing(scope, entity, options, () =>
      action === 'purge'
        ? planPurge(database, scope, entity, ids, null)
        : planRestoreMany(database, scope, entity, ids),
    ).catch(throwPurgeProblem);
  }

  /** Who has access to a record, and why, for those who may share it. See {@link accessList}. */
  async access(scope: Scope, entity: Entity, id: string): Promise<{ readonly body: string }> {
    return this.#read(scope, entity, accessList(this.#services.database, scope, entity, id));
  }

  /** Shares a record with a person or a team; answers the share. See {@link planShare}. */
  async share(
    scope: Scope,
    entity: Entity,
    id: string,
    body: unknown,
    options: WriteOptions = {},
  ): Promise<WriteResult> {
    const { database, ids, clock, writer } = this.#services;
    return writer.run(scope, entity, options, {
      plan: () => planShare(database, scope, entity, id, body, { ids, now: clock.now() }),
      status: 201,
      id: () => undefined,
      fixed: (plan) => JSON.stringify({ data: 'share' in plan ? plan.share : null }),
    });
  }

  /** Ends a share; answers 204. */
  async endShare(
    scope: Scope,
    entity: Entity,
    id: string,
    share: string,
    options: WriteOptions = {},
  ): Promise<WriteResult> {
    const { database } = this.#services;
    return this.#nothing(scope, entity, options, () => planEndShare(database, scope, entity, id, share));
  }

  /** What the database refuses is told as for a write. */
  async #read<T>(scope: Scope, entity: Entity, answer: Promise<T>): Promise<T> {
    return answer.catch((error: unknown) => {
      throw error instanceof Problem ? error : writeProblem(error, scope, entity);
    });
  }

  /** Answers the record as it is afterwards. */
  async #one(plan: PlanOne, [scope, entity, id, body, options = {}]: About): Promise<WriteResult> {
    const { database, writer } = this.#services;
    return writer.run(scope, entity, options, {
      plan: () => plan(database, scope, entity, id, body, versionsOf(options)),
      status: 200,
      id: () => id.toLowerCase(),
    });
  }

  #nothing(scope: Scope, entity: Entity, options: WriteOptions, plan: () => Plan): Promise<WriteResult> {
    const minimal = { ...options, returning: 'minimal' } as const;
    return this.#services.writer.run(scope, entity, minimal, { plan, status: 204, id: () => undefined });
  }
}
