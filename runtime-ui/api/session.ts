/** Signing in and out, and who is signed in. */
import { request } from './client.ts';
import { ApiProblem, isObject } from './problem.ts';

export interface Organisation {
  readonly key: string;
  readonly name: string;
}

/** Whether somebody is signed in. */
export async function readSession(signal?: AbortSignal): Promise<boolean> {
  try {
    await request('GET', '/api/session', signal ? { signal } : {});
    return true;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 401) return false;
    throw error;
  }
}

export async function signIn(email: string, password: string, organisation: string | null): Promise<void> {
  await request('POST', '/api/session', { body: { email, password, ...(organisation ? { organisation } : {}) } });
}

export async function signOut(): Promise<void> {
  await request('DELETE', '/api/session');
}

/** The organisations to choose from, when the same e-mail address exists in several; otherwise `null`. */
export function organisationsOf(problem: unknown): readonly Organisation[] | null {
  if (!(problem instanceof ApiProblem)) return null;
  const detail = problem.errors.find((error) => error.code === 'organisation_required');
  const list = detail?.params?.['organisations'];
  if (!Array.isArray(list)) return null;
  return list.filter(
    (item: unknown): item is Organisation =>
      isObject(item) && typeof item['key'] === 'string' && typeof item['name'] === 'string',
  );
}
