/**
 * Bytes of a base64 text, over an ArrayBuffer of their own. Padding may be left out and white space is skipped, as the decoder of
 * OVMS 2026.2.1 does; the URL-safe alphabet is accepted besides.
 * @returns `null` when the text is not base64.
 */
export function decodeBase64(text: string): Uint8Array | null {
  const compact = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  const padding = compact.endsWith('==') ? 2 : compact.endsWith('=') ? 1 : 0;
  const digits = compact.length - padding;
  if (digits % 4 === 1 || (padding > 0 && compact.length % 4 !== 0)) return null;
  const bytes = Buffer.from(compact, 'base64');
  // Node skips what is no digit, so such a text comes out short.
  return bytes.length === Math.floor((digits * 3) / 4) ? new Uint8Array(bytes) : null;
}
