/** Parameters for statements that take none (`COPY`): every value becomes a literal in the place where it is needed. */
import { literal } from '#engine/db/identifiers.ts';
import type { BindSource, BindValues } from '../read/binds.ts';
import { Binds, bindValue } from '../read/binds.ts';

export class LiteralBinds extends Binds {
  readonly #values: BindValues;

  constructor(values: BindValues) {
    super();
    this.#values = values;
  }

  override add(source: BindSource, sqlType: string): string {
    const value = bindValue(source, this.#values);
    return value === null ? `null::${sqlType}` : `${literal(value)}::${sqlType}`;
  }
}
