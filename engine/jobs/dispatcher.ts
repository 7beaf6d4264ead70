/**
 * Tells this process which records changed, in the order in which the changes were committed. Reads the outbox as the
 * gate: ids and versions, never data.
 *
 * Order is (xid, id), and only below the oldest transaction of the database that is still open: one that began earlier and commits
 * later would otherwise be passed over for ever.
 */
import type { Logger } from 'pino';
import type { Database } from '#engine/db/database.ts';
import type { StatementResult } from '#engine/db/execute.ts';
import { HORIZON, keepHorizon } from '#engine/db/outbox-horizon.ts';
import { gateSession } from '#engine/identity/service-principals.ts';

export interface RecordEvent {
  /** Key of the tenant. */
  readonly tenant: string;
  /** `Entity.id`. */
  readonly entityId: string;
  readonly recordId: string;
  readonly version: number;
  readonly operation: 'create' | 'update' | 'delete' | 'restore';
  /** User, `null` for service principals. */
  readonly actor: string | null;
  /** As Postgres prints it. */
  readonly at: string;
}

/** May be called again with the same events when it throws. */
export type Subscriber = (events: readonly RecordEvent[]) => Promise<void> | void;

export interface DispatcherOptions {
  readonly database: Database;
  readonly log: Logger;
  /**
   * Name under which the position is stored: every event is handled once for it, whatever number of processes runs.
   * `null`: this process alone, from now on (caches).
   */
  readonly consumer: string | null;
  /** Milliseconds between looks (default 500). */
  readonly interval?: number;
}

/** Events taken at a time. */
const BATCH = 500;

interface Position {
  readonly xid: string;
  readonly id: string;
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #subscribers: Subscriber[] = [];
  #position: Position | null = null;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  #stopped = true;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  subscribe(subscriber: Subscriber): void {
    this.#subscribers.push(subscriber);
  }

  /** Begins with what is committed from now on, or where the consumer stood. */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.#begin();
    this.#schedule(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#running;
  }

  /** Handles what is there. @returns how many events that were */
  async drain(): Promise<number> {
    let total = 0;
    for (;;) {
      const handled = this.#options.consumer === null ? await this.#own() : await this.#shared(this.#options.consumer);
      total += handled;
      if (handled < BATCH) return total;
    }
  }

  #schedule(milliseconds: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#running = this.drain().then(
        () => this.#schedule(this.#options.interval ?? 500),
        (error: unknown) => {
          this.#options.log.warn({ err: error, consumer: this.#options.consumer }, 'outbox');
          this.#schedule(5000);
        },
      );
    }, milliseconds);
    this.#timer.unref();
  }

  async #begin(): Promise<void> {
    const { database, consumer } = this.#options;
    if (consumer !== null) {
      await database.batch(gateSession('outbox'), [
        {
          text: `insert into armature.outbox_position (consumer, xid, id) select $1::text, armature.outbox_horizon(), 0 on conflict (consumer) do update set seen_at = now()`,
          values: [consumer],
        },
      ]);
      return;
    }
    const [result] = await database.batch(gateSession('outbox'), [keepHorizon]);
    this.#position = { xid: result?.rows[0]?.[0] ?? '0', id: '0' };
  }

  async #own(): Promise<number> {
    if (!this.#position) await this.#begin();
    if (!this.#position) return 0;
    const [, result] = await this.#options.database.batch(gateSession('outbox'), [keepHorizon, after(this.#position)]);
    const { events, last } = read(result);
    await this.#tell(events);
    this.#position = last ?? this.#position;
    return events.length;
  }

  /** The position's row is locked while the events are handled: another process waits its turn. */
  async #shared(consumer: string): Promise<number> {
    return this.#options.database.transaction(gateSession('outbox'), async ({ send }) => {
      const [held] = await send({
        text: `select p.xid::text, p.id::text, p.seen_at < now() - interval '1 hour' from armature.outbox_position p where p.consumer = $1::text for update skip locked`,
        values: [consumer],
      });
      const [xid, id, silent] = held?.rows[0] ?? [];
      if (xid == null || id == null) return 0;
      const [, result] = await send(keepHorizon, after({ xid, id }));
      const { events, last } = read(result);
      if (!last) {
        // Housekeeping retires consumers that nobody is any more.
        if (silent === 't')
          await send({
            text: 'update armature.outbox_position set seen_at = now() where consumer = $1::text',
            values: [consumer],
          });
        return 0;
      }
      await this.#tell(events);
      await send({
        text: 'update armature.outbox_position set xid = $2::xid8, id = $3::bigint, seen_at = now() where consumer = $1::text',
        values: [consumer, last.xid, last.id],
      });
      return events.length;
    });
  }

  async #tell(events: readonly RecordEvent[]): Promise<void> {
    if (events.length === 0) return;
    for (const subscriber of this.#subscribers) await subscriber(events);
  }
}

function after({ xid, id }: Position) {
  return {
    text: `select o.xid::text, o.id::text, t.key, o.entity_id, o.record_id::text, o.version::text, o.operation, o.actor::text, o.at::text
from armature.outbox o join armature.tenant t on t.id = o.tenant_id
where (o.xid, o.id) > ($1::xid8, $2::bigint) and o.xid < ${HORIZON}
order by o.xid, o.id limit ${BATCH}`,
    values: [xid, id],
  };
}

function read(result: StatementResult | undefined): { events: RecordEvent[]; last: Position | null } {
  const rows = result?.rows ?? [];
  const last = rows.at(-1);
  const events = rows.map(([, , tenant, entityId, recordId, version, operation, actor, at]) => ({
    tenant: tenant ?? '',
    entityId: entityId ?? '',
    recordId: recordId ?? '',
    version: Number(version),
    operation: operationOf(operation),
    actor: actor ?? null,
    at: at ?? '',
  }));
  return { events, last: last?.[0] != null && last[1] != null ? { xid: last[0], id: last[1] } : null };
}

function operationOf(text: string | null | undefined): RecordEvent['operation'] {
  return text === 'create' || text === 'delete' || text === 'restore' ? text : 'update';
}
