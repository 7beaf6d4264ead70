/** Rows of a file whose record may be there already, with what they resemble. */
import { Anchor, Group, Text, Title } from '@mantine/core';
import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import type { Progress } from '../api/imports.ts';
import { recordPath } from '../app/route.ts';
import { useFormat } from '../i18n/format.ts';
import classes from './import.module.css';

export function DuplicateRows({
  entity,
  duplicates,
  dryRun,
}: {
  readonly entity: UiEntity;
  readonly duplicates: Progress['duplicates'];
  readonly dryRun: boolean;
}) {
  const { t } = useTranslation();
  const format = useFormat();
  const { count, rows } = duplicates;
  if (count === 0) return null;
  return (
    <section aria-label={t('import.alike')} className={classes['alike']}>
      <Group gap="xs" align="baseline">
        <Title order={3}>{t('import.alike')}</Title>
        <Text size="sm" c="dimmed">
          {t('import.alikeRows', { count, value: format.integer(count) })}
        </Text>
      </Group>
      <Text size="sm">{t(dryRun ? 'import.alikeNextDry' : 'import.alikeNext')}</Text>
      <ul className={classes['problems']}>
        {rows.map(({ line, records }) => (
          <li key={line}>
            <span>{t('import.line', { line })}</span>
            <div>
              {records.map(({ id, title, rules }, at) => (
                // oxlint-disable-next-line react/no-array-index-key -- they never change places, and some have no id
                <Fragment key={at}>
                  {at > 0 ? <br /> : null}
                  {id === null ? (
                    <bdi>{t('import.alikeInFile', { title: title ?? t('value.unknown') })}</bdi>
                  ) : (
                    <Anchor href={recordPath(entity, id)} target="_blank" inherit underline="always">
                      <bdi>{title ?? t('value.unknown')}</bdi>
                    </Anchor>
                  )}{' '}
                  <small>{rules.join(t('operator.comma'))}</small>
                </Fragment>
              ))}
            </div>
          </li>
        ))}
      </ul>
      {count > rows.length ? (
        <Text size="sm" c="dimmed">
          {t('import.alikeMore', { value: format.integer(count - rows.length) })}
        </Text>
      ) : null}
    </section>
  );
}
