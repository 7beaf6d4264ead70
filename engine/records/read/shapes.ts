/**
 * What was planned and written before. Rights are made once for a model and a set of roles and live as long as the
 * model does, so everything kept hangs on them: a new release starts with nothing, and what belonged to the old one is
 * forgotten with it.
 */
import type { Rights } from '../../model/rights.ts';
import type { Scope } from '../scope.ts';
import { Access } from './access.ts';

/** Shapes kept for one set of rights; the least recently used one goes. */
const KEPT = 1000;

export class Shapes<T> {
  readonly #byRights = new WeakMap<Rights, Map<string, T>>();

  /** @param key what decides the text besides tenant, release and roles */
  get(scope: Scope, key: string, make: () => T): T {
    let kept = this.#byRights.get(scope.rights);
    if (kept === undefined) {
      kept = new Map();
      this.#byRights.set(scope.rights, kept);
    }
    // The same model may stand behind two schemas only in tests, but then it matters.
    const full = `${scope.tenant.names.schema} ${scope.predicates} ${key}`;
    const known = kept.get(full);
    if (known !== undefined) {
      // Their order matters only where one may soon have to go.
      if (kept.size > KEPT / 2) {
        kept.delete(full);
        kept.set(full, known);
      }
      return known;
    }
    const made = make();
    kept.set(full, made);
    if (kept.size > KEPT) {
      const [oldest] = kept.keys();
      if (oldest !== undefined) kept.delete(oldest);
    }
    return made;
  }
}

const accesses = new WeakMap<Rights, Access>();

export function accessOf(scope: Scope): Access {
  let access = accesses.get(scope.rights);
  if (access === undefined || access.model !== scope.model) {
    access = new Access(scope.model, scope.rights);
    accesses.set(scope.rights, access);
  }
  return access;
}
