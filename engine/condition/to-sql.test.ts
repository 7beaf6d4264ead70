import { describe, expect, it } from 'vitest';
import type { Value } from '../model/value-type.ts';
import { parseCondition } from './parse.ts';
import { resolveCondition } from './resolve.ts';
import { lookup, THING } from './testing/entities.ts';
import { conditionToSql, inlineValue } from './to-sql.ts';

const compile = (json: unknown) => resolveCondition(parseCondition(json, { pointer: '' }), THING, lookup);
const policy = (json: unknown) =>
  conditionToSql(compile(json), { alias: 'x.', schema: '"t_lab"', mode: 'policy', bind: inlineValue });

function query(json: unknown): { sql: string; values: Value[] } {
  const values: Value[] = [];
  const sql = conditionToSql(compile(json), {
    alias: 'x.',
    schema: '"t_lab"',
    mode: 'query',
    bind: (value, type) => `$${values.push(value)}::${type}`,
    user: (attribute) => (attribute === 'teams' ? ['t1', 't2'] : `my ${attribute}`),
  });
  return { sql, values };
}

describe('a plain test stays a plain comparison, which an index can answer', () => {
  it.each([
    [{ owner: '@me' }, 'x."owner" = (select armature.user_id())'],
    [
      { fact: 'team', operator: 'in', value: { fact: 'user', path: '$.teams' } },
      'x."team" = any((select armature.teams())::uuid[])',
    ],
    [{ name: { starts: 'a' } }, `x."name" ^@ 'a'::text`],
    [{ count: { between: [1, 2] } }, `(x."count" >= '1'::bigint and x."count" <= '2'::bigint)`],
    [{ count: { in: [1, 2] } }, `x."count" = any(array['1', '2']::bigint[])`],
    [{ name: { lt: 'a' } }, `x."name" collate "C" < 'a'::text`],
    [{ tags: { has: 'a' } }, `x."tags" @> array['a'::text]`],
    [{ name: null }, 'x."name" is null'],
    [{ name: { null: false } }, 'x."name" is not null'],
    [{ name: { ne: 'a' } }, `(x."name" = 'a'::text) is not true`],
    [{ fact: 'business_hours', operator: 'equal', value: true }, '(select armature.in_business_hours())'],
    [{}, 'true'],
    [{ not: {} }, 'false'],
  ])('%j', (json, sql) => {
    expect(policy(json)).toBe(sql);
  });
});

it('a negated group is negated test by test', () => {
  expect(policy({ not: { or: [{ count: 1 }, { and: [{ count: { gt: 2 } }, { not: { done: true } }] }] } })).toBe(
    `((x."count" = '1'::bigint) is not true and ((x."count" > '2'::bigint) is not true or x."done" = 'true'::boolean))`,
  );
});

it.each([
  ['lt', '(x."count" >= $1::bigint or x."count" is null)'],
  ['lte', '(x."count" > $1::bigint or x."count" is null)'],
  ['gt', '(x."count" <= $1::bigint or x."count" is null)'],
  ['gte', '(x."count" < $1::bigint or x."count" is null)'],
])('what is not %s is told so that an index serves a query', (operator, sql) => {
  expect(query({ not: { count: { [operator]: 2 } } }).sql).toBe(sql);
});

it('references become subselects under the record they start from', () => {
  expect(policy({ box: { shelf: { room: 'A' } } })).toBe(
    `(select _r2."room" from "t_lab"."lab_shelfs" _r2 where _r2.id = ` +
      `(select _r1."shelf" from "t_lab"."lab_boxs" _r1 where _r1.id = x."box")) = 'A'::text`,
  );
});

it('a query binds values and the attributes of its user, from left to right', () => {
  const json = {
    all: [
      { fact: 'name', operator: 'in', value: ['a', 'b'] },
      { fact: 'team', operator: 'in', value: { fact: 'user', path: '$.teams' } },
      { fact: 'note', operator: 'equal', value: { fact: 'user', path: '$.department' } },
    ],
  };
  expect(query(json)).toEqual({
    sql: '(x."name" = any($1::text[]) and x."team" = any($2::uuid[]::uuid[]) and x."note" = $3::text)',
    values: [['a', 'b'], ['t1', 't2'], 'my department'],
  });
});

it('no value can leave its literal', () => {
  expect(policy({ name: `'; drop table x; --` })).toBe(`x."name" = '''; drop table x; --'::text`);
  expect(policy({ name: `\\'` })).toBe(`x."name" =  E'\\\\'''::text`);
});

it('asks for an alias, because a bare column could be the inner table’s', () => {
  expect(() =>
    conditionToSql(compile({ name: 'a' }), { alias: '', schema: '"t"', mode: 'policy', bind: inlineValue }),
  ).toThrow(TypeError);
});
