/** Views, forms, menus: what the screens show. They give no rights. */
import type { FormDocument, MenuDocument, ViewDocument } from '../documents.ts';
import type { EffectiveDocument } from '../layers.ts';
import { type Form, hasValue, type Menu, type View } from '../model.ts';
import { candidates, lookUp, readable } from '../naming.ts';
import { conditionAt } from './conditions.ts';
import {
  type Draft,
  type DraftEntity,
  type DraftField,
  entityNamed,
  fieldNamed,
  flagNamed,
  noDoubles,
  rolesNamed,
} from './draft.ts';

export function buildViews(draft: Draft): ReadonlyMap<string, View> {
  const views = new Map<string, View>();
  for (const effective of draft.effective.of('view')) {
    const view = buildView(draft, effective);
    if (view) views.set(view.name, view);
  }
  return views;
}

function buildView(draft: Draft, { document, pack, place }: EffectiveDocument<ViewDocument>): View | null {
  const entity = entityNamed(draft, document.entity, pack, place('entity'));
  if (!entity) return null;
  const columns = document.columns.map((column, index) => {
    const { field, width } =
      typeof column === 'string'
        ? { field: column, width: null }
        : { field: column.field, width: column.width ?? null };
    const at = typeof column === 'string' ? place('columns', index) : place('columns', index, 'field');
    const found = fieldNamed(draft, entity, field, at);
    if (found && !hasValue(found) && found.many?.via !== 'links')
      draft.faults.add(at, 'invalid', `“${field}” holds no single value and cannot be a column.`, { found: field });
    return { field, width };
  });
  noDoubles(
    draft,
    columns.map(({ field }) => ({ key: field })),
    'columns',
    (index) => place('columns', index),
  );
  const order = (document.order ?? []).map((written, index) => {
    const descending = written.startsWith('-');
    const field = descending ? written.slice(1) : written;
    const found = fieldNamed(draft, entity, field, place('order', index));
    if (found && !found.type.sortable)
      draft.faults.add(place('order', index), 'invalid', `A list cannot be sorted by “${field}” (${found.type.key}).`, {
        found: field,
      });
    return { field, descending };
  });
  return {
    name: `${pack}.${document.key}`,
    key: document.key,
    label: document.label,
    entity: entity.name,
    columns,
    order,
    filter: conditionAt(draft, document.filter, entity, place('filter'), { derived: true }),
    roles: rolesNamed(draft, document.roles, (index) => place('roles', index)),
    flag: flagNamed(draft, document.flag, pack, place('flag')),
  };
}

/** Every entity gets a form: its document's, or one section with all its fields. */
export function buildForms(draft: Draft): ReadonlyMap<string, Form> {
  const forms = new Map<string, Form>();
  for (const effective of draft.effective.of('form')) {
    const form = buildForm(draft, effective);
    if (form) forms.set(form.entity, form);
  }
  for (const entity of draft.entities.values()) {
    if (forms.has(entity.name)) continue;
    const fields = ordinaryFields(entity).map(({ key }) => key);
    forms.set(entity.name, {
      entity: entity.name,
      sections: [
        {
          key: 'main',
          label: entity.label,
          columns: 2,
          flag: null,
          fields: entity.owner ? [...fields, 'owner'] : fields,
        },
      ],
    });
  }
  return forms;
}

function buildForm(draft: Draft, { document, pack, place }: EffectiveDocument<FormDocument>): Form | null {
  const entity = entityNamed(draft, document.entity, pack, place('entity'));
  if (!entity) return null;
  noDoubles(draft, document.sections, 'sections', (index) => place('sections', index, 'key'));
  const shown = new Set<string>();
  const removed = draft.notes.get(entity.name)?.effective.removedFields;
  // A layer that takes a field away need not know which forms of the layers below show it.
  const gone = (key: string) => removed?.has(key) === true && !entity.fields.has(key);
  const sections = document.sections.map((section, index) => {
    const fields = (section.fields ?? []).filter((key) => !gone(key));
    section.fields?.forEach((key, position) => {
      if (gone(key)) return;
      const at = place('sections', index, 'fields', position);
      fieldNamed(draft, entity, key, at);
      if (shown.has(key)) draft.faults.add(at, 'duplicate', `“${key}” stands in the form twice.`, { found: key });
      shown.add(key);
    });
    return {
      key: section.key,
      label: section.label ?? readable(section.key),
      columns: section.columns ?? 2,
      flag: flagNamed(draft, section.flag, pack, place('sections', index, 'flag')),
      fields: [...fields],
    };
  });
  // A field that a later layer brings shows up without anybody touching the form.
  const last = sections.at(-1);
  if (last) last.fields.push(...ordinaryFields(entity).flatMap(({ key }) => (shown.has(key) ? [] : [key])));
  return { entity: entity.name, sections };
}

/** The fields people fill in: not the engine's, not what comes with another field (one widget shows an amount and its currency), not the way back to the parent. */
function ordinaryFields(entity: DraftEntity): readonly DraftField[] {
  const fields = [...entity.fields.values()];
  return fields.filter(
    ({ key, system, companionOf, many }) =>
      !system && companionOf === null && many?.via !== 'inverse' && key !== entity.parent?.field,
  );
}

export function buildMenus(draft: Draft, views: ReadonlyMap<string, View>): readonly Menu[] {
  const menus = draft.effective.of('menu').map((effective) => buildMenu(draft, effective, views));
  return menus.sort((a, b) => a.order - b.order || a.key.localeCompare(b.key));
}

function buildMenu(
  draft: Draft,
  { document, pack, place }: EffectiveDocument<MenuDocument>,
  views: ReadonlyMap<string, View>,
): Menu {
  noDoubles(draft, document.items, 'items', (index) => place('items', index, 'key'));
  const items = document.items.flatMap((item, index) => {
    const at = (key: string) => place('items', index, key);
    if (item.entity === undefined) {
      draft.faults.add(place('items', index), 'missing', '“entity” is missing.', { expected: 'entity' });
      return [];
    }
    const entity = entityNamed(draft, item.entity, pack, at('entity'));
    if (!entity) return [];
    let view: string | null = null;
    if (item.view !== undefined) {
      const found = lookUp(item.view, pack, (name) => views.has(name));
      if (found === undefined) draft.faults.unknown(at('view'), 'view', item.view, candidates(views.keys(), pack));
      else if (views.get(found)?.entity !== entity.name)
        draft.faults.add(
          at('view'),
          'invalid',
          `The view “${item.view}” lists ${views.get(found)?.entity ?? ''}, not ${entity.name}.`,
        );
      else view = found;
    }
    return [
      {
        key: item.key,
        label: item.label ?? entity.pluralLabel,
        entity: entity.name,
        view,
        icon: item.icon ?? entity.icon,
        flag: flagNamed(draft, item.flag, pack, at('flag')),
      },
    ];
  });
  return {
    key: document.key,
    label: document.label,
    icon: document.icon ?? null,
    order: document.order ?? 100,
    roles: rolesNamed(draft, document.roles, (index) => place('roles', index)),
    flag: flagNamed(draft, document.flag, pack, place('flag')),
    items,
  };
}

/** Later layers win, text by text. */
export function buildTranslations(draft: Draft): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const locales = new Map<string, Map<string, string>>();
  for (const { document } of draft.effective.of('translation')) {
    const texts = locales.get(document.locale) ?? new Map<string, string>();
    for (const [key, text] of Object.entries(document.texts)) texts.set(key, text);
    locales.set(document.locale, texts);
  }
  return locales;
}
