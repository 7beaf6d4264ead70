/** The records a request creates, in the order in which they can be stored. */
import type { Entity } from '#engine/model/model.ts';
import type { NewRow } from './insert.ts';

export interface NewGroup {
  readonly entity: Entity;
  readonly rows: readonly NewRow[];
}

export class NewRecords {
  /**
   * By how many references lead to a record from the outermost one: what is referred to must be stored first. Within a
   * stage wholes come before their parts.
   */
  readonly #stages: Map<Entity, NewRow[]>[] = [];
  readonly #ids = new Set<string>();

  /** @param stage 0 for the outermost records and their parts */
  add(entity: Entity, row: NewRow, stage: number): void {
    while (this.#stages.length <= stage) this.#stages.push(new Map());
    const groups = this.#stages[stage];
    const rows = groups?.get(entity);
    if (rows) rows.push(row);
    else groups?.set(entity, [row]);
    this.#ids.add(row.id);
  }

  addAll(other: NewRecords): void {
    for (const [stage, groups] of other.#stages.entries())
      for (const [entity, rows] of groups) for (const row of rows) this.add(entity, row, stage);
  }

  /** Whether it is one of these. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  rows(): readonly NewRow[] {
    return this.#stages.flatMap((groups) => [...groups.values()].flat());
  }

  /** New records that others of the request refer to, those first that others refer to themselves. */
  referred(): readonly NewGroup[] {
    return this.#stages.slice(1).reverse().flatMap(inOrder);
  }

  /** The outermost records and their parts. */
  own(): readonly NewGroup[] {
    const [first] = this.#stages;
    return first ? inOrder(first) : [];
  }
}

function inOrder(groups: ReadonlyMap<Entity, NewRow[]>): readonly NewGroup[] {
  if (groups.size === 1) return [...groups].map(([entity, rows]) => ({ entity, rows }));
  const entities = [...groups.keys()];
  const depth = (entity: Entity, steps = 0): number => {
    const whole = entities.find(({ name }) => name === entity.parent?.entity);
    return whole && steps < entities.length ? 1 + depth(whole, steps + 1) : 0;
  };
  return [...groups]
    .map(([entity, rows]) => ({ entity, rows, depth: depth(entity) }))
    .sort((a, b) => a.depth - b.depth)
    .map(({ entity, rows }) => ({ entity, rows }));
}
