/**
 * Seals and opens the values of encrypted fields. AES-256-GCM under a key of the organisation's own, which is derived
 * from the installation's secret; what a value is of (organisation, field, record) is authenticated with it, so that it
 * cannot be moved to another place. Postgres only ever sees the sealed text.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

const PURPOSE = 'armature field encryption 1';
const FORMAT = 'v1';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Where a value belongs. */
export interface SealedPlace {
  /** Id of the organisation. */
  readonly tenant: string;
  /** Immutable id of the field. */
  readonly field: string;
  /** Id of the record. */
  readonly record: string;
}

interface DataKey {
  /** Stands in what is sealed with it: after a change of the secret one sees which key is missing. */
  readonly id: string;
  readonly key: Buffer;
}

let secret: string | null = null;
let keys = new Map<string, DataKey>();

/** To be called once, before the first record is read or written. One process serves one installation. */
export function openVault(installationSecret: string): void {
  if (secret === installationSecret) return;
  secret = installationSecret;
  keys = new Map();
}

function keyOf(tenant: string): DataKey {
  const known = keys.get(tenant);
  if (known) return known;
  if (secret === null) throw new TypeError('the vault is closed: openVault comes first');
  const key = Buffer.from(hkdfSync('sha256', secret, tenant, PURPOSE, 32));
  const made = { id: createHash('sha256').update(key).digest('hex').slice(0, 8), key };
  keys.set(tenant, made);
  return made;
}

const placeBytes = ({ tenant, field, record }: SealedPlace): Buffer => Buffer.from(`${tenant}/${field}/${record}`);

/** `v1.<key id>.<base64url of nonce, ciphertext and tag>`. The same text never gives the same twice. */
export function seal(text: string, place: SealedPlace): string {
  const { id, key } = keyOf(place.tenant);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(placeBytes(place));
  const body = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${FORMAT}.${id}.${body.toString('base64url')}`;
}

/** The text, or `null` when it was sealed elsewhere, with another key, or was tampered with. */
export function unseal(sealed: string, place: SealedPlace): string | null {
  const { id, key } = keyOf(place.tenant);
  const [format, keyId, encoded, ...rest] = sealed.split('.');
  if (format !== FORMAT || keyId !== id || encoded === undefined || rest.length > 0) return null;
  const body = Buffer.from(encoded, 'base64url');
  if (body.length < IV_BYTES + TAG_BYTES) return null;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(placeBytes(place)).setAuthTag(body.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(body.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}
