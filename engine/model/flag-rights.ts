/** Rights as far as flags let them be seen: what stands behind a flag that is off does not exist for whoever asks. */
import { flagOn } from './flags.ts';
import { type Rights, rightsOf, withInherited } from './rights.ts';
import type { Model } from './model.ts';
import type { TenantModel } from './tenant.ts';

interface Asking {
  /** `null`: no person. */
  readonly userId: string | null;
  readonly roles: readonly string[];
}

/** @param now milliseconds since the Unix epoch */
export function rightsBehindFlags(
  { model, switched }: Omit<TenantModel, 'tenant'>,
  asking: Asking,
  now: number,
): Rights {
  const names = guarding(model);
  if (names.length === 0) return rightsOf(model, asking.roles);
  const context = {
    userId: asking.userId,
    roles: withInherited(model, asking.roles),
    now,
    switched: switched ?? NOTHING_SWITCHED,
  };
  const off = names.filter((name) => {
    const flag = model.flags.get(name);
    return flag !== undefined && !flagOn(flag, context);
  });
  return rightsOf(model, asking.roles, off);
}

const NOTHING_SWITCHED: ReadonlyMap<string, boolean> = new Map();

/** The next moment at which a flag of the model begins or ends; `Infinity` when there is none. */
export function nextTurn(model: Model, now: number): number {
  let next = Infinity;
  for (const name of guarding(model)) {
    const { from = null, until = null } = model.flags.get(name) ?? {};
    for (const moment of [from, until]) if (moment !== null && moment > now && moment < next) next = moment;
  }
  return next;
}

const known = new WeakMap<Model, readonly string[]>();

/** Flags that entities, fields, steps or metrics stand behind. */
function guarding(model: Model): readonly string[] {
  let names = known.get(model);
  if (names) return names;
  const found = new Set<string>();
  const add = (flag: string | null) => flag !== null && found.add(flag);
  for (const entity of model.entities.values()) {
    add(entity.flag);
    for (const field of entity.fields.values()) add(field.flag);
  }
  for (const { flag } of model.metrics.values()) add(flag);
  for (const { transitions } of model.lifecycles.values()) for (const step of transitions.values()) add(step.flag);
  known.set(model, (names = [...found].sort()));
  return names;
}
