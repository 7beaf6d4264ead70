/** Requests that change something, made at random: of visible records and hidden ones, alone, by filter, by key, in batches and files. */
import type { Entity, Field } from '#engine/model/model.ts';
import { canaryValue, token } from './canary.ts';
import { address, type Case, ReadScript } from './script.ts';

export class Script extends ReadScript {
  /** The next request that may change something. */
  write(): Case {
    const entity = this.entity();
    const kinds: readonly (() => Case)[] = [
      () => this.#create(entity),
      () => this.#create(entity),
      () => this.#update(entity),
      () => this.#update(entity),
      () => this.#remove(entity),
      () => this.#step(entity),
      () => this.#upsert(entity),
      () => this.#byKey(entity),
      () => this.#bulk(entity),
      () => this.#batch(),
      () => this.#assign(entity),
      () => this.#share(entity),
      () => this.#merge(entity),
      () => this.#bin(entity),
      () => this.#draft(entity),
    ];
    const made = this.pick(kinds)();
    const headers = {
      ...made.headers,
      ...(this.chance(0.2) && { prefer: 'tx=rollback' }),
      ...(this.chance(0.1) && { 'if-match': this.pick(['"v1"', '"v2"', '*']) }),
      ...(this.chance(0.1) && made.method !== 'PUT' && { 'idempotency-key': token() }),
    };
    return { ...made, headers, writes: true };
  }

  /** A file to import: half of its rows point at what is hidden. */
  file(entity: Entity): { readonly csv: string; readonly mapping: Readonly<Record<string, unknown>> } {
    const required = this.#required(entity);
    const references = [...entity.fields.values()].filter(
      (field) => field.reference && !field.system && this.chance(0.6),
    );
    const keys = [...Object.keys(required), ...references.map(({ key }) => key)];
    const rows = Array.from({ length: 6 }, () => {
      const fresh = this.#required(entity);
      return keys
        .map((key) => {
          const target = this.known.model.entities.get(entity.fields.get(key)?.reference?.entity ?? '');
          if (!target) return fresh[key];
          return this.chance(0.5) ? this.id(target) : this.value(target, this.field(target)).replaceAll(',', '');
        })
        .join();
    });
    return {
      csv: `${keys.join()}\n${rows.join('\n')}\n`,
      mapping: Object.fromEntries(keys.map((key) => [key, entity.fields.get(key)?.reference ? { field: key } : key])),
    };
  }

  #create(entity: Entity): Case {
    const body = this.chance(0.15) ? [this.#body(entity), this.#body(entity)] : this.#body(entity);
    return { channel: 'create', method: 'POST', path: `${address(entity)}${this.#answerWith(entity)}`, body };
  }

  #update(entity: Entity): Case {
    return {
      channel: 'update',
      method: 'PATCH',
      path: `${address(entity)}/${this.id(entity)}${this.#answerWith(entity)}`,
      body: this.#some(entity),
    };
  }

  #remove(entity: Entity): Case {
    return { channel: 'delete', method: 'DELETE', path: `${address(entity)}/${this.#deletable(entity)}` };
  }

  #step(entity: Entity): Case {
    const states = [...entity.fields.values()].flatMap(({ lifecycle }) => (lifecycle === null ? [] : [lifecycle]));
    const steps = states.flatMap((key) => [...(this.known.model.lifecycles.get(key)?.transitions.keys() ?? [])]);
    const step = this.pick([...steps, 'restore', 'no_such_step']);
    const path = `${address(entity)}/${this.id(entity)}/actions/${step}`;
    return { channel: 'step', method: 'POST', path, body: this.chance(0.5) ? this.#some(entity) : {} };
  }

  #upsert(entity: Entity): Case {
    const key = this.#uniqueKey(entity);
    const body = [{ ...this.#body(entity), [key]: token() }];
    return { channel: 'upsert', method: 'POST', path: `${address(entity)}?$upsert=${key}`, body };
  }

  #byKey(entity: Entity): Case {
    const key = this.#uniqueKey(entity);
    if (this.chance(0.6)) {
      const value = this.value(entity, entity.fields.get(key) ?? this.field(entity));
      return { channel: 'by key', method: 'GET', path: `${address(entity)}/by/${key}/${encodeURIComponent(value)}` };
    }
    const body = this.#required(entity);
    return { channel: 'by key', method: 'PUT', path: `${address(entity)}/by/${key}/${token()}`, body };
  }

  #bulk(entity: Entity): Case {
    const filter = this.filter(entity);
    if (this.chance(0.3)) {
      const body = { where: this.where(entity, 2), set: this.#some(entity) };
      return { channel: 'bulk', method: 'PATCH', path: address(entity), body };
    }
    if (this.chance(0.3)) {
      // What hidden records refer to is not deleted (see `exceptions.ts`): only what nobody refers to yet.
      const ids = this.known.made.filter((made) => made.entity === entity.name).map(({ id }) => id);
      const path = `${address(entity)}?id[in]=${ids.slice(-2).join()}&${filter}`;
      return { channel: 'bulk', method: 'DELETE', path };
    }
    return { channel: 'bulk', method: 'PATCH', path: `${address(entity)}?${filter}`, body: this.#some(entity) };
  }

  #batch(): Case {
    const inner = Array.from({ length: 1 + this.random.below(4) }, () => {
      const entity = this.entity();
      const made = this.pick([
        () => this.read(),
        () => this.#create(entity),
        () => this.#update(entity),
        () => this.#remove(entity),
      ])();
      return { method: made.method, path: made.path, ...(made.body !== undefined && { body: made.body }) };
    });
    const requests = inner.map((request, index) => ({ id: `r${index}`, ...request }));
    return { channel: 'batch', method: 'POST', path: '/api/$batch', body: { atomic: this.chance(0.4), requests } };
  }

  #assign(entity: Entity): Case {
    const owner = this.#user();
    const path = `${address(entity)}/${this.id(entity)}/actions/assign`;
    return { channel: 'assign', method: 'POST', path, body: { owner } };
  }

  #share(entity: Entity): Case {
    const path = `${address(entity)}/${this.id(entity)}/shares`;
    return {
      channel: 'share',
      method: 'POST',
      path,
      body: { user: this.#user(), level: this.pick(['read', 'write']) },
    };
  }

  #merge(entity: Entity): Case {
    const [winner, loser] = [this.id(entity), this.#deletable(entity)];
    const fields = this.chance(0.5) && { fields: { [this.field(entity).key]: this.pick([winner, loser]) } };
    const path = `${address(entity)}/${winner}/merge${this.#answerWith(entity)}`;
    return { channel: 'merge', method: 'POST', path, body: { from: [loser], ...fields } };
  }

  #bin(entity: Entity): Case {
    const id = this.#deletable(entity);
    if (this.chance(0.5))
      return { channel: 'purge', method: 'POST', path: `${address(entity)}/${id}/actions/purge`, body: {} };
    return {
      channel: 'purge',
      method: 'POST',
      path: `${address(entity)}/bin`,
      body: { [this.pick(['restore', 'purge'])]: [id] },
    };
  }

  #draft(entity: Entity): Case {
    const field = this.field(entity);
    const body = { ...this.#required(entity), [field.key]: this.value(entity, field) };
    return { channel: 'duplicates', method: 'POST', path: `${address(entity)}/$duplicates`, body };
  }

  #answerWith(entity: Entity): string {
    return this.chance(0.3) ? `?$select=${this.select(entity, 1)}` : '';
  }

  /** Whoever deletes it is told when hidden records refer to it (see `exceptions.ts`): what the script made, and what is hidden. */
  #deletable(entity: Entity): string {
    const { made, records, person } = this.known;
    const own = made.filter((record) => record.entity === entity.name);
    const others = records.filter((record) => record.entity === entity.name && record.tenant !== person.tenant);
    return this.pick([...own, ...others, { id: '00000000-0000-7000-8000-000000000001' }]).id;
  }

  #user(): string {
    const user = this.known.model.entities.get('core.user');
    return user ? this.id(user) : '';
  }

  #uniqueKey(entity: Entity): string {
    const keys = entity.unique.flatMap(({ fields }) => fields);
    return keys.length > 0 ? this.pick(keys) : 'id';
  }

  /** A new record: what it needs, and a few fields that may be forbidden. */
  #body(entity: Entity): Record<string, unknown> {
    return { ...this.#required(entity), ...this.#some(entity), ...(this.chance(0.3) && { owner: this.#user() }) };
  }

  #some(entity: Entity): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (let more = 1 + this.random.below(3); more > 0; more--) {
      const field = this.field(entity);
      values[field.key] = this.#sent(entity, field);
    }
    return values;
  }

  #sent(entity: Entity, field: Field): unknown {
    if (this.chance(0.1)) return null;
    // Whether a value is taken is told (see `exceptions.ts`): a new one.
    if (field.unique) return canaryValue(field, token());
    const canary = field.reference ? null : canaryValue(field, token());
    if (canary !== null && this.chance(0.5)) return canary;
    const value = this.value(entity, field);
    if (field.type.key === 'tags') return [value];
    if (field.children) {
      const part = this.known.model.entities.get(field.children.entity);
      if (part) return { create: [this.#required(part)], delete: this.chance(0.3) ? [this.id(part)] : [] };
    }
    return field.type.key === 'boolean' ? value === 'true' : field.type.key === 'integer' ? Number(value) : value;
  }

  #required(entity: Entity): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const field of entity.fields.values()) {
      if (field.system || field.readOnly || !field.required || field.default !== undefined) continue;
      if (field.key === entity.parent?.field) continue;
      values[field.key] = field.choices?.[0]?.key ?? canaryValue(field, token()) ?? this.#sent(entity, field);
    }
    return values;
  }
}
