/** Changes of who may call which function. */
import { qualified, quote } from '../db/identifiers.ts';
import { change, type Change } from './change.ts';
import type { DesiredState } from './state.ts';

/** Made anew, a function is called by nobody; one that goes takes its rights with it. */
export function diffCallers(previous: DesiredState, next: DesiredState): Change[] {
  return Object.keys({ ...previous.callers, ...next.callers }).flatMap((name) => {
    if (next.functions[name] === undefined) return [];
    const before = previous.functions[name] === undefined ? [] : (previous.callers?.[name] ?? []);
    const after = next.callers?.[name] ?? [];
    const table = next.tables[name.slice(name.indexOf('_') + 1)];
    const base = {
      kind: 'change_access',
      table: table?.id ?? null,
      title: `Change who may see and change ${table?.label ?? name}`,
      why: 'Permissions changed.',
      lock: 'none',
    } as const;
    const of = `execute on function ${qualified(next.schema, name)}`;
    const lost = before.filter((role) => !after.includes(role));
    const won = after.filter((role) => !before.includes(role));
    return [
      ...(lost.length > 0
        ? [change({ ...base, phase: 'revoke', sql: [`revoke ${of} from ${lost.map(quote).join(', ')}`] })]
        : []),
      ...(won.length > 0
        ? [change({ ...base, phase: 'grant', sql: [`grant ${of} to ${won.map(quote).join(', ')}`] })]
        : []),
    ];
  });
}
