/**
 * Reads the outbox as the gate: which records changed, in the order in which the changes were committed, without gaps.
 * Only transactions below the oldest one of the database that is still open are read: one that began earlier and commits
 * later would otherwise be passed over for ever.
 */
import { arrayText } from '#engine/db/identifiers.ts';
import type { Database } from '#engine/db/database.ts';
import { HORIZON, keepHorizon } from '#engine/db/outbox-horizon.ts';
import { gateSession } from '#engine/identity/service-principals.ts';
import { isObject } from '../write/validate.ts';

/** A place in the outbox: everything at or before it was read. */
export interface Position {
  readonly xid: bigint;
  readonly id: bigint;
}

export interface OutboxEvent {
  readonly position: Position;
  readonly tenantId: string;
  /** `Entity.id` */
  readonly entityId: string;
  readonly recordId: string;
  readonly version: number;
  readonly operation: string;
  /** ISO 8601 */
  readonly at: string;
  /** Values by field id that decided who saw the record before; `null` when they did not change. */
  readonly before: Readonly<Record<string, unknown>> | null;
}

export interface Read {
  readonly events: readonly OutboxEvent[];
  /** Everything there was to read has been read: the place to go on from. `null` when there is more. */
  readonly caughtUp: Position | null;
  /** The newest event that was pruned. */
  readonly floor: Position;
}

export interface OutboxFilter {
  readonly tenantId: string;
  readonly entityIds: readonly string[];
}

/** Events taken at a time. */
export const BATCH = 1000;

export const isAfter = (one: Position, other: Position): boolean =>
  one.xid > other.xid || (one.xid === other.xid && one.id > other.id);

const TEXT = (narrow: string) => `select s.horizon::text, f.xid::text, f.id::text, e.* from
 (select ${HORIZON} as horizon) s cross join armature.outbox_floor f
 left join lateral (select o.xid::text, o.id::text, o.tenant_id::text, o.entity_id, o.record_id::text, o.version::text, o.operation,
   to_char(o.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), o.before::text
   from armature.outbox o where (o.xid, o.id) > ($1::xid8, $2::bigint) and o.xid < s.horizon${narrow}
   order by o.xid, o.id limit ${BATCH}) e on true`;

const EVERYTHING = TEXT('');
const NARROWED = TEXT(' and o.tenant_id = $3::uuid and o.entity_id = any($4::text[])');

export async function readOutbox(database: Database, after: Position, filter: OutboxFilter | null): Promise<Read> {
  const place = [String(after.xid), String(after.id)];
  const [, result] = await database.batch(gateSession('outbox'), [
    keepHorizon,
    filter === null
      ? { text: EVERYTHING, values: place }
      : { text: NARROWED, values: [...place, filter.tenantId, arrayText(filter.entityIds)] },
  ]);
  const rows = result?.rows ?? [];
  const [horizon, floorXid, floorId] = rows[0] ?? [];
  const events = rows.flatMap(([, , , xid, id, tenantId, entityId, recordId, version, operation, at, before]) => {
    if (xid == null || id == null) return [];
    return [
      {
        position: { xid: BigInt(xid), id: BigInt(id) },
        tenantId: tenantId ?? '',
        entityId: entityId ?? '',
        recordId: recordId ?? '',
        version: Number(version),
        operation: operation ?? '',
        at: at ?? '',
        before: readBefore(before),
      },
    ];
  });
  // Ids begin with 1: zero stands before everything of the transaction that is the oldest one open.
  const head = { xid: BigInt(horizon ?? 0), id: 0n };
  return {
    events,
    caughtUp: events.length < BATCH ? head : null,
    floor: { xid: BigInt(floorXid ?? 0), id: BigInt(floorId ?? 0) },
  };
}

/** Where everything that is committed from now on comes after. */
export async function readHead(database: Database): Promise<Position> {
  const [result] = await database.batch(gateSession('outbox'), [keepHorizon]);
  return { xid: BigInt(result?.rows[0]?.[0] ?? 0), id: 0n };
}

function readBefore(json: string | null | undefined): OutboxEvent['before'] {
  const before: unknown = json == null ? null : JSON.parse(json);
  return isObject(before) ? before : null;
}
