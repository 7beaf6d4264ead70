/** From the cells of a row to the values of a record, references still as the texts that name them. */
import type { ValueContext } from '#engine/model/field-type.ts';
import type { Entity, Field, Model } from '#engine/model/model.ts';
import { choiceLabels, translator } from '#engine/model/texts.ts';
import type { Value } from '#engine/model/value-type.ts';
import type { Scope } from '../scope.ts';
import { holdsRoles, unknownRoles } from '../write/assigned-roles.ts';
import { importableFields } from './columns.ts';
import type { FileRow } from './csv.ts';
import { plainNumber } from './xlsx/styles.ts';
import type { ColumnRule, ImportOptions } from './mapping.ts';

export interface NamedReference {
  readonly field: Field;
  /** Qualified entity. */
  readonly entity: string;
  /** Unique field, `id`, `_title`; `null`: whatever the text looks like. */
  readonly by: string | null;
  readonly text: string;
}

export interface Converted {
  readonly line: number;
  readonly values: Map<string, Value>;
  readonly references: readonly NamedReference[];
  /** Sentences; empty when the row can be used. */
  readonly faults: readonly string[];
}

interface Column {
  readonly index: number;
  readonly field: Field;
  readonly by: string | null;
  readonly empty: ReadonlySet<string>;
  readonly map: ReadonlyMap<string, string>;
}

/** Made once for an import. */
export class Converter {
  readonly #columns: readonly Column[];
  readonly #width: number;
  readonly #context: ValueContext;
  /** For cells that the file itself says to be numbers. */
  readonly #typed: ValueContext;
  readonly #mapped: ReadonlySet<string>;
  readonly #model: Model;
  /** Fields that hold keys of roles. */
  readonly #assigned: ReadonlySet<Field>;

  constructor(scope: Scope, entity: Entity, columns: readonly string[], options: ImportOptions) {
    const fields = importableFields(scope, entity);
    this.#columns = columns.flatMap((column, index) => {
      const target = options.mapping[column];
      const field = target && fields.get(target.field);
      return target && field ? [{ index, field, by: target.by ?? null, ...readRule(target.rule) }] : [];
    });
    this.#model = scope.model;
    this.#assigned = new Set(this.#columns.map(({ field }) => field).filter((field) => holdsRoles(entity, field)));
    this.#mapped = new Set(this.#columns.map(({ field }) => field.key));
    this.#width = columns.length;
    const place = {
      country: scope.tenant.country,
      currency: scope.tenant.currency,
      timeZone: scope.principal.timeZone,
      choiceLabel: choiceLabels(translator(scope.model, scope.principal.locale), entity),
    };
    this.#typed = { ...place, decimalMark: '.' };
    this.#context = {
      ...place,
      ...(options.dateOrder ? { dateOrder: options.dateOrder } : {}),
      ...(options.decimalMark ? { decimalMark: options.decimalMark } : {}),
    };
  }

  /** Whether a mapped column names records of this entity. */
  refersTo(entity: string): boolean {
    return this.#columns.some(({ field }) => field.reference?.entity === entity);
  }

  /** An empty cell is a value that is not given: a new record gets the default, an existing one keeps what it has. */
  convert({ line, cells }: FileRow): Converted {
    const values = new Map<string, Value>();
    const references: NamedReference[] = [];
    const faults: string[] = [];
    if (cells.length > this.#width) {
      return {
        line,
        values,
        references,
        faults: [`The row has ${cells.length} cells, the header has ${this.#width}.`],
      };
    }
    for (const { index, field, by, empty, map } of this.#columns) {
      const given = cells[index] ?? '';
      const written = typeof given === 'number' ? plainNumber(given) : given.trim();
      const cell = empty.has(written) ? '' : (map.get(written) ?? written);
      if (cell === '') continue;
      if (field.reference) {
        references.push({ field, entity: field.reference.entity, by, text: cell });
        continue;
      }
      if (field.many) {
        const { entity } = field.many;
        const names = cell.split(';').map((name) => name.trim());
        references.push(...names.flatMap((text) => (text === '' ? [] : [{ field, entity, by, text }])));
        continue;
      }
      const parsed = field.type.importCell(cell, field, typeof given === 'number' ? this.#typed : this.#context);
      if ('error' in parsed) {
        faults.push(`${field.label}: ${parsed.error.message}`);
        continue;
      }
      if (this.#assigned.has(field)) {
        const unknown = unknownRoles(this.#model, parsed.value, '');
        faults.push(...unknown.map(({ message }) => `${field.label}: ${message}`));
      }
      if (parsed.value !== null) values.set(field.key, parsed.value);
      for (const [key, value] of Object.entries(parsed.also ?? {})) if (!this.#mapped.has(key)) values.set(key, value);
    }
    return { line, values, references, faults };
  }
}

function readRule(rule: ColumnRule | undefined): Pick<Column, 'empty' | 'map'> {
  return { empty: new Set(rule?.empty), map: new Map(Object.entries(rule?.map ?? {})) };
}
