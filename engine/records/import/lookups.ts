/**
 * Finds the records that cells name: all names of a chunk in one statement per way of finding them, as the importing
 * user, who cannot name what they may not see: a field that is shown on some records only finds none. What was found is
 * remembered for the rest of the run.
 */
import { arrayText, literal } from '#engine/db/identifiers.ts';
import type { Transaction } from '#engine/db/database.ts';
import type { Statement } from '#engine/db/execute.ts';
import type { Entity } from '#engine/model/model.ts';
import { USER_ENTITY } from '#engine/model/system-fields.ts';
import { uuidOf } from '#engine/uuid.ts';
import type { Scope } from '../scope.ts';
import { andReadable } from '../write/predicate.ts';
import { andLive, column, Parameters, tableOf } from '../write/sql.ts';
import type { NamedReference } from './convert.ts';

type Found = { readonly id: string } | 'missing' | 'ambiguous';

/** Names remembered for one way of finding records. */
const REMEMBERED = 50_000;

export class Lookups {
  readonly #scope: Scope;
  /** `entity by` → name in lower case → record. */
  readonly #known = new Map<string, Map<string, Found>>();

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** Looks up all names that are not known yet. */
  async load(transaction: Pick<Transaction, 'send'>, references: Iterable<NamedReference>): Promise<void> {
    const wanted = new Map<string, { entity: string; by: string; names: Set<string> }>();
    for (const reference of references) {
      const by = this.#by(reference);
      const way = `${reference.entity} ${by}`;
      const name = fold(reference.text);
      if (this.#known.get(way)?.has(name)) continue;
      const group = wanted.get(way) ?? { entity: reference.entity, by, names: new Set<string>() };
      wanted.set(way, group);
      group.names.add(name);
    }
    for (const [way, { entity, by, names }] of wanted) {
      const known = this.#known.get(way) ?? new Map<string, Found>();
      this.#known.set(way, known);
      if (known.size > REMEMBERED) known.clear();
      for (const name of names) known.set(name, 'missing');
      const statement = this.#statement(entity, by, [...names]);
      if (!statement) continue;
      const [result] = await transaction.send(statement);
      for (const [name, id, count] of result?.rows ?? []) {
        if (name != null && id != null) known.set(name, count === '1' ? { id } : 'ambiguous');
      }
    }
  }

  /** @returns the record's id, or a sentence */
  find(reference: NamedReference): { readonly id: string } | { readonly fault: string } {
    const found = this.#known.get(`${reference.entity} ${this.#by(reference)}`)?.get(fold(reference.text));
    const name = reference.text.slice(0, 80);
    const { rights, model } = this.#scope;
    const entity = rights.of(reference.entity).read.length > 0 ? model.entities.get(reference.entity) : undefined;
    const what = entity?.label ?? 'record';
    if (found === 'ambiguous')
      return { fault: `${reference.field.label}: “${name}” names more than one record (${what}).` };
    if (found === undefined || found === 'missing') {
      return { fault: `${reference.field.label}: there is no ${what} “${name}”, or none that you may see.` };
    }
    return found;
  }

  /** Forgets what does not exist: later rows may refer to records that earlier rows have made. */
  forgetMissing(): void {
    for (const known of this.#known.values())
      for (const [name, found] of known) if (found === 'missing') known.delete(name);
  }

  #by({ by, text, entity }: NamedReference): string {
    if (by !== null) return by;
    if (uuidOf(text) !== null) return 'id';
    return entity === USER_ENTITY && text.includes('@') ? 'email' : '_title';
  }

  #statement(name: string, by: string, names: readonly string[]): Statement | null {
    const entity = this.#scope.model.entities.get(name);
    if (!entity || this.#scope.rights.of(name).read.length === 0) return null;
    const parameters = new Parameters();
    const found = this.#nameSql(entity, by);
    if (found === null) return null;
    const list = parameters.bind(names, 'text[]');
    const readable = andReadable(this.#scope, entity, 'x', parameters);
    // The lower-case comparison finds what differs in case alone; tables people import into are read whole for it.
    const where =
      by === 'id' ? `x.id = any(${list}::uuid[])` : `lower(${found} collate pg_unicode_fast) = any(${list})`;
    return {
      text: `select lower(${found} collate pg_unicode_fast), min(x.id::text), count(*)::text from ${tableOf(this.#scope, entity)} x where ${where}${andLive(entity, 'x')}${readable} group by 1`,
      values:
        by === 'id'
          ? [arrayText(names.flatMap((text) => uuidOf(text) ?? [])), ...parameters.values.slice(1)]
          : parameters.values,
    };
  }

  #nameSql(entity: Entity, by: string): string | null {
    const { readableFields } = this.#scope.rights.of(entity.name);
    if (by === 'id') return 'x.id::text';
    if (by !== '_title') {
      const field = entity.fields.get(by);
      return field?.column && readableFields.get(by) === 'always' ? `x.${column(field)}::text` : null;
    }
    const parts = entity.title.template.split(/\{([a-z][a-z0-9_]*)\}/).map((part, index) => {
      if (index % 2 === 0) return literal(part);
      const field = entity.fields.get(part);
      return field?.column && readableFields.get(part) === 'always' ? `coalesce(x.${column(field)}::text, '')` : `''`;
    });
    return `btrim(regexp_replace(${parts.join(' || ')}, '\\s+', ' ', 'g'))`;
  }
}

function fold(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ').toLowerCase();
}
