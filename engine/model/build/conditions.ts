/** Conditions in documents: parsed and resolved against their entity, with faults where they stand. */
import type { Condition } from '../../condition/condition.ts';
import { parseCondition, parseShortConditions } from '../../condition/parse.ts';
import { resolveCondition } from '../../condition/resolve.ts';
import type { Settings } from '../../condition/resolve-setting.ts';
import type { Place } from '../faults.ts';
import { candidates, lookUp } from '../naming.ts';
import type { Draft, DraftEntity } from './draft.ts';

/**
 * `null` when every record fulfils it, or after a fault.
 * @param short the short form of permissions
 * @param derived it may look at values that are computed when they are read: a view may, a row policy cannot
 */
export function conditionAt(
  draft: Draft,
  json: unknown,
  entity: DraftEntity,
  { document, pointer }: Place,
  { short = false, derived = false }: { readonly short?: boolean; readonly derived?: boolean } = {},
): Condition | null {
  if (json === undefined) return null;
  const settings: Settings = {
    find: (name) => draft.declared.get(lookUp(name, entity.pack, (full) => draft.declared.has(full)) ?? ''),
    names: () => candidates(draft.declared.keys(), entity.pack),
  };
  const options = { document, pointer, problem: 'invalid_document', derived, settings } as const;
  const { country } = draft.settings;
  try {
    const raw = short ? parseShortConditions(json, options) : parseCondition(json, options);
    const condition = resolveCondition(raw, entity, (name) => draft.entities.get(name), { ...options, country });
    return condition.kind === 'all' && condition.of.length === 0 ? null : condition;
  } catch (error) {
    draft.faults.absorb(error);
    return null;
  }
}
