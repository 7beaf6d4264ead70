/** Lifecycles: states and steps. Their guards are resolved where they are used, against the entity. */
import type { LifecycleDocument } from '../documents.ts';
import type { Place } from '../faults.ts';
import { frozenMap, frozenSet } from '../frozen.ts';
import type { EffectiveDocument } from '../layers.ts';
import type { State, Transition } from '../model.ts';
import { readable } from '../naming.ts';
import { type Draft, flagNamed, noDoubles } from './draft.ts';

/** `POST …/actions/{name}` of every entity; a step of this name could not be taken. */
const ACTION_NAMES: ReadonlySet<string> = new Set(['assign', 'purge', 'restore']);

export function buildLifecycles(draft: Draft): void {
  for (const effective of draft.effective.of('lifecycle')) buildLifecycle(draft, effective);
}

function buildLifecycle(draft: Draft, { document, pack, place }: EffectiveDocument<LifecycleDocument>): void {
  const name = `${pack}.${document.key}`;
  const states = new Map<string, State>();
  noDoubles(draft, document.states, 'states', (index) => place('states', index, 'key'));
  for (const { key, label, color, category } of document.states) {
    states.set(key, { key, label: label ?? readable(key), color: color ?? null, category: category ?? null });
  }
  const known = (state: string, where: Place): void => {
    if (!states.has(state)) draft.faults.unknown(where, 'state', state, states.keys());
  };
  known(document.initial, place('initial'));
  document.createIn?.forEach((state, index) => known(state, place('createIn', index)));

  const written = document.transitions ?? [];
  noDoubles(draft, written, 'transitions', (index) => place('transitions', index, 'key'));
  const transitions = new Map<string, Transition>();
  const guards = new Map<string, { readonly json: unknown; readonly place: Place }>();
  const indices = new Map<string, number>();
  written.forEach((transition, index) => {
    const at = (...path: (string | number)[]) => place('transitions', index, ...path);
    const { key, from, to, guard } = transition;
    if (from === undefined || to === undefined) {
      draft.faults.add(at(), 'missing', `The transition “${key}” needs “from” and “to”.`);
      return;
    }
    if (ACTION_NAMES.has(key))
      draft.faults.add(
        at('key'),
        'reserved',
        `A step cannot be called “${key}”: the engine has an action of this name.`,
      );
    from.forEach((state, position) => known(state, at('from', position)));
    known(to, at('to'));
    indices.set(key, index);
    if (guard !== undefined) guards.set(key, { json: guard, place: at('guard') });
    transitions.set(key, {
      key,
      label: transition.label ?? readable(key),
      from,
      to,
      guarded: guard !== undefined,
      guardMessage: transition.guardMessage ?? null,
      requires: transition.requires ?? [],
      sets: transition.sets ?? {},
      flag: flagNamed(draft, transition.flag, pack, at('flag')),
    });
  });
  draft.lifecycles.set(name, {
    name,
    key: document.key,
    label: document.label,
    initial: document.initial,
    createIn: frozenSet([document.initial, ...(document.createIn ?? [])]),
    states: frozenMap(states),
    transitions: frozenMap(transitions),
    guards,
    placeOf: (transition, ...path) => place('transitions', indices.get(transition.key) ?? 0, ...path),
  });
}
