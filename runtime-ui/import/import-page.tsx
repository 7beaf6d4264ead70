/** Bringing a file in: choose it, say what its columns are, try or run it, see what came of it. */
import { Stepper, Title } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { UiEntity } from '../../engine/api/ui-model.ts';
import { type Settings, startImport, type Upload, uploadFile } from '../api/imports.ts';
import { listPath } from '../app/route.ts';
import { Icon } from '../shared/icon.tsx';
import { Link } from '../shared/link.tsx';
import record from '../record/record.module.css';
import { MappingStep } from './mapping-step.tsx';
import { ProgressStep } from './progress-step.tsx';
import { UploadStep } from './upload-step.tsx';

interface Chosen {
  readonly upload: Upload;
  readonly file: File;
}

export function ImportPage({ entity }: { readonly entity: UiEntity }) {
  const { t } = useTranslation();
  const [step, setStep] = useState(0);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [settings, setSettings] = useState<Settings | null>(null);
  const [run, setRun] = useState(0);
  const begin = async (next: Settings) => {
    if (!chosen) return;
    await startImport(entity, chosen.upload.id, next);
    setSettings(next);
    setRun((count) => count + 1);
    setStep(2);
  };
  return (
    <div className={record['page']}>
      <header className={record['head']}>
        <nav className={record['crumbs']}>
          <Link href={listPath(entity)}>{entity.pluralLabel}</Link>
        </nav>
        <div className={record['titleRow']}>
          <span className={record['icon']}>
            <Icon name="upload" size={18} />
          </span>
          <Title order={1}>{t('import.title', { entities: entity.pluralLabel })}</Title>
        </div>
      </header>
      <div className={record['body']}>
        <Stepper active={step} size="sm" allowNextStepsSelect={false} mb="xl" maw={560}>
          <Stepper.Step label={t('import.upload')} allowStepSelect={false} />
          <Stepper.Step label={t('import.map')} allowStepSelect={false} />
          <Stepper.Step label={t('import.result')} allowStepSelect={false} />
        </Stepper>
        {step === 0 || !chosen ? (
          <UploadStep
            entity={entity}
            onUploaded={(upload, file) => {
              setChosen({ upload, file });
              setSettings(null);
              setStep(1);
            }}
          />
        ) : step === 1 || !settings ? (
          <MappingStep
            entity={entity}
            key={chosen.upload.id}
            upload={chosen.upload}
            name={chosen.file.name}
            onSheet={async (sheet) => {
              const upload = await uploadFile(entity, chosen.file, { sheet });
              setChosen({ upload, file: chosen.file });
              setSettings(null);
            }}
            initial={settings}
            onStart={begin}
            onBack={() => setStep(0)}
          />
        ) : (
          <ProgressStep
            key={run}
            entity={entity}
            id={chosen.upload.id}
            run={run}
            dryRun={settings.dryRun}
            onMapping={() => setStep(1)}
            onAgain={() => setStep(0)}
            onForReal={() => begin({ ...settings, dryRun: false })}
          />
        )}
      </div>
    </div>
  );
}
