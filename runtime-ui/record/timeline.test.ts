import { expect, test } from 'vitest';
import { entity as sampleEntity } from '../shared/sample.ts';
import { timelineOf } from './timeline.ts';

test('changes and related records stand in the order of time, the newest first, each once', () => {
  const change = { version: 2, at: '2026-03-02T10:00:00.000Z', actor: null, changes: [] };
  const record = (id: string, at: string) => ({ id, created_at: at });
  const twice = record('a', '2026-03-03T10:00:00.000Z');
  const entries = timelineOf(
    [change],
    [
      { entity: sampleEntity, records: [twice, record('b', '2026-03-01T23:00:00+00:00'), { id: 'c' }] },
      { entity: sampleEntity, records: [twice] },
    ],
  );
  expect(entries.map((entry) => (entry.kind === 'change' ? 'change' : entry.record.id))).toEqual(['a', 'change', 'b']);
});
