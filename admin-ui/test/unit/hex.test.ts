import { describe, expect, it } from 'vitest';
import { hexRows } from '@/components/packets/hex';

describe('hex dump', () => {
  it('shows sixteen bytes a line with offsets, and dots for what is not printable', () => {
    const hex = Array.from({ length: 18 }, (_, i) => (0x3d + i).toString(16).padStart(2, '0')).join('') + '00ff';
    const rows = hexRows(hex, null);
    expect(rows.map((r) => r.offset)).toEqual(['0000', '0010']);
    expect(rows[0]?.bytes.map((p) => p.text).join('')).toBe('3d 3e 3f 40 41 42 43 44  45 46 47 48 49 4a 4b 4c ');
    expect(rows[1]?.text.map((p) => p.text).join('')).toBe('MN..');
  });

  it('marks exactly the bytes of the chosen layer', () => {
    const rows = hexRows('00112233', { offset: 1, length: 2 });
    expect(rows[0]?.bytes).toEqual([
      { text: '00 ', marked: false },
      { text: '11 22 ', marked: true },
      { text: '33 ', marked: false },
    ]);
  });

  it('shows markup as text', () => {
    const hex = Buffer.from('<b>x</b>').toString('hex');
    expect(
      hexRows(hex, null)[0]
        ?.text.map((p) => p.text)
        .join(''),
    ).toBe('<b>x</b>');
  });
});
