/** A link to a team. */
import type { FieldType } from '../../field-type.ts';
import { options } from '../base.ts';
import { otherSide, reference } from './reference.ts';

export const team: FieldType = { ...reference, key: 'team', options: options(otherSide), widget: () => 'team' };
