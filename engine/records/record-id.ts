import { notFound } from '#engine/problem.ts';
import { uuidOf } from '#engine/uuid.ts';

/** The id as the product writes it. @throws Problem `not_found`: what is no id names no record */
export function recordId(text: string): string {
  const id = uuidOf(text);
  if (id === null) throw notFound();
  return id;
}
