/**
 * A foreign key accepts the id of any record, also of one that the principal may not see. So every reference that is
 * written is looked up first, in the same round trip, as the principal: hidden and missing give the same answer.
 */
import type { Statement } from '#engine/db/execute.ts';
import type { Entity } from '#engine/model/model.ts';
import type { ProblemDetail } from '#engine/problem.ts';
import { Problem } from '#engine/problem.ts';
import type { Scope } from '../scope.ts';
import type { NewRow } from './insert.ts';
import type { NewRecords } from './new-records.ts';
import { andReadable } from './predicate.ts';
import { andLive, Parameters, tableOf } from './sql.ts';

/** Pointers by the id they name, by entity. */
export class References {
  readonly #wanted = new Map<string, Map<string, string[]>>();
  readonly #scope: Scope;
  readonly #made: NewRecords | null;

  /** @param made records of the same request: they are not there yet, and need not be looked for */
  constructor(scope: Scope, made: NewRecords | null = null) {
    this.#scope = scope;
    this.#made = made;
  }

  /** Takes up the references among the values that were sent. `skip`: a field the engine itself has filled. */
  add(entity: Entity, rows: readonly Pick<NewRow, 'pointer' | 'values'>[], skip?: string): void {
    for (const field of entity.fields.values()) {
      if (!field.reference || field.key === skip) continue;
      for (const { values, pointer } of rows) {
        const id = values.get(field.key);
        if (typeof id !== 'string' || this.#made?.has(id) === true) continue;
        // Everybody may point at themselves.
        if (id === this.#scope.principal.userId && field.reference.entity === 'core.user') continue;
        // Keys of fields need no escaping, and these are many.
        this.need(field.reference.entity, id, `${pointer}/${field.key}`);
      }
    }
  }

  /** Takes up one record that is named at `pointer`. */
  need(entity: string, id: string, pointer: string): void {
    const ofEntity = this.#wanted.get(entity) ?? new Map<string, string[]>();
    this.#wanted.set(entity, ofEntity);
    const pointers = ofEntity.get(id) ?? [];
    ofEntity.set(id, pointers);
    pointers.push(pointer);
  }

  /**
   * The statement that refuses the batch (`references`, details: the ids that were not found), or none.
   * @throws Problem when a reference points at an entity of which the principal may see nothing
   */
  statement(): Statement | null {
    const parameters = new Parameters();
    const lookups: string[] = [];
    for (const [name, ids] of this.#wanted) {
      const target = this.#scope.model.entities.get(name);
      if (!target || this.#scope.rights.of(name).read.length === 0) throw this.problem([...ids.keys()]);
      const list = parameters.bind([...ids.keys()], 'uuid[]');
      const readable = andReadable(this.#scope, target, 'r', parameters);
      // By their ids, whatever Postgres makes of the length of a list it does not know: a join would read a small table whole.
      lookups.push(
        `(select unnest(${list}) except select r.id from ${tableOf(this.#scope, target)} r where r.id = any(${list})${andLive(target, 'r')}${readable})`,
      );
    }
    if (lookups.length === 0) return null;
    return {
      text: `select armature.refuse('references', json_agg(missing.id)) from (${lookups.join(' union all ')}) as missing(id) having count(*) > 0`,
      values: parameters.values,
    };
  }

  /** 422 with a detail at every place that names one of the ids. */
  problem(missing: readonly string[]): Problem {
    const message = 'This refers to a record that does not exist or that you may not see.';
    const gone = new Set(missing);
    const details: ProblemDetail[] = [];
    for (const ids of this.#wanted.values()) {
      for (const [id, pointers] of ids) {
        if (gone.has(id)) details.push(...pointers.map((pointer) => ({ code: 'reference', message, pointer })));
      }
    }
    return new Problem('invalid', message, details);
  }
}
