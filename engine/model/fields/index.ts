/** The registry of field types. A new type is one file and one line here. */
import type { FieldType } from '../field-type.ts';
import { boolean } from './boolean.ts';
import { children } from './children.ts';
import { choice } from './choice.ts';
import { currency } from './currency.ts';
import { date } from './date.ts';
import { datetime } from './datetime.ts';
import { decimal } from './decimal.ts';
import { email } from './email.ts';
import { formula } from './formula.ts';
import { integer } from './integer.ts';
import { longText } from './long-text.ts';
import { money } from './money.ts';
import { percent } from './percent.ts';
import { phone } from './phone.ts';
import { reference } from './reference.ts';
import { sequence } from './sequence.ts';
import { state } from './state.ts';
import { tags } from './tags.ts';
import { team } from './team.ts';
import { text } from './text.ts';
import { url } from './url.ts';
import { user } from './user.ts';
import { uuid } from './uuid.ts';

export { formulaReturning } from './formula.ts';

/** By key. */
export const fieldTypes: ReadonlyMap<string, FieldType> = new Map(
  [
    text,
    longText,
    email,
    phone,
    url,
    integer,
    decimal,
    money,
    currency,
    percent,
    boolean,
    date,
    datetime,
    choice,
    state,
    reference,
    user,
    team,
    children,
    sequence,
    formula,
    tags,
    uuid,
  ].map((type) => [type.key, Object.freeze(type)]),
);

/** Types that only the engine makes: documents do not name them. */
export const internalTypes: ReadonlySet<string> = new Set(['currency', 'uuid']);
