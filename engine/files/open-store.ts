/** From the setting `ARMATURE_FILES` to the store it names. */
import { join } from 'node:path';
import { StartupError } from '../db/startup-error.ts';
import { DiskStore } from './disk-store.ts';
import type { FileStore } from './store.ts';

/**
 * @param setting `null`: the disk, below `home`; else `s3://bucket/prefix?region=eu-central-1&endpoint=https://…`
 * @throws StartupError
 */
export async function openFileStore(setting: string | null, home: string): Promise<FileStore> {
  const folder = join(home, 'files');
  if (setting === null) return new DiskStore(folder);
  const url = URL.canParse(setting) ? new URL(setting) : null;
  const endpoint = url?.searchParams.get('endpoint') ?? null;
  if (url?.protocol !== 's3:' || url.hostname === '' || (endpoint !== null && !URL.canParse(endpoint))) {
    throw new StartupError(
      'ARMATURE_FILES must look like s3://bucket/prefix?region=eu-central-1, with &endpoint=https://… for a store that is not AWS.',
    );
  }
  // Its library takes some 10 MB and 70 ms, which a server whose files are on the disk need not spend.
  const { ObjectStore } = await import('./object-store.ts');
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '');
  return new ObjectStore({
    bucket: url.hostname,
    prefix: prefix === '' ? '' : `${prefix}/`,
    region: url.searchParams.get('region') ?? 'us-east-1',
    endpoint,
    receiving: join(folder, 'receiving'),
  });
}
