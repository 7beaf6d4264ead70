import { expect, test } from 'vitest';
import { assignIdentities, buildModel } from './build.ts';
import { releaseOf } from './testing/fields.ts';
import { translatable, translator } from './texts.ts';

const source = releaseOf([
  {
    kind: 'entity',
    key: 'deal',
    plural: 'deals',
    label: 'Deal',
    fields: [{ key: 'rank', type: 'choice', help: 'How good.', choices: [{ key: 'top' }] }],
  },
  { kind: 'translation', locale: 'de', texts: { 'shop.deal': 'Geschäft', 'shop.deal.rank.top': 'Spitze' } },
  { kind: 'translation', locale: 'de-CH', texts: { 'shop.deal': 'Gschäft' } },
]);
const model = buildModel({ ...source, identities: assignIdentities(source) });

test('a text is that of the place, else that of the language, else the English one', () => {
  const swiss = translator(model, 'de-CH');
  expect(swiss('shop.deal', 'Deal')).toBe('Gschäft');
  expect(swiss('shop.deal.rank.top', 'Top')).toBe('Spitze');
  expect(swiss('shop.deal.rank', 'Rank')).toBe('Rank');
  expect(translator(model, 'fr')('shop.deal', 'Deal')).toBe('Deal');
});

test('everything with a label can be translated, once', () => {
  const keys = [...translatable(model)].map(([key]) => key);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys).toEqual(
    expect.arrayContaining([
      'shop.deal',
      'shop.deal.plural',
      'shop.deal.rank',
      'shop.deal.rank.help',
      'shop.deal.rank.top',
      'system:created_at',
      'form:shop.deal.main',
      'pack:shop',
    ]),
  );
});
