/** What single and multiple choices share: their options, and the words people use for them. */
import { literal } from '../../db/identifiers.ts';
import { nearest } from '../../nearest.ts';
import { isObject } from '../documents.ts';
import type { ChoiceLabel, Parsed } from '../field-type.ts';
import type { Field } from '../model.ts';
import { accept, fold, refuse } from './base.ts';

const KEY = '^[a-z0-9][a-z0-9_]{0,39}$';

/** CHECK that the column holds one of the keys. */
export function listCheck(keys: readonly string[]): string {
  return `{} in (${keys.map((key) => literal(key)).join(', ')})`;
}

/** What the label of a choice is in English, where nobody's language is known. */
const english: ChoiceLabel = (_, { label }) => label;

/** Whose words a cell is written in. */
interface Words {
  readonly choiceLabel?: ChoiceLabel;
}

/** The choice a person means: by key, by label (in English and in their language), by another word for it, in any case. */
export function importChoice(cell: string, field: Field, { choiceLabel = english }: Words = {}): Parsed {
  const word = fold(cell);
  const choices = field.choices ?? [];
  const found =
    choices.find((choice) => choice.key === word) ??
    choices.find((choice) => fold(choice.label) === word) ??
    choices.find((choice) => fold(choiceLabel(field, choice)) === word) ??
    choices.find((choice) => aliasesOf(choice.key, field).some((alias) => fold(alias) === word));
  if (found) return accept(found.key);
  const labels = choices.map((choice) => choiceLabel(field, choice));
  const suggestion = nearest(cell.trim(), labels);
  const known = `${labels.slice(0, 12).join(', ')}${labels.length > 12 ? ', …' : ''}`;
  return refuse(
    'choice',
    `“${cell.slice(0, 40)}” is not one of: ${known}.${suggestion === undefined ? '' : ` Did you mean “${suggestion}”?`}`,
    { allowed: choices.map(({ key }) => key), ...(suggestion === undefined ? {} : { nearest: suggestion }) },
  );
}

function aliasesOf(key: string, field: Field): readonly string[] {
  const written: readonly unknown[] = Array.isArray(field.options['choices']) ? field.options['choices'] : [];
  for (const choice of written) {
    if (isObject(choice) && choice['key'] === key && Array.isArray(choice['aliases']))
      return choice['aliases'].map(String);
  }
  return [];
}

/** @param choiceLabel what the choices are called; `null` for their keys */
export function exportChoice(key: string, field: Field, choiceLabel: ChoiceLabel | null = english): string {
  const choice = choiceLabel && (field.choices ?? []).find((one) => one.key === key);
  if (!choice) return key;
  const label = choiceLabel(field, choice);
  // A label that several share, or that is another one's key, would come back as something else.
  const back = importChoice(label, field, { choiceLabel });
  return 'value' in back && back.value === key ? label : key;
}

export const keysOf = (field: Field): readonly string[] => (field.choices ?? []).map((choice) => choice.key);

export const choiceOptions = {
  choices: {
    type: 'array',
    minItems: 1,
    maxItems: 500,
    description: 'The choices, in the order in which they are offered.',
    items: {
      type: 'object',
      description: 'A choice.',
      additionalProperties: false,
      required: ['key'],
      properties: {
        key: { type: 'string', pattern: KEY, description: 'The stored value.' },
        label: {
          type: 'string',
          minLength: 1,
          maxLength: 120,
          description: 'What people read; the key made readable when left out.',
        },
        aliases: {
          type: 'array',
          maxItems: 20,
          description: 'Other words for it that imported files may use.',
          items: { type: 'string', minLength: 1, maxLength: 120, description: 'Another word.' },
        },
        color: { type: 'string', pattern: '^[a-z]{1,20}$', description: 'A colour of the design system.' },
        removed: { type: 'boolean', description: '`true` takes the choice away that a lower layer brought.' },
      },
    },
  },
} as const;
