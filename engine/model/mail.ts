/** Which e-mail fields ask whether mail can be delivered, and the setting that switches it on. */
import type { Entity, Field } from './model.ts';

/** Key of the setting; every pack whose fields ask has one of its own. */
export const MAIL_SETTING = 'email_mx_check';

/** Whether new values of the field are looked up while the setting is on. */
export const asksForMail = (field: Pick<Field, 'type' | 'options'>): boolean =>
  field.type.key === 'email' && field.options['mx'] === true;

/** Qualified name of the setting that the entity's fields heed. */
export const mailSettingOf = ({ pack }: Pick<Entity, 'pack'>): string => `${pack}.${MAIL_SETTING}`;
