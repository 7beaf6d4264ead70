/** Declared settings: what an organisation or its people can set, and what a value must be. */
import { settingError } from '../setting-value.ts';
import type { Setting } from '../parts.ts';
import type { Draft } from './draft.ts';

export function buildSettings(draft: Draft): void {
  for (const { document, pack, place } of draft.effective.of('setting')) {
    const name = `${pack}.${document.key}`;
    const secret = document.secret ?? false;
    const setting: Setting = {
      name,
      label: document.label,
      help: document.help ?? null,
      scope: document.scope ?? 'tenant',
      secret,
      default: document.default,
      schema: { ...document.schema },
    };
    if (secret && document.schema.type !== 'string')
      draft.faults.add(place('schema', 'type'), 'invalid', 'A secret is a text.', {
        found: document.schema.type,
        expected: 'string',
      });
    if (secret && document.default !== undefined)
      draft.faults.add(place('default'), 'invalid', 'A secret has no default: documents are read by many.');
    const error = document.default === undefined ? null : settingError(setting, document.default);
    if (error !== null)
      draft.faults.add(place('default'), 'invalid', `The default is not valid: ${error}`, { found: document.default });
    draft.declared.set(name, setting);
  }
}
