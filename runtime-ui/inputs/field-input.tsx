/** The input of a field, whatever it holds. Forms, sub-tables, filters and transition dialogs all use this one. */
import { kindOf } from '../api/field-kind.ts';
import { AnyReferenceInput } from './any-reference-input.tsx';
import { BooleanInput, ChoiceInput, ChoicesInput, CurrencyInput } from './choice-inputs.tsx';
import { CompositeInput } from './composite-input.tsx';
import { DateField, DateTimeField } from './date-inputs.tsx';
import { FileField } from './file-input.tsx';
import type { InputProps } from './input-props.ts';
import { LinksInput } from './links-input.tsx';
import { LookupInput } from './lookup-input.tsx';
import { MoneyInput } from './money-input.tsx';
import { RichTextInput } from './rich-text-input.tsx';
import { ColourField, CountryField, DurationField, RatingField, TimeField } from './small-inputs.tsx';
import { JsonInput, LongTextInput, NumberField, PlainInput, TagsField } from './text-inputs.tsx';

export function FieldInput(props: InputProps) {
  switch (kindOf(props.field)) {
    case 'longText':
      return <LongTextInput {...props} />;
    case 'integer':
    case 'decimal':
    case 'percent':
      return <NumberField {...props} />;
    case 'money':
      return <MoneyInput {...props} />;
    case 'boolean':
      return <BooleanInput {...props} />;
    case 'date':
      return <DateField {...props} />;
    case 'datetime':
      return <DateTimeField {...props} />;
    case 'choice':
      return <ChoiceInput {...props} />;
    case 'choices':
      return <ChoicesInput {...props} />;
    case 'tags':
      return <TagsField {...props} />;
    case 'reference':
      return <LookupInput {...props} />;
    case 'links':
      return <LinksInput {...props} />;
    case 'any':
      return <AnyReferenceInput {...props} />;
    case 'currency':
      return <CurrencyInput {...props} />;
    case 'richText':
      return <RichTextInput {...props} />;
    case 'time':
      return <TimeField {...props} />;
    case 'duration':
      return <DurationField {...props} />;
    case 'rating':
      return <RatingField {...props} />;
    case 'colour':
      return <ColourField {...props} />;
    case 'country':
      return <CountryField {...props} />;
    case 'composite':
      return <CompositeInput {...props} part={FieldInput} />;
    case 'file':
    case 'image':
      return <FileField {...props} />;
    case 'json':
      return <JsonInput {...props} />;
    case 'records': // shown, never written
    case 'children': // edited as a table by the form, never as one input
    case 'text':
    case 'email':
    case 'phone':
    case 'url':
    default:
      return <PlainInput {...props} />;
  }
}
