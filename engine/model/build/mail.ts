/** E-mail fields that ask the DNS need the setting that switches it on: without one they would silently do nothing. */
import { asksForMail, mailSettingOf } from '../mail.ts';
import type { Setting } from '../parts.ts';
import type { Draft } from './draft.ts';

export function checkMailFields(draft: Draft, settings: ReadonlyMap<string, Setting>): void {
  for (const entity of draft.entities.values()) {
    const notes = draft.notes.get(entity.name);
    for (const field of entity.fields.values()) {
      if (!notes || !asksForMail(field)) continue;
      const name = mailSettingOf(entity);
      const setting = settings.get(name);
      if (setting?.scope === 'tenant' && setting.schema['type'] === 'boolean') continue;
      const index = notes.written.get(field.key)?.index ?? 0;
      draft.faults.add(
        notes.effective.place('fields', index, 'mx'),
        'unknown_reference',
        `“mx” needs the setting “${name}” of the organisation, true or false, that switches it on.`,
        { expected: name },
      );
    }
  }
}
