/**
 * Refuses addresses to which no mail can be delivered, where fields ask for it (`"mx": true`) and the organisation has
 * switched it on. An address that a record has already is never refused: who changes the telephone number is not to be
 * told of the domain.
 */
import { sessionOf } from '../db/database.ts';
import type { Sender } from '../db/sender.ts';
import type { Clock } from '../clock.ts';
import { asksForMail, mailSettingOf } from '../model/mail.ts';
import type { Field, Model } from '../model/model.ts';
import { Problem, type ProblemDetail } from '../problem.ts';
import { keyedStatement } from '../records/read/matching.ts';
import type { Scope } from '../records/scope.ts';
import type { Inspected, Inspector } from '../records/write/inspector.ts';
import { Settings } from '../settings/settings.ts';
import { type Address, addressesIn, entitiesAsking } from './addresses.ts';
import { type MailDomains, PATIENCE } from './mail-domains.ts';

/** Milliseconds after which a switch holds at the latest. */
export const SWITCH_KEPT = 5_000;

interface Shared {
  readonly domains: MailDomains;
  readonly clock: Clock;
  readonly secret: string;
  /** Milliseconds that a write takes at most because of lookups (default {@link PATIENCE}). */
  readonly patience?: number;
}

/** Settings that are on, by model: there is one for each organisation and release. */
type Switches = WeakMap<Model, { readonly on: ReadonlySet<string>; readonly until: number }>;

export class MailInspector implements Inspector {
  readonly #shared: Shared;
  readonly #switches: Switches;
  readonly #patience: { left: number } | null;

  constructor(shared: Shared, switches: Switches = new WeakMap(), patience: { left: number } | null = null) {
    this.#shared = shared;
    this.#switches = switches;
    this.#patience = patience;
  }

  together(): Inspector {
    return new MailInspector(this.#shared, this.#switches, this.#whole());
  }

  #whole(): { left: number } {
    return { left: this.#shared.patience ?? PATIENCE };
  }

  inspect(sender: Sender, write: Inspected): (() => Promise<void>) | undefined {
    const { model } = write.scope;
    if (!entitiesAsking(model).has(write.entity.name)) return undefined;
    const known = this.#switches.get(model);
    if (known && known.until > this.#shared.clock.now() && known.on.size === 0) return undefined;
    return () => this.#check(sender, write);
  }

  /** @throws Problem `invalid`, with the code `mx` for each address */
  async #check(sender: Sender, write: Inspected): Promise<void> {
    const sent = addressesIn(write);
    if (sent.length === 0) return;
    const on = await this.#on(sender, write.scope);
    const asked = sent.filter(({ entity }) => on.has(mailSettingOf(entity)));
    if (asked.length === 0) return;
    const patience = this.#patience ?? this.#whole();
    const began = performance.now();
    const refusing = await this.#shared.domains.refusing(new Set(asked.map(domainOf)), patience.left);
    patience.left -= performance.now() - began;
    const suspect = asked.filter((address) => refusing.has(domainOf(address)));
    if (suspect.length === 0) return;
    const kept = await storedOf(sender, write.scope, suspect);
    const bad = suspect.filter((address) => !kept.has(address));
    const details = bad.slice(0, 100).map(detailOf);
    const [first] = details;
    if (first)
      throw new Problem('invalid', `${first.message}${bad.length > 1 ? ` (and ${bad.length - 1} more)` : ''}`, details);
  }

  async #on(sender: Sender, scope: Scope): Promise<ReadonlySet<string>> {
    const now = this.#shared.clock.now();
    const known = this.#switches.get(scope.model);
    if (known && known.until > now) return known.on;
    const settings = new Settings({ database: sender, secret: this.#shared.secret });
    const on = new Set<string>();
    for (const name of settingsOf(scope.model)) if ((await settings.reveal(scope, name)) === true) on.add(name);
    this.#switches.set(scope.model, { on, until: now + SWITCH_KEPT });
    return on;
  }
}

function settingsOf(model: Model): ReadonlySet<string> {
  const asking = [...model.entities.values()].filter(({ fields }) => [...fields.values()].some(asksForMail));
  return new Set(asking.map(mailSettingOf));
}

const domainOf = ({ address }: Address): string => address.slice(address.lastIndexOf('@') + 1);

/** Those that the records which are meant have already, as far as the principal sees them. */
async function storedOf(sender: Sender, scope: Scope, addresses: readonly Address[]): Promise<ReadonlySet<Address>> {
  const groups = new Map<string, { readonly fields: readonly Field[]; readonly of: Address[] }>();
  for (const address of addresses) {
    const { entity, field, whose } = address;
    const { readableFields } = scope.rights.of(entity.name);
    const fields = [...whose.map(([one]) => one).filter(({ key }) => key !== field.key), field];
    if (whose.length === 0 || !fields.every(({ key }) => key === 'id' || readableFields.has(key))) continue;
    const name = JSON.stringify([entity.name, fields.map(({ key }) => key)]);
    const group = groups.get(name) ?? { fields, of: [] };
    groups.set(name, group);
    group.of.push(address);
  }
  if (groups.size === 0) return new Set();
  const list = [...groups.values()];
  const results = await sender.batch(
    sessionOf(scope.principal),
    list.flatMap(({ fields, of }) => {
      const rows = of.map(({ field, whose, address }) => [
        ...whose.filter(([{ key }]) => key !== field.key).map(([, value]) => value),
        address,
      ]);
      return of[0] ? [keyedStatement(scope, of[0].entity, fields, rows)] : [];
    }),
  );
  return new Set(results.flatMap(({ rows }, group) => rows.flatMap(([n]) => list[group]?.of[Number(n)] ?? [])));
}

function detailOf({ address, pointer, ...rest }: Address): ProblemDetail {
  const domain = domainOf({ address, pointer, ...rest });
  return { code: 'mx', message: `No mail can be delivered to “${domain}”.`, pointer, params: { domain } };
}
