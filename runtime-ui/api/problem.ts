/** A refusal of the server (RFC 9457 problem document) or of the network, as the screens handle it. */

export interface ProblemDetail {
  readonly code: string;
  readonly message: string;
  /** JSON Pointer into the body that was sent. */
  readonly pointer?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  /** HTTP status; 0 when the server was not reached. */
  readonly status: number;
  /** Stable code of the problem; `offline` when the server was not reached. */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly ProblemDetail[];

  constructor(status: number, code: string, title: string, detail: string, errors: readonly ProblemDetail[] = []) {
    super(detail || title);
    this.status = status;
    this.code = code;
    this.title = title;
    this.detail = detail;
    this.errors = errors;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads a problem document; anything else that is not a success becomes a problem of the code `internal`. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const body: unknown = await response.json().catch(() => null);
  if (!isObject(body)) return new ApiProblem(response.status, 'internal', response.statusText, '');
  const text = (key: string) => (typeof body[key] === 'string' ? body[key] : '');
  const errors = Array.isArray(body['errors']) ? body['errors'].filter(isDetail) : [];
  return new ApiProblem(response.status, text('code') || 'internal', text('title'), text('detail'), errors);
}

function isDetail(value: unknown): value is ProblemDetail {
  return isObject(value) && typeof value['message'] === 'string';
}
