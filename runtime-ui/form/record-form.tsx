/** The form of a record, to create or to change it. Checks before it sends; shows the server's refusals beside the fields. */
import { Alert } from '@mantine/core';
import { generateForm } from '@rjsf/mantine';
import type { ErrorSchema, RegistryFieldsType, TemplatesType } from '@rjsf/utils';
import { type Ref, useCallback, useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { useModel } from '../api/model.ts';
import { ApiProblem } from '../api/problem.ts';
import { Icon } from '../shared/icon.tsx';
import { sentenceOf } from '../shared/states.tsx';
import { RecordFormContext } from './form-context.ts';
import { layoutSchema, layoutUi, sectionsOf, wireSchema } from './form-schema.ts';
import { BareTemplate, SectionsTemplate } from './form-template.tsx';
import { RecordField } from './record-field.tsx';
import { serverErrors } from './server-errors.ts';
import { check, createValidator, type Finding } from './validator.ts';
import { formPath, type Mode, toWire, type Values } from './wire.ts';

const Form = generateForm<Values>();
const FIELDS: RegistryFieldsType<Values> = { record: RecordField };
const TEMPLATES: Partial<TemplatesType<Values>> = {
  ObjectFieldTemplate: SectionsTemplate,
  FieldTemplate: BareTemplate,
};

export interface RecordFormHandle {
  submit(): void;
}

interface RecordFormProps {
  readonly ref?: Ref<RecordFormHandle>;
  readonly entity: UiEntity;
  readonly mode: Mode;
  readonly values: Values;
  readonly stored: Values;
  readonly busy: boolean;
  readonly onChange: (values: Values) => void;
  /** @returns the body that was sent, so that a refusal can be traced to its fields; throws what the API refuses */
  readonly onSave: (values: Values, sending: (body: Values) => void) => Promise<void>;
}

export function RecordForm({ ref, entity, mode, values, stored, busy, onChange, onSave }: RecordFormProps) {
  const { t } = useTranslation();
  const model = useModel();
  const box = useRef<HTMLDivElement>(null);
  const [refused, setRefused] = useState<ErrorSchema<Values>>({});
  const [message, setMessage] = useState<string | null>(null);
  const [failures, setFailures] = useState(0);
  const sections = useMemo(() => sectionsOf(entity, mode), [entity, mode]);
  const fields = useMemo(() => sections.flatMap((section) => section.fields), [sections]);
  const layout = useMemo(() => layoutSchema(fields, mode), [fields, mode]);
  const ui = useMemo(() => layoutUi(fields), [fields]);
  const validator = useMemo(() => {
    const schema = wireSchema(model, entity, fields, mode);
    const findings = (form: Values) => {
      const body = toWire(model, fields, mode, form);
      return check(schema, body).map(
        (finding): Finding => ({ ...finding, path: formPath(model, entity, {}, form, `/${finding.path.join('/')}`) }),
      );
    };
    return createValidator(findings, (text) => t(text));
  }, [model, entity, fields, mode, t]);
  const context = useMemo(() => ({ entity, mode, sections, stored }), [entity, mode, sections, stored]);

  // After the errors are drawn, the first field that has one gets the focus.
  useEffect(() => {
    if (failures === 0) return undefined;
    const timer = setTimeout(() => {
      const first = box.current?.querySelector<HTMLElement>('[aria-invalid="true"], button[data-error]');
      first?.focus();
      first?.scrollIntoView({ block: 'center', behavior: 'smooth' });
    }, 30);
    return () => clearTimeout(timer);
  }, [failures]);

  const save = useCallback(
    async (form: Values) => {
      setMessage(null);
      setRefused({});
      let body: Values = {};
      try {
        await onSave(form, (sent) => {
          body = sent;
        });
      } catch (error) {
        if (!(error instanceof ApiProblem)) throw error;
        const { beside, other } = serverErrors(
          error.errors,
          (pointer) => formPath(model, entity, body, form, pointer),
          fields.map((field) => field.key),
        );
        setRefused(beside);
        const told = error.errors.length - other.length;
        setMessage(
          other.length > 0 ? other.join(' ') : told > 0 ? t('form.invalid', { count: told }) : sentenceOf(error, t),
        );
        setFailures((count) => count + 1);
      }
    },
    [onSave, model, entity, fields, t],
  );
  const form = useRef<{ submit(): void }>(null);
  useImperativeHandle(ref, () => ({ submit: () => form.current?.submit() }), []);
  return (
    <RecordFormContext value={context}>
      <div ref={box}>
        {message ? (
          <Alert color="red" role="alert" mb="md" icon={<Icon name="alert" />} title={t('form.failed')}>
            {message}
          </Alert>
        ) : null}
        <Form
          ref={(instance: { submit(): void } | null) => {
            form.current = instance;
          }}
          schema={layout}
          uiSchema={ui}
          formData={values}
          fields={FIELDS}
          templates={TEMPLATES}
          validator={validator}
          extraErrors={refused}
          extraErrorsBlockSubmit={false}
          disabled={busy}
          noHtml5Validate
          showErrorList={false}
          liveValidate={false}
          idPrefix="record"
          onChange={(event) => onChange(event.formData ?? {})}
          onSubmit={(event) => void save(event.formData ?? {})}
          onError={(errors) => {
            setMessage(t('form.invalid', { count: errors.length }));
            setFailures((count) => count + 1);
          }}
        >
          <button type="submit" hidden tabIndex={-1} aria-hidden="true" />
        </Form>
      </div>
    </RecordFormContext>
  );
}
