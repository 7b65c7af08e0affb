import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Output } from '../../server/sandbox/output.ts';

function write(bytesMax: number, chunks: readonly (string | Buffer)[]) {
  let live = '';
  const output = new Output(bytesMax, (text) => {
    live += text;
  });
  for (const chunk of chunks) output.add(Buffer.from(chunk));
  return { output, live: () => live };
}

describe('what a command wrote', () => {
  test('stays whole up to the limit', () => {
    const { output, live } = write(10, ['12345', '67890']);
    expect(output.text()).toBe('1234567890');
    expect(live()).toBe('1234567890');
  });

  test('keeps its beginning and its end beyond it, and says what is missing', () => {
    const { output, live } = write(10, ['abcde', 'x'.repeat(100_000), 'vwxyz']);
    expect(output.text()).toBe('abcde\n[… 100000 bytes left out …]\nvwxyz');
    expect(output.bytes).toBe(100_010);
    expect(live()).toHaveLength(10);
  });

  test('never cuts a character, wherever a chunk or the limit falls', () => {
    const bytes = Buffer.from('ä€😀');
    const { output, live } = write(
      100,
      [...bytes].map((byte) => Buffer.from([byte])),
    );
    expect(output.text()).toBe('ä€😀');
    expect(live()).toBe('ä€😀');
    expect(write(5, ['€€€€']).output.text()).toBe('€\n[… 9 bytes left out …]\n');
  });

  test('a limit of nothing keeps nothing', () => {
    expect(write(0, ['abc']).output.text()).toBe('\n[… 3 bytes left out …]\n');
  });

  test('any text in any chunks: whole where it fits, else its ends within the limit', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 });
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 9 }), (text, bytesMax, step) => {
        const bytes = Buffer.from(text);
        const chunks: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += step) chunks.push(bytes.subarray(at, at + step));
        const { output } = write(bytesMax, chunks);
        const shown = output.text();
        if (bytes.length <= bytesMax) return shown === bytes.toString('utf8');
        const [head = '', tail = ''] = shown.split(/\n\[… \d+ bytes left out …\]\n/);
        const whole = bytes.toString('utf8');
        return whole.startsWith(head) && whole.endsWith(tail) && Buffer.byteLength(head + tail) <= bytesMax;
      }),
    );
  });
});
