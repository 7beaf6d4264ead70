import type { OnFails } from '../schema/convert/conversions.ts';
import type { Arguments, Option } from './command.ts';
import { UsageError } from './command.ts';

export const ON_FAIL: Option = {
  type: 'string',
  value: 'FIELD=null,…',
  help: 'fields whose values are emptied where their new type cannot take them, e.g. crm.account.size=null',
};

/** @throws UsageError */
export function onFailOf(given: Arguments): { readonly onFail?: OnFails } {
  const text = given.text('on-fail');
  if (text === undefined) return {};
  const entries = text.split(',').map((part) => {
    const [field = '', how] = part.trim().split('=');
    if (how !== 'null' && how !== 'refuse')
      throw new UsageError(`--on-fail is "${text}". It must look like crm.account.size=null.`);
    return [field, how] as const;
  });
  return { onFail: Object.fromEntries(entries) };
}
