/** The small pieces that every part of the OpenAPI document is put together from. */
import type { Entity } from '../model/model.ts';

export type Part = Readonly<Record<string, unknown>>;
export type Paths = Record<string, Part>;

/** A shared parameter, by its key in `components/parameters`. */
export const parameter = (key: string): Part => ({ $ref: `#/components/parameters/${key}` });

/** A shared header under its own name, to be spread into `headers`. */
export const headerRef = (key: string): Part => ({ [key]: { $ref: `#/components/headers/${key}` } });

/** Content of a body in JSON. */
export const json = (schema: Part, example?: unknown): Part => ({
  'application/json': { schema, ...(example !== undefined && { example }) },
});

/** `{"data": …}` */
export const data = (schema: Part): Part => ({ type: 'object', required: ['data'], properties: { data: schema } });

/** Answer of a write: beside the data may stand what is to be said of records that were written all the same. */
export const writtenData = (schema: Part): Part => ({
  type: 'object',
  required: ['data'],
  properties: {
    data: schema,
    warnings: {
      type: 'array',
      description:
        'Codes: `rule` (a rule that only warns), `possible_duplicate` (asked for with `Prefer: duplicates=report`), `left_alone` (an upsert does not change the owner or a state of a record that exists).',
      items: {
        allOf: [
          { $ref: '#/components/schemas/ProblemDetail' },
          { type: 'object', properties: { record: { type: 'string', description: 'Id of the record.' } } },
        ],
      },
    },
  },
});

export const body = (schema: Part, example?: unknown, required = true): Part => ({
  required,
  content: json(schema, example),
});

/** A response with `{"data": …}`. */
export const answer = (description: string, schema: Part, headers?: Part): Part => ({
  description,
  ...(headers && { headers }),
  content: json(data(schema)),
});

/** A parameter of the query that is not shared. */
export const query = (name: string, description: string, schema: Part, example?: unknown): Part => ({
  name,
  in: 'query',
  description,
  schema,
  ...(example !== undefined && { example }),
});

export const inPath = (name: string, description: string, schema: Part, example?: unknown): Part => ({
  name,
  in: 'path',
  required: true,
  description,
  schema,
  ...(example !== undefined && { example }),
});

/** An object with all of these members and no others. */
export const exactly = (properties: Readonly<Record<string, Part>>, optional: readonly string[] = []): Part => ({
  type: 'object',
  required: Object.keys(properties).filter((key) => !optional.includes(key)),
  additionalProperties: false,
  properties,
});

export const text: Part = { type: 'string' };
export const texts: Part = { type: 'array', items: text };
export const whole: Part = { type: 'integer' };
export const yesNo: Part = { type: 'boolean' };
export const moment: Part = { type: 'string', format: 'date-time' };
export const uuid: Part = { type: 'string', format: 'uuid' };

export const orNull = (schema: Part): Part => ({ anyOf: [schema, { type: 'null' }] });
export const listOf = (items: Part): Part => ({ type: 'array', items });
/** An object whose members all have this schema. */
export const mapOf = (schema: Part): Part => ({ type: 'object', additionalProperties: schema });

/** An operation about an entity; its id is unique as entities' names are. */
export function operation(entity: Entity, verb: string, summary: string, rest: Part): Part {
  return { operationId: `${verb}_${entity.name.replace('.', '_')}`, tags: [entity.name], summary, ...rest };
}
