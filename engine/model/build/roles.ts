/** Roles and what they inherit. */
import { isReservedRole } from '../naming.ts';
import type { Draft } from './draft.ts';

export function buildRoles(draft: Draft): void {
  const documents = draft.effective.of('role');
  for (const { document, place } of documents) {
    if (isReservedRole(document.key)) {
      draft.faults.add(
        place('key'),
        'reserved',
        `A role cannot be called “${document.key}”: the engine uses this name itself.`,
        { found: document.key },
      );
    }
    draft.roles.set(document.key, {
      key: document.key,
      label: document.label,
      inherits: document.inherits ?? [],
      administrator: document.administrator ?? false,
    });
  }
  const reported = new Set<string>();
  for (const { document, place } of documents) {
    document.inherits?.forEach((parent, index) => {
      if (!draft.roles.has(parent)) draft.faults.unknown(place('inherits', index), 'role', parent, draft.roles.keys());
    });
    const cycle = cycleFrom(document.key, (key) => draft.roles.get(key)?.inherits ?? []);
    if (!cycle || reported.has(document.key)) continue;
    for (const key of cycle) reported.add(key);
    const circle = cycle.join(' → ');
    draft.faults.add(place('inherits'), 'cycle', `Roles cannot inherit from each other in a circle: ${circle}.`, {
      found: cycle,
    });
  }
}

/** A way from `start` back to itself, or `null`. */
export function cycleFrom(start: string, next: (key: string) => Iterable<string>): readonly string[] | null {
  const path: string[] = [start];
  const visited = new Set<string>();
  const walk = (key: string): boolean => {
    for (const following of next(key)) {
      if (following === start) {
        path.push(start);
        return true;
      }
      if (visited.has(following)) continue;
      visited.add(following);
      path.push(following);
      if (walk(following)) return true;
      path.pop();
    }
    return false;
  };
  return walk(start) ? path : null;
}
