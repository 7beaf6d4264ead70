/** The write path as the running engine has it: what it commits about people is told to identity before the answer goes out. */
import type { Entity } from './model/model.ts';
import type { Scope } from './records/scope.ts';
import type { ChangeOptions, CreateOptions, Job, WriteOptions, WriteResult } from './records/write/writer.ts';
import { Writer } from './records/write/writer.ts';

/** @param recordId `null` for many at once */
export type Announce = (tenant: string, entity: string, recordId: string | null) => Promise<void>;

export class AnnouncingWriter extends Writer {
  readonly #announce: Announce;

  constructor(services: ConstructorParameters<typeof Writer>[0], announce: Announce) {
    super(services);
    this.#announce = announce;
  }

  async #told(scope: Scope, entity: Entity, id: string | null, written: Promise<WriteResult>): Promise<WriteResult> {
    const result = await written;
    await this.#announce(scope.tenant.key, entity.name, id ?? result.id ?? null);
    return result;
  }

  override create(scope: Scope, entity: Entity, body: unknown, options?: CreateOptions): Promise<WriteResult> {
    return this.#told(scope, entity, null, super.create(scope, entity, body, options));
  }

  override update(
    scope: Scope,
    entity: Entity,
    id: string,
    body: unknown,
    options?: ChangeOptions,
  ): Promise<WriteResult> {
    return this.#told(scope, entity, id, super.update(scope, entity, id, body, options));
  }

  override remove(scope: Scope, entity: Entity, id: string, options?: ChangeOptions): Promise<WriteResult> {
    return this.#told(scope, entity, id, super.remove(scope, entity, id, options));
  }

  override restore(scope: Scope, entity: Entity, id: string, options?: ChangeOptions): Promise<WriteResult> {
    return this.#told(scope, entity, id, super.restore(scope, entity, id, options));
  }

  override transition(
    scope: Scope,
    entity: Entity,
    id: string,
    action: string,
    body: unknown,
    options?: ChangeOptions,
  ): Promise<WriteResult> {
    return this.#told(scope, entity, id, super.transition(scope, entity, id, action, body, options));
  }

  override run(scope: Scope, entity: Entity, options: WriteOptions, job: Job): Promise<WriteResult> {
    return this.#told(scope, entity, null, super.run(scope, entity, options, job));
  }
}
