/**
 * What HTTP needs of the other modules, and no more: their classes fit these interfaces.
 */
import type { Readable } from 'node:stream';
import type { FileInfo } from '../files/files.ts';
import type { ByteRange } from '../files/store.ts';
import type { Sender } from '../db/sender.ts';
import type { Entity } from '../model/model.ts';
import type { Value } from '../model/value-type.ts';
import type { DuplicateWish } from '../records/duplicates/on-create.ts';
import type { Query, Selection } from '../records/query/query.ts';
import type { ExportOptions } from '../records/export/exporter.ts';
import type { TableOptions } from '../records/import/table-file.ts';
import type { Scope } from '../records/scope.ts';
import type { Writer } from '../records/write/writer.ts';
import type { DraftPublisher } from '../schema/drafts.ts';
import type { ReleaseName, RollbackInput } from '../schema/publish.ts';
import type { Services } from '../services.ts';
import type { Idempotency } from './request-headers.ts';

export interface RecordReader {
  list(scope: Scope, entity: Entity, query: Query): Promise<{ readonly body: string }>;
  one(
    scope: Scope,
    entity: Entity,
    id: string,
    selection: Selection | null,
  ): Promise<{ readonly body: string; readonly version: number } | null>;
  history(scope: Scope, entity: Entity, id: string): Promise<{ readonly body: string }>;
  /** Id of the record with this value in a unique field. */
  find(scope: Scope, entity: Entity, key: string, value: Value): Promise<string | null>;
  /** The same inside a transaction. */
  within(sender: Sender): RecordReader;
}

export interface WriteOptions {
  readonly idempotency?: Idempotency;
  readonly returning: Selection | null | 'minimal';
  /** Versions the record may have. */
  readonly ifMatch?: readonly number[];
  /** For upserts: whether there must be a record already, or must not. */
  readonly exists?: 'must' | 'must_not';
  readonly dryRun?: boolean;
  /** The body is `application/merge-patch+json`. */
  readonly mergePatch?: boolean;
  /** For writes by filter. */
  readonly maxAffected?: number;
  readonly duplicates?: DuplicateWish;
}

export interface WriteAnswer {
  readonly status: number;
  readonly body: string | null;
  readonly id?: string;
  readonly version?: number;
  readonly replayed: boolean;
}

export interface RecordWriter {
  create(scope: Scope, entity: Entity, body: unknown, options: WriteOptions): Promise<WriteAnswer>;
  update(scope: Scope, entity: Entity, id: string, body: unknown, options: WriteOptions): Promise<WriteAnswer>;
  remove(scope: Scope, entity: Entity, id: string, options: WriteOptions): Promise<WriteAnswer>;
  restore(scope: Scope, entity: Entity, id: string, options: WriteOptions): Promise<WriteAnswer>;
  transition(
    scope: Scope,
    entity: Entity,
    id: string,
    action: string,
    body: unknown,
    options: WriteOptions,
  ): Promise<WriteAnswer>;
  upsert(
    scope: Scope,
    entity: Entity,
    keys: readonly string[],
    body: unknown,
    options: WriteOptions,
  ): Promise<WriteAnswer>;
  updateMany(scope: Scope, entity: Entity, matching: Query, body: unknown, options: WriteOptions): Promise<WriteAnswer>;
  removeMany(scope: Scope, entity: Entity, matching: Query, options: WriteOptions): Promise<WriteAnswer>;
  transitionMany(
    scope: Scope,
    entity: Entity,
    matching: Query,
    action: string,
    body: unknown,
    options: WriteOptions,
  ): Promise<WriteAnswer>;
  assignMany(scope: Scope, entity: Entity, matching: Query, body: unknown, options: WriteOptions): Promise<WriteAnswer>;
  /** Several requests as one transaction; see `Writer.together`. */
  together(
    scope: Scope,
    options: { readonly idempotency?: Idempotency; readonly dryRun?: boolean },
    work: (writer: RecordWriter & Pick<Writer, 'run'>, inside: Sender) => Promise<string>,
  ): Promise<{ readonly text: string; readonly replayed: boolean; readonly sameRights: boolean }>;
}

export interface RecordCommands {
  /** Inside a transaction of the caller's. */
  within(writer: Pick<Writer, 'run'>, inside: Sender): RecordCommands;
  assign(scope: Scope, entity: Entity, id: string, body: unknown, options: WriteOptions): Promise<WriteAnswer>;
  merge(scope: Scope, entity: Entity, id: string, body: unknown, options: WriteOptions): Promise<WriteAnswer>;
  mergedInto(scope: Scope, entity: Entity, id: string): Promise<string | null>;
  duplicates(scope: Scope, entity: Entity, body: unknown): Promise<{ readonly body: string }>;
  duplicateGroups(scope: Scope, entity: Entity): Promise<{ readonly body: string }>;
  purge(scope: Scope, entity: Entity, id: string, options: WriteOptions): Promise<WriteAnswer>;
  bin(scope: Scope, entity: Entity, body: unknown, options: WriteOptions): Promise<WriteAnswer>;
  access(scope: Scope, entity: Entity, id: string): Promise<{ readonly body: string }>;
  share(scope: Scope, entity: Entity, id: string, body: unknown, options: WriteOptions): Promise<WriteAnswer>;
  endShare(scope: Scope, entity: Entity, id: string, share: string, options: WriteOptions): Promise<WriteAnswer>;
}

export interface RecordImporter {
  upload(
    scope: Scope,
    entity: Entity,
    file: TableOptions & { readonly name: string; readonly stream: Readable },
  ): Promise<unknown>;
  configure(scope: Scope, entity: Entity, id: string, body: unknown): Promise<unknown>;
  start(scope: Scope, entity: Entity, id: string, body: unknown): Promise<unknown>;
  status(scope: Scope, entity: Entity, id: string): Promise<unknown>;
  errors(scope: Scope, entity: Entity, id: string): Promise<Readable>;
}

export interface RecordFiles {
  /** Bytes of a file at most. */
  readonly limit: number;
  receive(scope: Scope, entity: Entity, name: string, content: AsyncIterable<Uint8Array>): Promise<FileInfo>;
  find(scope: Scope, entity: Entity, recordId: string, key: string): Promise<FileInfo>;
  content(scope: Scope, file: FileInfo, range?: ByteRange): Promise<Readable>;
}

export interface MetadataSteps {
  list(tenant: string): Promise<unknown>;
  cancel(tenant: string, number: number): Promise<void>;
  retry(tenant: string, number: number): Promise<void>;
}

export interface RecordExporter {
  check(scope: Scope, entity: Entity, query: Query, options: ExportOptions): void;
  open(scope: Scope, entity: Entity, query: Query, options: ExportOptions): Promise<Readable>;
}

export interface MetadataPublisher extends DraftPublisher {
  release(tenant: string, number: number): Promise<unknown>;
  diff(from: ReleaseName, to: ReleaseName): Promise<unknown>;
  rollback(tenant: string, input: RollbackInput): Promise<unknown>;
}

export type HttpServices = Omit<
  Services,
  'reader' | 'writer' | 'commands' | 'importer' | 'exporter' | 'publisher' | 'files' | 'steps' | 'stepRunner'
> & {
  readonly steps: MetadataSteps;
  readonly files: RecordFiles;
  readonly reader: RecordReader;
  readonly writer: RecordWriter;
  readonly commands: RecordCommands;
  readonly importer: RecordImporter;
  readonly exporter: RecordExporter;
  readonly publisher: MetadataPublisher;
};
