/**
 * What an upsert leaves as it is on a record that exists: the owner and states count at creation only. The same request
 * twice is no fault, but whoever asks for another value than the record has is told that it was not taken.
 */
import type { Statement, StatementResult } from '#engine/db/execute.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import type { Scope } from '../scope.ts';
import type { Warning } from './rules.ts';
import { column, Parameters, tableOf } from './sql.ts';
import type { Upserting } from './upserting.ts';
import { at, isObject, writable } from './validate.ts';

/** A record that exists, and what was sent for it. */
export interface Sent {
  readonly id: string;
  readonly pointer: string;
  readonly body: unknown;
}

/** Whether a field that was sent counts at creation only. */
export function countsAtCreation(scope: Scope, entity: Entity, field: Field): boolean {
  const { creatableFields } = scope.rights.of(entity.name);
  return !writable(field, 'update') && writable(field, 'create') && creatableFields.has(field.key);
}

export interface LeftAlone {
  /** Reads what the records have; to be sent with the changes, or before them. */
  readonly look: Statement;
  readonly warnings: (found: StatementResult | undefined) => readonly Warning[];
}

/** `null` when nothing was sent that could be left. */
export function leftAlone({ scope, entity, key }: Upserting, sent: readonly Sent[]): LeftAlone | null {
  const left = [...entity.fields.values()].filter(
    (field) => field.column !== null && !key.fields.includes(field) && countsAtCreation(scope, entity, field),
  );
  const asked = sent.flatMap(({ id, pointer, body }) =>
    left.flatMap((field) => {
      const value = isObject(body) ? body[field.key] : undefined;
      return value === undefined || value === null ? [] : [{ id, pointer: at(pointer, field.key), field, value }];
    }),
  );
  if (asked.length === 0) return null;
  const { readableFields } = scope.rights.of(entity.name);
  // Comparing means reading: of what may not be read it is told each time.
  const shown = left.filter(({ key: name }) => readableFields.get(name) === 'always');
  const parameters = new Parameters();
  const ids = parameters.bind([...new Set(asked.map(({ id }) => id))], 'uuid[]');
  const columns = shown.map((field) => `, x.${column(field)}::text`).join('');
  return {
    look: {
      text: `select x.id::text${columns} from ${tableOf(scope, entity)} x where x.id = any(${ids})`,
      values: parameters.values,
    },
    warnings: (found) => {
      const rows = new Map((found?.rows ?? []).map(([id, ...values]) => [id, values]));
      return asked.flatMap(({ id, pointer, field, value }): Warning[] => {
        const now = rows.get(id)?.[shown.indexOf(field)];
        if (typeof now === 'string' && typeof value === 'string' && now === value.toLowerCase()) return [];
        const how = field.lifecycle === null ? 'by assigning' : 'by the steps of its lifecycle';
        const message = `${field.label} was left as it is: on a record that exists it changes ${how}.`;
        return [{ code: 'left_alone', message, pointer, record: id }];
      });
    },
  };
}
