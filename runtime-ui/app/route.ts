/** Addresses of the screens: `/{entity.path}`, `…/new`, `…/import`, `…/bin`, `…/merge?ids=…`, `…/{id}`. */
import type { UiEntity, UiModel } from '../../engine/api/ui-model.ts';

export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'missing' }
  | { readonly page: 'list' | 'new' | 'import' | 'bin' | 'merge'; readonly entity: UiEntity }
  | { readonly page: 'record'; readonly entity: UiEntity; readonly id: string };

export function routeOf(path: string, model: UiModel): Route {
  const parts = path.split('/').filter(Boolean).map(decoded);
  if (parts.length === 0) return { page: 'home' };
  const entity = Object.values(model.entities).find((each) => each.path === parts.slice(0, 2).join('/'));
  const [, , last, ...rest] = parts;
  if (!entity || entity.child || rest.length > 0) return { page: 'missing' };
  if (last === undefined) return { page: 'list', entity };
  if (last === 'new') return entity.can.create ? { page: 'new', entity } : { page: 'missing' };
  if (last === 'import') return entity.can.import ? { page: 'import', entity } : { page: 'missing' };
  if (last === 'bin') return entity.bin ? { page: 'bin', entity } : { page: 'missing' };
  if (last === 'merge') return entity.can.merge ? { page: 'merge', entity } : { page: 'missing' };
  return { page: 'record', entity, id: last };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function listPath(entity: UiEntity, query = ''): string {
  return `/${entity.path}${query ? `?${query}` : ''}`;
}

export function recordPath(entity: UiEntity, id: string): string {
  return `/${entity.path}/${encodeURIComponent(id)}`;
}

export function mergePath(entity: UiEntity, ids: readonly string[]): string {
  return `/${entity.path}/merge?ids=${ids.map(encodeURIComponent).join(',')}`;
}

/** Where a menu item leads. */
export function menuPath(
  model: UiModel,
  item: { readonly entity: string; readonly view: string | null },
): string | null {
  const entity = model.entities[item.entity];
  return entity ? listPath(entity, item.view ? `$view=${encodeURIComponent(viewKey(item.view))}` : '') : null;
}

/** A menu may name a view qualified (`crm.open_opportunities`); within its entity the key is enough. */
export function viewKey(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}
