/** A small client of the public API, as any program outside would write one. */
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../engine/cli/command.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface ImportResult {
  readonly id: string;
  readonly state: string;
  readonly total: number;
  readonly created: number;
  readonly updated: number;
  readonly failed: number;
}

/** Milliseconds an import may take. */
const PATIENCE = 10 * 60_000;

export class ApiClient {
  readonly #url: string;
  readonly #token: string;

  /** @param url base address of the server, without a trailing slash */
  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /**
   * @returns what stands under `data`, or the whole answer where `data` is a list
   * @throws Failure with the server's words
   */
  async json(method: string, path: string, body?: unknown): Promise<Json> {
    const init =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await this.#send(method, path, init);
    return response.status === 204 ? {} : unwrap(await response.json());
  }

  async text(path: string): Promise<string> {
    return (await this.#send('GET', path, {})).text();
  }

  /**
   * Imports a file and waits until it is done.
   * @param path of the entity, e.g. `/api/crm/v1/accounts`
   * @param settings how columns become fields, as the import API takes it
   */
  async import(path: string, name: string, csv: string, settings: Json): Promise<ImportResult> {
    const form = new FormData();
    form.set('file', new Blob([csv], { type: 'text/csv' }), name);
    const uploaded = unwrap(await (await this.#send('POST', `${path}/imports`, { body: form })).json());
    const id = textOf(uploaded, 'id');
    await this.json('PATCH', `${path}/imports/${id}`, settings);
    await this.json('POST', `${path}/imports/${id}/start`, {});
    const end = Date.now() + PATIENCE;
    for (let wait = 50; Date.now() < end; wait = Math.min(wait * 2, 1000)) {
      const status = await this.json('GET', `${path}/imports/${id}`);
      const state = textOf(status, 'state');
      if (state === 'done' || state === 'failed') {
        if (state === 'failed') throw new Failure(`The import of ${name} failed: ${JSON.stringify(status['problem'])}`);
        const count = (key: string) => Number(status[key] ?? 0);
        const [total, created, updated, failed] = [count('total'), count('created'), count('updated'), count('failed')];
        return { id, state, total, created, updated, failed };
      }
      await delay(wait);
    }
    throw new Failure(`The import of ${name} took longer than ${PATIENCE / 60_000} minutes.`);
  }

  async #send(method: string, path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${this.#token}`);
    let response: Response;
    try {
      response = await fetch(`${this.#url}${path}`, { ...init, method, headers });
    } catch (error) {
      throw new Failure(`${this.#url} does not answer.`, { cause: error });
    }
    if (!response.ok)
      throw new Failure(`${method} ${path} was refused (${response.status}): ${await refusal(response)}`);
    return response;
  }
}

async function refusal(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { detail, title, errors } = isJson(JSON.parse(text));
    const details = Array.isArray(errors)
      ? errors.map((error: unknown) => `\n  ${JSON.stringify(error)}`).join('')
      : '';
    const sentence = [detail, title].find((part) => typeof part === 'string') ?? text;
    return `${sentence}${details}`;
  } catch {
    return text.slice(0, 500);
  }
}

function unwrap(answer: unknown): Json {
  const json = isJson(answer);
  const { data } = json;
  return typeof data === 'object' && data !== null && !Array.isArray(data) ? { ...data } : json;
}

function isJson(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Failure('The server answered something that is no object.');
  return { ...value };
}

export function textOf(json: Json, key: string): string {
  const value = json[key];
  if (typeof value !== 'string') throw new Failure(`The server's answer has no "${key}".`);
  return value;
}
