/** Column widths a user chose, kept per view in this browser. */
import type { UiEntity, UiView } from '../../engine/api/ui-model.ts';
import { isObject } from '../api/problem.ts';

function keyOf(entity: UiEntity, view: UiView): string {
  return `armature.widths.${entity.name}.${view.key}`;
}

/** Pixels by field key. */
export function widthsOf(entity: UiEntity, view: UiView): Readonly<Record<string, number>> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(keyOf(entity, view)) ?? '{}');
    if (!isObject(stored)) return {};
    return Object.fromEntries(
      Object.entries(stored).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
    );
  } catch {
    return {};
  }
}

export function rememberWidth(entity: UiEntity, view: UiView, field: string, width: number): void {
  localStorage.setItem(keyOf(entity, view), JSON.stringify({ ...widthsOf(entity, view), [field]: Math.round(width) }));
}
