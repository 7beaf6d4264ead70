/** Validation rules: `when` → `require` and `fields`, turned into the one condition that a record must not fulfil. */
import { createHash } from 'node:crypto';
import type { Condition } from '../../condition/condition.ts';
import { all, not, simplify } from '../../condition/simplify.ts';
import type { RuleDocument } from '../documents.ts';
import type { EffectiveDocument } from '../layers.ts';
import { deepFreeze } from '../frozen.ts';
import { readable } from '../naming.ts';
import type { Rule } from '../parts.ts';
import { conditionAt } from './conditions.ts';
import { type Draft, type DraftEntity, entityNamed, fieldNamed, flagNamed } from './draft.ts';

export function buildRules(draft: Draft): ReadonlyMap<string, readonly Rule[]> {
  const rules = new Map<string, Rule[]>();
  for (const effective of draft.effective.of('rule')) {
    const rule = buildRule(draft, effective);
    if (!rule || effective.document.active === false) continue;
    rules.set(rule.entity, [...(rules.get(rule.entity) ?? []), rule]);
  }
  return rules;
}

function buildRule(draft: Draft, { document, pack, place }: EffectiveDocument<RuleDocument>): Rule | null {
  const entity = entityNamed(draft, document.entity, pack, place('entity'));
  if (!entity) return null;
  const { fields = [], message, severity = 'error' } = document;
  if (document.require === undefined && fields.length === 0)
    draft.faults.add(place(), 'missing', 'A rule asks for something: give it “require” or “fields”.', {
      expected: ['require', 'fields'],
    });
  const when = conditionAt(draft, document.when, entity, place('when'));
  const require = conditionAt(draft, document.require, entity, place('require'));
  const filled = fields.map((key, index) => filledField(draft, entity, key, place('fields', index)));
  const asked = [...(require ? [require] : []), ...filled.filter((one) => one !== null)];
  const name = `${pack}.${document.key}`;
  const field = document.field ?? fields[0] ?? null;
  if (document.field !== undefined) fieldNamed(draft, entity, document.field, place('field'));
  return deepFreeze({
    id: `r_${createHash('sha256').update(name).digest('hex').slice(0, 12)}`,
    name,
    label: document.label ?? readable(document.key),
    entity: entity.name,
    broken: simplify(all([...(when ? [when] : []), not(all(asked))])),
    message,
    field,
    severity,
    flag: flagNamed(draft, document.flag, pack, place('flag')),
  });
}

/** “Has a value”, or `null` after a fault. */
function filledField(
  draft: Draft,
  entity: DraftEntity,
  key: string,
  place: { readonly document: string; readonly pointer: string },
): Condition | null {
  const field = fieldNamed(draft, entity, key, place);
  if (!field) return null;
  const { valueType } = field.type;
  if (field.column === null || valueType === null) {
    draft.faults.add(place, 'invalid', `“${key}” holds no value of its own, so a rule cannot ask for it.`, {
      found: key,
    });
    return null;
  }
  return {
    kind: 'test',
    left: { kind: 'field', type: valueType, steps: [], field: key, fieldId: field.id },
    operator: 'null',
    right: { kind: 'literal', type: 'boolean', value: false },
  };
}
