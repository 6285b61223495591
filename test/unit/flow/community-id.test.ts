import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { communityId } from '../../../src/flow/index.js';
import { parseIp } from '../../../src/util/ip.js';

type Ends = readonly [proto: number, src: string, srcPort: number, dst: string, dstPort: number];

const V6A = 'fe80:1:203:405:607:809:a0b:c0d';
const V6B = 'fe80:1011:1213:1415:1617:1819:1a1b:1c1d';
const LINK_A = 'fe80::200:86ff:fe05:80da';
const LINK_B = 'fe80::260:97ff:fe07:69ea';

/**
 * Published test vectors: the tables and the JSON baseline of https://github.com/corelight/community-id-spec, directory
 * `baseline`, with seed 0 and seed 1. Ports of ICMP are type and code, or type and counterpart.
 */
const VECTORS: readonly (readonly [Ends, string, string])[] = [
  [[6, '1.2.3.4', 1122, '5.6.7.8', 3344], '1:wCb3OG7yAFWelaUydu0D+125CLM=', '1:HhA1B+6CoLbiKPEs5nhNYN4XWfk='],
  [[17, '1.2.3.4', 1122, '5.6.7.8', 3344], '1:0Mu9InQx6z4ZiCZM/7HXi2WMhOg=', '1:OShq+iKDAMVouh/4bMxB9Sz4amw='],
  [[132, '1.2.3.4', 1122, '5.6.7.8', 3344], '1:EKt4MsxuyaE6mL+hmrEkQ9csDD8=', '1:uitchpn5MMGAQKBJh7bIr/bAr7s='],
  [[1, '1.2.3.4', 8, '5.6.7.8', 0], '1:crodRHL2FEsHjbv3UkRrfbs4bZ0=', '1:9pr4ZGTICiuZoIh90RRYE2RyXpU='],
  [[1, '5.6.7.8', 0, '1.2.3.4', 0], '1:crodRHL2FEsHjbv3UkRrfbs4bZ0=', '1:9pr4ZGTICiuZoIh90RRYE2RyXpU='],
  [[1, '1.2.3.4', 11, '5.6.7.8', 0], '1:f/YiSyWqczrTgfUCZlBUnvHRcPk=', '1:1DD7cWGC/Yg91YGsQeni8du3pIA='],
  [[58, V6A, 128, V6B, 0], '1:0bf7hyMJUwt3fMED7z8LIfRpBeo=', '1:IO27GQzPuCtNnwFvjWALMHu5tJE='],
  [[58, V6B, 129, V6A, 0], '1:0bf7hyMJUwt3fMED7z8LIfRpBeo=', '1:IO27GQzPuCtNnwFvjWALMHu5tJE='],
  [[58, V6A, 146, V6B, 0], '1:fYC8+pz24E+EhANP1EZhpX0Dw10=', '1:Cv4IKJe56BNkF0MBW2YxQ3Nwc3s='],
  [[46, '1.2.3.4', 0, '5.6.7.8', 0], '1:ikv3kmf89luf73WPz1jOs49S768=', '1:/buhqeOmaRCopOZFy9HnoJd5XW8='],
  [[46, V6A, 0, V6B, 0], '1:wQ/2mwrnXP4lmJcHdGL5ePjR+e0=', '1:j6EyyfBzL4vWKHFXgUqb5Az3OxM='],
  [[58, LINK_A, 135, LINK_B, 136], '1:dGHyGvjMfljg6Bppwm3bg0LO8TY=', '1:kHa1FhMYIT6Ym2Vm2AOtoOARDzY='],
  [[58, LINK_B, 136, LINK_A, 135], '1:dGHyGvjMfljg6Bppwm3bg0LO8TY=', '1:kHa1FhMYIT6Ym2Vm2AOtoOARDzY='],
  [[58, LINK_B, 135, LINK_A, 136], '1:zavyT/cezQr1fmImYCwYnMXbgck=', '1:2hSqmsDZ2kdcY9kbiUzOEBic0iM='],
  [
    [58, '3ffe:501:1800:2345::2', 3, '3ffe:507:0:1:200:86ff:fe05:80da', 0],
    '1:2ObVBgIn28oZvibYZhZMBgh7WdQ=',
    '1:lVEtCZpYu84Xqaa++3lXFyuu2n4=',
  ],
  [
    [58, '3ffe:501:410:0:2c0:dfff:fe47:33e', 1, '3ffe:507:0:1:200:86ff:fe05:80da', 4],
    '1:hLZd0XGWojozrvxqE0dWB1iM6R0=',
    '1:W8MHwXpWzpoSTD+cGcaJr4u0ys8=',
  ],
  [[58, LINK_A, 133, 'ff02::2', 134], '1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0=', '1:L7Ka0ZMYu+J3bL4ulW2PrqyXNo8='],
  [[58, LINK_B, 134, 'ff02::1', 133], '1:pkvHqCL88/tg1k4cPigmZXUtL00=', '1:K/ee5UCqAMAQXDorP5nSa2CGLjc='],
  [[1, '192.168.0.89', 8, '192.168.0.1', 0], '1:X0snYXpgwiv9TZtqg64sgzUn6Dk=', '1:03g6IloqVBdcZlPyX8r0hgoE7kA='],
  [[1, '10.0.0.1', 11, '10.0.0.2', 0], '1:YHxtAirCG//0OzkcVAukqKQN9xM=', '1:XjUibYHaafLQ3pxQeiMI8g25q20='],
  [
    [6, '2001:470:e5bf:dead:4957:2174:e82c:4887', 63943, '2607:f8b0:400c:c03::1a', 25],
    '1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=',
    '1:eJYTW6AOzFLlSUoESovMjnu7rMw=',
  ],
  [[132, '192.168.170.8', 7, '192.168.170.56', 7], '1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=', '1:5w3ZRjeKBzqT3zsaEECDGjUbYeg='],
  [
    [6, '128.232.110.120', 34855, '66.35.250.204', 80],
    '1:LQU9qZlK+B5F3KDmev6m5PMibrg=',
    '1:3V71V58M3Ksw/yuFALMcW0LAHvc=',
  ],
  [[17, '192.168.1.52', 54585, '8.8.8.8', 53], '1:d/FP5EW3wiY1vCndhwleRRKHowQ=', '1:Q9We8WO3piVF8yEQBNJF4uiSVrI='],
  [[46, '10.1.12.1', 0, '10.1.12.2', 0], '1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=', '1:rYir8gphR31noO9iDRQmF/BteEI='],
];

function id([proto, src, srcPort, dst, dstPort]: Ends, seed: number): string {
  const from = parseIp(src)!;
  const to = parseIp(dst)!;
  return communityId({ ipVersion: from.version, proto, src: from.words, dst: to.words, srcPort, dstPort }, seed);
}

describe('community id', () => {
  for (const [ends, seed0, seed1] of VECTORS) {
    it(`equals the published vector of ${ends.join(' ')}`, () => {
      assert.deepEqual([id(ends, 0), id(ends, 1)], [seed0, seed1]);
    });
  }

  it('is the same for both directions of a flow', () => {
    for (const [[proto, src, srcPort, dst, dstPort], seed0] of VECTORS) {
      if (proto === 1 || proto === 58) continue;
      assert.equal(id([proto, dst, dstPort, src, srcPort], 0), seed0);
    }
  });

  it('the comparison notices a port that is off by one', () => {
    for (const [[proto, src, srcPort, dst, dstPort], seed0] of VECTORS) {
      if (proto === 46) continue;
      assert.notEqual(id([proto, src, srcPort + 1, dst, dstPort], 0), seed0);
    }
  });
});
