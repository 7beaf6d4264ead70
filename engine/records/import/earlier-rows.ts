/**
 * What a dry run has to remember of earlier rows because it has rolled them back: values that no two records may share.
 */
import type { Entity } from '#engine/model/model.ts';
import type { Value } from '#engine/model/value-type.ts';
import type { Outcome } from './chunk.ts';

export class EarlierRows {
  readonly #keys: readonly { readonly fields: readonly string[]; readonly label: string; readonly updates: boolean }[];
  /** By key, the line on which a value stood. */
  readonly #seen: readonly Map<string, number>[];

  constructor(entity: Entity, upsertBy: readonly string[] | null) {
    const wanted = [...(upsertBy ?? [])].sort().join(' ');
    this.#keys = entity.unique.map(({ fields }) => ({
      fields,
      label: fields.map((key) => entity.fields.get(key)?.label ?? key).join(' + '),
      updates: [...fields].sort().join(' ') === wanted,
    }));
    this.#seen = this.#keys.map(() => new Map());
  }

  /** The outcomes as they would be with the earlier rows in place. */
  compare(outcomes: readonly Outcome[], values: ReadonlyMap<number, ReadonlyMap<string, Value>>): Outcome[] {
    return outcomes.map((outcome) => {
      const row = values.get(outcome.line);
      return outcome.outcome === 'created' && row ? this.#compareOne(outcome, row) : outcome;
    });
  }

  #compareOne(outcome: Outcome, row: ReadonlyMap<string, Value>): Outcome {
    const found: { readonly seen: Map<string, number>; readonly text: string }[] = [];
    for (const [index, { fields, label, updates }] of this.#keys.entries()) {
      const parts = fields.map((key) => row.get(key) ?? null);
      const seen = this.#seen[index];
      if (!seen || parts.includes(null)) continue;
      const text = JSON.stringify(parts);
      const line = seen.get(text);
      // Within a thousand rows Postgres has told already.
      if (line !== undefined && updates) return { ...outcome, outcome: 'updated' };
      if (line !== undefined)
        return { ...outcome, outcome: 'failed', message: `${label}: this value stands on line ${line} already.` };
      found.push({ seen, text });
    }
    for (const { seen, text } of found) seen.set(text, outcome.line);
    return outcome;
  }
}
