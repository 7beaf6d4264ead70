/** The two documents the API makes of a model, for every role of every shipped pack: valid, and without what is hidden. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../model/model.ts';
import type { Scope } from '../records/scope.ts';
import { leadsNowhere } from '../records/write/validate.ts';
import { buildOpenApi } from './openapi.ts';
import { knowsEntity } from './scopes.ts';
import { scopeOn, shippedModel } from './testing/shipped.ts';
import { buildUiModel } from './ui-model-build.ts';

let model: Model;

beforeAll(async () => {
  model = await shippedModel();
});

const scopeOf = (...roles: string[]): Scope => scopeOn(model, ...roles);

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every object in a JSON tree with its pointer. */
function* walk(value: unknown, at = '#'): Generator<readonly [string, Json]> {
  if (isObject(value)) yield [at, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value))
    yield* walk(member, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
}

function resolve(document: Json, ref: string): unknown {
  return ref
    .slice(2)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((found, key) => (isObject(found) ? found[key] : undefined), document);
}

/** Keys of the object a pointer leads to; none where it leads nowhere. */
function keysAt(document: Json, ref: string): readonly string[] {
  const found = resolve(document, ref);
  return isObject(found) ? Object.keys(found) : [];
}

function operationsOf(
  document: Json,
): readonly { readonly path: string; readonly shared: readonly unknown[]; readonly operation: Json }[] {
  return Object.entries(isObject(document['paths']) ? document['paths'] : {}).flatMap(([path, item]) => {
    if (!isObject(item)) return [];
    const shared = Array.isArray(item['parameters']) ? item['parameters'] : [];
    return Object.entries(item)
      .filter(([method]) => ['get', 'post', 'put', 'patch', 'delete'].includes(method))
      .map(([, operation]) => ({ path, shared, operation: isObject(operation) ? operation : {} }));
  });
}

/** What a reader of OpenAPI 3.1 trips over. */
function faultsOf(document: Json): string[] {
  const faults: string[] = [];
  for (const [at, object] of walk(document)) {
    const ref = object['$ref'];
    if (typeof ref === 'string' && resolve(document, ref) === undefined) faults.push(`${at}: ${ref} leads nowhere`);
  }
  const seen = new Set<unknown>();
  for (const { path, shared, operation } of operationsOf(document)) {
    if (seen.has(operation['operationId'])) faults.push(`${path}: operationId twice`);
    seen.add(operation['operationId']);
    const parameters = [...shared, ...(Array.isArray(operation['parameters']) ? operation['parameters'] : [])].map(
      (parameter: unknown) =>
        isObject(parameter) && typeof parameter['$ref'] === 'string' ? resolve(document, parameter['$ref']) : parameter,
    );
    const named = parameters.flatMap((parameter) =>
      isObject(parameter) ? [`${String(parameter['in'])} ${String(parameter['name'])}`] : [],
    );
    if (new Set(named).size !== named.length) faults.push(`${path}: a parameter twice`);
    for (const [, name] of path.matchAll(/\{(\w+)\}/g))
      if (!named.includes(`path ${name}`)) faults.push(`${path}: {${name}} is not declared`);
    const { responses } = operation;
    if (!isObject(responses) || !Object.keys(responses).some((status) => status.startsWith('2')))
      faults.push(`${path}: no success`);
  }
  const components = isObject(document['components']) ? document['components'] : {};
  const schemas = isObject(components['schemas']) ? components['schemas'] : {};
  // Documentation words (examples, readOnly) are fine; a keyword that does not exist is not.
  const ajv = new Ajv2020({
    strict: true,
    strictTypes: false,
    strictRequired: false,
    validateFormats: false,
    allowUnionTypes: true,
  });
  ajv.addVocabulary(['components']);
  ajv.addSchema({ $id: 'doc', components: { schemas } }, 'doc', false, false);
  for (const name of Object.keys(schemas)) {
    try {
      ajv.compile({ $ref: `doc#/components/schemas/${name}` });
    } catch (error) {
      faults.push(`${name}: ${String(error)}`);
    }
  }
  // What is shown as an example of a body must be one.
  for (const { path, operation } of operationsOf(document)) {
    const media = resolve({ operation }, '#/operation/requestBody/content/application~1json');
    if (!isObject(media) || media['example'] === undefined || !isObject(media['schema'])) continue;
    const schema: unknown = JSON.parse(JSON.stringify(media['schema']).replaceAll('"#/', '"doc#/'));
    if (!isObject(schema) || !ajv.validate(schema, media['example']))
      faults.push(`${path}: example ${ajv.errorsText()}`);
  }
  for (const name of Object.keys(schemas)) {
    if (!/^[A-Za-z0-9._-]+$/.test(name)) faults.push(`${name}: not a component's name`);
  }
  return faults;
}

describe('the OpenAPI document', () => {
  it('is well formed for every role', () => {
    for (const role of model.roles.keys()) {
      const document = buildOpenApi(scopeOf(role), 'https://crm.example');
      expect(document).toMatchObject({
        openapi: '3.1.0',
        info: { version: '4' },
        servers: [{ url: 'https://crm.example' }],
      });
      expect([role, faultsOf(document)]).toEqual([role, []]);
    }
  }, 300_000);

  it('names neither entities nor fields that the roles do not see', () => {
    for (const role of model.roles.keys()) {
      const scope = scopeOf(role);
      const document = buildOpenApi(scope, 'https://crm.example');
      const paths = keysAt(document, '#/paths');
      for (const entity of model.entities.values()) {
        const url = `/api/${entity.pack}/v1/${entity.plural}`;
        const known = paths.some((path) => path === url || path.startsWith(`${url}/`));
        expect([role, entity.name, known]).toEqual([role, entity.name, knowsEntity(scope.rights, entity)]);
        const properties = keysAt(document, `#/components/schemas/${entity.name}/properties`).filter(
          (key) => !key.startsWith('_'),
        );
        const readable = [...entity.fields.values()]
          .filter(({ key, children, many }) =>
            children
              ? scope.rights.of(children.entity).read.length > 0
              : (many === null || scope.rights.of(many.entity).read.length > 0) &&
                scope.rights.of(entity.name).readableFields.has(key),
          )
          .filter((field) => !leadsNowhere(scope, field));
        const expected = scope.rights.of(entity.name).read.length > 0 ? readable.map(({ key }) => key) : [];
        expect([role, entity.name, properties.toSorted()]).toEqual([role, entity.name, expected.toSorted()]);
      }
    }
  });

  it('has no entity for people without roles', () => {
    const paths = keysAt(buildOpenApi(scopeOf(), 'https://crm.example'), '#/paths');
    expect(paths).toContain('/api/session');
    expect(paths.filter((path) => path.includes('/v1/') || path.includes('$') || path.includes('metadata'))).toEqual(
      [],
    );
  });
});

describe('the model of the screens', () => {
  it('refers only to what it has, for every role', () => {
    for (const role of model.roles.keys()) {
      const scope = scopeOf(role);
      const made = buildUiModel(scope, []);
      const readable = [...model.entities.keys()].filter((name) => scope.rights.of(name).read.length > 0);
      expect([role, Object.keys(made.entities)]).toEqual([role, readable]);
      expect(made.user.administrator).toBe(scope.rights.administrator);
      const items = made.menus.flatMap((menu) => menu.items);
      expect(made.menus.filter((menu) => menu.items.length === 0)).toEqual([]);
      const lost = items.filter(({ entity, view }) => {
        const target = made.entities[entity];
        return !target || (view !== null && !target.views.some(({ key }) => key === view));
      });
      expect([role, lost]).toEqual([role, []]);
      for (const entity of Object.values(made.entities)) {
        const keys = new Set(entity.fields.map(({ key }) => key));
        const used = [
          ...entity.views.flatMap(({ columns, order }) => [
            ...columns.map(({ field }) => field),
            ...order.split(',').filter(Boolean),
          ]),
          ...entity.form.flatMap(({ fields }) => fields),
          ...entity.transitions.flatMap(({ requires, field }) => [...requires, field]),
          ...entity.uniqueKeys.flat(),
        ].map((key) => key.replace(/^-/, ''));
        expect([entity.name, used.filter((key) => !keys.has(key))]).toEqual([entity.name, []]);
        const targets = entity.fields.flatMap(({ reference, children }) =>
          [reference ?? [], children?.entity ?? []].flat(),
        );
        expect([entity.name, targets.filter((target) => !(target in made.entities))]).toEqual([entity.name, []]);
        const written = entity.fields.filter(
          ({ system, children, onCreate, onUpdate }) => !system && !children && (onCreate || onUpdate),
        );
        expect([entity.name, written.filter(({ schema }) => schema === null)]).toEqual([entity.name, []]);
      }
    }
  });

  it('differs by role, not by asking', () => {
    const [one, ...others] = [...model.roles.keys()].map((role) =>
      JSON.stringify(buildUiModel(scopeOf(role), []).entities),
    );
    expect(others.some((other) => other !== one)).toBe(true);
    expect(buildUiModel(scopeOf(), []).entities).toEqual({});
  });

  it('speaks the language that was asked for, else the person’s, else English', () => {
    const scope = scopeOf([...model.roles.keys()][0] ?? '');
    const locales = [...model.translations.keys()];
    const rtl = locales.find((locale) => locale.startsWith('ar'));
    expect(buildUiModel(scope, [null]).locale).toBe('en');
    expect(buildUiModel(scope, ['xx']).locale).toBe('en');
    expect(buildUiModel(scope, ['ar-EG'])).toMatchObject(
      rtl === undefined ? { locale: 'en' } : { locale: 'ar', direction: 'rtl' },
    );
    expect(buildUiModel(scope, []).locales.map(({ key }) => key)).toEqual([
      'en',
      ...locales.filter((key) => key !== 'en').sort(),
    ]);
  });
});
