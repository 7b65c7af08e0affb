/** Which addresses a command's connection may go to. */
import { expect, test } from 'vitest';
import { addressRefusal } from '../../server/sandbox/network/address.ts';

test.each([
  ...[
    '1.1.1.1',
    '8.8.8.8',
    '93.184.216.34',
    '172.15.255.255',
    '172.32.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '223.255.255.255',
  ],
  ...['2606:2800:220:1:248:1893:25c8:1946', '2a00:1450:4001:80b::200e', '2001:4860:4860::8888'],
])('%s is public', (address) => {
  expect(addressRefusal(address)).toBeUndefined();
});

test.each([
  ['unspecified', ['0.0.0.0', '0.1.2.3', '::', '0:0:0:0:0:0:0:0']],
  ['loopback', ['127.0.0.1', '127.255.255.254', '::1']],
  ['private', ['10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1']],
  ['linkLocal', ['169.254.169.254', '169.254.170.2', 'fe80::1', 'febf::1', '2001:db8::1%eth0']],
  ['carrierGradeNat', ['100.64.0.1', '100.100.100.200', '100.127.255.255']],
  ['uniqueLocal', ['fd00:ec2::254', 'fc00::1', 'fdff::1']],
  ['multicast', ['224.0.0.1', '239.255.255.255', 'ff02::1']],
  ['broadcast', ['255.255.255.255']],
  [
    'reserved',
    [
      '192.0.0.192',
      '192.0.2.1',
      '198.18.0.1',
      '198.19.255.255',
      '198.51.100.1',
      '203.0.113.1',
      '240.0.0.1',
      '2001:db8::1',
    ],
  ],
  ['ipv4Mapped', ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '::FFFF:10.0.0.1', '::127.0.0.1']],
  ['compatible', ['::7f00:1', '::808:808']],
  ['rfc6052', ['64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::a00:1']],
  ['rfc6145', ['::ffff:0:127.0.0.1']],
  ['6to4', ['2002:7f00:1::', '2002:a9fe:a9fe::1']],
  ['teredo', ['2001:0:7f00:1::']],
  ['metadata', ['168.63.129.16']],
  ['unassigned', ['4000::1', '9000::1', '1::1']],
  ['deprecatedSiteLocal', ['fec0::1']],
  ['discard', ['100::1']],
  ['segmentRouting', ['5f00::1']],
  [
    'no address',
    [
      '',
      'localhost',
      '127.1',
      '0x7f.0.0.1',
      '0177.0.0.1',
      '2130706433',
      '1.2.3.4.5',
      '1.2.3',
      ' 1.2.3.4',
      '[::1]',
      '1.2.3.4\0',
      '8.8.8.8/32',
    ],
  ],
])('%s is not', (range, addresses) => {
  expect(addresses.map((address) => [address, addressRefusal(address)])).toEqual(
    addresses.map((address) => [address, range]),
  );
});
