/**
 * Tokens of the change feed. They are encrypted, not only signed: where somebody stands in the outbox tells how much
 * others have changed. A token belongs to one person and to what they could see when they got it: when their rights have
 * changed, records have come and gone for them without any event.
 *
 * base64url of: version (1 byte), nonce (12), place, fingerprint, person and choice of entities (16 + 16 + 8 + 8,
 * encrypted), tag (16). All have one length.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { Entity } from '#engine/model/model.ts';
import type { Grant, Rights } from '#engine/model/rights.ts';
import { Problem } from '#engine/problem.ts';
import type { Scope } from '../scope.ts';
import type { Position } from './outbox-read.ts';

const VERSION = 2;
const CIPHER = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;
const PLAIN = 48;

export class FeedTokens {
  readonly #secret: string;
  readonly #keys = new Map<string, Buffer>();

  /** @param secret the installation's secret */
  constructor(secret: string) {
    this.#secret = secret;
  }

  encode(scope: Scope, entities: readonly Entity[], { xid, id }: Position): string {
    const plain = Buffer.alloc(PLAIN);
    plain.writeBigUInt64BE(xid, 0);
    plain.writeBigUInt64BE(id, 8);
    fingerprint(scope, entities).copy(plain, 16);
    personPrint(scope).copy(plain, 32);
    choicePrint(scope, entities).copy(plain, 40);
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv(CIPHER, this.#key(scope), nonce);
    const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), nonce, sealed, cipher.getAuthTag()]).toString('base64url');
  }

  /**
   * @param parameter where it was sent, for the error
   * @throws Problem `invalid_cursor` for what is no token of this person or one of other entities, `gone` when their
   *   rights have changed since
   */
  decode(scope: Scope, entities: readonly Entity[], token: string, parameter: string): Position {
    const bytes = /^[\w-]+$/.test(token) ? Buffer.from(token, 'base64url') : Buffer.alloc(0);
    // Those that were given before had no choice in them.
    if (bytes[0] === VERSION - 1) throw gone('This token is of an earlier version.', parameter);
    if (bytes.length !== 1 + NONCE + PLAIN + TAG || bytes[0] !== VERSION) throw invalid(parameter);
    const cipher = createDecipheriv(CIPHER, this.#key(scope), bytes.subarray(1, 1 + NONCE));
    cipher.setAuthTag(bytes.subarray(-TAG));
    let plain: Buffer;
    try {
      plain = Buffer.concat([cipher.update(bytes.subarray(1 + NONCE, -TAG)), cipher.final()]);
    } catch {
      throw invalid(parameter);
    }
    const sameChoice = plain.subarray(40).equals(choicePrint(scope, entities));
    // Whoever has other roles now may see other entities: then it is the rights that have changed.
    if (!sameChoice && plain.subarray(32, 40).equals(personPrint(scope))) throw ofOthers(parameter);
    if (!sameChoice || !plain.subarray(16, 32).equals(fingerprint(scope, entities)))
      throw gone('What you may see has changed since.', parameter);
    return { xid: plain.readBigUInt64BE(0), id: plain.readBigUInt64BE(8) };
  }

  #key({ tenant, principal }: Scope): Buffer {
    const who = `${tenant.id} ${principal.userId ?? principal.name}`;
    let key = this.#keys.get(who);
    if (key === undefined) {
      if (this.#keys.size > 5000) this.#keys.clear();
      key = Buffer.from(hkdfSync('sha256', this.#secret, who, 'armature change feed', 32));
      this.#keys.set(who, key);
    }
    return key;
  }
}

function invalid(parameter: string): Problem {
  const message = 'This is not a token of your change feed.';
  return new Problem('invalid_cursor', message, [{ code: 'invalid_cursor', message, parameter }]);
}

function ofOthers(parameter: string): Problem {
  const message = 'This token is of another choice of entities. Each list, and each choice of several, has its own.';
  return new Problem('invalid_cursor', message, [{ code: 'invalid_cursor', message, parameter }]);
}

/** 410: whoever follows has to begin anew. */
export function gone(why: string, parameter: string): Problem {
  const message = `${why} Ask without a token for a new one, then read the lists again, and go on from there.`;
  return new Problem('gone', message, [{ code: 'gone', message, parameter }]);
}

const printed = new WeakMap<Rights, Map<string, string>>();

/** What decides which records somebody sees without any of them changing. */
export function fingerprint({ principal, rights }: Scope, entities: readonly Entity[]): Buffer {
  const seen = entities.map((entity) => `${entity.id} ${printOf(rights, entity)}`).sort();
  return hashOf([...personOf(principal), seen]).subarray(0, 16);
}

function personPrint({ principal }: Scope): Buffer {
  return hashOf(personOf(principal)).subarray(0, 8);
}

/** All that may be read are one choice, whichever they are: a release may add some. */
function choicePrint({ model, rights }: Scope, entities: readonly Entity[]): Buffer {
  const readable = [...model.entities.values()].filter(({ name }) => rights.of(name).read.length > 0);
  const all = entities.length > 1 && entities.length === readable.length;
  return hashOf(all ? 'all' : entities.map(({ id }) => id).sort()).subarray(0, 8);
}

function personOf({ roles, team, teams, teamMembers, attributes }: Scope['principal']): readonly unknown[] {
  const given = Object.keys(attributes).sort();
  return [roles, team, teams, [...teamMembers].sort(), given.map((key) => [key, attributes[key]])];
}

function hashOf(value: unknown): Buffer {
  return createHash('sha256').update(JSON.stringify(value)).digest();
}

function printOf(rights: Rights, entity: Entity): string {
  let known = printed.get(rights);
  if (!known) printed.set(rights, (known = new Map()));
  let print = known.get(entity.id);
  if (print === undefined) {
    const conditions = rights.of(entity.name).read.map(({ condition }: Grant) => JSON.stringify(condition));
    known.set(entity.id, (print = conditions.sort().join(' ')));
  }
  return print;
}
