/** What is asked about a write outside the database, once it is known to be well-formed and before anything is sent. */
import type { Sender } from '#engine/db/sender.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Scope } from '../scope.ts';

export interface Inspected {
  readonly scope: Scope;
  readonly entity: Entity;
  /** As it was sent: a record, or a list of them. It is well-formed when the inspection waits. */
  readonly body: unknown;
  /** Which record is meant: that of an id, the one that has the body's values in these fields, or none that is known. */
  readonly target: { readonly id: string } | { readonly keys: readonly string[] } | null;
}

export interface Inspector {
  /**
   * @param sender the way to the database that the write has itself
   * @returns what the write waits for, which throws a Problem to refuse it; `undefined` when there is nothing to ask
   */
  inspect(sender: Sender, write: Inspected): (() => Promise<void>) | undefined;
  /** For the writes of one transaction, which together wait no longer than one alone. */
  together(): Inspector;
}
