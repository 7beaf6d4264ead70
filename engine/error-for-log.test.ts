import { expect, test } from 'vitest';
import { pino } from 'pino';
import { errorForLog } from './error-for-log.ts';

test('an error of Postgres is logged without the values it tells of', () => {
  const lines: string[] = [];
  const log = pino({ serializers: { err: errorForLog } }, { write: (line: string) => lines.push(line) });
  const secret = 'ada@acme.example';
  const error = Object.assign(new Error('duplicate key value violates unique constraint "u_1"'), {
    code: '23505',
    detail: `Key (email)=(${secret}) already exists.`,
    where: `SQL statement with ${secret}`,
    hint: secret,
    internalQuery: secret,
  });
  log.error({ err: error }, 'x');
  expect(lines.join('')).not.toContain(secret);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ err: { code: '23505', message: error.message } });
  expect(lines[0]).toContain('error-for-log.test');
});
