/**
 * Only somebody who is active is given anything: a new record, a share. Asked by triggers that run as the owner, because
 * not everybody who gives may see who is active; nobody can call them. What people have already they keep when they are
 * suspended, until it is assigned to others.
 */
import { qualified, quote } from '../db/identifiers.ts';
import type { Entity } from '../model/model.ts';
import { USER_ENTITY } from '../model/system-fields.ts';
import { type Context, tableOf } from './context.ts';
import { PINNED } from './owner.ts';

/** The trigger's name comes after that of the row trigger, which gives the owner to a record that names none. */
const TRIGGER = 'standing';

interface Standing {
  readonly functions: Readonly<Record<string, string>>;
  readonly triggers: Readonly<Record<string, string>>;
}

/**
 * Of new records: refuses `owner` with the record's id. Whoever writes is active, and is not looked up. The function
 * asks that itself: a condition of the trigger would stay with a column that is set aside.
 */
export function standingOwner(context: Context, entity: Entity): Standing {
  if (!entity.owner) return { functions: {}, triggers: {} };
  return standing(
    context,
    tableOf(context, entity),
    'owner',
    'new."owner" is null or new."owner" = armature.user_id()',
  );
}

/** Of new shares: refuses `user` with the share's id. */
export function standingPerson(context: Context, shares: string): Standing {
  return standing(context, shares, 'user', 'new."user" is null');
}

function standing(context: Context, table: string, column: 'owner' | 'user', passes: string): Standing {
  const users = context.model.entities.get(USER_ENTITY);
  if (!users) return { functions: {}, triggers: {} };
  const key = `standing_${column}`;
  const name = qualified(context.tenant.names.schema, key);
  const given = `new.${quote(column)}`;
  return {
    functions: {
      // Held until the end, so that a suspension waits for what was given before it.
      [key]: `create or replace function ${name}() returns trigger language plpgsql security definer ${PINNED} as $body$
begin
  if ${passes} then return new; end if;
  perform from ${tableOf(context, users)} u where u."id" = ${given} and u."active" for share;
  if not found then perform armature.refuse('${column}', pg_catalog.json_build_array(new."id"::text)); end if;
  return new;
end $body$`,
    },
    triggers: {
      [TRIGGER]: `create trigger ${quote(TRIGGER)} before insert on ${table} for each row execute function ${name}()`,
    },
  };
}
