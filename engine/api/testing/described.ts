import type { Model } from '#engine/model/model.ts';
import { buildOpenApi } from '../openapi.ts';
import { scopeOn } from './shipped.ts';

const METHODS = new Set(['GET', 'PUT', 'POST', 'DELETE', 'PATCH']);

export interface Described {
  readonly method: string;
  readonly path: string;
}

/** The operations that the OpenAPI document tells these roles of. */
export function describedBy(model: Model, ...roles: string[]): Described[] {
  const { paths } = buildOpenApi(scopeOn(model, ...roles), 'https://crm.example');
  return Object.entries(paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item ?? {})
      .map((method) => method.toUpperCase())
      .filter((method) => METHODS.has(method))
      .map((method) => ({ method, path })),
  );
}
