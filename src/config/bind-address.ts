import { isIPv4, isIPv6 } from 'node:net';

const LONGEST_HOST_NAME = 255;

/** A comma separated list of IPv4 addresses, IPv6 addresses without brackets, and host names. */
export function isBindAddressList(text: string): boolean {
  return splitAddresses(text).every(isBindAddress);
}

/** The addresses of a list; a trailing comma is allowed (as OVMS 2026.2.1). */
export function splitAddresses(text: string): string[] {
  return text.replace(/,$/, '').split(',');
}

function isBindAddress(text: string): boolean {
  if (text.includes(':')) return isIPv6(text) && !text.includes('%');
  if (/^[\d.]*$/.test(text)) return isIPv4(text);
  return (
    text.length <= LONGEST_HOST_NAME && text.split('.').every((label) => /^[a-z\d]([a-z\d-]*[a-z\d])?$/i.test(label))
  );
}
