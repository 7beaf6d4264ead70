/** What the record routes share: the resolved request, and the address of a record. */
import type { Entity } from '../model/model.ts';
import { resourceUrl } from '../model/resource-url.ts';
import type { Scope } from '../records/scope.ts';
import type { Exchange } from './exchange.ts';
import type { HttpServices } from './ports.ts';

/** A request to an entity's resource, with everything resolved. */
export interface RecordRequest {
  readonly exchange: Exchange;
  readonly services: HttpServices;
  readonly scope: Scope;
  readonly entity: Entity;
  readonly method: string;
  /** Raw URL with its query. */
  readonly url: string;
  /** Query without `?`, still encoded. */
  readonly search: string;
}

/** The address of one record. */
export function addressOf(entity: Entity, id: string): string {
  return `${resourceUrl(entity)}/${id}`;
}
