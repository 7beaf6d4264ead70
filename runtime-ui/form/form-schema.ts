/** The schemas of an entity's form: one for react-jsonschema-form to lay out, one to check what will be sent. */
import type { RJSFSchema, UiSchema } from '@rjsf/utils';
import type { UiEntity, UiField, UiModel } from '../../engine/api/ui-model.ts';
import type { JsonSchema } from '../../engine/model/field-type.ts';
import { isComposite } from '../api/field-kind.ts';
import { fieldOf, isCompanion } from '../api/model.ts';
import { type Mode, rowFields, writable } from './wire.ts';

export interface Section {
  readonly key: string;
  readonly label: string;
  readonly columns: 1 | 2;
  readonly fields: readonly UiField[];
}

/**
 * The sections of a form. Required fields that the form document forgot stand at the end of the last section: without
 * them nobody could create a record. On creation only what can be filled in is asked.
 */
export function sectionsOf(entity: UiEntity, mode: Mode | 'view'): readonly Section[] {
  const usable = (field: UiField | undefined): field is UiField =>
    field !== undefined && !isCompanion(entity, field) && (mode !== 'create' || writable(field, mode));
  const own = entity.fields.filter((field) => !field.system && usable(field));
  if (entity.form.length === 0) return [{ key: '_all', label: '', columns: 2, fields: own }];
  const named = new Set(entity.form.flatMap((section) => section.fields));
  const forgotten =
    mode === 'view' ? [] : own.filter((field) => field.required && !named.has(field.key) && writable(field, mode));
  return entity.form
    .map((section, at) => ({
      ...section,
      fields: [
        ...section.fields.map((key) => fieldOf(entity, key)).filter(usable),
        ...(at === entity.form.length - 1 ? forgotten : []),
      ],
    }))
    .filter((section) => section.fields.length > 0);
}

/** Name of the one custom field that draws every value; see `record-field.tsx`. */
export const RECORD_FIELD = 'record';

/** For the layout: properties without types, each drawn by our own field. */
export function layoutSchema(fields: readonly UiField[], mode: Mode): RJSFSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.key, { title: field.label }])),
    required: fields
      .filter((field) => field.required && !isComposite(field) && writable(field, mode))
      .map((field) => field.key),
  };
}

export function layoutUi(fields: readonly UiField[]): UiSchema {
  return {
    'ui:submitButtonOptions': { norender: true },
    'ui:order': fields.map((field) => field.key),
    ...Object.fromEntries(fields.map((field) => [field.key, { 'ui:field': RECORD_FIELD }])),
  };
}

/** For checking: what the API accepts, of the fields of this form. */
export function wireSchema(model: UiModel, entity: UiEntity, fields: readonly UiField[], mode: Mode): JsonSchema {
  const properties: Record<string, unknown> = {};
  const required: string[] = [];
  for (const field of fields) {
    if (!writable(field, mode)) continue;
    if (isComposite(field)) {
      for (const key of field.companions) {
        const part = fieldOf(entity, key);
        if (!part?.schema) continue;
        properties[key] = part.schema;
        if (part.required) required.push(key);
      }
      continue;
    }
    if (field.required) required.push(field.key);
    const child = field.children ? model.entities[field.children.entity] : undefined;
    if (field.children && child) {
      properties[field.key] = {
        type: 'array',
        items: wireSchema(model, child, rowFields(child, field.children.field), 'create'),
      };
    } else {
      properties[field.key] = field.schema;
      const companion = field.currencyField ? fieldOf(entity, field.currencyField) : undefined;
      if (companion?.schema) properties[companion.key] = companion.schema;
    }
  }
  return { type: 'object', properties, required };
}
