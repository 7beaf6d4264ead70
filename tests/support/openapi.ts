/** An OpenAPI document as the tests read it: its operations, and whether a body is as a schema of it says. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

export interface ApiOperation {
  readonly method: string;
  readonly path: string;
  readonly operation: Json;
  /** What it takes, its path's included, references followed. */
  readonly parameters: readonly Json[];
  /** By status, references followed. */
  readonly responses: ReadonlyMap<string, Json>;
  /** The first example of a JSON body; `undefined` where there is none. */
  readonly example: unknown;
  readonly hasBody: boolean;
}

export class ApiDocument {
  readonly document: Json;
  readonly operations: readonly ApiOperation[];
  readonly #ajv: Ajv2020;

  constructor(document: Json) {
    this.document = document;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(this.#ajv);
    this.#ajv.addSchema({ $id: 'doc', components: this.#closed(document['components']) }, 'doc', false, false);
    this.operations = this.#operations();
  }

  /** What a `$ref` leads to; everything else as it is. */
  follow(value: unknown): unknown {
    if (!isObject(value) || typeof value['$ref'] !== 'string') return value;
    return value['$ref']
      .slice(2)
      .split('/')
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce<unknown>((found, key) => (isObject(found) ? found[key] : undefined), this.document);
  }

  /** @returns what is wrong with the value; empty when it is as the schema says, and says no more than it */
  faults(schema: unknown, value: unknown): string[] {
    const own: unknown = JSON.parse(JSON.stringify(this.#closed(schema)).replaceAll('"#/', '"doc#/'));
    if (!isObject(own)) return ['no schema'];
    const validate = this.#ajv.compile(own);
    if (validate(value)) return [];
    return (validate.errors ?? [])
      .slice(0, 6)
      .map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`);
  }

  /** The same where an object that lists its members has no others: an answer must not say what nobody described. */
  #closed(schema: unknown): unknown {
    if (Array.isArray(schema)) return schema.map((one: unknown) => this.#closed(one));
    if (!isObject(schema)) return schema;
    const made = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, this.#closed(value)]));
    const lists = isObject(schema['properties']) && schema['type'] === 'object';
    return lists && schema['additionalProperties'] === undefined ? { ...made, additionalProperties: false } : made;
  }

  #operations(): ApiOperation[] {
    const { paths } = this.document;
    return Object.entries(isObject(paths) ? paths : {}).flatMap(([path, item]) => {
      if (!isObject(item)) return [];
      return METHODS.flatMap((method) => {
        const operation = item[method];
        if (!isObject(operation)) return [];
        const list = [item['parameters'], operation['parameters']].flatMap((some) => (Array.isArray(some) ? some : []));
        const parameters = list.map((one: unknown) => this.follow(one)).filter(isObject);
        const { requestBody, responses } = operation;
        const content = isObject(requestBody) && isObject(requestBody['content']) ? requestBody['content'] : {};
        const media = content['application/json'];
        return [
          {
            method: method.toUpperCase(),
            path,
            operation,
            parameters,
            responses: new Map(
              Object.entries(isObject(responses) ? responses : {}).flatMap(([status, response]) => {
                const found = this.follow(response);
                return isObject(found) ? [[status, found] as const] : [];
              }),
            ),
            example: isObject(media) ? media['example'] : undefined,
            hasBody: isObject(media),
          },
        ];
      });
    });
  }
}
