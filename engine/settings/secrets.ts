/** Secret settings at rest: AES-256-GCM under a key derived from the installation's secret, bound to their place. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { derive } from '../db/bootstrap.ts';

const ALGORITHM = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;

export class Secrets {
  readonly #key: Buffer;

  /** @param secret the installation's */
  constructor(secret: string) {
    this.#key = createHash('sha256').update(derive(secret, 'settings')).digest();
  }

  /** @param place tenant and setting: what is sealed for one place opens in no other */
  seal(text: string, place: string): string {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv(ALGORITHM, this.#key, nonce).setAAD(Buffer.from(place));
    return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64');
  }

  /** @throws Error when it was sealed with another key, for another place, or has been changed */
  open(sealed: string, place: string): string {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv(ALGORITHM, this.#key, bytes.subarray(0, NONCE), { authTagLength: TAG });
    decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-TAG));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE, -TAG)), decipher.final()]).toString('utf8');
  }
}
