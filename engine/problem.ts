/**
 * The one error type. Every refusal the product can answer is a {@link Problem} with a code from {@link PROBLEMS};
 * `api/problem-response.ts` turns it into an RFC 9457 problem document. Anything else that is thrown is a defect
 * and is answered as `internal` without its text.
 */

/** code → [HTTP status, title for people, whether trying the same request again may succeed]. Codes are stable: clients rely on them. */
export const PROBLEMS = {
  // The request cannot be understood.
  malformed_json: [400, 'The body is not valid JSON', false],
  too_deep: [400, 'The JSON is nested too deeply', false],
  invalid_parameter: [400, 'A query parameter is not valid', false],
  unknown_parameter: [400, 'A query parameter is not known', false],
  unknown_field: [400, 'A field is not known', false],
  unknown_operator: [400, 'An operator is not known for this field', false],
  invalid_cursor: [400, 'The page cursor is not valid for this query', false],
  invalid_header: [400, 'A header is not valid', false],
  // Who is asking.
  unauthenticated: [401, 'Sign in first', false],
  invalid_credentials: [401, 'E-mail or password is wrong', false],
  forbidden: [403, 'You may not do this', false],
  cross_origin: [403, 'The request came from another site', false],
  // A hidden thing equals a missing thing: both answer `not_found`, byte for byte.
  not_found: [404, 'There is nothing here, or nothing you may see', false],
  method_not_allowed: [405, 'This method is not supported here', false],
  not_acceptable: [406, 'The requested format is not available', false],
  // The request conflicts with what is stored.
  conflict: [409, 'The record conflicts with another one', false],
  unique: [409, 'This value is already used', false],
  possible_duplicate: [409, 'There may be a record like this already', false],
  still_referenced: [409, 'Other records still refer to this one', false],
  transition_refused: [409, 'This step is not possible now', false],
  stale_base: [409, 'Someone else published first', false],
  upgrade_conflict: [409, 'A pack and the organisation disagree', false],
  draft_conflict: [409, 'Drafts disagree', false],
  publish_in_progress: [409, 'Another publish is running', true],
  request_in_progress: [409, 'The same request is still being processed', true],
  gone: [410, 'This is no longer available', false],
  precondition_failed: [412, 'Someone else changed this record first', false],
  too_large: [413, 'The request is too large', false],
  unsupported_media_type: [415, 'The content type is not supported', false],
  // The request is understood, and its content is wrong.
  invalid: [422, 'Some values are not valid', false],
  invalid_document: [422, 'Some metadata documents are not valid', false],
  invalid_import: [422, 'The file cannot be imported', false],
  max_affected: [422, 'More records match than may be changed at once', false],
  idempotency_mismatch: [422, 'This Idempotency-Key was used for a different request', false],
  failed_dependency: [424, 'A request that this one builds on has failed', false],
  precondition_required: [428, 'Send If-Match with the version you read', false],
  too_many_requests: [429, 'Too many requests', true],
  internal: [500, 'Something went wrong on our side', false],
  unavailable: [503, 'The service is busy or starting', true],
  timeout: [504, 'The query took too long', true],
} as const satisfies Record<string, readonly [number, string, boolean]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One thing that is wrong. `pointer` is a JSON Pointer (RFC 6901) into the request body or document; `parameter` names a query parameter or header. */
export interface ProblemDetail {
  readonly code: string;
  /** A sentence a person understands. */
  readonly message: string;
  readonly pointer?: string;
  readonly parameter?: string;
  /** For metadata: the file or document the pointer points into, e.g. `crm/opportunity.entity.json`. */
  readonly document?: string;
  /** Machine-readable facts, e.g. `{ expected: "integer", found: "text", nearest: "amount" }`. */
  readonly params?: Readonly<Record<string, unknown>>;
}

export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly title: string;
  readonly retryable: boolean;
  readonly errors: readonly ProblemDetail[];
  override readonly name = 'Problem';

  /**
   * @param code one of {@link PROBLEMS}
   * @param detail a sentence for the person who sent the request; never a database message
   * @param errors the single things that are wrong, with pointers
   * @param options.cause kept for the log, never sent
   */
  constructor(code: ProblemCode, detail: string, errors: readonly ProblemDetail[] = [], options?: { cause?: unknown }) {
    super(detail, options);
    this.code = code;
    const [status, title, retryable] = PROBLEMS[code];
    this.status = status;
    this.title = title;
    this.retryable = retryable;
    this.errors = errors;
  }
}

/** The 404 that is the same for hidden, foreign and missing things. */
export function notFound(): Problem {
  return new Problem('not_found', 'There is nothing at this address, or nothing you may see.');
}

/** `invalid` with one detail. */
export function invalidAt(
  pointer: string,
  message: string,
  code = 'invalid',
  params?: Record<string, unknown>,
): Problem {
  return new Problem('invalid', message, [{ code, message, pointer, ...(params ? { params } : {}) }]);
}
