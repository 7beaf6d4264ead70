/**
 * The single checks of one person against one entity: what they find is held against the expectation. Each throws an
 * assertion when the engine shows or does something else.
 */
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Entity, Field } from '#engine/model/model.ts';
import type { Client } from '../support/http.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { canaryValue, token } from './canary.ts';
import type { Expectation } from './expectation.ts';
import { factsOf } from './fill.ts';
import type { World, WorldPerson, WorldRecord } from './world.ts';

/** Independent requests that are under way at once. */
const TOGETHER = 6;

const ids = (rows: readonly { readonly id: string }[] | undefined) => (rows ?? []).map((row) => row.id).sort();
const address = (entity: Entity) => `/api/${entity.pack}/v1/${entity.plural}`;
/** The answer without what differs from request to request. */
const plain = (text: string) => text.replace(/"instance":"[^"]*"/, '').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID');

/** A problem without its sentence: what an unknown field answers depends on the parameter it stands in. */
function kind(text: string): string {
  const { code, status, title }: { code?: string; status?: number; title?: string } = JSON.parse(text);
  return JSON.stringify({ code, status, title });
}

/** Ends when nothing is under way any more; after a failure nothing new is begun. */
async function inGroups<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      await work(item).catch((error: unknown) => {
        waiting.length = 0;
        throw error;
      });
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: TOGETHER }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

export class Checks {
  /** Requests whose answers were looked at. */
  cases = 0;

  readonly #world: World;
  readonly #expectation: Expectation;
  readonly #superuser: TestDatabase['superuser'];
  #last: Promise<unknown> = Promise.resolve();
  /** Every canary by the part of it that no other value has. */
  readonly #canaries = new Map<string, { record: WorldRecord; field: string; trace: string }>();

  constructor(world: World, expectation: Expectation, database: TestDatabase) {
    this.#world = world;
    this.#expectation = expectation;
    this.#superuser = database.superuser;
    for (const record of world.records)
      for (const [field, trace] of record.canaries)
        for (const mark of marksIn(trace)) this.#canaries.set(mark, { record, field, trace });
    for (const record of world.records)
      for (const { field, trace } of record.inside)
        for (const mark of marksIn(trace)) this.#canaries.set(mark, { record, field, trace });
  }

  /** Lists, counts, single records and their histories. */
  async reads(client: Client, person: WorldPerson, entity: Entity): Promise<void> {
    const allowed = this.#visible(person, entity.name);
    const list = await client.get(`${address(entity)}?$count=exact&$first=200`);
    this.cases++;
    if (allowed.length === 0 && list.status === 404) return;
    expect(list.status, list.text).toBe(200);
    expect(ids(list.json.data)).toEqual(ids(allowed));
    expect(list.json.count?.value).toBe(allowed.length);
    this.#expectNoLeak(person, list.text);

    const missing = await client.get(`${address(entity)}/${randomUUID()}`);
    const told = new Set(this.#ofEachSort(person, entity));
    await inGroups(this.#nearAndFar(person, entity), async (record) => {
      const one = await client.get(`${address(entity)}/${record.id}`);
      const seen = this.#expectation.allows(person, 'read', entity.name, record);
      expect(one.status, one.text).toBe(seen ? 200 : 404);
      if (!seen) expect(plain(one.text)).toBe(plain(missing.text));
      this.#expectNoLeak(person, one.text);
      if (!told.has(record)) return void this.cases++;
      const history = await client.get(`${address(entity)}/${record.id}/history`);
      this.#expectNoLeak(person, history.text);
      if (!seen) expect(history.status).toBe(404);
      this.cases += 2;
    });
  }

  /** Every field in every place a field can stand. */
  async fields(client: Client, person: WorldPerson, entity: Entity): Promise<void> {
    const unknown = kind((await client.get(`${address(entity)}?$select=id,no_such_field`)).text);
    const fields = [...entity.fields.values()].filter((field) => !field.children);
    await inGroups(fields, async (field) => {
      await this.#places(client, person, entity, field, unknown);
      await this.#filters(client, person, entity, field);
    });
  }

  async #places(client: Client, person: WorldPerson, entity: Entity, field: Field, unknown: string): Promise<void> {
    const anything = this.#visible(person, entity.name).length > 0;
    const hidden =
      anything &&
      !this.#expectation.knows(person, 'read', entity.name, field.key) &&
      !person.roles.includes('administrator') &&
      !field.system;
    const { sortable, groupable, aggregates } = field.type;
    const select = [`$select=id,${field.key}`];
    const filter = [`${field.key}[null]=false`];
    const order = sortable ? [`$order=${field.key}`] : [];
    const group = groupable ? [`$group=${field.key}`] : [];
    const summary = aggregates.map((aggregate) => `${aggregate}_of:${aggregate}(${field.key})`);
    const agg = summary.length > 0 || groupable ? [`$agg=${['n:count()', ...summary].join()}`] : [];
    const places = [
      ...select,
      ...filter,
      ...order,
      ...group.map((one) => `${one}&$agg=n:count()`),
      ...summary.map((one) => `$agg=${one}`),
    ];
    const together = [[...select, ...filter, ...order].join('&'), [...group, ...agg].join('&')].filter(
      (one) => one !== '',
    );
    const look = async (place: string): Promise<boolean> => {
      const answer = await client.get(`${address(entity)}?${place}`);
      this.cases++;
      this.#expectNoLeak(person, answer.text);
      if (hidden) expect(kind(answer.text), place).toBe(unknown);
      return answer.status < 300;
    };
    // What is shown is looked at in all places together. Where one of them is refused, as for a hidden field, each
    // answers for itself.
    const shown = !hidden && (await Promise.all(together.map(look))).every((fine) => fine);
    if (!shown) for (const place of places) await look(place);
  }

  /** Neither a filter nor the search may tell whether a hidden value exists. */
  async #filters(client: Client, person: WorldPerson, entity: Entity, field: Field): Promise<void> {
    const operator = ['icontains', 'has', 'eq'].find((one) => field.type.operators.some((has) => has === one));
    for (const record of this.#ofEachSort(person, entity, field.key)) {
      const trace = encodeURIComponent(record.canaries.get(field.key) ?? '');
      const readable = this.#expectation.allows(person, 'read', entity.name, record, field.key);
      if (operator !== undefined) {
        const filter = `${field.key}[${operator}]=${trace}`;
        const answer = await client.get(`${address(entity)}?$select=id&$count=exact&${filter}`);
        this.cases++;
        if (answer.status === 200) expect(ids(answer.json.data)).toEqual(readable ? [record.id] : []);
        else expect(readable, answer.text).toBe(false);
      }
      if (readable) continue;
      const search = await client.get(`${address(entity)}?$select=id&$search=${trace}`);
      this.cases++;
      expect(search.json.data ?? []).toEqual([]);
    }
  }

  /** Changing, deleting, making records for others, and pointing at hidden ones. */
  async changes(client: Client, person: WorldPerson, entity: Entity): Promise<void> {
    await inGroups(this.#ofEachSort(person, entity), (record) =>
      this.#changesOne(client, person, entity, record, [...record.canaries.keys()]),
    );
    await this.#makes(client, person, entity);
    await this.#refers(client, person, entity);
  }

  async #changesOne(
    client: Client,
    person: WorldPerson,
    entity: Entity,
    record: WorldRecord,
    keys: readonly string[],
  ): Promise<void> {
    const before = await this.#stored(record, entity);
    await this.#tries(client, person, entity, record, keys);
    expect(await this.#stored(record, entity)).toEqual(before);
    const changed: string[] = [];
    for (const key of keys) {
      const field = entity.fields.get(key);
      const value = field ? canaryValue(field, token()) : null;
      if (value === null) continue;
      const allowed = this.#expectation.allows(person, 'update', entity.name, record, key);
      const answer = await client.patch(`${address(entity)}/${record.id}?$select=id`, { [key]: value });
      this.cases++;
      expect(answer.status === 200, `${key}: ${answer.status} ${answer.text}`).toBe(allowed);
      if (allowed) changed.push(key);
    }
    const mayDelete = this.#expectation.allows(person, 'delete', entity.name, record);
    // What a deletion takes along is not put back here: then it is rehearsed.
    const rehearsed = this.#takesAlong(entity) ? { prefer: 'tx=rollback' } : undefined;
    const removed = await client.delete(`${address(entity)}/${record.id}`, rehearsed);
    this.cases++;
    // Other records may still refer to it: then nothing is deleted, whoever asks.
    if (removed.status !== 409) expect(removed.status < 300, removed.text).toBe(mayDelete);
    if (removed.status < 300 && rehearsed === undefined) changed.push('deleted_at');
    // What was refused has changed nothing, and nothing but what was allowed is different.
    const after = await this.#stored(record, entity);
    const computed = [...entity.fields.values()].filter((one) => !one.system && one.readOnly && one.lifecycle === null);
    const moved = [...changed, ...computed.map(({ key }) => key), 'version', 'updated_at', 'updated_by'];
    const ignored = new Set(changed.length > 0 ? moved : []);
    const rest = (row: Readonly<Record<string, unknown>>) =>
      Object.fromEntries(Object.entries(row).filter(([key]) => !ignored.has(key)));
    expect(rest(after)).toEqual(rest(before));
    if (changed.length === 0) return;
    await this.#sql(
      `update ${this.#table(record.tenant, entity)} x set (${changed.map((key) => `"${key}"`).join(', ')}) =
         (select ${changed.map((key) => `r."${key}"`).join(', ')} from jsonb_populate_record(x, $2) r) where id = $1`,
      [record.id, JSON.stringify(before)],
    );
  }

  /** Whether records that refer to it change with a deletion. */
  #takesAlong(entity: Entity): boolean {
    return [...this.#world.model.entities.values()].some((other) =>
      [...other.fields.values()].some(
        ({ reference }) => reference?.entity === entity.name && reference.onDelete !== 'restrict',
      ),
    );
  }

  /** The other ways to change a record, rehearsed: in a batch, by filter, by key. */
  async #tries(
    client: Client,
    person: WorldPerson,
    entity: Entity,
    record: WorldRecord,
    keys: readonly string[],
  ): Promise<void> {
    const seen = this.#expectation.allows(person, 'read', entity.name, record);
    const changes = keys.flatMap((key) => {
      const field = entity.fields.get(key);
      const value = field ? canaryValue(field, token()) : null;
      return value === null
        ? []
        : [
            {
              value: { [key]: value },
              sealed: field?.type.sealed === true,
              allowed: this.#expectation.allows(person, 'update', entity.name, record, key),
            },
          ];
    });
    const dry = { prefer: 'tx=rollback' };
    const path = `${address(entity)}/${record.id}?$select=id`;
    const requests = changes.map(({ value }, n) => ({ id: `r${n}`, method: 'PATCH', path, body: value }));
    const batch = await client.post('/api/$batch', { atomic: false, requests }, dry);
    this.cases += changes.length;
    if (changes.length > 0) {
      const answers: readonly Record<string, unknown>[] = batch.json.data ?? [];
      expect(
        answers.map(({ status }) => status === 200),
        batch.text,
      ).toEqual(changes.map(({ allowed }) => allowed));
    }
    this.#expectNoLeak(person, batch.text);
    // What is sealed is changed one record at a time.
    for (const { value, allowed } of changes.filter(({ sealed }) => !sealed).slice(0, 2)) {
      const many = await client.patch(`${address(entity)}?id=${record.id}`, value, dry);
      this.cases++;
      this.#expectNoLeak(person, many.text);
      expect((many.json.data?.['affected'] ?? 0) === 1, many.text).toBe(allowed && seen);
    }
    for (const [key, mark] of record.canaries) {
      if (!entity.unique.some(({ fields }) => fields.length === 1 && fields[0] === key)) continue;
      const shown = this.#expectation.allows(person, 'read', entity.name, record, key);
      const body = { ...this.#bodyLike(entity, record), [key]: mark };
      const [upserted, created] = await Promise.all([
        client.post(`${address(entity)}?$upsert=${key}&$select=id`, body, dry),
        client.post(`${address(entity)}?$select=id`, body, dry),
      ]);
      this.cases++;
      this.#expectNoLeak(person, upserted.text);
      // What is not shown is not found: the answer is that of a creation.
      if (!shown && upserted.status !== 400) expect(plain(upserted.text)).toBe(plain(created.text));
      if (!this.#expectation.allows(person, 'update', entity.name, record))
        expect(upserted.status === 200, upserted.text).toBe(false);
    }
  }

  async #makes(client: Client, person: WorldPerson, entity: Entity): Promise<void> {
    const here = this.#of(entity).filter((record) => record.tenant === person.tenant);
    await inGroups(entity.owner ? here : here.slice(0, 1), async (record) => {
      const body: Record<string, unknown> = this.#bodyLike(entity, record);
      if (entity.owner) body['owner'] = record.owner;
      const answer = await client.post(`${address(entity)}?$select=id`, body);
      this.cases++;
      const states = [...entity.fields.values()].flatMap(({ key, lifecycle }) => {
        const initial = lifecycle === null ? undefined : this.#world.model.lifecycles.get(lifecycle)?.initial;
        return initial === undefined ? [] : [[key, initial] as const];
      });
      const made = { ...Object.fromEntries(states), ...body };
      const subject = {
        tenant: person.tenant,
        owner: record.owner,
        facts: factsOf(entity, made, this.#world.records, this.#expectation),
      };
      // What is referred to must be seen.
      const may = Object.keys(body).every((key) => {
        const target = this.#world.records.find(({ id }) => id === body[key]);
        return target === undefined || this.#expectation.allows(person, 'read', target.entity, target);
      });
      const created = this.#expectation.allows(person, 'create', entity.name, subject);
      expect(answer.status === 201, answer.text).toBe(may && created);
      if (answer.json.data)
        await this.#sql(`delete from ${this.#table(person.tenant, entity)} where id = $1`, [answer.json.data.id]);
    });
  }

  async #refers(client: Client, person: WorldPerson, entity: Entity): Promise<void> {
    const references = [...entity.fields.values()].filter((one) => one.type.key === 'reference');
    const [like] = [...this.#visible(person, entity.name), ...this.#of(entity)];
    if (!like) return;
    await inGroups(references, async (field) => {
      const target = field.reference?.entity ?? '';
      const hidden = this.#world.records.find(
        (one) => one.entity === target && !this.#expectation.allows(person, 'read', target, one),
      );
      if (!hidden) return;
      const refer = (id: string) =>
        client.post(`${address(entity)}?$select=id`, { ...this.#bodyLike(entity, like), [field.key]: id });
      const [answer, missing] = await Promise.all([refer(hidden.id), refer(randomUUID())]);
      this.cases += 2;
      expect(answer.status, answer.text).not.toBe(201);
      expect(plain(answer.text)).toBe(plain(missing.text));
    });
  }

  /** What a new record needs; it refers to what the given one refers to. */
  #bodyLike(entity: Entity, record: WorldRecord): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const field of entity.fields.values()) {
      if (field.system || field.readOnly || field.default !== undefined) continue;
      const refers = record.references.get(field.key);
      // A member of a campaign is either a contact or a lead.
      if (refers !== undefined && (field.required || entity.key === 'campaign_member')) values[field.key] = refers;
      else if (field.required) values[field.key] = newValue(field);
    }
    return values;
  }

  #of(entity: Entity): readonly WorldRecord[] {
    return this.#world.records.filter((record) => record.entity === entity.name);
  }

  #visible(person: WorldPerson, entity: string): readonly WorldRecord[] {
    return this.#world.records.filter(
      (record) => record.entity === entity && this.#expectation.allows(person, 'read', entity, record),
    );
  }

  /** All records of the person's organisation, and two of the other. */
  #nearAndFar(person: WorldPerson, entity: Entity): readonly WorldRecord[] {
    const all = this.#of(entity);
    const near = all.filter(({ tenant }) => tenant === person.tenant);
    return [...near, ...all.filter(({ tenant }) => tenant !== person.tenant).slice(0, 2)];
  }

  /**
   * Of the records, or of those with a canary in the field, one of each sort: own or another's, of the own team's or
   * not, in this organisation or the other, and by what the person may do with it.
   */
  #ofEachSort(person: WorldPerson, entity: Entity, field?: string): readonly WorldRecord[] {
    const found = new Map<string, WorldRecord>();
    for (const record of this.#of(entity).filter(({ canaries }) => field === undefined || canaries.has(field))) {
      const does = ['read', 'update', 'delete'].map((action) =>
        this.#expectation.allows(person, action, entity.name, record),
      );
      const sort = [
        record.tenant === person.tenant,
        record.owner === person.userId,
        person.members.includes(record.owner ?? ''),
        ...does,
        ...(field === undefined ? [] : [this.#expectation.allows(person, 'read', entity.name, record, field)]),
      ].join();
      if (!found.has(sort)) found.set(sort, record);
    }
    return [...found.values()];
  }

  /** Every canary in the text must be one this person may read. */
  #expectNoLeak(person: WorldPerson, text: string): void {
    const leaked: string[] = [];
    for (const mark of marksIn(text)) {
      const canary = this.#canaries.get(mark);
      if (!canary || !text.includes(canary.trace)) continue;
      const { record, field, trace } = canary;
      if (!this.#expectation.allows(person, 'read', record.entity, record, field))
        leaked.push(`${record.entity}.${field} of ${record.tenant}: ${trace}`);
    }
    expect(leaked).toEqual([]);
  }

  #table(tenant: string, entity: Entity): string {
    return `"t_${tenant}"."${entity.table}"`;
  }

  async #stored(record: WorldRecord, entity: Entity): Promise<Readonly<Record<string, unknown>>> {
    const [found] = await this.#sql(
      `select to_jsonb(x) as row from ${this.#table(record.tenant, entity)} x where id = $1`,
      [record.id],
    );
    return found?.row ?? {};
  }

  /** One after the other: it is one connection. */
  #sql(text: string, values: readonly string[]): Promise<readonly { readonly row?: Record<string, unknown> }[]> {
    const asked = this.#last.then(async () => (await this.#superuser.query(text, [...values])).rows);
    this.#last = asked.catch(() => null);
    return asked;
  }
}

/** Tokens and canary numbers in a text, wherever they begin. */
function marksIn(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/(?=(cnry[0-9a-z]{6}x|2\d{6}))/g)].map(([, mark]) => mark ?? ''));
}

function newValue(field: Field): unknown {
  switch (field.type.key) {
    case 'choice':
      return field.choices?.[0]?.key;
    case 'date':
      return '2026-02-03';
    case 'currency':
      return 'EUR';
    default:
      return field.options['pattern'] === undefined ? canaryValue(field, token()) : 'EUR';
  }
}
