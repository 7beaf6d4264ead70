/** Problems as RFC 9457 documents, and the page that explains a code. */
import { problemOf } from '../db/database-error.ts';
import type { ProblemCode } from '../problem.ts';
import { Problem, PROBLEMS } from '../problem.ts';
import type { Exchange } from './exchange.ts';
import { originalUrl, pathOf, sendEmpty, sendText } from './exchange.ts';

const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Seconds after which trying again makes sense, when the thrower did not say (`params.retryAfter` of the first error, seconds). */
const RETRY_AFTER: Readonly<Record<number, number>> = { 429: 30, 503: 2 };

/** The refusal of a method. Handlers of a path throw it with what they do support, which also answers OPTIONS. */
export class NotAllowed extends Problem {
  readonly allow: string;

  constructor(allow: string) {
    super('method_not_allowed', `Supported here: ${allow}.`);
    this.allow = allow;
  }
}

/** @param methods as the `Allow` header lists them, e.g. `GET, HEAD` */
export function notAllowed(methods: string): NotAllowed {
  return new NotAllowed(`${methods}, OPTIONS`);
}

/** The document of RFC 9457, with our members `code`, `retryable` and `errors`. */
export function problemDocument(problem: Problem, instance: string): Record<string, unknown> {
  return {
    type: `/problems/${problem.code}`,
    title: problem.title,
    status: problem.status,
    code: problem.code,
    detail: problem.message,
    instance,
    retryable: problem.retryable,
    errors: problem.errors,
  };
}

function headersOf(problem: Problem): string[] {
  const headers: string[] = [];
  if (problem.status === 401) headers.push('WWW-Authenticate', 'Bearer');
  const fallback = RETRY_AFTER[problem.status];
  if (fallback !== undefined) {
    const asked = problem.errors[0]?.params?.['retryAfter'];
    headers.push('Retry-After', String(typeof asked === 'number' ? Math.max(1, Math.ceil(asked)) : fallback));
  }
  if (problem instanceof NotAllowed) headers.push('Allow', problem.allow);
  return headers;
}

/**
 * Answers with the problem an error stands for. What is no {@link Problem} is a defect of ours: it is logged with its
 * stack and answered as `internal`, without its text.
 */
export function sendProblem(exchange: Exchange, error: unknown): void {
  if (error instanceof NotAllowed && exchange.request.method === 'OPTIONS') {
    sendEmpty(exchange, 204, ['Allow', error.allow]);
    return;
  }
  const problem = problemOf(error);
  if (problem.status >= 500) {
    const path = pathOf(originalUrl(exchange.request));
    exchange.log.error(
      { request: exchange.id, path, code: problem.code, err: problem.cause ?? problem },
      problem.title,
    );
  }
  if (exchange.response.headersSent) {
    // Half an answer is out: only a broken connection tells the client that the rest will not come.
    exchange.response.destroy();
    return;
  }
  sendText(exchange, problem.status, JSON.stringify(problemDocument(problem, exchange.id)), {
    type: PROBLEM_TYPE,
    headers: headersOf(problem),
  });
}

function isCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

/** What `/problems/<code>` says; `null` for a code that does not exist. */
export function describeProblem(
  code: string,
): { code: string; status: number; title: string; retryable: boolean } | null {
  if (!isCode(code)) return null;
  const [status, title, retryable] = PROBLEMS[code];
  return { code, status, title, retryable };
}
