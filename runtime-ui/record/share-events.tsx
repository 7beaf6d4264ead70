/** Sharing a record and ending that, as entries of its history; told to those who may share it. */
import { useTranslation } from 'react-i18next';
import type { Access } from '../api/sharing.ts';
import { isolated, useFormat } from '../i18n/format.ts';
import { Initials } from '../values/person.tsx';
import classes from './record.module.css';

export interface ShareEvent {
  readonly key: string;
  readonly at: string;
  readonly what: 'shared' | 'ended' | 'expired';
  /** Who did it; `null` for the system. */
  readonly by: string | null;
  readonly whom: string | null;
  readonly level: 'read' | 'write';
  readonly reason: string | null;
}

export function shareEventsOf({ shares }: Access): readonly ShareEvent[] {
  return shares.flatMap((share): ShareEvent[] => {
    const { id, level, reason, state, until } = share;
    const whom = (share.user ?? share.team)?.name ?? null;
    const given: ShareEvent = {
      key: `${id} shared`,
      at: share.created_at,
      what: 'shared',
      by: share.created_by?.name ?? null,
      whom,
      level,
      reason,
    };
    const gone = state === 'expired' ? until : share.ended_at;
    if (state === 'live' || gone === null) return [given];
    const by = state === 'ended' ? (share.ended_by?.name ?? null) : null;
    return [given, { key: `${id} ended`, at: gone, what: state, by, whom, level, reason: null }];
  });
}

export function ShareEntry({ event }: { readonly event: ShareEvent }) {
  const { t } = useTranslation();
  const format = useFormat();
  const name = event.by ?? t('history.system');
  const whom = isolated(event.whom ?? t('value.unknown'));
  return (
    <li className={classes['event']}>
      <span className={classes['eventWho']}>
        <Initials name={name} />
      </span>
      <span>{t(`history.${event.what}`, { name: isolated(name), whom })}</span>
      <time className={classes['eventTime']} dateTime={event.at} title={format.datetime(event.at)}>
        {format.ago(event.at)}
      </time>
      {event.what === 'shared' ? (
        <ul className={classes['changes']}>
          <li>
            <span>{t(event.level === 'read' ? 'sharing.read' : 'sharing.write')}</span>
            {event.reason === null ? null : <span dir="auto">{event.reason}</span>}
          </li>
        </ul>
      ) : null}
    </li>
  );
}
