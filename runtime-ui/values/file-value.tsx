/** A file of a record: its name leads to it, a picture is shown. */
import type { UiField } from '../../engine/api/ui-model.ts';
import { type FileInfo, fileUrl } from '../api/files.ts';
import { entityOf, useModel } from '../api/model.ts';
import { isObject } from '../api/problem.ts';
import classes from './value.module.css';

export function fileOf(value: unknown): FileInfo | null {
  if (!isObject(value)) return null;
  const { id, name, type, size } = value;
  if (typeof id !== 'string' || typeof name !== 'string' || typeof type !== 'string') return null;
  return { id, name, type, size: typeof size === 'number' ? size : 0 };
}

interface FileValueProps {
  readonly field: UiField;
  readonly value: unknown;
  readonly record: Readonly<Record<string, unknown>> | undefined;
  readonly plain: boolean;
}

export function FileValue({ field, value, record, plain }: FileValueProps) {
  const entity = entityOf(useModel(), field);
  const file = fileOf(value);
  const id = record?.['id'];
  if (!file) return null;
  if (plain || !entity || typeof id !== 'string') return <span dir="auto">{file.name}</span>;
  // The version of the picture is in its address, so that a new one is not taken for the old one.
  const url = fileUrl(entity, id, field.key, field.type === 'image');
  return (
    <a
      className={classes['link']}
      href={url}
      dir="auto"
      download={field.type === 'image' ? undefined : file.name}
      target="_blank"
      rel="noreferrer noopener"
    >
      {field.type === 'image' ? (
        <img className={classes['picture']} src={`${url}&of=${file.id}`} alt={file.name} loading="lazy" />
      ) : (
        file.name
      )}
    </a>
  );
}
