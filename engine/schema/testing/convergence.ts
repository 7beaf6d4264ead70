/** Random releases for the test of convergence, and what the values of their fields must be. */
import fc from 'fast-check';
import type { TenantDocument } from '../source.ts';

export const TYPES = ['text', 'integer', 'decimal'] as const;
export type Type = (typeof TYPES)[number];

export interface Measure {
  readonly type: Type;
  readonly required: boolean;
  readonly unique: boolean;
  readonly index: boolean;
  readonly max: boolean;
}

/** Fields that come, go, change their types, their rules and their names; entities, roles and permissions around them. */
export interface Shape {
  readonly fields: readonly number[];
  readonly a: Measure | null;
  readonly b: Measure | null;
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
  readonly total: 'none' | 'count' | 'avg';
  readonly place: 'none' | 'text' | 'team';
  readonly guest: 'none' | 'all' | 'own' | 'some';
  readonly steps: 'none' | 'few' | 'many';
  readonly plural: 'things' | 'items';
}

const measure: fc.Arbitrary<Measure> = fc.record({
  type: fc.constantFrom(...TYPES),
  required: fc.boolean(),
  unique: fc.boolean(),
  index: fc.boolean(),
  max: fc.boolean(),
});

export const shape: fc.Arbitrary<Shape> = fc.record({
  fields: fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
  a: fc.option(measure, { freq: 6 }),
  b: fc.option(measure, { freq: 3 }),
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
  total: fc.constantFrom('none', 'count', 'avg'),
  place: fc.constantFrom('none', 'text', 'team'),
  guest: fc.constantFrom('none', 'all', 'own', 'some'),
  steps: fc.constantFrom('none', 'few', 'many'),
  plural: fc.constantFrom('things', 'items'),
});

export const DEFAULTS: Readonly<Record<Type, string>> = { text: '7', integer: '7', decimal: '7.00' };

function measureField(key: string, { type, required, unique, index, max }: Measure): Record<string, unknown> {
  return {
    key,
    type,
    // A default that all share is no key.
    unique: unique && !required,
    index,
    required,
    ...(required && { default: type === 'integer' ? 7 : DEFAULTS[type] }),
    ...(max && { max: type === 'text' ? 40 : 1_000_000 }),
  };
}

export function documentsOf(one: Shape): readonly TenantDocument[] {
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
              { key: 'weight', type: 'integer' },
              { key: 'thing', type: 'reference', to: 'thing', required: true },
            ],
          },
        ];
  return [
    { kind: 'role', key: 'packer', label: 'Packer', inherits: ['member'] },
    { kind: 'permission', role: 'packer', entity: 'thing', actions: ['create', 'read', 'update', 'delete'] },
    {
      kind: 'entity',
      key: 'thing',
      plural: one.plural,
      label: 'Thing',
      title: '{name}',
      softDelete: one.soft,
      history: one.history,
      owner: one.owner,
      fields: [
        { key: 'name', type: 'text', required: true, max: one.max, unique: one.unique },
        { key: size, type: 'decimal', scale: one.scale, was: one.renamed ? 'size' : 'extent' },
        { key: 'twice', type: 'formula', returns: 'decimal', scale: 2, expr: `${size} * 2` },
        ...(one.a ? [measureField('a', one.a)] : []),
        ...(one.b ? [measureField('b', one.b)] : []),
        ...one.fields.map((index) => pool[index]),
        ...(one.steps === 'none' ? [] : [{ key: 'stage', type: 'state', lifecycle: 'course' }]),
        ...(one.second
          ? [{ key: 'box', type: 'reference', to: 'box', onDelete: one.soft ? 'clear' : 'restrict' }]
          : []),
        ...(one.place === 'none' ? [] : [{ key: 'place', type: one.place, index: one.indexed }]),
        ...(one.third === 'part' ? [{ key: 'parts', type: 'children', of: 'part' }, ...totals(one)] : []),
      ],
      unique: one.indexed ? [['name', size]] : [],
    },
    ...lifecycle(one),
    ...second,
    ...third,
    ...guests(one, size),
  ];
}

function totals({ total, indexed }: Shape): readonly Record<string, unknown>[] {
  if (total === 'none') return [];
  const of = { key: 'total', type: 'rollup', of: 'parts', fn: total, index: indexed };
  return [total === 'avg' ? { ...of, field: 'weight' } : of];
}

function lifecycle({ steps }: Shape): readonly TenantDocument[] {
  if (steps === 'none') return [];
  const transitions = [
    { key: 'begin', from: ['new'], to: 'going' },
    ...(steps === 'many' ? [{ key: 'finish', from: ['new', 'going'], to: 'over' }] : []),
  ];
  const states = [{ key: 'new' }, { key: 'going' }, { key: 'over' }];
  return [{ kind: 'lifecycle', key: 'course', label: 'Course', initial: 'new', states, transitions }];
}

function guests(one: Shape, size: string): readonly TenantDocument[] {
  if (one.guest === 'none') return [];
  const own = one.owner ? { owner: 'self' } : { name: 'x' };
  const some = { read: { only: ['name', size, 'twice'] }, update: { only: [size] } };
  return [
    { kind: 'role', key: 'guest', label: 'Guest', inherits: ['member'] },
    {
      kind: 'permission',
      role: 'guest',
      entity: 'thing',
      actions: ['read', 'update'],
      ...(one.guest === 'own' ? { conditions: own } : one.guest === 'some' ? { fields: some } : {}),
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
}

type Values = ReadonlyMap<string, string | null>;

/** The values that a field must have, kept by nothing but the rules that the guide states. */
export class Reference {
  readonly #type: Type;
  readonly #values: Values;
  readonly #asides: ReadonlyMap<Type, Values>;

  constructor(type: Type, values: Values = new Map(), asides: ReadonlyMap<Type, Values> = new Map()) {
    this.#type = type;
    this.#values = values;
    this.#asides = asides;
  }

  of(record: string): string | null {
    return this.#values.get(record) ?? null;
  }

  with(record: string, value: string | null): Reference {
    return new Reference(this.#type, new Map(this.#values).set(record, value), this.#asides);
  }

  /** As the field's type is from now on. */
  become(type: Type, records: readonly string[]): Reference {
    return type === this.#type ? this : this.#as(type, records);
  }

  /** Records without a value get the default. */
  filled(records: readonly string[]): Reference {
    const empty = records.filter((record) => this.of(record) === null);
    return new Reference(
      this.#type,
      new Map([...this.#values, ...empty.map((record) => [record, DEFAULTS[this.#type]] as const)]),
      this.#asides,
    );
  }

  #as(type: Type, records: readonly string[]): Reference {
    const before = this.#asides.get(type);
    const values = records.map((record): [string, string | null] => {
      const current = this.of(record);
      const kept = before?.get(record) ?? null;
      if (kept !== null && converted(kept, this.#type) === current) return [record, kept];
      return [record, current === null ? null : converted(current, type)];
    });
    const asides = new Map(this.#asides).set(this.#type, this.#values);
    asides.delete(type);
    return new Reference(type, new Map(values), asides);
  }
}

function converted(value: string, to: Type): string {
  if (to === 'text') return value;
  return to === 'integer' ? String(Number(value)) : Number(value).toFixed(2);
}
