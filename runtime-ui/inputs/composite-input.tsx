/** The parts of an address, a name or a place, as one group of inputs. Value: the parts' values by their keys. */
import { Fieldset, Input, SimpleGrid } from '@mantine/core';
import type { ComponentType } from 'react';
import { entityOf, useModel } from '../api/model.ts';
import { isObject } from '../api/problem.ts';
import type { InputProps } from './input-props.ts';

interface CompositeProps extends InputProps {
  /** What draws the input of a part. */
  readonly part: ComponentType<InputProps>;
}

export function CompositeInput({ part: Part, ...props }: CompositeProps) {
  const { field } = props;
  const model = useModel();
  const entity = entityOf(model, field);
  const values = isObject(props.value) ? props.value : {};
  const parts = entity?.fields.filter((part) => field.companions.includes(part.key) && part.schema !== null) ?? [];
  return (
    <Fieldset
      legend={props.label ?? field.label}
      disabled={props.disabled ?? false}
      {...(props.id ? { id: props.id } : {})}
    >
      {props.description ? <Input.Description mb="xs">{props.description}</Input.Description> : null}
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm" verticalSpacing="xs">
        {parts.map((part) => (
          <Part
            key={part.key}
            field={part}
            label={shortLabel(part.label, field.label)}
            size={props.size ?? 'sm'}
            required={part.required}
            disabled={props.disabled ?? !(part.onCreate || part.onUpdate)}
            value={values[part.key]}
            onChange={(next) => props.onChange({ ...values, [part.key]: next })}
          />
        ))}
      </SimpleGrid>
      {props.error ? <Input.Error mt="xs">{props.error}</Input.Error> : null}
    </Fieldset>
  );
}

/** `Billing street` under the heading `Billing` is `Street`. */
function shortLabel(label: string, heading: string): string {
  if (!label.startsWith(`${heading} `)) return label;
  const rest = label.slice(heading.length + 1);
  return `${rest.charAt(0).toUpperCase()}${rest.slice(1)}`;
}
