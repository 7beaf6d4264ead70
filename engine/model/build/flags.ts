/** Flags: who sees a part of the product, and from when. They give no rights. */
import { withInherited } from '../rights.ts';
import { type Draft, rolesNamed } from './draft.ts';

export function buildFlags(draft: Draft): void {
  for (const { document, pack, place } of draft.effective.of('flag')) {
    const name = `${pack}.${document.key}`;
    const roles = rolesNamed(draft, document.roles, (index) => place('roles', index));
    const from = momentAt(draft, document.from, place('from'));
    const until = momentAt(draft, document.until, place('until'));
    if (from !== null && until !== null && until <= from)
      draft.faults.add(place('until'), 'invalid', '“until” must come after “from”.', { found: document.until });
    draft.flags.set(name, {
      name,
      label: document.label,
      description: document.description ?? null,
      on: document.default ?? false,
      roles: roles && heirs(draft, roles),
      percent: document.percent ?? null,
      from,
      until,
    });
  }
}

/** These roles and all that inherit one of them: whoever has such a role acts as its ancestor too. */
function heirs(draft: Draft, roles: readonly string[]): readonly string[] {
  return [...draft.roles.keys()].filter((key) => {
    const own = withInherited(draft, [key]);
    return roles.some((role) => own.has(role));
  });
}

function momentAt(
  draft: Draft,
  written: string | undefined,
  place: { readonly document: string; readonly pointer: string },
): number | null {
  if (written === undefined) return null;
  const moment = Date.parse(written);
  if (!Number.isNaN(moment)) return moment;
  draft.faults.add(place, 'invalid', `“${written}” is no moment that exists.`, { found: written });
  return null;
}
