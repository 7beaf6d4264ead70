/** The lab's organisation with a writer and two people, for tests of the write path. */
import { afterAll } from 'vitest';
import { systemClock, systemIds } from '#engine/clock.ts';
import type { Entity } from '#engine/model/model.ts';
import type { Scope } from '#engine/records/scope.ts';
import { Writer } from '#engine/records/write/writer.ts';
import { type Lab, makeLab } from './lab.ts';
import { testDatabase } from './postgres.ts';

export interface WritingLab {
  readonly lab: Lab;
  readonly writer: Writer;
  /** May do everything, and works on their own projects. */
  readonly chief: Scope;
  readonly worker: Scope;
  /** Name of the organisation's schema. */
  readonly schema: string;
  readonly project: () => Entity;
}

/** Call it at the top of a test file; everything is released after the file's last test. */
export async function writingLab(): Promise<WritingLab> {
  const lab = await makeLab(await testDatabase());
  afterAll(() => lab.close());
  return {
    lab,
    writer: new Writer({ database: lab.database, ids: systemIds, clock: systemClock }),
    chief: await lab.person('chief'),
    worker: await lab.person('worker'),
    schema: lab.tenant.names.schema,
    project: () => lab.entity('project'),
  };
}

/** What stands under `data` of an answer. */
export const dataIn = (body: string | null) => JSON.parse(body ?? 'null').data;
