/** Places the fields of the form in the sections of the form document. */
import type { FieldTemplateProps, ObjectFieldTemplateProps } from '@rjsf/utils';
import { kindOf } from '../api/field-kind.ts';
import classes from './form.module.css';
import { useRecordForm } from './form-context.ts';

export function SectionsTemplate({ properties }: ObjectFieldTemplateProps) {
  const { sections } = useRecordForm();
  return (
    <>
      {sections.map((section) => (
        <section
          key={section.key}
          className={classes['section']}
          {...(section.label ? { 'aria-label': section.label } : {})}
        >
          {section.label ? <h2 className={classes['sectionTitle']}>{section.label}</h2> : null}
          <div className={classes['fields']} data-columns={section.columns}>
            {section.fields.map((field) => {
              const kind = kindOf(field);
              const wide =
                kind === 'children' ||
                kind === 'longText' ||
                kind === 'json' ||
                kind === 'richText' ||
                kind === 'composite';
              return (
                <div key={field.key} className={wide ? classes['wide'] : undefined} data-field={field.key}>
                  {properties.find((property) => property.name === field.key)?.content}
                </div>
              );
            })}
          </div>
        </section>
      ))}
    </>
  );
}

/** Label, help and errors are the input's own. */
export function BareTemplate({ children }: FieldTemplateProps) {
  return children;
}
