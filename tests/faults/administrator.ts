/** An administrator who does not give up: asks until there is an answer, and publishes until the release is there. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Installation } from './installation.ts';

interface Answer {
  readonly status: number;
  readonly json: { readonly data?: Record<string, unknown> };
}

export interface Administrator {
  readonly token: string;
  /** Once; rejects when there is no answer. */
  readonly ask: (
    method: string,
    path: string,
    body: BodyInit | null,
    headers?: Record<string, string>,
  ) => Promise<Answer>;
  /** Until there is an answer that is final. */
  readonly untilAnswered: <T extends { readonly status: number }>(what: () => Promise<T>) => Promise<T>;
  release(): Promise<number>;
  /**
   * Until these are the documents of the next release; whoever was not answered looks whether it has happened.
   * @returns how often it was sent
   */
  publish(base: number, documents: readonly object[]): Promise<number>;
}

/** Makes the organisation `acme`, and acts as its administrator. */
export async function administrator(there: Installation): Promise<Administrator> {
  await there.cli('tenant', 'create', 'acme', '--name', 'Acme', '--packs', '', '--admin-email', 'ada@acme.example');
  const token = await there.cli('token', '--tenant', 'acme', '--user', 'ada@acme.example');
  const ask: Administrator['ask'] = async (method, path, body, headers = {}) => {
    const response = await fetch(there.url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      body,
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    return { status: response.status, json: text === '' ? {} : JSON.parse(text) };
  };
  const untilAnswered: Administrator['untilAnswered'] = async (what) => {
    for (let attempt = 0; attempt < 4000; attempt += 1) {
      const answer = await what().catch(() => null);
      if (answer && answer.status !== 503 && answer.status !== 504) return answer;
      await delay(150);
    }
    throw new Error('there was never an answer');
  };
  const release = async (): Promise<number> =>
    Number((await untilAnswered(() => ask('GET', '/api/metadata/documents', null))).json.data?.['release']);
  return {
    token,
    ask,
    untilAnswered,
    release,
    publish: async (base, documents) => {
      const body = JSON.stringify({ base, message: 'Crash', documents });
      for (let attempts = 1; ; attempts += 1) {
        const answer = await ask('POST', '/api/metadata/publish', body, { 'content-type': 'application/json' }).catch(
          () => null,
        );
        if (answer && answer.status < 300) return attempts;
        if ((await release()) > base) return attempts;
        if (answer && answer.status !== 503 && answer.status !== 504 && answer.status !== 409)
          throw new Error(JSON.stringify(answer));
        await delay(100);
      }
    },
  };
}
