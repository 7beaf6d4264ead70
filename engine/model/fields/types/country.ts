/** A country (ISO 3166-1 alpha-2). Part of every address; documents do not name it. */
import type { FieldType, Parsed } from '../../field-type.ts';
import type { Field } from '../../model.ts';
import { accept, EQUALITY, fold, options, refuse, wrongType } from '../base.ts';
import { cleanText } from '../text-value.ts';

/** The officially assigned codes, 249 of them. */
const CODES =
  'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC ' +
  'CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD ' +
  'GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH ' +
  'KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW ' +
  'MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC ' +
  'SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY ' +
  'UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW';

export const COUNTRIES: ReadonlySet<string> = new Set(CODES.split(' '));

/** Names people may write in files, in the languages of the screens; made when the first file needs them. */
let names: ReadonlyMap<string, string> | undefined;

function byName(name: string): string | undefined {
  names ??= new Map(
    ['ar', 'de', 'en'].flatMap((language) => {
      const display = new Intl.DisplayNames(language, { type: 'region' });
      return [...COUNTRIES].map((code): [string, string] => [fold(display.of(code) ?? code), code]);
    }),
  );
  return names.get(fold(name));
}

function parse(text: string, field: Field): Parsed {
  const clean = cleanText(text, field, false);
  if ('error' in clean || typeof clean.value !== 'string') return clean;
  const code = clean.value.toUpperCase();
  if (COUNTRIES.has(code)) return accept(code);
  return refuse('country', `“${clean.value.slice(0, 40)}” is not a country code (ISO 3166-1) such as DE or AE.`);
}

export const country: FieldType = {
  key: 'country',
  internal: true,
  options: options({}),
  canonical: true,
  valueType: 'text',
  columns: (field) => [{ name: field.key, type: 'text', checks: [{ suffix: 'code', sql: `{} ~ '^[A-Z]{2}$'` }] }],
  inputSchema: (field) => ({ type: 'string', maxLength: 2, ...(field.required ? { minLength: 1 } : {}) }),
  outputSchema: () => ({ type: 'string', pattern: '^[A-Z]{2}$' }),
  normalise: (value, field) => (typeof value === 'string' ? parse(value, field) : wrongType('a country code')),
  select: (column) => column,
  operators: EQUALITY,
  sortable: true,
  groupable: true,
  aggregates: [],
  searchable: false,
  widget: () => 'country',
  importCell: (cell, field) => parse(byName(cell) ?? cell, field),
  exportCell: (value) => String(value),
};
