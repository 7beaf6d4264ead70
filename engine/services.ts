/**
 * What the parts of a running engine hand to each other. Made once by `app.ts`; HTTP, the command line and the jobs
 * receive it whole.
 */
import type { Logger } from 'pino';
import type { Clock, IdSource } from './clock.ts';
import type { Database } from './db/database.ts';
import type { Files } from './files/files.ts';
import type { Identity } from './identity/identity.ts';
import type { ModelSource } from './model/tenant.ts';
import type { Commands } from './records/commands.ts';
import type { ChangeFeed } from './records/changes/feed.ts';
import type { ChangeHub } from './records/changes/hub.ts';
import type { Exporter } from './records/export/exporter.ts';
import type { Importer } from './records/import/importer.ts';
import type { Reader } from './records/read/reader.ts';
import type { Writer } from './records/write/writer.ts';
import type { StepRunner } from './schema/deferred/runner.ts';
import type { Steps } from './schema/deferred/steps.ts';
import type { Publisher } from './schema/publish.ts';

export interface Services {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly models: ModelSource;
  readonly publisher: Publisher;
  readonly steps: Steps;
  readonly stepRunner: StepRunner;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly commands: Commands;
  readonly importer: Pick<Importer, 'upload' | 'configure' | 'start' | 'status' | 'errors'>;
  readonly files: Files;
  readonly exporter: Pick<Exporter, 'check' | 'open'>;
  readonly changes: Pick<ChangeFeed, 'read' | 'tokens'>;
  readonly hub: Pick<ChangeHub, 'head' | 'subscribe' | 'wrote' | 'close'>;
  readonly identity: Identity;
  readonly log: Logger;
  /** The installation's secret: cursors, cookies and other seals are derived from it (`derive` in `db/bootstrap.ts`). */
  readonly secret: string;
  /** Base address in links, without a trailing slash, e.g. `http://localhost:3000`. */
  readonly publicUrl: string;
}
