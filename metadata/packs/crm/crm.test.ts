import { beforeAll, describe, expect, test } from 'vitest';
import { assignIdentities, buildModel } from '#engine/model/build.ts';
import type { Pack } from '#engine/model/documents.ts';
import type { Model } from '#engine/model/model.ts';
import { loadShippedPacks } from '#engine/model/packs.ts';
import { rightsOf } from '#engine/model/rights.ts';
import { textKey, translatable } from '#engine/model/texts.ts';

const settings = { currency: 'USD', country: 'US', timeZone: 'UTC', locale: 'en' };
const context = { country: 'US', currency: 'USD', timeZone: 'UTC' };
let packs: readonly Pack[];
let model: Model;

function build(): Model {
  const source = { tenant: 'acme', release: 1, settings, packs, tenantDocuments: [] };
  return buildModel({ ...source, identities: assignIdentities(source) });
}

beforeAll(async () => {
  packs = await loadShippedPacks();
  model = build();
});

const entity = (name: string) => {
  const found = model.entities.get(name);
  if (!found) throw new Error(`no ${name}`);
  return found;
};
const cell = (name: string, key: string, text: string) => {
  const field = entity(name).fields.get(key);
  if (!field) throw new Error(`no ${name}.${key}`);
  const parsed = field.type.importCell(text, field, context);
  return 'error' in parsed ? parsed.error.code : parsed.value;
};

test('the platform and the packs build one model, the platform first', () => {
  expect(packs[0]?.key).toBe('core');
  expect([...model.packs.keys()]).toContain('crm');
  expect([...model.entities.values()].map(({ table }) => table)).toEqual(
    expect.arrayContaining([
      'core_users',
      'core_teams',
      'crm_accounts',
      'crm_contacts',
      'crm_leads',
      'crm_opportunities',
      'crm_opportunity_lines',
      'crm_products',
      'crm_activities',
    ]),
  );
});

test.each([
  ['ar', /\p{Script=Arabic}/u, 'الفرصة'],
  ['de', /\S/u, 'Verkaufschance'],
])('every text is there in %s, and no translation has lost its text', (locale, script, opportunity) => {
  const texts = model.translations.get(locale);
  const keys = new Set<string>();
  const missing: string[] = [];
  for (const [key, english] of translatable(model)) {
    keys.add(key);
    if (!script.test(texts?.get(key) ?? '')) missing.push(`${key} (${english})`);
  }
  expect(missing).toEqual([]);
  expect([...(texts?.keys() ?? [])].filter((key) => !keys.has(key))).toEqual([]);
  expect(texts?.get(textKey.entity('crm.opportunity'))).toBe(opportunity);
});

test('nothing in it refers out of it but to users and teams', () => {
  const out = [...model.entities.values()]
    .filter(({ pack }) => pack === 'crm')
    .flatMap(({ fields }) => [...fields.values()].flatMap(({ reference }) => reference?.entity ?? []))
    .filter((target) => !target.startsWith('crm.'));
  expect([...new Set(out)].sort()).toEqual(['core.team', 'core.user']);
});

test('every feature is a flag that is on, and its entries in the menus ask for it', () => {
  const flags = [...model.flags.values()].filter(({ name }) => name.startsWith('crm.'));
  expect(flags.map(({ name }) => name).sort()).toEqual(
    ['campaigns', 'knowledge', 'quotes', 'subscriptions', 'tickets'].map((key) => `crm.crm_feature_${key}`),
  );
  expect(flags.every(({ on }) => on)).toBe(true);
  const asked = new Set(model.menus.flatMap(({ items }) => items.flatMap(({ flag }) => flag ?? [])));
  expect([...asked].sort()).toEqual(flags.map(({ name }) => name).sort());
});

describe('rights', () => {
  test('a sales representative has the own records', () => {
    const { read, update, transitions } = rightsOf(model, ['sales_rep']).of('crm.opportunity');
    expect(read).toMatchObject([
      {
        fields: null,
        condition: {
          kind: 'any',
          of: [
            { left: { field: 'owner' }, operator: 'eq', right: { kind: 'user', attribute: 'id' } },
            { kind: 'shared', level: 'read' },
          ],
        },
      },
    ]);
    expect(update[0]?.fields?.has('external_id')).toBe(false);
    expect([...transitions]).toEqual(['engage', 'win', 'lose']);
  });

  test('a manager has those of the team', () => {
    const { read, import: mayImport } = rightsOf(model, ['manager']).of('crm.opportunity');
    expect(read).toMatchObject([
      {
        condition: {
          kind: 'any',
          of: [
            { left: { field: 'owner' }, operator: 'in', right: { kind: 'user', attribute: 'team_members' } },
            { kind: 'shared', level: 'read' },
          ],
        },
      },
    ]);
    expect(mayImport).toBe(true);
  });

  test('support sees no figures, computed ones included', () => {
    const { readableFields, update } = rightsOf(model, ['support']).of('crm.opportunity');
    const hidden = ['amount', 'amount_currency', 'probability', 'expected'];
    expect(hidden.filter((key) => readableFields.has(key))).toEqual([]);
    expect(readableFields.get('name')).toBe('always');
    expect(update).toEqual([]);
    expect(rightsOf(model, ['support']).of('crm.opportunity_line').read).toEqual([]);
    expect(rightsOf(model, ['support']).of('crm.activity')).toMatchObject({
      read: [{ condition: null }],
      update: [{ condition: { left: { field: 'owner' } } }],
    });
  });

  test('finance sees what was sold, and the quotes that were accepted', () => {
    const accepted = { left: { field: 'status' }, operator: 'eq', right: { value: 'accepted' } };
    expect(rightsOf(model, ['finance']).of('crm.quote')).toMatchObject({ read: [{ condition: accepted }], update: [] });
    expect(rightsOf(model, ['finance']).of('crm.subscription')).toMatchObject({ read: [{ condition: null }] });
    expect(rightsOf(model, ['finance']).of('crm.lead').read).toEqual([]);
  });

  test('support has the tickets of the own teams, and no prices', () => {
    const support = rightsOf(model, ['support']);
    expect(support.of('crm.ticket').read[0]?.condition).not.toBeNull();
    expect(support.of('crm.quote').read).toEqual([]);
    const { readableFields } = support.of('crm.subscription');
    expect(['price', 'price_currency', 'mrr'].filter((key) => readableFields.has(key))).toEqual([]);
  });

  test('marketing has campaigns and leads, and nobody’s deals', () => {
    const marketing = rightsOf(model, ['marketing']);
    expect(marketing.of('crm.campaign').read).toMatchObject([{ condition: null }]);
    expect(marketing.of('crm.opportunity').read).toEqual([]);
    expect(rightsOf(model, ['sales_rep']).of('crm.campaign').readableFields.has('budget')).toBe(false);
  });

  test('everybody knows the colleagues; only administrators change them, but for one’s own settings', () => {
    for (const role of ['manager', 'sales_rep', 'support', 'marketing', 'finance'])
      expect(rightsOf(model, [role]).of('core.user').read).toHaveLength(1);
    expect([...rightsOf(model, ['sales_rep']).of('core.user').updatableFields].sort()).toEqual([
      'locale',
      'phone',
      'time_zone',
    ]);
    expect(rightsOf(model, ['administrator']).of('core.user').updatableFields.has('roles')).toBe(true);
  });
});

describe('files as sales teams have them', () => {
  test.each([
    ['crm.account', 'sector', 'Tech', 'technology'],
    ['crm.account', 'sector', 'Telecommunications', 'telecommunications'],
    ['crm.account', 'founded_year', '1996', 1996],
    ['crm.account', 'annual_revenue', '1100.04', '1100.04'],
    ['crm.account', 'employees', '2822', 2822],
    ['crm.product', 'list_price', '26768', '26768.00'],
    ['crm.opportunity', 'stage', 'Won', 'won'],
    ['crm.opportunity', 'stage', 'Prospecting', 'prospecting'],
    ['crm.opportunity', 'engage_date', '2016-10-20', '2016-10-20'],
    ['crm.opportunity', 'amount', '0', '0.00'],
    ['crm.opportunity', 'external_id', '1C1I7A6R', '1C1I7A6R'],
  ])('%s %s %j is read as %j', (name, key, text, value) => {
    expect(cell(name, key, text)).toEqual(value);
  });

  test('an opportunity needs neither account nor dates nor amount, and may come in any stage', () => {
    const { fields } = entity('crm.opportunity');
    const optional = ['account', 'engage_date', 'close_date', 'amount', 'product'];
    expect(optional.filter((key) => fields.get(key)?.required !== false)).toEqual([]);
    expect([...(model.lifecycles.get('crm.opportunity_stage')?.createIn ?? [])].sort()).toEqual([
      'engaging',
      'lost',
      'prospecting',
      'won',
    ]);
    expect(entity('crm.opportunity').unique.map(({ fields }) => fields)).toContainEqual(['external_id']);
  });
});
