/** A database error of a write, told in the words of the model: which field it is about, never what Postgres said. */
import type { DatabaseError } from '#engine/db/database-error.ts';
import { isDatabaseError, problemOf } from '#engine/db/database-error.ts';
import type { Entity, Model } from '#engine/model/model.ts';
import type { ProblemDetail } from '#engine/problem.ts';
import { Problem } from '#engine/problem.ts';
import { constraintTarget } from '#engine/schema/constraint-target.ts';
import { NO_FILE } from '#engine/schema/attached.ts';
import type { Scope } from '../scope.ts';
import { ruleProblem } from './rules.ts';

/** SQLSTATEs after which the same statements may succeed. */
export function isRetryable(error: unknown): boolean {
  return isDatabaseError(error) && (error.code === '40001' || error.code === '40P01');
}

/** @param error of a batch of writes to `entity` (and its parts) */
export function writeProblem(error: unknown, scope: Scope, entity: Entity): Problem {
  if (!isDatabaseError(error)) return problemOf(error);
  const broken = ruleProblem(error, scope);
  if (broken) return broken;
  const { code, constraint } = error;
  if (code === '42501') return new Problem('forbidden', 'You may not write a record like this.', [], { cause: error });
  if (constraint === undefined && code !== '23502') return problemOf(error);
  const target = targetOf(scope.model, entity, error);
  const readable = target?.fields.filter((key) => scope.rights.of(target.entity.name).readableFields.has(key)) ?? [];
  switch (code) {
    case '23505':
      return uniqueProblem(error, entity, target, readable);
    case '23503':
      return referenceProblem(error, entity, target, readable);
    case '23502':
      return invalidProblem(error, entity, target, readable, 'required', (label) => `${label} is required.`);
    case '23514':
      return invalidProblem(
        error,
        entity,
        target,
        readable,
        'invalid',
        (label) => `${label} has a value that is not allowed.`,
      );
    case 'AR001': {
      const label = labelOf(target, readable);
      return new Problem('transition_refused', `${label ?? 'This step'} cannot change like this now.`, [], {
        cause: error,
      });
    }
    default:
      return problemOf(error);
  }
}

interface Target {
  readonly entity: Entity;
  /** Field keys. */
  readonly fields: readonly string[];
}

function targetOf(model: Model, entity: Entity, error: DatabaseError): Target | null {
  const named = error.constraint === undefined ? null : constraintTarget(model, error.constraint);
  if (named) return named;
  // NOT NULL without a name of its own: the column is the field.
  const of = [...model.entities.values()].find(({ table }) => table === error.table) ?? entity;
  return error.column !== undefined && of.fields.has(error.column) ? { entity: of, fields: [error.column] } : null;
}

function labelOf(target: Target | null, readable: readonly string[]): string | null {
  const labels = readable.map((key) => target?.entity.fields.get(key)?.label ?? key);
  return labels.length === 0 ? null : labels.join(' and ');
}

/** A pointer only into the record that was sent: of a part nobody knows which one it was. */
function pointers(
  entity: Entity,
  target: Target | null,
  readable: readonly string[],
  detail: Omit<ProblemDetail, 'pointer'>,
): ProblemDetail[] {
  if (target?.entity !== entity) return [{ ...detail }];
  return readable.map((key) => ({ ...detail, pointer: `/${key}` }));
}

function uniqueProblem(error: Error, entity: Entity, target: Target | null, readable: readonly string[]): Problem {
  const label = labelOf(target, readable);
  const message =
    label === null
      ? 'A value is already used by another record.'
      : readable.length > 1
        ? `Another record has the same ${label}.`
        : `${label} is already used by another record.`;
  const params = readable.length > 0 ? { fields: readable } : {};
  return new Problem('unique', message, pointers(entity, target, readable, { code: 'unique', message, params }), {
    cause: error,
  });
}

/** Either what was sent points at nothing, or something else points at what was deleted. */
function referenceProblem(error: Error, entity: Entity, target: Target | null, readable: readonly string[]): Problem {
  if (target && target.entity !== entity && target.entity.parent?.entity !== entity.name) {
    return new Problem('still_referenced', 'Other records still refer to this one.', [], { cause: error });
  }
  const field = target?.entity.fields.get(target.fields[0] ?? '');
  const detail = field?.type.attached
    ? fileFault(error, field.label)
    : { code: 'reference', message: 'This refers to a record that does not exist or that you may not see.' };
  return new Problem('invalid', detail.message, pointers(entity, target, readable, detail), { cause: error });
}

/** A field takes a file that its writer has uploaded and no record has. */
function fileFault({ message }: Error, label: string): { readonly code: string; readonly message: string } {
  if (message === NO_FILE.kind)
    return { code: 'file_kind', message: `${label} takes a picture: a PNG, JPEG, GIF or WebP, by its content.` };
  if (message === NO_FILE.used)
    return { code: 'file_used', message: `A record has this file already: upload it once more for ${label}.` };
  return { code: 'reference', message: `There is no file with this id that you have uploaded for ${label}.` };
}

function invalidProblem(
  error: Error,
  entity: Entity,
  target: Target | null,
  readable: readonly string[],
  code: string,
  sentence: (label: string) => string,
): Problem {
  const message = sentence(labelOf(target, readable) ?? 'A value');
  return new Problem('invalid', message, pointers(entity, target, readable, { code, message }), { cause: error });
}
