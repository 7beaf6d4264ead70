/** A small client of the API for tests: JSON in, JSON out, everything visible. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body, `null` when there is none. Typed loosely on purpose: tests look at what came, not at what should. */
  readonly json: JsonBody;
}

export interface JsonBody {
  readonly data?: JsonRecord & JsonRecord[];
  readonly page?: { readonly next: string | null; readonly prev: string | null };
  readonly count?: { readonly value: number; readonly mode: string };
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly {
    readonly code: string;
    readonly message: string;
    readonly pointer?: string;
    readonly parameter?: string;
    readonly document?: string;
    readonly params?: Record<string, unknown>;
  }[];
  readonly [key: string]: unknown;
}

export interface JsonRecord {
  readonly id: string;
  readonly version: number;
  readonly [key: string]: unknown;
}

export interface Client {
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  patch(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  delete(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** A body as it is: text, bytes or a form. */
  send(
    method: string,
    path: string,
    body: string | Uint8Array<ArrayBuffer> | FormData | null,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
}

/** @param token a bearer token; `null` for an anonymous client */
export function client(url: string, token: string | null): Client {
  const send: Client['send'] = async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
      body,
      redirect: 'manual',
    });
    const text = await response.text();
    const isJson =
      /json(?:;|$)/.test(response.headers.get('content-type') ?? '') &&
      !response.headers.get('content-type')?.includes('ndjson');
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson && text !== '' ? JSON.parse(text) : {},
    };
  };
  const json =
    (method: string) =>
    (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
      send(method, path, JSON.stringify(body ?? {}), { 'content-type': 'application/json', ...headers });
  return {
    send,
    get: (path, headers) => send('GET', path, null, headers),
    post: json('POST'),
    patch: json('PATCH'),
    delete: (path, headers) => send('DELETE', path, null, headers),
  };
}
