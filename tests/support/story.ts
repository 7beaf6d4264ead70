/**
 * A guide's requests and answers, out of its text: ```http blocks with a request and its answer. In an answer `…` stands
 * for what varies, `{name}` for a value that later blocks use; in a request `{name}` is that value.
 */
export interface Message {
  /** `GET /api/…`, or `HTTP/1.1 200 OK`. */
  readonly start: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  /** Line of the file. */
  readonly line: number;
}

export type Values = Map<string, string>;

export function messagesIn(text: string): Message[] {
  return [...text.matchAll(/^```http\n([\s\S]*?)\n```$/gm)].flatMap((match) => {
    const line = text.slice(0, match.index).split('\n').length;
    return (match[1] ?? '').split(/\n\n(?=HTTP\/1\.1 )/).map((message) => messageOf(message, line));
  });
}

function messageOf(text: string, line: number): Message {
  const [head = '', ...rest] = text.split('\n\n');
  const [start = '', ...lines] = head.split('\n');
  const headers = lines.map((one): [string, string] => {
    const colon = one.indexOf(':');
    return [one.slice(0, colon).toLowerCase(), one.slice(colon + 1).trim()];
  });
  return { start, headers, body: rest.join('\n\n'), line };
}

/** @throws Error for a value that no answer has had */
export function filled(text: string, values: Values): string {
  return text.replaceAll(/(?<!@)\{([a-z]+)\}/g, (_, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`no answer has had {${name}}`);
    return value;
  });
}

/** Whether a text is as the guide has it; takes the values of `{names}` along. */
export function textMatches(expected: string, actual: string, values: Values): boolean {
  const names: string[] = [];
  const pattern = expected.replaceAll(/…|\{([a-z]+)\}|[\\^$.*+?()[\]{}|]/g, (found, name?: string) => {
    if (found === '…') return '[^]*?';
    if (name === undefined) return `\\${found}`;
    const known = values.get(name);
    if (known !== undefined) return known.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
    names.push(name);
    return '([^"]+?)';
  });
  const match = new RegExp(`^${pattern}$`).exec(actual);
  if (!match) return false;
  for (const [at, name] of names.entries()) values.set(name, match[at + 1] ?? '');
  return true;
}

/** JSON in which a bare `…` may stand for members, elements or a value. */
export function looseJson(text: string): unknown {
  const open: string[] = [];
  let inside = false;
  let last = '';
  let made = '';
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] ?? '';
    if (inside) {
      if (sign === '\\') made += sign + (text[++at] ?? '');
      else made += sign;
      if (sign === '"') inside = false;
      continue;
    }
    if (sign === '…') made += open.at(-1) === '{' && last !== ':' ? '"…":"…"' : '"…"';
    else made += sign;
    if (sign === '"') inside = true;
    if (sign === '{' || sign === '[') open.push(sign);
    if (sign === '}' || sign === ']') open.pop();
    if (sign.trim() !== '') last = sign;
  }
  return JSON.parse(made);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @returns where the two differ; `null` when the answer is as the guide has it */
export function difference(expected: unknown, actual: unknown, values: Values, at = ''): string | null {
  if (expected === '…') return null;
  if (typeof expected === 'string' && typeof actual === 'string')
    return textMatches(expected, actual, values) ? null : `${at}: ${JSON.stringify(actual)} is not ${expected}`;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const more = expected.at(-1) === '…';
    const shown: unknown[] = more ? expected.slice(0, -1) : expected;
    if (more ? actual.length < shown.length : actual.length !== shown.length)
      return `${at}: ${actual.length} elements, not ${shown.length}`;
    return first(shown.map((one, index) => difference(one, actual[index], values, `${at}/${index}`)));
  }
  if (isObject(expected) && isObject(actual)) {
    const wanted = Object.keys(expected).filter((key) => key !== '…');
    const other = Object.keys(actual).find((key) => !(key in expected));
    if (!('…' in expected) && other !== undefined) return `${at}/${other}: not in the guide`;
    return first(wanted.map((key) => difference(expected[key], actual[key], values, `${at}/${key}`)));
  }
  return expected === actual ? null : `${at}: ${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`;
}

const first = (found: readonly (string | null)[]): string | null => found.find((one) => one !== null) ?? null;
