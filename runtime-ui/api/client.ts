/**
 * The one door to the API: same origin, cookie session, problem documents as {@link ApiProblem}.
 * Requests that change something carry `X-Armature-Request: 1`, which a form of another site cannot send.
 */
import { ApiProblem, problemOf } from './problem.ts';

export interface RequestOptions {
  readonly body?: unknown;
  /** A file upload; excludes `body`. */
  readonly form?: FormData;
  /** A file as the body; excludes both. */
  readonly file?: Blob;
  /** The ETag that was read with the record. */
  readonly ifMatch?: string | null;
  readonly contentType?: string;
  /** `Prefer` (RFC 7240), e.g. `duplicates=ignore`. */
  readonly prefer?: string;
  readonly signal?: AbortSignal;
}

export interface Answer<T> {
  readonly body: T;
  readonly etag: string | null;
  readonly status: number;
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

const lost = new Set<() => void>();
/** Calls back when the server says that nobody is signed in any more. Returns the way to stop. */
export function onSessionLost(listener: () => void): () => void {
  lost.add(listener);
  return () => lost.delete(listener);
}

/** @throws ApiProblem for every answer that is not a success, and for no answer at all */
export async function request<T>(method: Method, url: string, options: RequestOptions = {}): Promise<Answer<T>> {
  const headers = new Headers({ Accept: 'application/json', 'Accept-Language': document.documentElement.lang });
  if (method !== 'GET') headers.set('X-Armature-Request', '1');
  if (options.body !== undefined) headers.set('Content-Type', options.contentType ?? 'application/json');
  if (options.prefer) headers.set('Prefer', options.prefer);
  if (options.ifMatch) headers.set('If-Match', options.ifMatch);
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      credentials: 'same-origin',
      body: options.form ?? options.file ?? (options.body === undefined ? null : JSON.stringify(options.body)),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiProblem(0, 'offline', '', '');
  }
  if (!response.ok) {
    if (response.status === 401 && !url.startsWith('/api/session')) for (const listener of lost) listener();
    throw await problemOf(response);
  }
  const empty = response.status === 204 || response.headers.get('Content-Length') === '0';
  // The caller names the shape the contract gives this address; a guard per answer would repeat the contract.
  const body = (empty ? null : await response.json().catch(() => null)) as T;
  return { body, etag: response.headers.get('ETag'), status: response.status };
}
