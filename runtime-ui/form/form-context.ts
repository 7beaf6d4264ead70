/** What the parts of one form share besides react-jsonschema-form's own. */
import { createContext, useContext } from 'react';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import type { Section } from './form-schema.ts';
import type { Mode, Values } from './wire.ts';

export interface RecordForm {
  readonly entity: UiEntity;
  readonly mode: Mode;
  readonly sections: readonly Section[];
  /** The stored record: computed values are shown from it. */
  readonly stored: Values;
}

export const RecordFormContext = createContext<RecordForm | null>(null);
export function useRecordForm(): RecordForm {
  const form = useContext(RecordFormContext);
  if (!form) throw new TypeError('useRecordForm outside of a form');
  return form;
}
