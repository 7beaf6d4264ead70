/** A file, sent as soon as it is chosen; the record names it when it is saved. Value: `{id, name, type, size}`. */
import { FileInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { entityOf, useModel } from '../api/model.ts';
import { ApiProblem } from '../api/problem.ts';
import { uploadFile } from '../api/files.ts';
import { fileOf } from '../values/file-value.tsx';
import { common, type InputProps } from './input-props.ts';

export function FileField(props: InputProps) {
  const { t } = useTranslation();
  const model = useModel();
  const [state, setState] = useState<{ readonly sending: boolean; readonly error: string | null }>({
    sending: false,
    error: null,
  });
  const shared = common(props);
  const held = fileOf(props.value);
  const choose = async (chosen: File | null) => {
    const entity = entityOf(model, props.field);
    if (!chosen || !entity) {
      props.onChange(undefined);
      return;
    }
    setState({ sending: true, error: null });
    try {
      props.onChange(await uploadFile(entity, chosen));
      setState({ sending: false, error: null });
    } catch (error) {
      setState({
        sending: false,
        error: error instanceof ApiProblem && error.status === 413 ? t('form.fileTooLarge') : t('form.fileNotSent'),
      });
    }
  };
  return (
    <FileInput
      {...shared}
      error={state.error ?? shared.error}
      disabled={shared.disabled || state.sending}
      accept={props.field.type === 'image' ? 'image/png,image/jpeg,image/webp,image/gif' : '*/*'}
      placeholder={state.sending ? t('form.fileSending') : t('form.chooseFile')}
      value={held ? new File([], held.name) : null}
      onChange={(chosen) => void choose(chosen)}
      clearable={!props.required}
      clearButtonProps={{ 'aria-label': `${t('action.clear')}: ${props.field.label}` }}
    />
  );
}
