/** One entity as the screens of a principal know it. */
import { offeredOperators } from '../condition/offered.ts';
import type { Entity, Field, View } from '../model/model.ts';
import type { EntityRights, Rights } from '../model/rights.ts';
import { textKey } from '../model/texts.ts';
import { accessOf } from '../records/read/shapes.ts';
import type { Scope } from '../records/scope.ts';
import type { UiEntity, UiField, UiView } from './ui-model.ts';
import { resourceUrl } from '../model/resource-url.ts';

/** @param own the principal's roles with all they inherit: a view for sales representatives is one for their managers too */
export function isFor(roles: readonly string[] | null, own: ReadonlySet<string>): boolean {
  return roles === null || roles.some((role) => own.has(role));
}

/** What the screens show of the model: nothing behind a flag that is off. That hides; rights stay as they are. */
export interface Shown {
  readonly flag: (flag: string | null) => boolean;
  /** Whether there are screens of the entity: it is readable, which nothing is whose flag is off. */
  readonly entity: (name: string) => boolean;
}

export function shownTo({ rights }: Scope, flags: ReadonlySet<string>): Shown {
  const flag = (name: string | null) => name === null || flags.has(name);
  return {
    flag,
    entity: (name) => isReadable(rights, name),
  };
}

/** From a text's key and its English to the text in the person's language, see `model/texts.ts`. */
export type Translate = (key: string, english: string) => string;

export function isReadable(rights: Rights, entity: string): boolean {
  return rights.of(entity).read.length > 0;
}

/** Fields that the principal may read: the organisation's first, those the engine keeps last. */
export function readableFields(scope: Scope, entity: Entity): readonly Field[] {
  const fields = [...entity.fields.values()].filter(accessOf(scope).of(entity).visible);
  return [...fields.filter((field) => !field.system), ...fields.filter((field) => field.system)];
}

/** The field as the principal knows it: a reference to one of several entities points at those that may be read. */
export function asKnown({ rights }: Scope, field: Field): Field {
  const { derived } = field;
  if (derived?.kind !== 'any') return field;
  return {
    ...field,
    derived: { kind: 'any', targets: derived.targets.filter(({ entity }) => isReadable(rights, entity)) },
  };
}

function scaleOf(field: Field): number | null {
  const digits = /^numeric\(\d+,\s*(\d+)\)/.exec(field.type.columns(field)[0]?.type ?? '')?.[1];
  if (digits !== undefined) return Number(digits);
  const { scale } = field.options;
  return field.derived !== null && field.type.valueType === 'decimal' ? (typeof scale === 'number' ? scale : 2) : null;
}

function choicesOf(scope: Scope, entity: Entity, field: Field, translate: Translate): UiField['choices'] {
  // Roles are documents, so what a user can be given is not in the field.
  if (entity.name === 'core.user' && field.key === 'roles')
    return [...scope.model.roles.values()].map(({ key, label }) => ({
      key,
      label: translate(textKey.role(key), label),
      color: null,
    }));
  const lifecycle = field.lifecycle === null ? undefined : scope.model.lifecycles.get(field.lifecycle);
  const choices = lifecycle ? [...lifecycle.states.values()] : field.choices;
  return (
    choices?.map(({ key, label, color }) => ({
      key,
      label: translate(textKey.choice(entity.name, field.key, key), label),
      color,
    })) ?? null
  );
}

function uiField(
  scope: Scope,
  entity: Entity,
  field: Field,
  rights: EntityRights,
  translate: Translate,
  shown: Shown,
): UiField {
  const { type } = field;
  const lifecycle = field.lifecycle === null ? undefined : scope.model.lifecycles.get(field.lifecycle);
  // Where every record begins at the same place, there is nothing to ask.
  const composite = type.computed === true && field.companions.length > 0;
  const keys = composite ? field.companions : [field.key];
  const onCreate = keys.some((key) => rights.creatableFields.has(key)) && lifecycle?.createIn.size !== 1;
  const onUpdate = keys.some((key) => rights.updatableFields.has(key));
  const target = field.reference?.entity;
  const { visible } = accessOf(scope).of(entity);
  const known = asKnown(scope, field);
  return {
    key: field.key,
    label: translate(textKey.field(entity, field), field.label),
    help: field.help === null ? null : translate(textKey.help(entity, field), field.help),
    type: type.key,
    widget: type.widget(field),
    valueType: type.valueType,
    // What is filled when it is left empty need not be given.
    required: field.required && field.fill === null,
    system: field.system,
    onCreate,
    onUpdate,
    sortable: type.sortable,
    groupable: type.groupable,
    operators: offeredOperators(
      field,
      entity,
      (name) => scope.model.entities.get(name),
      (other, each) => scope.rights.of(other.name).readableFields.has(each.key),
    ),
    // Of a currency that is looked up nobody knows before which one it will be.
    default: field.fill === null ? (field.default ?? null) : null,
    schema: field.system && !onCreate ? null : lifecycle ? { enum: [...lifecycle.createIn] } : type.inputSchema(known),
    choices: choicesOf(scope, entity, field, translate),
    reference: target !== undefined && shown.entity(target) ? target : null,
    children: field.children,
    list:
      field.many === null
        ? null
        : {
            entity: field.many.entity,
            via: field.many.via,
            field: field.many.via === 'links' ? null : field.many.field,
          },
    targets: known.derived?.kind === 'any' ? known.derived.targets.map(({ entity: name }) => name) : null,
    currencyField: field.currencyField,
    companions: field.companions.filter((key) => {
      const companion = entity.fields.get(key);
      return companion !== undefined && visible(companion);
    }),
    companionOf: field.companionOf,
    scale: scaleOf(field),
    grouping: field.options['grouping'] !== false,
  };
}

function uiView(view: View, readable: ReadonlySet<string>, translate: Translate): UiView {
  return {
    key: view.key,
    label: translate(textKey.view(view.name), view.label),
    columns: view.columns.filter(({ field }) => readable.has(field)),
    order: view.order
      .filter(({ field }) => readable.has(field))
      .map(({ field, descending }) => (descending ? `-${field}` : field))
      .join(','),
    filtered: view.filter !== null,
  };
}

function transitionsOf(
  scope: Scope,
  entity: Entity,
  rights: EntityRights,
  readable: ReadonlySet<string>,
  translate: Translate,
): UiEntity['transitions'] {
  return [...entity.fields.values()].flatMap((field) => {
    const lifecycle =
      field.lifecycle === null || !readable.has(field.key) ? undefined : scope.model.lifecycles.get(field.lifecycle);
    const transitions = [...(lifecycle?.transitions.values() ?? [])];
    return transitions
      .filter(({ key }) => rights.transitions.has(key))
      .map(({ key, label, from, to, requires }) => ({
        key,
        label: translate(textKey.step(entity.name, field.key, key), label),
        field: field.key,
        from,
        to,
        requires: requires.filter((name) => readable.has(name)),
      }));
  });
}

function formOf(
  scope: Scope,
  entity: Entity,
  fields: readonly UiField[],
  translate: Translate,
  shown: Shown,
): UiEntity['form'] {
  const readable = new Set(fields.map(({ key }) => key));
  const form = scope.model.forms.get(entity.name);
  if (!form) {
    // Without a form every field of the organisation's own stands in one section; companions stand with their field.
    const own = fields.filter(({ key, system, companionOf }) => (!system || key === 'owner') && companionOf === null);
    return [
      {
        key: 'main',
        label: translate(textKey.entity(entity.name), entity.label),
        columns: 2,
        fields: own.map(({ key }) => key),
      },
    ];
  }
  return form.sections
    .filter(({ flag }) => shown.flag(flag))
    .map((section) => ({
      key: section.key,
      label: translate(textKey.section(entity.name, section.key), section.label),
      columns: section.columns,
      fields: section.fields.filter((key) => readable.has(key)),
    }))
    .filter((section) => section.fields.length > 0);
}

/** Sets of fields that tell records apart, so that a file can be matched by them. */
function uniqueKeysOf(entity: Entity, readable: ReadonlySet<string>): UiEntity['uniqueKeys'] {
  const single = [...entity.fields.values()].filter((field) => field.unique && !field.system).map(({ key }) => [key]);
  const sets = new Map(
    [...entity.unique.map(({ fields }) => fields), ...single].map((fields) => [fields.join(), fields]),
  );
  return [...sets.values()].filter((fields) => fields.every((key) => readable.has(key)));
}

/** The template without what is not shown: it would be empty anyway. */
function titleOf({ title }: Entity, readable: ReadonlySet<string>): string {
  const shown = title.template.replaceAll(/\{([a-z][a-z0-9_]*)\}/g, (part, key: string) =>
    readable.has(key) ? part : '',
  );
  return shown.trim();
}

export function uiEntity(scope: Scope, entity: Entity, translate: Translate, shown: Shown): UiEntity {
  const rights = scope.rights.of(entity.name);
  const fields = readableFields(scope, entity).map((field) => uiField(scope, entity, field, rights, translate, shown));
  const readable = new Set(fields.map(({ key }) => key));
  const views = [...scope.model.views.values()].filter(
    (view) => view.entity === entity.name && isFor(view.roles, scope.rights.roles) && shown.flag(view.flag),
  );
  return {
    name: entity.name,
    url: resourceUrl(entity),
    path: entity.path,
    label: translate(textKey.entity(entity.name), entity.label),
    pluralLabel: translate(textKey.plural(entity.name), entity.pluralLabel),
    icon: entity.icon,
    title: titleOf(entity, readable),
    child: entity.parent !== null,
    can: {
      create: rights.create.length > 0,
      update: rights.update.length > 0,
      delete: rights.delete.length > 0,
      import: rights.import,
      export: rights.export,
      assign: rights.assign.length > 0,
      share: rights.share.length > 0,
      merge: rights.merge.length > 0 && rights.update.length > 0 && rights.delete.length > 0,
      purge: rights.purge.length > 0,
    },
    duplicates: entity.duplicates.some(({ match }) => match.every(({ field }) => readable.has(field))),
    bin: entity.softDelete && entity.parent === null && rights.delete.length > 0,
    fields,
    views: views.map((view) => uiView(view, readable, translate)).filter((view) => view.columns.length > 0),
    form: formOf(scope, entity, fields, translate, shown),
    transitions: transitionsOf(scope, entity, rights, readable, translate),
    uniqueKeys: uniqueKeysOf(entity, readable),
  };
}
