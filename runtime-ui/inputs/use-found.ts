/** Records whose title has what one types, while a list of them is open. */
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { readPage } from '../api/records.ts';

const FOUND_AT_ONCE = 8;
/** Milliseconds after the last key. */
const PAUSE = 200;

export function useFound(target: UiEntity | undefined, typed: string, open: boolean) {
  const [text] = useDebouncedValue(typed, PAUSE);
  return useQuery({
    queryKey: ['lookup', target?.url, text],
    enabled: Boolean(target) && open,
    staleTime: 10_000,
    queryFn: ({ signal }) =>
      target
        ? readPage(
            target,
            `$select=id,_title&$first=${FOUND_AT_ONCE}${text ? `&$search=${encodeURIComponent(text)}` : ''}`,
            signal,
          )
        : null,
  });
}
