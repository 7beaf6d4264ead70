/** Values for a new record from an address: `account=<id>&amount=10.00`. Fields that cannot be filled in are left out. */
import type { UiEntity, UiField, UiModel } from '../../engine/api/ui-model.ts';
import { kindOf } from '../api/field-kind.ts';
import { fieldOf } from '../api/model.ts';
import { isObject } from '../api/problem.ts';
import { type Values, writable } from '../form/wire.ts';

export function prefillOf(entity: UiEntity, search: string): Values {
  const values: Record<string, unknown> = {};
  for (const [key, text] of new URLSearchParams(search)) {
    const field = fieldOf(entity, key);
    if (!field || !writable(field, 'create') || text === '') continue;
    // The form has the reference to one of several entities, not the references behind it.
    const whole = field.companionOf === null ? undefined : fieldOf(entity, field.companionOf);
    if (whole?.targets && field.reference) {
      if (writable(whole, 'create')) values[whole.key] = { entity: field.reference, id: text };
      continue;
    }
    switch (kindOf(field)) {
      case 'reference':
        values[key] = { id: text };
        break;
      case 'money':
        values[key] = { amount: text };
        break;
      case 'boolean':
        values[key] = text === 'true';
        break;
      case 'integer':
        values[key] = /^-?\d+$/.test(text) ? Number(text) : text;
        break;
      case 'tags':
      case 'choices':
        values[key] = text.split(',');
        break;
      case 'links':
        values[key] = text.split(',').map((id) => ({ id }));
        break;
      case 'children':
      case 'records':
      case 'any':
      case 'composite':
      case 'file':
      case 'image':
        break;
      case 'rating':
      case 'duration':
        values[key] = /^\d+$/.test(text) ? Number(text) : text;
        break;
      case 'text':
      case 'longText':
      case 'email':
      case 'phone':
      case 'url':
      case 'decimal':
      case 'percent':
      case 'date':
      case 'datetime':
      case 'choice':
      case 'currency':
      case 'json':
      case 'richText':
      case 'time':
      case 'colour':
      case 'country':
        values[key] = text;
    }
  }
  return values;
}

/** The entity of the record that a prefilled value names. */
export function targetOf(model: UiModel, field: UiField | undefined, value: unknown): UiEntity | undefined {
  const named = field?.targets && isObject(value) ? value['entity'] : field?.reference;
  return typeof named === 'string' ? model.entities[named] : undefined;
}
