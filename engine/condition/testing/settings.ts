/** Settings for the tests of the condition language: of every kind, set and not set, for all and for one, right and wrong. */
import type { Setting } from '#engine/model/parts.ts';
import { settingsOf } from '../resolve-setting.ts';
import { IDS } from './arbitraries.ts';

const setting = (name: string, type: string, fallback?: unknown, scope: 'tenant' | 'user' = 'tenant'): Setting => ({
  name: `lab.${name}`,
  label: name,
  help: null,
  scope,
  secret: false,
  default: fallback,
  schema: { type },
});

export const SETTINGS = settingsOf(
  new Map(
    [
      setting('word', 'string', 'lost'),
      setting('unset_word', 'string', 'won'),
      setting('wrong_word', 'string'),
      setting('own_word', 'string', 'sales', 'user'),
      setting('number', 'number', 1),
      setting('unset_number', 'number'),
      setting('wrong_number', 'number', -0.5),
      setting('own_number', 'integer', 2, 'user'),
      setting('broken_number', 'integer', 3),
      setting('yes', 'boolean', false),
      setting('day', 'string', '2026-01-30'),
      setting('wrong_day', 'string', '2026-02-01'),
    ].map((each) => [each.name, each]),
  ),
);

/** As they are stored: name, whose (`null`: the organisation's), JSON. */
export const STORED: readonly (readonly [name: string, user: string | null, json: string])[] = [
  ['lab.word', null, '"open"'],
  ['lab.wrong_word', null, '7'],
  // Left from a time when it was the organisation's.
  ['lab.own_word', null, '"won"'],
  ['lab.own_word', IDS[0] ?? '', '"lost"'],
  ['lab.number', null, '2'],
  ['lab.wrong_number', null, '"2"'],
  ['lab.own_number', IDS[1] ?? '', '-1'],
  ['lab.broken_number', null, '1.5'],
  ['lab.yes', null, 'true'],
  ['lab.day', null, '"2026-01-31"'],
  ['lab.wrong_day', null, '"2026-02-30"'],
];

export function storedSetting(user: string | null): (name: string, own: boolean) => unknown {
  return (name, own) => {
    const whose = own ? user : null;
    const found = STORED.find((one) => one[0] === name && one[1] === whose);
    return found && !(own && user === null) ? JSON.parse(found[2]) : undefined;
  };
}
