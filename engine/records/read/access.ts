/**
 * What one set of rights lets one see of an entity: which fields at all, which records, and on which of them a field
 * is masked. Grants pair a condition with fields; two of them never add up to the fields of the one on the records of
 * the other.
 */
import type { Condition, FieldOperand, Step } from '../../condition/condition.ts';
import { TRUE } from '../../condition/condition.ts';
import { manyOf, operandsOf, treesOf } from '../../condition/operands.ts';
import { any, isTrue, simplify } from '../../condition/simplify.ts';
import { behindOne } from '../../model/any-ways.ts';
import type { Entity, Field, Model } from '../../model/model.ts';
import type { Derived, Many } from '../../model/relations.ts';
import type { Grant, Rights } from '../../model/rights.ts';

export interface EntityAccess {
  readonly entity: Entity;
  /** Whether there is any right to read it. */
  readonly readable: boolean;
  /** Records that may be read; {@link TRUE} for all. */
  readonly predicate: Condition;
  /** Field key → the records on which it is shown; fields that are shown wherever the record is are not in it. */
  readonly masks: ReadonlyMap<string, Condition>;
  /** Whether the field may be named at all: hidden equals missing. */
  readonly visible: (field: Field) => boolean;
}

export class Access {
  readonly model: Model;
  readonly rights: Rights;
  /** For `resolveCondition`. */
  readonly visible: (entity: Entity, field: Field) => boolean;
  readonly lookup: (name: string) => Entity | undefined;
  readonly #known = new Map<string, EntityAccess>();

  constructor(model: Model, rights: Rights) {
    this.model = model;
    this.rights = rights;
    this.visible = (entity, field) => this.of(entity).visible(field);
    this.lookup = (name) => model.entities.get(name);
  }

  of(entity: Entity): EntityAccess {
    let known = this.#known.get(entity.name);
    if (known === undefined) {
      known = this.#build(entity);
      this.#known.set(entity.name, known);
    }
    return known;
  }

  #build(entity: Entity): EntityAccess {
    const { read, readableFields } = this.rights.of(entity.name);
    const readable = read.length > 0;
    const predicate = rowsOf(read);
    // What a list holds are records of another entity.
    const visible = (field: Field): boolean => {
      if (!readable || !(ALWAYS.has(field.key) || readableFields.has(field.key))) return false;
      if (field.derived !== null) return this.#sees(entity, field.derived);
      // Behind a reference to one of several entities stands one for each: none tells of an entity that is out of reach.
      const behind = behindOne(field);
      if (behind !== null) return this.rights.of(behind).read.length > 0;
      return field.many === null || this.#seesList(field.many);
    };
    return Object.freeze({
      entity,
      readable,
      predicate,
      masks: masksOf(entity, read, predicate, visible),
      visible,
    });
  }

  /** Derived values are shown to whoever may see what they are made of. */
  #sees(entity: Entity, derived: Derived): boolean {
    if (derived.kind === 'any') return derived.targets.some((target) => this.rights.of(target.entity).read.length > 0);
    if (derived.kind === 'lookup') return this.#seesWay(entity, derived.steps, derived.field);
    const { list, many, field: measured, currency, where } = derived.rollup;
    const other = this.lookup(many.entity);
    const holder = list === null ? null : entity.fields.get(list);
    if (other === undefined || holder === undefined || !this.#seesList(many)) return false;
    if (holder !== null && !this.visible(entity, holder)) return false;
    return (
      [measured, currency].every((key) => key === null || this.#seesWay(other, [], key)) &&
      (where === null || this.withoutHidden(where, other))
    );
  }

  /** Who may not see what refers to a record does not see the other side of it either. */
  #seesList(many: Many): boolean {
    const other = this.lookup(many.entity);
    if (other === undefined || !this.of(other).readable) return false;
    const back = many.via === 'inverse' ? other.fields.get(many.field) : undefined;
    return back === undefined || this.visible(other, back);
  }

  #seesWay(entity: Entity, steps: readonly Step[], last: string): boolean {
    let place: Entity | undefined = entity;
    for (const key of [...steps.map((step) => step.field), last]) {
      const found: Field | undefined = place?.fields.get(key);
      if (place === undefined || found === undefined || !this.visible(place, found)) return false;
      place = found.reference === null ? undefined : this.lookup(found.reference.entity);
    }
    return true;
  }

  /**
   * Whether a condition names only fields that may be read, on all its ways: what a reader may not see must not show
   * through the condition's outcome.
   */
  withoutHidden(condition: Condition, entity: Entity): boolean {
    const trees = treesOf(condition).every((tree) => this.#shows(tree.entity, tree.parent));
    const many = manyOf(condition).every(({ many: { entity: name, anchor, field }, of }) => {
      const holder = anchor.steps.at(-1)?.entity ?? entity.name;
      const inner = this.model.entities.get(name);
      return inner !== undefined && this.#shows(holder, field) && this.withoutHidden(of, inner);
    });
    if (!trees || !many) return false;
    return fieldsOf(condition).every(({ steps, field }) => this.#seesWay(entity, steps, field));
  }

  #shows(entity: string, key: string): boolean {
    const place = this.model.entities.get(entity);
    const field = place?.fields.get(key);
    return place !== undefined && field !== undefined && this.visible(place, field);
  }
}

const ALWAYS: ReadonlySet<string> = new Set(['id', 'version']);

/** Records that one of the grants covers. */
export function rowsOf(grants: readonly Grant[]): Condition {
  return simplify(any(grants.map((grant) => grant.condition ?? TRUE)));
}

function masksOf(
  entity: Entity,
  grants: readonly Grant[],
  predicate: Condition,
  visible: (field: Field) => boolean,
): Map<string, Condition> {
  const masks = new Map<string, Condition>();
  if (grants.every((grant) => grant.fields === null)) return masks;
  const everywhere = JSON.stringify(predicate);
  for (const field of entity.fields.values()) {
    // A list of parts has no column; whether it is shown on some records only is asked where it is read.
    if ((field.column === null && field.children === null) || ALWAYS.has(field.key) || !visible(field)) continue;
    const condition = rowsOf(grants.filter((grant) => grant.fields === null || grant.fields.has(field.key)));
    if (!isTrue(condition) && JSON.stringify(condition) !== everywhere) masks.set(field.key, condition);
  }
  return masks;
}

/** Every field of the record, and over references, that a condition looks at. */
export function fieldsOf(condition: Condition): FieldOperand[] {
  return operandsOf(condition).filter((operand) => operand.kind === 'field');
}
