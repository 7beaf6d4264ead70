import type { UiField } from '../../engine/api/ui-model.ts';

/** What every input of a field receives; values as in `form/wire.ts`. */
export interface InputProps {
  readonly field: UiField;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly id?: string;
  /** Shown above the input; without it `ariaLabel` names the input. */
  readonly label?: string;
  readonly ariaLabel?: string;
  readonly description?: string | null;
  readonly error?: string | null;
  readonly required?: boolean;
  readonly disabled?: boolean;
  /** The input a dialog gives the focus when it opens. */
  readonly first?: boolean;
  /** `xs` in tables and filters. */
  readonly size?: 'xs' | 'sm';
}

/** The properties all of Mantine's inputs share. */
export function common(props: InputProps) {
  return {
    ...(props.id ? { id: props.id } : {}),
    ...(props.label ? { label: props.label } : { 'aria-label': props.ariaLabel ?? props.field.label }),
    ...(props.description ? { description: props.description } : {}),
    error: props.error ?? null,
    withAsterisk: props.required ?? false,
    disabled: props.disabled ?? false,
    ...(props.first ? { 'data-autofocus': true } : {}),
    size: props.size ?? 'sm',
    inputWrapperOrder: ['label', 'input', 'description', 'error'] as ('label' | 'input' | 'description' | 'error')[],
  };
}
