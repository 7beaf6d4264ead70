/** What the record routes share: the resolved request, and ids. */
import type { Entity } from '../model/model.ts';
import { resourceUrl } from '../model/resource-url.ts';
import { notFound } from '../problem.ts';
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

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** @throws Problem `not_found`: no record can have this id */
export function requireId(text: string): string {
  if (ID.test(text)) return text;
  const id = text.toLowerCase();
  if (!ID.test(id)) throw notFound();
  return id;
}

/** The address of one record. */
export function addressOf(entity: Entity, id: string): string {
  return `${resourceUrl(entity)}/${id}`;
}
