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
    await inGroups(this.#of(entity), async (record) => {
      const one = await client.get(`${address(entity)}/${record.id}`);
      const seen = this.#expectation.allows(person, 'read', entity.name, record);
      expect(one.status, one.text).toBe(seen ? 200 : 404);
      if (!seen) expect(plain(one.text)).toBe(plain(missing.text));
      this.#expectNoLeak(person, one.text);
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
      !field.system &&
      field.currencyField === null &&
      !field.key.endsWith('_currency');
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
    const operator = ['icontains', 'has'].find((one) => field.type.operators.some((has) => has === one)) ?? 'eq';
    for (const record of this.#ofEachSort(person, entity, field.key)) {
      const trace = encodeURIComponent(record.canaries.get(field.key) ?? '');
      const answer = await client.get(`${address(entity)}?$select=id&$count=exact&${field.key}[${operator}]=${trace}`);
      this.cases++;
      const readable = this.#expectation.allows(person, 'read', entity.name, record, field.key);
      if (answer.status === 200) expect(ids(answer.json.data)).toEqual(readable ? [record.id] : []);
      else expect(readable, answer.text).toBe(false);
      if (readable) continue;
      const search = await client.get(`${address(entity)}?$select=id&$search=${trace}`);
      this.cases++;
      expect(search.json.data ?? []).toEqual([]);
    }
  }

  /** Changing, deleting, making records for others, and pointing at hidden ones. */
  async changes(client: Client, person: WorldPerson, entity: Entity): Promise<void> {
    let foreign = 0;
    await inGroups(this.#of(entity), async (record) => {
      // Of the other organisation one record with every field, and of the rest the first.
      const all = record.tenant === person.tenant || foreign++ === 0;
      await this.#changesOne(client, person, entity, record, [...record.canaries.keys()].slice(0, all ? undefined : 1));
    });
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
    const removed = await client.delete(`${address(entity)}/${record.id}`);
    this.cases++;
    // Other records may still refer to it: then nothing is deleted, whoever asks.
    if (removed.status !== 409) expect(removed.status < 300, removed.text).toBe(mayDelete);
    if (removed.status < 300) changed.push('deleted_at');
    // What was refused has changed nothing, and nothing but what was allowed is different.
    const after = await this.#stored(record, entity);
    const ignored = new Set(changed.length > 0 ? [...changed, 'version', 'updated_at', 'updated_by'] : []);
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
        : [{ value: { [key]: value }, allowed: this.#expectation.allows(person, 'update', entity.name, record, key) }];
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
    for (const { value, allowed } of changes.slice(0, 2)) {
      const many = await client.patch(`${address(entity)}?id=${record.id}`, value, dry);
      this.cases++;
      this.#expectNoLeak(person, many.text);
      expect((many.json.data?.['affected'] ?? 0) === 1, many.text).toBe(allowed && seen);
    }
    for (const [key, mark] of record.canaries) {
      if (!entity.unique.some(({ fields }) => fields.length === 1 && fields[0] === key)) continue;
      const shown = this.#expectation.allows(person, 'read', entity.name, record, key);
      const body = { ...requiredValues(entity), [key]: mark };
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
    const owned = this.#of(entity).filter((record) => record.owner !== null && record.tenant === person.tenant);
    await inGroups(owned, async (record) => {
      const body = { ...requiredValues(entity), owner: record.owner };
      const answer = await client.post(`${address(entity)}?$select=id`, body);
      this.cases++;
      expect(answer.status === 201, answer.text).toBe(this.#expectation.allows(person, 'create', entity.name, record));
      if (answer.json.data)
        await this.#sql(`delete from ${this.#table(person.tenant, entity)} where id = $1`, [answer.json.data.id]);
    });
  }

  async #refers(client: Client, person: WorldPerson, entity: Entity): Promise<void> {
    const references = [...entity.fields.values()].filter((one) => one.type.key === 'reference');
    await inGroups(references, async (field) => {
      const target = field.reference?.entity ?? '';
      const hidden = this.#world.records.find(
        (one) => one.entity === target && !this.#expectation.allows(person, 'read', target, one),
      );
      if (!hidden) return;
      const refer = (id: string) =>
        client.post(`${address(entity)}?$select=id`, { ...requiredValues(entity), [field.key]: id });
      const [answer, missing] = await Promise.all([refer(hidden.id), refer(randomUUID())]);
      this.cases += 2;
      expect(answer.status, answer.text).not.toBe(201);
      expect(plain(answer.text)).toBe(plain(missing.text));
    });
  }

  #of(entity: Entity): readonly WorldRecord[] {
    return this.#world.records.filter((record) => record.entity === entity.name);
  }

  #visible(person: WorldPerson, entity: string): readonly WorldRecord[] {
    return this.#world.records.filter(
      (record) => record.entity === entity && this.#expectation.allows(person, 'read', entity, record),
    );
  }

  /**
   * Of the records with a canary in the field one of each sort: own or another's, of the own team's or not, in this
   * organisation or the other, and readable or not.
   */
  #ofEachSort(person: WorldPerson, entity: Entity, field: string): readonly WorldRecord[] {
    const found = new Map<string, WorldRecord>();
    for (const record of this.#of(entity).filter(({ canaries }) => canaries.has(field))) {
      const sort = [
        record.tenant === person.tenant,
        record.owner === person.userId,
        person.members.includes(record.owner ?? ''),
        this.#expectation.allows(person, 'read', entity.name, record),
        this.#expectation.allows(person, 'read', entity.name, record, field),
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

function requiredValues(entity: Entity): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const field of entity.fields.values()) {
    if (field.system || field.readOnly || !field.required || field.default !== undefined) continue;
    values[field.key] = field.type.key === 'choice' ? field.choices?.[0]?.key : canaryValue(field, token());
  }
  return values;
}
