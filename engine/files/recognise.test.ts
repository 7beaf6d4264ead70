import { describe, expect, it } from 'vitest';
import { HEAD_BYTES, recognise, UNKNOWN_TYPE } from './recognise.ts';

const hex = (...parts: string[]) => Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');
const PNG = '89504e470d0a1a0a 0000000d 49484452';
const SEGMENT = 'ffe0 0004 0000';
const FRAME = 'ffc0 000b 08 0002 0003 01 011100';

describe('pictures', () => {
  it.each([
    ['image/png', hex(PNG, '00000001 00000002 0806000000')],
    ['image/gif', hex('474946383961 0100 0100 80')],
    ['image/jpeg', hex('ffd8', SEGMENT, 'ffff', FRAME.slice(2))],
    ['image/jpeg', hex('ffd8', SEGMENT, SEGMENT, FRAME.replace('ffc0', 'ffc2'))],
    ['image/webp', hex('52494646 24000000 57454250 56503820 18000000 300100 9d012a 0100 0100')],
    ['image/webp', hex('52494646 24000000 57454250 5650384c 18000000 2f 00000000 0000000000')],
    ['image/webp', hex('52494646 24000000 57454250 56503858 0a000000 10000000 000000 000000')],
    // What a camera says of itself may be longer than what is looked at.
    ['image/jpeg', Buffer.concat([hex('ffd8'), ...Array.from({ length: 9 }, () => wide(0xff_ff))])],
  ])('are %s by their header', (type, bytes) => {
    expect(recognise(bytes.subarray(0, HEAD_BYTES))).toBe(type);
  });

  it.each([
    ['eight bytes of PNG', hex('89504e470d0a1a0a')],
    ['a PNG without a size', hex(PNG, '00000000 00000002')],
    ['a PNG that begins with something else', hex('89504e470d0a1a0a 0000000d 74455874 00000001 00000002')],
    ['half a GIF', hex('474946383961 0100')],
    ['a GIF of no height', hex('474946383961 0100 0000')],
    ['a JPEG of nothing', hex('ffd8ff')],
    ['a JPEG without a frame', hex('ffd8', SEGMENT, 'ffda 0008 0000 0000 0000')],
    ['a JPEG with text in it', Buffer.concat([hex('ffd8', SEGMENT), Buffer.from('<script>alert(1)</script>')])],
    ['a JPEG with a segment of no length', hex('ffd8 ffe0 0000 0000 0000 0000 0000')],
    ['a RIFF that is no WebP', hex('52494646 24000000 57454250 4a554e4b 18000000 0000000000000000 0000')],
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
  ])('are not %s', (_, bytes) => {
    expect(recognise(bytes)).toBe(UNKNOWN_TYPE);
  });
});

function wide(length: number): Buffer {
  const segment = Buffer.alloc(length + 2);
  segment.writeUInt16BE(0xff_e1, 0);
  segment.writeUInt16BE(length, 2);
  return segment;
}
