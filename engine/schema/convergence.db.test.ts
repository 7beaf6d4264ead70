/**
 * Whatever was published and rolled back before, the catalogue ends up as if the last release had been the first one.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { testDatabase } from '#tests/support/postgres.ts';
import { type Organisation, schemaLab } from '#tests/support/schema-lab.ts';
import { buildModel } from '../model/build.ts';
import type { ReleaseSource } from '../model/documents.ts';
import type { Change } from './change.ts';
import { registerRoles, runChanges } from './apply.ts';
import { desiredState } from './desired.ts';
import { difference } from './diff.ts';
import type { TenantDocument } from './source.ts';

const postgres = await testDatabase();
const lab = schemaLab(postgres);
const RUNS = 30;

/** Fields that come, go, change their rules and their names. */
interface Shape {
  readonly fields: readonly number[];
  readonly max: number;
  readonly indexed: boolean;
  readonly unique: boolean;
  readonly scale: number;
  readonly renamed: boolean;
  readonly soft: boolean;
  readonly history: boolean;
  readonly owner: boolean;
  readonly second: boolean;
  readonly third: 'none' | 'part' | 'whole';
  readonly guest: 'none' | 'all' | 'own' | 'some';
}

const shape: fc.Arbitrary<Shape> = fc.record({
  fields: fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
  max: fc.constantFrom(20, 30),
  indexed: fc.boolean(),
  unique: fc.boolean(),
  scale: fc.constantFrom(2, 3),
  renamed: fc.boolean(),
  soft: fc.boolean(),
  history: fc.boolean(),
  owner: fc.boolean(),
  second: fc.boolean(),
  third: fc.constantFrom('none', 'part', 'whole'),
  guest: fc.constantFrom('none', 'all', 'own', 'some'),
});

function documentsOf(one: Shape): readonly TenantDocument[] {
  const size = one.renamed ? 'extent' : 'size';
  const pool = [
    {
      key: 'colour',
      type: 'choice',
      choices: [{ key: 'red' }, ...(one.indexed ? [{ key: 'blue' }] : [])],
      index: one.indexed,
    },
    { key: 'number', type: 'sequence', prefix: 'N' },
    { key: 'price', type: 'money', index: one.indexed },
    { key: 'words', type: 'tags' },
  ];
  const second = one.second
    ? [
        {
          kind: 'entity',
          key: 'box',
          plural: 'boxes',
          label: 'Box',
          title: '{label}',
          history: one.history,
          fields: [{ key: 'label', type: 'text', required: true }],
        },
        { kind: 'permission', role: 'packer', entity: 'box', actions: ['create', 'read', 'update', 'delete'] },
      ]
    : [];
  const third =
    one.third === 'none'
      ? []
      : [
          {
            kind: 'entity',
            key: 'part',
            plural: 'parts',
            label: 'Part',
            title: '{label}',
            ...(one.third === 'part' ? { parent: 'thing' } : {}),
            fields: [
              { key: 'label', type: 'text' },
              { key: 'thing', type: 'reference', to: 'thing', required: true },
            ],
          },
        ];
  const guest =
    one.guest === 'none'
      ? []
      : [
          { kind: 'role', key: 'guest', label: 'Guest', inherits: ['member'] },
          {
            kind: 'permission',
            role: 'guest',
            entity: 'thing',
            actions: ['read', 'update'],
            ...(one.guest === 'own'
              ? { conditions: one.owner ? { owner: 'self' } : { name: 'x' } }
              : one.guest === 'some'
                ? { fields: { read: { only: ['name', size, 'twice'] }, update: { only: [size] } } }
                : {}),
          },
          {
            kind: 'permission',
            role: 'guest',
            entity: 'thing',
            key: 'named',
            actions: ['update', 'delete'],
            condition: { fact: 'name', operator: 'equal', value: 'mine' },
          },
        ];
  return [
    { kind: 'role', key: 'packer', label: 'Packer', inherits: ['member'] },
    { kind: 'permission', role: 'packer', entity: 'thing', actions: ['create', 'read', 'update', 'delete'] },
    {
      kind: 'entity',
      key: 'thing',
      plural: 'things',
      label: 'Thing',
      title: '{name}',
      softDelete: one.soft,
      history: one.history,
      owner: one.owner,
      fields: [
        { key: 'name', type: 'text', required: true, max: one.max, unique: one.unique },
        { key: size, type: 'decimal', scale: one.scale, was: one.renamed ? 'size' : 'extent' },
        { key: 'twice', type: 'formula', returns: 'decimal', scale: 2, expr: `${size} * 2` },
        ...one.fields.map((index) => pool[index]),
        ...(one.second
          ? [{ key: 'box', type: 'reference', to: 'box', onDelete: one.soft ? 'clear' : 'restrict' }]
          : []),
        ...(one.third === 'part' ? [{ key: 'parts', type: 'children', of: 'part' }] : []),
      ],
      unique: one.indexed ? [['name', size]] : [],
    },
    ...second,
    ...third,
    ...guest,
  ];
}

/** Everything of a schema that is not set aside, as text, without what differs from one place to another. */
async function catalogue(schema: string, rolePrefix: string): Promise<unknown> {
  const { rows } = await postgres.superuser.query<{ dump: Record<string, unknown[] | null> }>(CATALOGUE, [schema]);
  const text = JSON.stringify(rows[0]?.dump).replaceAll(rolePrefix, 'ROLE').replaceAll(schema, 'SCHEMA');
  const lists: Record<string, unknown[] | null> = JSON.parse(text);
  return Object.fromEntries(
    Object.entries(lists).map(([name, list]) => [
      name,
      (list ?? [])
        .map(ordered)
        .map((one) => JSON.stringify(one))
        .sort(),
    ]),
  );
}

/** Grants in one order: Postgres keeps them in the order in which they were made. */
const ordered = (entry: unknown): unknown =>
  Array.isArray(entry)
    ? entry.map((cell: unknown) => (Array.isArray(cell) ? cell.map(String).toSorted() : cell))
    : entry;

const ACL = `(select jsonb_agg(g.grantee::regrole::text || ' ' || g.privilege_type) from aclexplode(%) g where g.grantee <> c.relowner)`;
const CATALOGUE = `
  with c as (select * from pg_class where relnamespace = $1::regnamespace and relname not like 'zz\\_%' and relkind in ('r', 'i', 'S')),
    t as (select * from c where relkind = 'r')
  select jsonb_build_object(
    'tables', (select jsonb_agg(jsonb_build_array(relname, relrowsecurity, relforcerowsecurity, ${ACL.replace('%', 'relacl')})) from t c),
    'columns', (select jsonb_agg(jsonb_build_array(c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated, a.attidentity,
        pg_get_expr(d.adbin, d.adrelid), ${ACL.replace('%', 'a.attacl')}))
      from t c join pg_attribute a on a.attrelid = c.oid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where a.attnum > 0 and not a.attisdropped and a.attname not like 'zz\\_%'),
    'constraints', (select jsonb_agg(jsonb_build_array(c.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated)) from t c join pg_constraint k on k.conrelid = c.oid),
    'indexes', (select jsonb_agg(pg_get_indexdef(i.indexrelid)) from t c join pg_index i on i.indrelid = c.oid),
    'policies', (select jsonb_agg(to_jsonb(p)) from pg_policies p where schemaname = $1::text and tablename not like 'zz\\_%'),
    'triggers', (select jsonb_agg(pg_get_triggerdef(g.oid)) from t c join pg_trigger g on g.tgrelid = c.oid where not g.tgisinternal),
    'functions', (select jsonb_agg(jsonb_build_array(pg_get_functiondef(p.oid), p.proacl::text)) from pg_proc p where p.pronamespace = $1::regnamespace),
    'members', (select jsonb_agg(m.member::regrole::text || ' of ' || m.roleid::regrole::text || ' ' || m.inherit_option || m.set_option)
      from pg_auth_members m where m.grantor <> 10 and m.member in (select r.name::regrole from armature.database_role r join armature.tenant n on n.id = r.tenant_id where 't_' || n.key = $1::text))
  ) as dump`;

let count = 0;

/** The last release of an organisation published as the first one of another. */
async function fresh(organisation: Organisation): Promise<Organisation> {
  count += 1;
  const other = await lab.organisation(`fresh${count}`);
  const { rows } = await postgres.superuser.query<{ source: ReleaseSource }>(
    'select source from armature.release where tenant_id = $1 order by number desc limit 1',
    [organisation.tenant.id],
  );
  const source = rows[0]?.source;
  if (!source) throw new Error('nothing published');
  // Everything is made anew under the other organisation's names and the first one's ids.
  await lab.database.ownerTransaction(async (client) => {
    await client.query(
      `drop schema "${other.tenant.names.schema}" cascade; create schema "${other.tenant.names.schema}"`,
    );
    const { rows: roles } = await client.query<{ name: string }>(
      'select name from armature.database_role where tenant_id = $1',
      [other.tenant.id],
    );
    await client.query(roles.map(({ name }) => `drop role "${name}"`).join(';'));
    await client.query('delete from armature.database_role where tenant_id = $1', [other.tenant.id]);
    const wanted = desiredState({ ...other.tenant, id: organisation.tenant.id }, buildModel(source));
    const { settled, changes } = difference(null, wanted);
    await runChanges(client, changes satisfies readonly Change[]);
    await registerRoles(client, other.tenant, null, settled, []);
  });
  return other;
}

test('any sequence of publishes and rollbacks leaves what a fresh publish would have made', {
  timeout: 300_000,
}, async () => {
  const step = fc.oneof({ weight: 3, arbitrary: shape }, { weight: 1, arbitrary: fc.nat({ max: 5 }) });
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(shape, fc.array(step, { minLength: 1, maxLength: 5 }), async (first, steps) => {
      runs += 1;
      const organisation = await lab.organisation(`o${runs}_${count}`, { documents: documentsOf(first) });
      const id = await organisation.insert(await organisation.person(), 'custom_things', { name: 'mine' });
      for (const one of steps) {
        if (typeof one === 'number') await organisation.rollback(2 + (one % ((await organisation.release()) - 1)));
        else await organisation.publish(documentsOf(one));
      }
      expect(await organisation.sql(await organisation.person(), 'select id, name from $custom_things')).toEqual([
        [id, 'mine'],
      ]);
      const other = await fresh(organisation);
      const [is, should] = await Promise.all(
        [organisation, other].map(({ tenant }) =>
          catalogue(tenant.names.schema, `${postgres.rolePrefix}_${tenant.key}`),
        ),
      );
      expect(is).toEqual(should);
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});
