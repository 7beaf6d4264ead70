import type { UpgradeConflict } from '../model/upgrade.ts';
import type { ConversionPreview } from '../schema/convert/preview.ts';
import type { Plan } from '../schema/plan.ts';

/** A plan for a terminal: each step with its reason, what waits for it, and whether it can be taken back. */
export function planText(plan: Plan): string {
  if (plan.steps.length === 0)
    return `Nothing in the database would change. Release ${plan.next} would follow release ${plan.base}.`;
  const lines = [
    `Release ${plan.base} → ${plan.next}, ${plan.steps.length} ${plan.steps.length === 1 ? 'step' : 'steps'}:`,
  ];
  for (const [index, { title, why, rows, seconds, lock, risk, reversible, deferred }] of plan.steps.entries()) {
    const facts = [
      ...(rows > 0 ? [`about ${rows.toLocaleString('en')} records`] : []),
      ...(seconds === undefined ? [] : [`about ${seconds} s`]),
      ...(deferred ? ['afterwards, while everybody works'] : []),
      ...(lock === 'none' ? [] : [lock === 'share' ? 'writes wait' : 'reads and writes wait']),
      ...(risk === 'none' ? [] : [`risk ${risk}`]),
      ...(reversible ? [] : ['cannot be taken back']),
    ];
    lines.push('', `${String(index + 1).padStart(3)}. ${title}`, `     ${why}`);
    if (facts.length > 0) lines.push(`     (${facts.join(', ')})`);
  }
  for (const one of plan.conversions ?? []) lines.push('', ...conversionText(one));
  for (const warning of plan.warnings) lines.push('', `Warning: ${warning}`);
  return lines.join('\n');
}

/** What has to be decided before a publish, with all three values. */
export function conflictsText(conflicts: readonly UpgradeConflict[]): string {
  const value = (json: unknown) => (json === undefined ? '(nothing)' : JSON.stringify(json));
  const lines = [`${conflicts.length} ${conflicts.length === 1 ? 'conflict' : 'conflicts'} to decide:`];
  for (const { id, message, base, ours, theirs, resolutions } of conflicts) {
    lines.push('', `  ${message}`, `    before: ${value(base)}`, `    organisation: ${value(ours)}`);
    lines.push(`    pack: ${value(theirs)}`, `    --resolve "${id}=${resolutions.join('|')}"`);
  }
  return `\n${lines.join('\n')}`;
}

/** How many values become the new type, and some of those that do not. */
function conversionText({ entity, field, from, to, checked, fails, onFail, sample = [] }: ConversionPreview): string[] {
  const become = `${entity}.${field} from ${from} to ${to}: ${(checked - fails).toLocaleString('en')} of ${checked.toLocaleString('en')} records convert`;
  if (fails === 0) return [`${become}.`];
  const rest =
    onFail === 'null'
      ? 'the others lose their value until a rollback'
      : `the others are in the way (--on-fail ${entity}.${field}=null empties them)`;
  return [`${become}, ${rest}:`, ...sample.map(({ title, value, reason }) => `     ${title}: ${value} – ${reason}`)];
}
