/** Whether an address may be dialled for a command: only what belongs to the public internet; pure. */
import ipaddr from 'ipaddr.js';

/** Inside of a range that the library calls ordinary. */
const moreRanges: Record<string, [ipaddr.IPv4 | ipaddr.IPv6, number][]> = {
  // IPv4-compatible (RFC 4291), with what stands beside `::1`.
  compatible: [ipaddr.parseCIDR('::/96')],
  // Of Azure; those of the other clouds lie in link-local, carrier-grade NAT and unique local ranges.
  metadata: [ipaddr.parseCIDR('168.63.129.16/32')],
  // Given to nobody so far: global unicast is `2000::/3`.
  unassigned: ['::/3', '4000::/2', '8000::/1'].map((range) => ipaddr.parseCIDR(range)),
};

/** What kind of address it is that stands against it; nothing where it may be dialled. */
export function addressRefusal(text: string): string | undefined {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text)) return 'no address';
  // Also what translates to an IPv4 (mapped, NAT64, 6to4, Teredo): where that would lead depends on the network.
  const address = ipaddr.parse(text);
  if ('zoneId' in address && address.zoneId !== undefined) return 'linkLocal';
  const range = address.range();
  if (range !== 'unicast') return range;
  for (const [name, ranges] of Object.entries(moreRanges)) {
    if (ranges.some((entry) => entry[0].kind() === address.kind() && address.match(entry))) return name;
  }
  return undefined;
}
