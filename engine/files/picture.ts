/** Whether a file that begins like a picture is one as far as its header goes: it says how wide and how high it is. */

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * @param head the first bytes of the file
 * @param type what its signature says
 * @param most how many bytes `head` has at most: a JPEG that goes on beyond them without a fault passes
 */
export function isPicture(head: Buffer, type: string, most: number): boolean {
  const size = type === 'image/jpeg' ? sizeOfJpeg(head, most) : sizeIn(head, type);
  return size !== null && size.width > 0 && size.height > 0;
}

function sizeIn(head: Buffer, type: string): Size | null {
  switch (type) {
    case 'image/png':
      if (head.length < 24 || head.toString('latin1', 12, 16) !== 'IHDR') return null;
      return { width: head.readUInt32BE(16), height: head.readUInt32BE(20) };
    case 'image/gif':
      return head.length < 10 ? null : { width: head.readUInt16LE(6), height: head.readUInt16LE(8) };
    case 'image/webp':
      return head.length < 30 ? null : sizeOfWebp(head);
    default:
      return null;
  }
}

function sizeOfWebp(head: Buffer): Size | null {
  switch (head.toString('latin1', 12, 16)) {
    case 'VP8 ':
      if (head.toString('hex', 23, 26) !== '9d012a') return null;
      return { width: head.readUInt16LE(26) & 0x3fff, height: head.readUInt16LE(28) & 0x3fff };
    case 'VP8L': {
      if (head[20] !== 0x2f) return null;
      const bits = head.readUInt32LE(21);
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return { width: head.readUIntLE(24, 3) + 1, height: head.readUIntLE(27, 3) + 1 };
    default:
      return null;
  }
}

/** Segments follow each other, each with its length; one of them is the frame. */
function sizeOfJpeg(head: Buffer, most: number): Size | null {
  for (let at = 2; ; ) {
    if (at + 9 > head.length) return head.length >= most ? { width: 1, height: 1 } : null;
    if (head[at] !== 0xff) return null;
    const marker = head[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (isFrame(marker)) return { height: head.readUInt16BE(at + 5), width: head.readUInt16BE(at + 7) };
    // The picture itself begins without anything said about it.
    if (marker === 0xda || marker === 0xd9) return null;
    const length = head.readUInt16BE(at + 2);
    if (length < 2) return null;
    at += 2 + length;
  }
}

/** SOF0 to SOF15, without the tables (C4, CC) and the extension (C8) between them. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}
