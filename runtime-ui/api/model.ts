/** Reading the model, and what the screens derive from it. */
import { createContext, useContext } from 'react';
import type { UiEntity, UiField, UiModel, UiView } from '../../engine/api/ui-model.ts';
import { request } from './client.ts';

export async function readModel(locale: string, signal?: AbortSignal): Promise<UiModel> {
  const { body } = await request<UiModel>(
    'GET',
    `/api/ui/model?locale=${encodeURIComponent(locale)}`,
    signal ? { signal } : {},
  );
  return body;
}

export const ModelContext = createContext<UiModel | null>(null);

/** The model of the signed-in user. Only inside the shell, which provides it. */
export function useModel(): UiModel {
  const model = useContext(ModelContext);
  if (!model) throw new TypeError('useModel outside of the shell');
  return model;
}

export function fieldOf(entity: UiEntity, key: string): UiField | undefined {
  return entity.fields.find((field) => field.key === key);
}

/** Keys of the fields in a title template: `{first_name} {last_name}` → `['first_name', 'last_name']`. */
export function titleFields(entity: UiEntity): readonly string[] {
  return [...entity.title.matchAll(/\{([a-z][a-z0-9_.]*)\}/g)].flatMap((match) => match[1] ?? []);
}

/** Fields that point at a record of the entity, without those the engine keeps (created by, …). */
export function referrers(
  model: UiModel,
  target: string,
): readonly { readonly entity: UiEntity; readonly field: UiField }[] {
  return Object.values(model.entities)
    .filter((entity) => !entity.child)
    .flatMap((entity) =>
      entity.fields
        .filter((field) => field.reference === target && !field.system && !field.list && field.operators.includes('eq'))
        .map((field) => ({ entity, field })),
    );
}

/** Key of the view that shows everything when the model has none without a filter. */
export const ALL = '_all';

/** The views to offer, the default first: those with everything before those that filter, one of them made when the model has none. */
export function viewsOf(entity: UiEntity, allLabel: string): readonly UiView[] {
  if (entity.views.some((view) => !view.filtered))
    return entity.views.toSorted((a, b) => Number(a.filtered) - Number(b.filtered));
  const shown = entity.fields
    .filter((field) => !field.system && !field.list && !isCompanion(entity, field))
    .slice(0, 6);
  const columns = entity.views[0]?.columns ?? shown.map((field) => ({ field: field.key, width: null }));
  return [{ key: ALL, label: allLabel, columns, order: '', filtered: false }, ...entity.views];
}

/** The entity that the field is of. */
export function entityOf(model: UiModel, field: UiField): UiEntity | undefined {
  return Object.values(model.entities).find(({ fields }) => fields.includes(field));
}

/** The currency of a new amount where nobody chooses one; `null` where the server finds it, of a price list say. */
export function usualCurrency(model: UiModel, field: UiField): string | null {
  const entity = entityOf(model, field);
  const companion = entity && field.currencyField ? fieldOf(entity, field.currencyField) : undefined;
  if (!companion) return model.tenant.currency;
  return typeof companion.default === 'string' ? companion.default : null;
}

/** Whether the field comes with another one that the person sees, and is shown with it: the currency of an amount. */
export function isCompanion(entity: UiEntity, field: UiField): boolean {
  return field.companionOf !== null && entity.fields.some((other) => other.key === field.companionOf);
}
