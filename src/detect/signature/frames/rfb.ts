import { be32, type Splitter } from './split.js';

const VERSION_LENGTH = 12;

/** RFB (RFC 6143): the version of each side; what follows depends on what both chose, and is one frame a packet's worth. */
export const splitRfb: Splitter = (d, side) => {
  if (d.length === 0) return undefined;
  let length = d.length;
  if (d[0] === 0x52) {
    if (d.length < VERSION_LENGTH) return undefined;
    length = VERSION_LENGTH;
  } else if (side === 0) length = Math.min(d.length, d.length === 16 ? 16 : 1);
  else if (d.length >= 24 && be32(d, 20) <= d.length - 24) length = 24 + be32(d, 20);
  return { parts: [['pdu', 0, length]], length };
};
