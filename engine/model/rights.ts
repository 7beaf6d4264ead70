/**
 * What a principal's roles allow, entity by entity. The compiler puts each grant's condition beside the fields that
 * this grant allows: two overlapping permissions never add up to the union of their fields on the union of their rows.
 */
import type { Condition, Many, Operand, Step } from '../condition/condition.ts';
import { deepFreeze, frozenMap, frozenSet } from './frozen.ts';
import { sharedBelow } from '../condition/shared.ts';
import { type Action, type Entity, type Field, inputsOf, type Model, type Permission } from './model.ts';
import { rowsReached } from './shared-rows.ts';

/** One permission's part in a right. */
export interface Grant {
  /** Which records; `null` = every record. */
  readonly condition: Condition | null;
  /** Field keys; `null` = every field. For `delete` always `null`. */
  readonly fields: ReadonlySet<string> | null;
  /** For `update`: transitions it allows (keys); `null` = all. For the others always `null`. */
  readonly transitions: ReadonlySet<string> | null;
}

export interface EntityRights {
  /** An empty list: not allowed. */
  readonly read: readonly Grant[];
  readonly create: readonly Grant[];
  readonly update: readonly Grant[];
  readonly delete: readonly Grant[];
  /** Giving the record to another owner; sharing it; merging others into it; deleting it for good. Without fields. */
  readonly assign: readonly Grant[];
  readonly share: readonly Grant[];
  readonly merge: readonly Grant[];
  readonly purge: readonly Grant[];
  readonly import: boolean;
  readonly export: boolean;
  /** Field keys, in the entity's order: `always` on every record that may be read, `conditional` on some of them only. */
  readonly readableFields: ReadonlyMap<string, 'always' | 'conditional'>;
  /** Field keys that at least one grant allows at creation (state and owner among them). Values are checked per grant. */
  readonly creatableFields: ReadonlySet<string>;
  /** Field keys that at least one grant allows to change. Neither state (transitions) nor owner (`assign`) is among them. */
  readonly updatableFields: ReadonlySet<string>;
  /** Transitions (keys) that at least one grant allows. */
  readonly transitions: ReadonlySet<string>;
}

export interface Rights {
  /** Role keys it was made for, with those they inherit. */
  readonly roles: ReadonlySet<string>;
  /** One of the roles is an organisation administrator's. */
  readonly administrator: boolean;
  /** Flags that are off, as far as entities, fields or steps stand behind them: these have no rights. */
  readonly off: ReadonlySet<string>;
  /** @returns rights that allow nothing for an entity that does not exist: hidden equals missing */
  of(entityName: string): EntityRights;
}

/** Rights hold on to nothing but the model, so they live as long as it does. */
const cache = new WeakMap<Model, Map<string, Rights>>();
/** More combinations of roles than any organisation has; a guard against a caller that makes them up. */
const MAX_CACHED = 2000;

/**
 * @param roleKeys in any order; unknown ones allow nothing
 * @param off flags that are off: see `flag-rights.ts`
 */
export function rightsOf(model: Model, roleKeys: readonly string[], off: readonly string[] = NO_FLAGS): Rights {
  const key = `${[...new Set(roleKeys)].sort().join(' ')}${off.length === 0 ? '' : ` !${off.join(' ')}`}`;
  let known = cache.get(model);
  if (!known) {
    known = new Map();
    cache.set(model, known);
  }
  const found = known.get(key);
  if (found) return found;
  const rights = makeRights(model, roleKeys, off);
  if (known.size >= MAX_CACHED) known.clear();
  known.set(key, rights);
  return rights;
}

/** The roles themselves and all they inherit, those without a role in the model left out. */
export function withInherited(model: Pick<Model, 'roles'>, roleKeys: readonly string[]): ReadonlySet<string> {
  const roles = new Set<string>();
  const add = (key: string): void => {
    const role = model.roles.get(key);
    if (!role || roles.has(key)) return;
    roles.add(key);
    role.inherits.forEach(add);
  };
  roleKeys.forEach(add);
  return roles;
}

const NO_FLAGS: readonly string[] = [];

function makeRights(model: Model, roleKeys: readonly string[], flags: readonly string[]): Rights {
  const roles = withInherited(model, roleKeys);
  const off = frozenSet(flags);
  const made = new Map<string, EntityRights>();
  const of = (name: string): EntityRights => {
    const found = made.get(name);
    if (found) return found;
    const entity = model.entities.get(name);
    if (!entity || isOff(entity.flag, off)) return NOTHING;
    const rights = entity.parent
      ? partRights(model, entity, entity.parent, of(entity.parent.entity), off)
      : wholeRights(model, entity, roles, off);
    made.set(name, rights);
    return rights;
  };
  return Object.freeze({
    roles: frozenSet(roles),
    administrator: [...roles].some((key) => model.roles.get(key)?.administrator === true),
    off,
    of,
  });
}

function wholeRights(model: Model, entity: Entity, roles: ReadonlySet<string>, off: ReadonlySet<string>): EntityRights {
  const shown = shownOf(model, entity, off);
  const permissions = entity.permissions.filter(({ role }) => roles.has(role));
  const grants = (action: Action, fieldIds: (permission: Permission) => ReadonlySet<string> | null): readonly Grant[] =>
    simplest(
      permissions
        .filter(({ actions }) => actions.has(action))
        .map((permission) => ({
          condition: rowsReached(entity, permission, action),
          fields: WITH_FIELDS.has(action) ? narrowed(keysOf(entity, fieldIds(permission)), shown.fields) : null,
          transitions: action === 'update' ? narrowed(permission.transitions, shown.steps) : null,
        })),
    );
  return summary(model, entity, {
    read: grants('read', ({ fields }) => fields.read),
    create: grants('create', ({ fields }) => fields.create),
    update: grants('update', ({ fields }) => fields.update),
    delete: grants('delete', () => null),
    assign: entity.owner ? grants('assign', () => null) : [],
    share: entity.sharing ? grants('share', () => null) : [],
    merge: entity.softDelete ? grants('merge', () => null) : [],
    purge: entity.softDelete ? grants('purge', () => null) : [],
    import: permissions.some(({ actions }) => actions.has('import')),
    export: permissions.some(({ actions }) => actions.has('export')),
  });
}

/** A part is read with its parent, and made, changed and deleted by whoever may change the parent. */
function partRights(
  model: Model,
  entity: Entity,
  parent: NonNullable<Entity['parent']>,
  rights: EntityRights,
  off: ReadonlySet<string>,
): EntityRights {
  const whole = model.entities.get(parent.entity);
  const back = entity.fields.get(parent.field);
  if (!whole || !back) return NOTHING;
  const step: Step = { field: back.key, fieldId: back.id, entity: whole.name, table: whole.table };
  // The field of the parent that holds these parts: who may not see or change it may not see or change them.
  const holder = [...whole.fields.values()].find(({ children }) => children?.entity === entity.name);
  const shown = shownOf(model, entity, off);
  const through = (grants: readonly Grant[], fields: ReadonlySet<string> | null = shown.fields): readonly Grant[] =>
    grants
      .filter((grant) => holder === undefined || grant.fields === null || grant.fields.has(holder.key))
      .map(({ condition }) => ({ condition: condition && below(condition, step), fields, transitions: null }));
  const write = through(rights.update);
  return summary(model, entity, {
    read: through(rights.read),
    create: write,
    update: write,
    delete: through(rights.update, null),
    assign: [],
    share: [],
    merge: [],
    purge: [],
    import: rights.import && write.length > 0,
    export: rights.export,
  });
}

const WITH_FIELDS: ReadonlySet<Action> = new Set(['create', 'read', 'update']);

const isOff = (flag: string | null, off: ReadonlySet<string>): boolean => flag !== null && off.has(flag);

const narrowed = (set: ReadonlySet<string> | null, shown: ReadonlySet<string> | null): ReadonlySet<string> | null =>
  shown === null ? set : frozenSet(set === null ? shown : [...set].filter((key) => shown.has(key)));

/**
 * What of an entity stands behind no flag that is off; `null` for everything. With a field goes what tells of it: its
 * companions, what is computed from it, and what leads to records of an entity that is off.
 */
function shownOf(
  model: Model,
  entity: Entity,
  off: ReadonlySet<string>,
): { readonly fields: ReadonlySet<string> | null; readonly steps: ReadonlySet<string> | null } {
  if (off.size === 0) return { fields: null, steps: null };
  const gone = (name: string | undefined): boolean => {
    const target = name === undefined ? undefined : model.entities.get(name);
    if (!target) return false;
    return isOff(target.flag, off) || (target.parent !== null && gone(target.parent.entity));
  };
  const hidden = new Set<string>();
  for (const field of entity.fields.values()) {
    // A reference to records of several entities has some that are there.
    const one = !field.required && entity.fields.get(field.companionOf ?? '')?.derived?.kind !== 'any';
    const leads = field.many?.entity ?? (one ? field.reference?.entity : undefined);
    if (isOff(field.flag, off) || gone(leads)) hidden.add(field.key);
  }
  for (let before = -1; before < hidden.size; ) {
    before = hidden.size;
    for (const field of entity.fields.values()) {
      const inputs = field.derived?.kind === 'any' ? [] : inputsOf(field);
      const tells = field.companionOf === null ? inputs : [field.companionOf, ...inputs];
      if (tells.some((key) => hidden.has(key))) hidden.add(field.key);
    }
  }
  const steps = [...entity.fields.values()].flatMap(({ lifecycle }) => [
    ...(model.lifecycles.get(lifecycle ?? '')?.transitions.values() ?? []),
  ]);
  return {
    fields: hidden.size === 0 ? null : frozenSet([...entity.fields.keys()].filter((key) => !hidden.has(key))),
    steps: steps.some(({ flag }) => isOff(flag, off))
      ? frozenSet(steps.filter(({ flag }) => !isOff(flag, off)).map(({ key }) => key))
      : null,
  };
}

/** A condition about the parent, told from the part: every path starts with the reference to the parent. */
function below(condition: Condition, step: Step): Condition {
  const anchored = (many: Many): Many => ({
    ...many,
    anchor: { ...many.anchor, steps: [step, ...many.anchor.steps] },
  });
  const operand = (one: Operand): Operand => {
    if (one.kind === 'count') return { ...one, many: anchored(one.many) };
    return one.kind === 'field' ? { ...one, steps: [step, ...one.steps] } : one;
  };
  switch (condition.kind) {
    case 'all':
    case 'any':
      return { kind: condition.kind, of: condition.of.map((member) => below(member, step)) };
    case 'not':
      return { kind: 'not', of: below(condition.of, step) };
    case 'test':
      return { ...condition, left: operand(condition.left), right: operand(condition.right) };
    case 'under':
      return { ...condition, left: operand(condition.left), right: operand(condition.right) };
    case 'some':
      return { ...condition, many: anchored(condition.many) };
    case 'business_hours':
      return condition;
    case 'shared':
      return sharedBelow(condition, step);
  }
}

type Granted = Pick<EntityRights, Action>;

function summary(model: Model, entity: Entity, granted: Granted): EntityRights {
  const readable = new Map<string, 'always' | 'conditional'>();
  const creatable = new Set<string>();
  const updatable = new Set<string>();
  const transitions = new Set<string>();
  for (const field of entity.fields.values()) {
    const { key } = field;
    const covering = granted.read.filter(({ fields }) => fields === null || fields.has(key));
    if (covering.length > 0) {
      const always = covering.length === granted.read.length || covering.some(({ condition }) => condition === null);
      readable.set(key, always ? 'always' : 'conditional');
    }
    if (givenAtCreation(field) && allows(granted.create, key)) creatable.add(key);
    if (!field.system && !field.readOnly && allows(granted.update, key)) updatable.add(key);
    for (const transition of model.lifecycles.get(field.lifecycle ?? '')?.transitions.keys() ?? []) {
      if (granted.update.some((grant) => grant.transitions === null || grant.transitions.has(transition)))
        transitions.add(transition);
    }
  }
  return Object.freeze({
    ...granted,
    read: deepFreeze(granted.read),
    create: deepFreeze(granted.create),
    update: deepFreeze(granted.update),
    delete: deepFreeze(granted.delete),
    assign: deepFreeze(granted.assign),
    share: deepFreeze(granted.share),
    merge: deepFreeze(granted.merge),
    purge: deepFreeze(granted.purge),
    readableFields: frozenMap(readable),
    creatableFields: frozenSet(creatable),
    updatableFields: frozenSet(updatable),
    transitions: frozenSet(transitions),
  });
}

const allows = (grants: readonly Grant[], key: string): boolean =>
  grants.some(({ fields }) => fields === null || fields.has(key));

function givenAtCreation(field: Field): boolean {
  return field.key === 'owner' || field.lifecycle !== null || (!field.system && !field.readOnly);
}

function keysOf(entity: Entity, ids: ReadonlySet<string> | null): ReadonlySet<string> | null {
  if (ids === null) return null;
  const keys: string[] = [];
  for (const id of ids) {
    const key = entity.fieldsById.get(id)?.key;
    if (key !== undefined) keys.push(key);
  }
  return frozenSet(keys);
}

/** A grant of everything makes the others superfluous. */
function simplest(grants: readonly Grant[]): readonly Grant[] {
  const everything = grants.find(
    ({ condition, fields, transitions }) => condition === null && fields === null && transitions === null,
  );
  return everything ? [everything] : grants;
}

const NOTHING: EntityRights = Object.freeze({
  read: [],
  create: [],
  update: [],
  delete: [],
  assign: [],
  share: [],
  merge: [],
  purge: [],
  import: false,
  export: false,
  readableFields: frozenMap<string, 'always' | 'conditional'>([]),
  creatableFields: frozenSet<string>([]),
  updatableFields: frozenSet<string>([]),
  transitions: frozenSet<string>([]),
});
