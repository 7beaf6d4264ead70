/** Every operation of the OpenAPI document, with bodies that are right to begin with; metadata documents more often. */
import type { Client } from '#tests/support/http.ts';
import type { Operation } from './requests.ts';

const METHODS = ['get', 'post', 'patch', 'delete', 'put', 'query'];

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function member(value: unknown, ...path: readonly string[]): unknown {
  let found: unknown = value;
  for (const key of path) found = isObject(found) ? found[key] : undefined;
  return found;
}

function parametersOf(operation: unknown, components: unknown): string[] {
  const list: unknown = member(operation, 'parameters');
  return (Array.isArray(list) ? list : []).flatMap((one: unknown) => {
    const ref = member(one, '$ref');
    const parameter = typeof ref === 'string' ? member(components, 'parameters', ref.split('/').at(-1) ?? '') : one;
    const name = member(parameter, 'name');
    return typeof name === 'string' && member(parameter, 'in') === 'query' ? [name] : [];
  });
}

function bodiesOf(operation: unknown): unknown[] {
  const content = member(operation, 'requestBody', 'content');
  if (!isObject(content)) return [];
  return Object.values(content).flatMap((media) => {
    const example = member(media, 'example');
    const examples = member(media, 'examples');
    return [
      ...(example === undefined ? [] : [example]),
      ...(isObject(examples) ? Object.values(examples).map((one) => member(one, 'value')) : []),
    ];
  });
}

/** @param documents metadata documents of every kind */
export async function allOperations(client: Client, documents: readonly unknown[], base: number): Promise<Operation[]> {
  const { json } = await client.get('/api/openapi.json');
  const paths: unknown = json['paths'];
  const described: Operation[] = [];
  for (const [path, item] of Object.entries(isObject(paths) ? paths : {})) {
    for (const method of METHODS) {
      const operation = member(item, method);
      if (operation === undefined) continue;
      const shared = parametersOf(item, json['components']);
      described.push({
        method: method.toUpperCase(),
        path,
        parameters: [...shared, ...parametersOf(operation, json['components'])],
        bodies: bodiesOf(operation),
      });
    }
  }
  const release = { base, message: 'Fuzz', documents };
  const beside: Operation[] = [
    ...Array.from({ length: 12 }, () => ({
      method: 'POST',
      path: '/api/metadata/plan',
      parameters: [],
      bodies: [release],
    })),
    { method: 'POST', path: '/api/metadata/publish', parameters: [], bodies: [{ ...release, base: 999 }] },
    { method: 'POST', path: '/api/metadata/rollback', parameters: [], bodies: [{ base: 999, to: 1 }] },
    { method: 'GET', path: '/api/{anything}', parameters: [], bodies: [] },
    { method: 'GET', path: '/api/{pack}/v1/{plural}/{id}/{rest}', parameters: [], bodies: [] },
  ];
  return [...described, ...beside];
}
