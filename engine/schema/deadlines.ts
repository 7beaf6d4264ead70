/**
 * Deadlines are columns that the row trigger keeps. The minutes are read by a function of the owner's: a deadline does
 * not depend on whether who writes the record may see the record that holds them.
 */
import { fit, literal, qualified, quote } from '../db/identifiers.ts';
import { type Deadline, deadlineOf } from '../model/deadline.ts';
import type { Entity, Field } from '../model/model.ts';
import type { Context } from './context.ts';
import { storedFields, tableOf } from './context.ts';
import { PINNED } from './owner.ts';
import { rowSql } from './rules.ts';

interface Kept {
  readonly field: Field;
  readonly deadline: Deadline;
  /** The entity that holds the minutes. */
  readonly holder: Entity;
}

function deadlinesOf({ model }: Context, entity: Entity): readonly Kept[] {
  return storedFields(entity).flatMap((field) => {
    const deadline = deadlineOf(field);
    const holder = deadline && model.entities.get(entity.fields.get(deadline.via)?.reference?.entity ?? '');
    return deadline && holder ? [{ field, deadline, holder }] : [];
  });
}

const nameOf = (field: Field): string => fit(`minutes_${field.id}`);

/** One function for each deadline: the minutes that hold for a record. */
export function minuteFunctions(context: Context, entity: Entity): Readonly<Record<string, string>> {
  return Object.fromEntries(
    deadlinesOf(context, entity).map(({ field, deadline, holder }) => {
      const cases = [...deadline.fields].map(([choice, key]) => `when ${literal(choice)} then h.${quote(key)}`);
      const name = nameOf(field);
      return [
        name,
        `create or replace function ${qualified(context.tenant.names.schema, name)}(holder uuid, chosen text) returns bigint language sql stable security definer ${PINNED} as $body$
  select (case chosen ${cases.join(' ')} end)::bigint from ${tableOf(context, holder)} h where h."id" = holder
$body$`,
      ];
    }),
  );
}

/** Statements of the row trigger, after the system fields are set. */
export function keepDeadlines(context: Context, entity: Entity): string {
  return deadlinesOf(context, entity)
    .map(({ field, deadline }) => {
      const tenant = `${literal(context.tenant.id)}::uuid`;
      const inputs = [deadline.from, deadline.via, deadline.by].map(quote);
      const [from, via, by] = inputs.map((column) => `new.${column}`);
      const changed = inputs.map((column) => `new.${column} is distinct from old.${column}`).join(' or ');
      const minutes = `${qualified(context.tenant.names.schema, nameOf(field))}(${via}, ${by})`;
      const anew = `(tg_op = 'INSERT' or ${changed})`;
      const since = `coalesce(${from}, new."created_at")`;
      if (field.pause === null)
        return `  if ${anew} then
    new.${quote(field.key)} := armature.add_business_time(${tenant}, ${since}, ${minutes});
  end if;
`;
      // A deadline and what is remembered of its pauses: nobody writes them, so each begins as it was.
      const columns = field.type.columns(field).map(({ name }) => quote(name));
      const before = columns.map((column) => `new.${column} := old.${column};`).join(' ');
      const standing = `(${rowSql(context, entity, field.pause, 'new.')}) is true`;
      const values = columns.map((column) => `new.${column}`).join(', ');
      return `  if tg_op = 'UPDATE' then ${before} end if;
  select k.due, k.kept, k.pauses into ${values} from armature.keep_deadline(${tenant}, ${since},
    case when ${anew} then ${minutes} end, ${standing}, ${anew}, ${values}) k;
`;
    })
    .join('');
}
