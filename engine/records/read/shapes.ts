/**
 * What was planned and written before. Rights are made once for a model and a set of roles and live as long as the
 * model does, so everything kept hangs on them: a new release starts with nothing, and what belonged to the old one is
 * forgotten with it.
 */
import type { Entity } from '../../model/model.ts';
import type { Rights } from '../../model/rights.ts';
import type { Scope } from '../scope.ts';
import { Access } from './access.ts';

/** Shapes kept for an entity and one set of rights; the least recently used one goes. */
const KEPT = 250;

interface Kept<T> {
  readonly schema: string;
  readonly predicates: boolean;
  readonly byKey: Map<string, T>;
}

export class Shapes<T> {
  readonly #byRights = new WeakMap<Rights, Map<string, Kept<T>>>();

  /** @param key what decides the text besides tenant, release, roles and entity; a text that is kept itself is found fastest */
  get(scope: Scope, entity: Entity, key: string, make: () => T): T {
    const { byKey } = this.#keptOf(scope, entity);
    const known = byKey.get(key);
    if (known !== undefined) {
      // Their order matters only where one may soon have to go.
      if (byKey.size > KEPT / 2) {
        byKey.delete(key);
        byKey.set(key, known);
      }
      return known;
    }
    const made = make();
    byKey.set(key, made);
    if (byKey.size > KEPT) {
      const [oldest] = byKey.keys();
      if (oldest !== undefined) byKey.delete(oldest);
    }
    return made;
  }

  #keptOf({ rights, predicates, tenant }: Scope, entity: Entity): Kept<T> {
    let byEntity = this.#byRights.get(rights);
    if (byEntity === undefined) this.#byRights.set(rights, (byEntity = new Map()));
    const { schema } = tenant.names;
    let kept = byEntity.get(entity.name);
    // The same rights stand behind two schemas only in tests, but then it matters.
    if (kept?.schema !== schema || kept.predicates !== predicates)
      byEntity.set(entity.name, (kept = { schema, predicates, byKey: new Map() }));
    return kept;
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
