/** Messages that come and go in the corner. Their close button has a name in the reader's language. */
import { type NotificationData, notifications } from '@mantine/notifications';
import { t } from 'i18next';

/** @returns its id, for `unnotify` */
export function notify(data: NotificationData): string {
  return notifications.show({ closeButtonProps: { 'aria-label': t('action.close') }, ...data });
}

export function unnotify(id: string): void {
  notifications.hide(id);
}
