import { Alert, Button, Loader, Select, Text } from '@mantine/core';
import { type DragEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { type Upload, uploadFile } from '../api/imports.ts';
import { Icon } from '../shared/icon.tsx';
import { sentenceOf } from '../shared/states.tsx';
import classes from './import.module.css';

const UTF = 'utf-8';
const ENCODINGS = [
  { value: UTF, label: 'Unicode (UTF-8, UTF-16)' },
  { value: 'windows-1252', label: 'Windows-1252' },
];

export function UploadStep({
  entity,
  onUploaded,
}: {
  readonly entity: UiEntity;
  readonly onUploaded: (upload: Upload, file: File) => void;
}) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  const [uploading, setUploading] = useState<string | null>(null);
  const [over, setOver] = useState(false);
  const [encoding, setEncoding] = useState(UTF);
  const [refusal, setRefusal] = useState<string | null>(null);
  const send = async (file: File | undefined) => {
    if (!file) return;
    setRefusal(null);
    setUploading(file.name);
    try {
      onUploaded(await uploadFile(entity, file, encoding === UTF ? {} : { encoding }), file);
    } catch (error) {
      setRefusal(sentenceOf(error, t));
    } finally {
      setUploading(null);
    }
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void send(event.dataTransfer.files[0]);
  };
  return (
    <>
      {refusal ? (
        <Alert color="red" role="alert" mb="md" icon={<Icon name="alert" />}>
          {refusal}
        </Alert>
      ) : null}
      <div
        className={classes['drop']}
        data-over={over || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        {uploading ? (
          <>
            <Loader size="sm" />
            <output>{t('import.uploading', { name: uploading })}</output>
          </>
        ) : (
          <>
            <Icon name="file" size={28} />
            <Text fw={500}>{t('import.drop')}</Text>
            <Text size="sm" c="dimmed" ta="center">
              {t('import.dropNext')}
            </Text>
            <Button mt="sm" onClick={() => input.current?.click()}>
              {t('import.choose')}
            </Button>
          </>
        )}
        <input
          ref={input}
          type="file"
          hidden
          accept=".csv,.tsv,.txt,.xlsx,text/csv,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
          aria-label={t('import.choose')}
          onChange={(event) => void send(event.currentTarget.files?.[0])}
        />
      </div>
      <Select
        mt="md"
        w={260}
        label={t('import.encoding')}
        description={t('import.encodingHelp')}
        data={ENCODINGS}
        value={encoding}
        onChange={(next) => setEncoding(next ?? UTF)}
        allowDeselect={false}
      />
    </>
  );
}
