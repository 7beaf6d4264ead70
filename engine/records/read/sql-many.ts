/** The records on a record's list (parts, links, the other side of a reference), as a source of rows beside that record. */
import { qualified, quote } from '../../db/identifiers.ts';
import type { Entity } from '../../model/model.ts';
import type { Many } from '../../model/relations.ts';
import type { SqlWriter } from './sql-source.ts';

export interface ManySource {
  readonly from: string;
  /** Never empty: what puts a record on the list, and what lets the reader see it. */
  readonly where: readonly string[];
}

/**
 * @param other the entity of the records on the list
 * @param near alias of the record whose list it is
 * @param alias what the records on the list are called
 */
export function manySource(many: Many, other: Entity, near: string, alias: string, writer: SqlWriter): ManySource {
  // The parent is visible, so its parts are, unless the list is shown on some records only.
  const { from, where } = writer.source(other, alias, 'exclude', many.via === 'children' && !isMasked(other, writer));
  if (many.via !== 'links') return { from, where: [`${alias}.${quote(many.field)} = ${near}."id"`, ...where] };
  const link = writer.alias('_l');
  return {
    from: `${qualified(writer.schema, many.table)} ${link} join ${from} on ${alias}."id" = ${link}.${quote(many.far)}`,
    where: [`${link}.${quote(many.near)} = ${near}."id"`, ...where],
  };
}

/** Whether the list that holds these parts is hidden on some of the records that are shown. */
function isMasked({ name, parent }: Entity, { access }: SqlWriter): boolean {
  const whole = parent === null ? undefined : access.lookup(parent.entity);
  const list = [...(whole?.fields.values() ?? [])].find(({ children }) => children?.entity === name);
  return whole !== undefined && list !== undefined && access.of(whole).masks.has(list.key);
}
