import { expect, test } from 'vitest';
import type { Share } from '../api/sharing.ts';
import { shareEventsOf } from './share-events.tsx';

const share: Share = {
  id: 's',
  user: { id: 'u', name: 'Theo Thorne' },
  team: null,
  level: 'read',
  reason: 'Holidays',
  until: null,
  created_at: '2026-01-01T10:00:00Z',
  created_by: { id: 'r', name: 'Rosa Reyes' },
  ended_at: null,
  ended_by: null,
  state: 'live',
};
const events = (...shares: readonly Share[]) =>
  shareEventsOf({ owner: null, roles: [], shares }).map(({ what, by, whom, at }) => [what, by, whom, at]);

test('a share is one entry, its end another: by somebody, or by the clock', () => {
  const given = ['shared', 'Rosa Reyes', 'Theo Thorne', '2026-01-01T10:00:00Z'];
  expect(events(share)).toEqual([given]);
  const ended_at = '2026-01-03T10:00:00Z';
  expect(events({ ...share, state: 'ended', ended_at, ended_by: { id: 'm', name: 'Mona Marsh' } })).toEqual([
    given,
    ['ended', 'Mona Marsh', 'Theo Thorne', ended_at],
  ]);
  const until = '2026-01-02T10:00:00Z';
  // Housekeeping has ended it later; it was over at its end.
  expect(events({ ...share, state: 'expired', until, ended_at })).toEqual([
    given,
    ['expired', null, 'Theo Thorne', until],
  ]);
});
