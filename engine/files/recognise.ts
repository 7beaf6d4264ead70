/** What a file is, by its first bytes. What a client says it is counts for nothing: it decides what a browser would run. */
import { IMAGE_TYPES } from '../model/fields/files.ts';
import { isPicture } from './picture.ts';

/** How many bytes are looked at: before a JPEG says how large it is may stand what its camera and its editor had to say. */
export const HEAD_BYTES = 512 * 1024;
export const UNKNOWN_TYPE = 'application/octet-stream';

const SIGNATURES: readonly (readonly [type: string, bytes: string])[] = [
  ['image/png', '89504e470d0a1a0a'],
  ['image/jpeg', 'ffd8ff'],
  ['image/gif', '474946383761'],
  ['image/gif', '474946383961'],
  ['application/pdf', '255044462d'],
  ['application/zip', '504b0304'],
];

/** What may be shown in a page. */
export const INLINE_TYPES: ReadonlySet<string> = new Set(IMAGE_TYPES);

/** @param head the first {@link HEAD_BYTES} bytes, or all there are */
export function recognise(head: Uint8Array): string {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const type = signed(bytes.toString('hex', 0, 12));
  return INLINE_TYPES.has(type) && !isPicture(bytes, type, HEAD_BYTES) ? UNKNOWN_TYPE : type;
}

function signed(hex: string): string {
  if (hex.startsWith('52494646') && hex.slice(16, 24) === '57454250') return 'image/webp';
  return SIGNATURES.find(([, bytes]) => hex.startsWith(bytes))?.[0] ?? UNKNOWN_TYPE;
}

/** The name a person gave, without what a file system or a header could misread. Never used as a path. */
export function cleanName(name: string): string {
  const last = name.normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  // Control characters, and those that turn the direction of what follows (`gpj.exe`).
  const plain = last.replaceAll(/[\p{Cc}\p{Cf}\p{Surrogate}]/gu, '').trim();
  const cut = Array.from(plain).slice(0, 200).join('');
  return cut === '' || cut === '.' || cut === '..' ? 'file' : cut;
}
