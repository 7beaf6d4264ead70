/** A link to a user. */
import type { FieldType } from '../../field-type.ts';
import { options } from '../base.ts';
import { otherSide, reference } from './reference.ts';

export const user: FieldType = { ...reference, key: 'user', options: options(otherSide), widget: () => 'user' };
