/** An organisation with one entity of a test's own fields, and everything that is done with them: write, read, import. */
import { Readable } from 'node:stream';
import { type Clock, systemClock, systemIds } from '#engine/clock.ts';
import { Problem } from '#engine/problem.ts';
import { parseUrlQuery } from '#engine/records/query/url.ts';
import { Importer } from '#engine/records/import/importer.ts';
import { Reader } from '#engine/records/read/reader.ts';
import type { Scope } from '#engine/records/scope.ts';
import { Writer } from '#engine/records/write/writer.ts';
import { makeLab, type Lab } from './lab.ts';
import type { TestDatabase } from './postgres.ts';

type Data = Readonly<Record<string, unknown>>;

export interface FieldLab {
  readonly lab: Lab;
  /** May do everything with every field. */
  readonly chief: Scope;
  readonly writer: Writer;
  readonly reader: Reader;
  readonly importer: Importer;
  /** Creates a record and answers it as it is. */
  create(body: Data, scope?: Scope): Promise<Data & { readonly id: string }>;
  update(id: string, body: Data, scope?: Scope): Promise<Data>;
  one(id: string, scope?: Scope): Promise<Data | null>;
  /** Names of the records that a query finds, in its order: `name` is a field of every lab's entity. */
  names(query: string, scope?: Scope): Promise<readonly unknown[]>;
  list(query: string, scope?: Scope): Promise<readonly Data[]>;
  history(id: string, scope?: Scope): Promise<readonly Data[]>;
  /** Brings a file in. */
  bring(csv: string): Promise<Data>;
  /** Codes and pointers of what was refused. */
  refused(work: Promise<unknown>): Promise<readonly string[]>;
  close(): Promise<void>;
}

export async function makeFieldLab(
  test: TestDatabase,
  fields: readonly Data[],
  more: readonly Record<string, unknown>[] = [],
  clock: Clock = systemClock,
): Promise<FieldLab> {
  const documents = [
    { kind: 'role', key: 'chief', label: 'Chief', inherits: ['member'] },
    {
      kind: 'entity',
      key: 'thing',
      plural: 'things',
      label: 'Thing',
      history: true,
      softDelete: true,
      fields: [{ key: 'name', type: 'text', required: true, max: 100, search: 'A' }, ...fields],
    },
    {
      kind: 'permission',
      role: 'chief',
      entity: 'lab.thing',
      actions: ['create', 'read', 'update', 'delete', 'import', 'export'],
    },
    ...more,
  ];
  const lab = await makeLab(test, { documents, clock });
  const chief = await lab.person('chief');
  const entity = lab.entity('thing');
  const services = { database: lab.database, ids: systemIds, clock };
  const writer = new Writer(services);
  const reader = new Reader({ ...services, secret: test.secret });
  const importer = new Importer({
    database: lab.database,
    ids: systemIds,
    models: lab.models,
    principalOf: async () => chief.principal,
  });
  const parse = (body: string | null) => (JSON.parse(body ?? 'null') as { data: never }).data;
  const list: FieldLab['list'] = async (query, scope = chief) =>
    parse((await reader.list(scope, entity, parseUrlQuery(query))).body);
  return {
    lab,
    chief,
    writer,
    reader,
    importer,
    create: async (body, scope = chief) => parse((await writer.create(scope, entity, body)).body),
    update: async (id, body, scope = chief) => parse((await writer.update(scope, entity, id, body)).body),
    one: async (id, scope = chief) => parse((await reader.one(scope, entity, id, null))?.body ?? '{"data":null}'),
    list,
    names: async (query, scope) => (await list(query, scope)).map(({ name }) => name),
    history: async (id, scope = chief) => parse((await reader.history(scope, entity, id)).body),
    bring: async (csv) => {
      const { id } = await importer.upload(chief, entity, { name: 'x.csv', stream: Readable.from([Buffer.from(csv)]) });
      await importer.configure(chief, entity, id, {});
      await importer.start(chief, entity, id);
      const signal = new AbortController().signal;
      await importer.run({ tenant: 'acme', import: id, user: chief.principal.userId }, { signal, last: true });
      return { ...(await importer.status(chief, entity, id)) };
    },
    refused: async (work) => {
      const error: unknown = await work.then(
        () => null,
        (reason: unknown) => reason,
      );
      if (!(error instanceof Problem)) throw error ?? new Error('was not refused');
      return error.errors.map(({ code, pointer }) => `${code} ${pointer ?? ''}`.trim());
    },
    close: () => lab.close(),
  };
}
