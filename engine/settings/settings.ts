/** Values of declared settings: the organisation's, everybody's own, and secrets that are set and never told. */
import { sessionOf } from '../db/database.ts';
import { problemOf } from '../db/database-error.ts';
import type { Sender } from '../db/sender.ts';
import type { Statement } from '../db/execute.ts';
import { pointer } from '../model/faults.ts';
import type { Setting } from '../model/parts.ts';
import { settingError } from '../model/setting-value.ts';
import { textKey, translator } from '../model/texts.ts';
import { nearest } from '../nearest.ts';
import { Problem, type ProblemDetail } from '../problem.ts';
import type { Scope } from '../records/scope.ts';
import { Secrets } from './secrets.ts';

export interface SettingState {
  /** Qualified name, `crm.fiscal_year_start`. */
  readonly setting: string;
  readonly label: string;
  readonly help: string | null;
  readonly scope: 'tenant' | 'user';
  readonly secret: boolean;
  /** JSON Schema of a value. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** The value that counts; of a secret always `null`. */
  readonly value: unknown;
  /** Whether somebody has set it; otherwise the value is the default. */
  readonly set: boolean;
}

export class Settings {
  readonly #database: Pick<Sender, 'batch'>;
  readonly #secrets: Secrets;

  constructor({ database, secret }: { readonly database: Pick<Sender, 'batch'>; readonly secret: string }) {
    this.#database = database;
    this.#secrets = new Secrets(secret);
  }

  /** What the principal may know of: the own ones, the organisation's, and of its secrets that they are there, for administrators. */
  async list(scope: Scope): Promise<readonly SettingState[]> {
    const stored = await this.#stored(scope);
    const translate = translator(scope.model, scope.principal.locale);
    return [...scope.model.settings.values()]
      .filter((setting) => isSeen(scope, setting))
      .map((setting) => {
        const text = stored.get(setting.name);
        const value = text === undefined || setting.secret ? undefined : valid(setting, text);
        return {
          setting: setting.name,
          label: translate(textKey.setting(setting.name), setting.label),
          help: setting.help === null ? null : translate(textKey.settingHelp(setting.name), setting.help),
          scope: setting.scope,
          secret: setting.secret,
          schema: setting.schema,
          value: setting.secret ? null : (value ?? setting.default ?? null),
          set: setting.secret ? text !== undefined : value !== undefined,
        };
      });
  }

  /**
   * Sets several at once, all or none; `null` takes a value away.
   * @throws Problem `invalid` with a pointer for each that is wrong; `forbidden` for the organisation's when one is no administrator
   */
  async put(scope: Scope, values: Readonly<Record<string, unknown>>): Promise<void> {
    const faults: ProblemDetail[] = [];
    const statements: Statement[] = [];
    let forbidden = false;
    for (const [name, value] of Object.entries(values)) {
      const setting = scope.model.settings.get(name);
      if (!setting || !isSeen(scope, setting)) {
        faults.push(unknown(scope, name));
        continue;
      }
      forbidden ||= setting.scope === 'tenant' && !scope.rights.administrator;
      const error = value === null ? null : settingError(setting, value);
      if (error === null) statements.push(this.#statement(scope, setting, value));
      else faults.push({ code: 'invalid', message: `${setting.label}: ${error}`, pointer: pointer('', name) });
    }
    if (forbidden) throw new Problem('forbidden', 'Only an administrator may change settings of the organisation.');
    const [first] = faults;
    if (first) throw new Problem('invalid', first.message, faults);
    if (statements.length === 0) return;
    await this.#database.batch(sessionOf(scope.principal), statements).catch((error: unknown) => {
      throw problemOf(error);
    });
  }

  /** A value that counts, secrets opened: for code on the server alone, never for an answer. */
  async reveal(scope: Scope, name: string): Promise<unknown> {
    const setting = scope.model.settings.get(name);
    if (!setting) return null;
    const text = (await this.#stored(scope)).get(name);
    if (text === undefined) return setting.default ?? null;
    return setting.secret
      ? this.#secrets.open(text, placeOf(scope, setting))
      : (valid(setting, text) ?? setting.default ?? null);
  }

  #statement(scope: Scope, setting: Setting, value: unknown): Statement {
    const user = setting.scope === 'user' ? 'armature.user_id()' : 'null';
    if (value === null)
      return {
        text: `delete from armature.setting_value where setting = $1 and user_id is not distinct from ${user}`,
        values: [setting.name],
      };
    const stored = setting.secret
      ? this.#secrets.seal(typeof value === 'string' ? value : '', placeOf(scope, setting))
      : JSON.stringify(value);
    return {
      text: `insert into armature.setting_value (setting, user_id, value) values ($1, ${user}, $2)
             on conflict (tenant_id, setting, user_id) do update set value = excluded.value`,
      values: [setting.name, stored],
    };
  }

  /** As stored, by setting: one's own and the organisation's. What is left of another scope counts for nothing. */
  async #stored(scope: Scope): Promise<ReadonlyMap<string, string>> {
    if (scope.model.settings.size === 0) return new Map();
    const [result] = await this.#database.batch(sessionOf(scope.principal), [
      { text: 'select setting, user_id is null, value from armature.setting_value', values: [] },
    ]);
    return new Map(
      result?.rows.flatMap(([name, ofTenant, value]) => {
        const wanted = scope.model.settings.get(name ?? '')?.scope === 'tenant' ? 't' : 'f';
        return ofTenant === wanted ? [[name ?? '', value ?? ''] as const] : [];
      }),
    );
  }
}

const isSeen = (scope: Scope, setting: Setting): boolean =>
  setting.scope === 'tenant' ? !setting.secret || scope.rights.administrator : scope.principal.userId !== null;

const placeOf = ({ tenant, principal }: Scope, { name, scope }: Setting): string =>
  `${tenant.id}/${name}/${scope === 'user' ? principal.userId : ''}`;

/** A stored value of a time when the setting was something else is as good as none. */
function valid(setting: Setting, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // It was sealed when the setting was a secret.
    return undefined;
  }
  return settingError(setting, value) === null ? value : undefined;
}

function unknown(scope: Scope, name: string): ProblemDetail {
  const known = [...scope.model.settings.values()].filter((setting) => isSeen(scope, setting)).map((one) => one.name);
  const meant = nearest(name, known);
  const hint = meant === undefined ? '' : ` Did you mean “${meant}”?`;
  return {
    code: 'unknown',
    message: `There is no setting “${name.slice(0, 100)}”.${hint}`,
    pointer: pointer('', name),
    ...(meant !== undefined && { params: { nearest: meant } }),
  };
}
