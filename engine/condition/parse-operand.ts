/** The right side of a test: a scalar, a list, `{ "fact": …, "path": … }`, or `{ "setting": … }`. */
import { at, describe, type Faults, hint } from './faults.ts';
import { nearest } from '../nearest.ts';
import { LIMITS, type RawOperand } from './raw.ts';

const SEGMENT = /^[a-z][a-z0-9_]{0,39}$/;

export function parseOperand(json: unknown, pointer: string, faults: Faults): RawOperand {
  if (!Array.isArray(json)) return parseMember(json, pointer, faults);
  if (json.length > LIMITS.values) {
    faults.stop(pointer, 'too_large', `A list may have at most ${LIMITS.values} values, found ${json.length}.`, {
      max: LIMITS.values,
      found: json.length,
    });
  }
  return {
    kind: 'list',
    at: pointer,
    of: json.map((member, index) => parseMember(member, at(pointer, index), faults)),
  };
}

function parseMember(json: unknown, pointer: string, faults: Faults): RawOperand {
  if (typeof json !== 'object' || json === null) return { kind: 'value', at: pointer, value: json };
  if (!Array.isArray(json) && 'fact' in json) {
    for (const key of Object.keys(json)) {
      if (key !== 'fact' && key !== 'path') unknownKey(key, at(pointer, key), ['fact', 'path'], faults);
    }
    return parseFact(json.fact, 'path' in json ? json.path : undefined, pointer, faults);
  }
  if (!Array.isArray(json) && 'setting' in json) {
    for (const key of Object.keys(json)) if (key !== 'setting') unknownKey(key, at(pointer, key), ['setting'], faults);
    return parseSetting(json.setting, pointer, faults);
  }
  faults.add(pointer, 'invalid', `A value, {"fact": …} or {"setting": …} is expected here, found ${describe(json)}.`, {
    expected: 'value',
    found: describe(json),
  });
  return { kind: 'value', at: pointer, value: null };
}

const NAME = /^([a-z][a-z0-9_]{0,39}[.])?[a-z][a-z0-9_]{0,39}$/;

function parseSetting(name: unknown, pointer: string, faults: Faults): RawOperand {
  if (typeof name === 'string' && NAME.test(name)) return { kind: 'setting', at: pointer, name };
  faults.add(at(pointer, 'setting'), 'invalid', `The name of a setting is expected here, found ${describe(name)}.`, {
    expected: 'name of a setting',
    found: describe(name),
  });
  return { kind: 'value', at: pointer, value: null };
}

/**
 * `fact` and `path` of the json-rules-engine form. The path is the part of JSONPath that names one place, `$.a.b`:
 * more than that is a program, and nobody's filter may be one.
 */
export function parseFact(fact: unknown, path: unknown, pointer: string, faults: Faults): RawOperand {
  if (typeof fact !== 'string' || !SEGMENT.test(fact)) {
    faults.add(at(pointer, 'fact'), 'invalid', `The key of a field is expected here, found ${describe(fact)}.`, {
      expected: 'field key',
      found: describe(fact),
    });
    return { kind: 'value', at: pointer, value: null };
  }
  const steps = parsePath(path, at(pointer, 'path'), faults);
  if (fact === 'user') {
    const [attribute] = steps;
    if (attribute === undefined || steps.length > 1) {
      faults.add(
        at(pointer, 'path'),
        'invalid',
        'A path to one attribute of the user is expected here, such as "$.id".',
        {
          expected: '$.attribute',
          found: describe(path),
        },
      );
    }
    return { kind: 'user', at: pointer, attribute: attribute ?? 'id' };
  }
  if (fact === 'now' || fact === 'today') {
    if (steps.length > 0) {
      faults.add(at(pointer, 'path'), 'invalid', `"${fact}" has no parts.`, {
        expected: 'nothing',
        found: describe(path),
      });
    }
    return { kind: fact, at: pointer };
  }
  return { kind: 'path', at: pointer, path: [fact, ...steps] };
}

function parsePath(path: unknown, pointer: string, faults: Faults): readonly string[] {
  if (path === undefined || path === '$') return [];
  const steps = typeof path === 'string' && path.startsWith('$.') ? path.slice(2).split('.') : [];
  if (steps.length === 0 || !steps.every((step) => SEGMENT.test(step))) {
    faults.add(pointer, 'invalid', `A path such as "$.account.country" is expected here, found ${describe(path)}.`, {
      expected: '$.field.field',
      found: describe(path),
    });
    return [];
  }
  return steps;
}

export function unknownKey(key: string, pointer: string, known: readonly string[], faults: Faults): void {
  const suggestion = nearest(key, known);
  faults.add(pointer, 'invalid', `"${key}" is not known here.${hint(suggestion)}`, {
    expected: known,
    found: key,
    ...(suggestion === undefined ? {} : { nearest: suggestion }),
  });
}
