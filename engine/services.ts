/**
 * What the parts of a running engine hand to each other. Made once by `app.ts`; HTTP, the command line and the jobs
 * receive it whole.
 */
import type { Logger } from 'pino';
import type { Clock, IdSource } from './clock.ts';
import type { Database } from './db/database.ts';
import type { Identity } from './identity/identity.ts';
import type { ModelSource } from './model/tenant.ts';

/**
 * `publisher`, `reader`, `writer` and `importer` join with their modules: a module that needs one names its own class
 * in an intersection (`Services & { writer: Writer }`) until then.
 */
export interface Services {
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly models: ModelSource;
  readonly identity: Identity;
  readonly log: Logger;
  /** The installation's secret: cursors, cookies and other seals are derived from it (`derive` in `db/bootstrap.ts`). */
  readonly secret: string;
  /** Base address in links, without a trailing slash, e.g. `http://localhost:3000`. */
  readonly publicUrl: string;
}
