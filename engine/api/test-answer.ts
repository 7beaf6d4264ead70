/** Looking into answers in tests: by path, without believing in their shape. */

export interface Seen {
  readonly body: unknown;
}

/** @param path keys with `/` between them: `data/id`; `undefined` where the answer has nothing */
export function at({ body }: Seen, path: string): unknown {
  return path.split('/').reduce<unknown>((found, key) => Object(found)[key], body);
}

/** The same, for texts that go into the next request. */
export function textAt(answer: Seen, path: string): string {
  return String(at(answer, path));
}

/** One key of every element of a list. */
export function each(answer: Seen, key: string, path = 'data'): readonly unknown[] {
  const list = at(answer, path);
  return Array.isArray(list) ? list.map((element: unknown) => Object(element)[key]) : [];
}
