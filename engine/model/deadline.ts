/** What a field of type `deadline` is computed from: where it starts, and how many business minutes later it ends. */
import type { Field } from './model.ts';

export interface Deadline {
  /** Key of the date-time it starts from; the record's creation where that is empty. */
  readonly from: string;
  /** Key of the reference to the record that holds the minutes. */
  readonly via: string;
  /** Key of the choice by which one of them is taken. */
  readonly by: string;
  /** Choice → key of the integer field over there. */
  readonly fields: ReadonlyMap<string, string>;
}

/** `null` for fields of other types. */
export function deadlineOf({ type, options }: Pick<Field, 'type' | 'options'>): Deadline | null {
  const { from, minutes } = options;
  if (type.key !== 'deadline' || typeof from !== 'string' || !isObject(minutes)) return null;
  const { via, by, fields } = minutes;
  if (typeof via !== 'string' || typeof by !== 'string' || !isObject(fields)) return null;
  const named = Object.entries(fields).flatMap(([choice, key]) =>
    typeof key === 'string' ? [[choice, key] as const] : [],
  );
  return { from, via, by, fields: new Map(named) };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
