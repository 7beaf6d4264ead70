/** `/livez`: the process turns. `/readyz`: it can work: the database answers and has every migration. */
import { readdir } from 'node:fs/promises';
import type { Express } from 'express';
import type { Database } from '../db/database.ts';
import { sendJson } from './exchange.ts';
import { mount } from './routes.ts';

/** A probe asks every few seconds and several may ask: an answer is good for this long, milliseconds. */
const FRESH = 1000;

export interface Readiness {
  readonly ready: boolean;
  readonly database: 'ok' | 'unreachable';
  readonly migrations: 'ok' | 'pending' | 'unknown';
}

async function migrationCount(): Promise<number> {
  const files = await readdir(new URL('../../migrations/', import.meta.url));
  return files.filter((file) => /^\d{4}_.*\.ts$/.test(file)).length;
}

/** Asks the database. Never throws. */
export async function readiness(database: Pick<Database, 'asOwner'>): Promise<Readiness> {
  try {
    const wanted = await migrationCount();
    const applied = await database.asOwner(async (client) => {
      const { rows } = await client.query<{ count: number }>(
        'select count(*)::int as count from public.armature_migration',
      );
      return rows[0]?.count ?? 0;
    });
    const complete = applied >= wanted;
    return { ready: complete, database: 'ok', migrations: complete ? 'ok' : 'pending' };
  } catch {
    return { ready: false, database: 'unreachable', migrations: 'unknown' };
  }
}

/** @param draining whether the process is shutting down: a balancer should send nothing more */
export function mountHealth(app: Express, database: Pick<Database, 'asOwner'>, draining: () => boolean): void {
  let last: { readonly at: number; readonly answer: Promise<Readiness> } | null = null;

  mount(app, '/livez', { GET: (exchange) => sendJson(exchange, 200, { status: 'ok' }) });
  mount(app, '/readyz', {
    GET: async (exchange) => {
      const now = performance.now();
      if (last === null || now - last.at > FRESH) last = { at: now, answer: readiness(database) };
      const { ready, ...parts } = await last.answer;
      if (draining()) return sendJson(exchange, 503, { status: 'stopping', ...parts });
      sendJson(exchange, ready ? 200 : 503, { status: ready ? 'ok' : 'unready', ...parts });
    },
  });
}
