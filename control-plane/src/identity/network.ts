import { isIPv6 } from 'node:net';

/** Groups of 16 bits that name a network in IPv6: a /64, which is what one customer has at the least. */
const NETWORK_GROUPS = 4;

/** What attempts from an address are counted by: an IPv4 address itself, the /64 of an IPv6 one, anything else as it is. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined ? [] : tail.split(':').filter((group) => group !== '');
  // "::" stands for as many zeros as are missing; of the network's half it is enough to know that they are zeros.
  while (groups.length + rest.length < 8 && groups.length < NETWORK_GROUPS) groups.push('0');
  const network = [...groups, ...rest].slice(0, NETWORK_GROUPS).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}
