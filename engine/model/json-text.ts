/**
 * Reads the JSON text of a document. `JSON.parse` does the work; when it refuses, a scanner finds the place, because
 * what V8 says of it differs from case to case. It also finds keys that stand twice, which `JSON.parse` lets pass.
 */
import { Problem } from '../problem.ts';

const TOKEN =
  // oxlint-disable-next-line no-control-regex
  /"(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[[\]{}:,]/y;

interface Fault {
  readonly at: number;
  readonly message: string;
}

/**
 * @param source file name or the like, for the message
 * @throws Problem `invalid_document` that names line and column (from 1)
 */
export function parseDocument(text: string, source: string): unknown {
  const clean = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const fault = findFault(clean);
  if (!fault) return JSON.parse(clean);
  const before = clean.slice(0, fault.at).split('\n');
  const line = before.length;
  const column = (before.at(-1) ?? '').length + 1;
  const message = `Line ${line}, column ${column}: ${fault.message}`;
  throw new Problem('invalid_document', `${source}: ${message}`, [
    { code: 'malformed_json', message, pointer: '', document: source, params: { line, column } },
  ]);
}

/** The first place where `text` stops being JSON; `null` when it is JSON without repeated keys. */
function findFault(text: string): Fault | null {
  let at = 0;
  let fault: Fault | null = null;
  const refuse = (message: string, where = at): null => {
    fault ??= { at: where, message };
    return null;
  };
  const skip = () => {
    while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at += 1;
  };
  /** The next token, without taking it. */
  const peek = (): string | null => {
    skip();
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    if (token !== undefined) return token;
    if (at >= text.length) return refuse('the text ends too early.');
    return refuse(
      text.charAt(at) === '"'
        ? 'this text is not closed, or holds a line break or a wrong escape.'
        : `“${String.fromCodePoint(text.codePointAt(at) ?? 0xfffd)}” cannot stand here.`,
    );
  };
  const take = (token: string): true => {
    at += token.length;
    return true;
  };
  const expect = (token: string, message: string): true | null => {
    const next = peek();
    if (next === null) return null;
    return next === token ? take(token) : refuse(message);
  };
  const value = (depth: number): true | null => {
    const token = peek();
    if (token === null) return null;
    if (depth > 200) return refuse('nested too deeply.');
    if (token === '{') return take(token) && object(depth);
    if (token === '[') return take(token) && list(depth);
    return ']},:'.includes(token) ? refuse(`a value is expected here, found “${token}”.`) : take(token);
  };
  const list = (depth: number): true | null => {
    if (peek() === ']') return take(']');
    for (;;) {
      if (!value(depth + 1)) return null;
      const next = peek();
      if (next === ']') return take(']');
      if (!expect(',', 'a comma or “]” is expected here.')) return null;
    }
  };
  const object = (depth: number): true | null => {
    const keys = new Set<string>();
    if (peek() === '}') return take('}');
    for (;;) {
      const key = peek();
      if (key === null) return null;
      if (!key.startsWith('"')) return refuse('a key in double quotes is expected here.');
      if (keys.has(key)) return refuse(`the key ${key} stands here for the second time.`);
      keys.add(key);
      take(key);
      if (!expect(':', 'a colon is expected after the key.') || !value(depth + 1)) return null;
      const next = peek();
      if (next === '}') return take('}');
      if (!expect(',', 'a comma or “}” is expected here.')) return null;
    }
  };
  if (value(0)) {
    skip();
    if (at < text.length) refuse('the document ends before this.');
  }
  return fault;
}
