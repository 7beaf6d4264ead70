/** A field at the end of references, as the reader may see it. */
import type { Step } from '../../condition/condition.ts';
import { Faults } from '../../condition/faults.ts';
import { resolvePath } from '../../condition/resolve-path.ts';
import type { Entity, Field } from '../../model/model.ts';
import type { Access } from './access.ts';

/** A field of the record, or of one it refers to. */
export interface PlannedPath {
  readonly steps: readonly Step[];
  readonly field: Field;
}

/** @throws Problem `unknown_field` or `invalid_parameter`: hidden equals missing */
export function planPath(path: readonly string[], at: string, entity: Entity, access: Access): PlannedPath {
  const faults = new Faults({});
  const resolved = resolvePath(path, at, {
    entity,
    lookup: access.lookup,
    visible: access.visible,
    faults,
    derived: true,
  });
  faults.check();
  if (resolved === undefined) throw new TypeError('a path without a fault resolves');
  return { steps: resolved.operand.steps, field: resolved.field };
}
