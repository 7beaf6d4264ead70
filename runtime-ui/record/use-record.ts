/** One record and its cache entries. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { useModel } from '../api/model.ts';
import { readRecord, selectOf } from '../api/records.ts';
import { useLanguage } from '../app/language.ts';

export function useRecord(entity: UiEntity, id: string) {
  const model = useModel();
  const { locale } = useLanguage();
  const extra = ['version', '_may', ...(entity.transitions.length > 0 ? ['_actions'] : [])];
  const fields = entity.fields.filter((field) => field.key !== 'deleted_at');
  return useQuery({
    queryKey: ['record', entity.url, id, locale],
    queryFn: ({ signal }) => readRecord(entity, id, selectOf(model, entity, fields, extra), signal),
  });
}

/** Forgets what a change of a record may have changed: the record itself, its history, and every list. */
export function useForget(): (entity: UiEntity, id: string | null) => Promise<void> {
  const client = useQueryClient();
  return useCallback(
    async (entity, id) => {
      if (id) client.removeQueries({ queryKey: ['history', entity.url, id] });
      await Promise.all([
        ...(id ? [client.invalidateQueries({ queryKey: ['record', entity.url, id] })] : []),
        client.invalidateQueries({ queryKey: ['records'] }),
        client.invalidateQueries({ queryKey: ['lookup'] }),
        client.invalidateQueries({ queryKey: ['title'] }),
        client.invalidateQueries({ queryKey: ['quick'] }),
      ]);
    },
    [client],
  );
}
