/**
 * `@{a.id}`: what an earlier request of the batch was answered, in the path, the headers and the body of a later one.
 *
 * ```
 * reference = "@{" id "." what "}"
 * what      = "id" / "status" / "headers." name / "body." key *( "." key )
 * ```
 *
 * `id` is the id of the record. A text that is nothing but a reference becomes the value as it is (a number stays a
 * number); within a longer text it becomes text. `@@{` stands for `@{` itself.
 */
import { invalidAt } from '../problem.ts';
import type { Part, PartAnswer } from './part.ts';

const REFERENCE = /@@\{|@\{([A-Za-z0-9_-]{1,64})\.([^{}]{1,200})\}/g;
const WHOLE = /^@\{([A-Za-z0-9_-]{1,64})\.([^{}]{1,200})\}$/;

/** Ids that a part refers to. */
export function referredTo(part: Pick<Part, 'path' | 'headers' | 'body'>): ReadonlySet<string> {
  const found = new Set<string>();
  const text = JSON.stringify([part.path, part.headers, part.body ?? null]);
  for (const [, id] of text.matchAll(REFERENCE)) if (id !== undefined) found.add(id);
  return found;
}

/**
 * The part with everything put in.
 * @param pointer of the part in the batch
 * @throws Problem `invalid` when an answer has nothing there
 */
export function resolveReferences(part: Part, answers: ReadonlyMap<string, PartAnswer>, pointer: string): Part {
  const value = (id: string, what: string, at: string): unknown => {
    const answer = answers.get(id);
    const found = answer === undefined ? undefined : valueIn(answer, what);
    if (found === undefined) throw invalidAt(at, `The answer to “${id}” has no “${what}”.`, 'reference');
    return found;
  };
  const text = (given: string, at: string, encode: (text: string) => string): string =>
    given.replaceAll(REFERENCE, (_, id: string | undefined, what: string | undefined) =>
      id === undefined || what === undefined ? '@{' : encode(asText(value(id, what, at))),
    );
  const inside = (json: unknown, at: string): unknown => {
    if (typeof json === 'string') {
      const [, id, what] = WHOLE.exec(json) ?? [];
      return id !== undefined && what !== undefined ? value(id, what, at) : text(json, at, String);
    }
    if (Array.isArray(json)) return json.map((member: unknown, index) => inside(member, `${at}/${index}`));
    if (typeof json !== 'object' || json === null) return json;
    return Object.fromEntries(Object.entries(json).map(([key, member]) => [key, inside(member, `${at}/${key}`)]));
  };
  return {
    ...part,
    path: text(part.path, `${pointer}/path`, encodeURIComponent),
    headers: Object.fromEntries(
      Object.entries(part.headers).map(([name, given]) => [name, text(given, `${pointer}/headers/${name}`, String)]),
    ),
    body: inside(part.body, `${pointer}/body`),
  };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function valueIn(answer: PartAnswer, what: string): unknown {
  const [first = '', ...path] = what.split('.');
  switch (first) {
    case 'id':
      return path.length === 0 ? idIn(answer) : undefined;
    case 'status':
      return path.length === 0 ? answer.status : undefined;
    case 'headers':
      return path.length === 1 ? answer.headers[path[0] ?? ''] : undefined;
    case 'body':
      return answer.body === null ? undefined : reach(JSON.parse(answer.body), path);
    default:
      return undefined;
  }
}

/** Of the record that was answered, or whose address was. */
function idIn({ body, headers }: PartAnswer): unknown {
  const id = body === null ? undefined : reach(JSON.parse(body), ['data', 'id']);
  return id ?? headers['location']?.split('/').at(-1);
}

function reach(json: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    return Object.getOwnPropertyDescriptor(value, key)?.value;
  }, json);
}
