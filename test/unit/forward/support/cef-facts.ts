/**
 * The CEF keys that Portcullis sends, with type and longest value, as the CEF implementation standard (version 27,
 * extension dictionary, producer keys) gives them; `c6a2` is from its chapter on special mappings.
 */
export const CEF_KEYS: Readonly<
  Record<string, { type: 'text' | 'ip' | 'ipv6' | 'mac' | 'int' | 'float' | 'time'; max?: number }>
> = {
  act: { type: 'text', max: 63 },
  app: { type: 'text', max: 31 },
  c6a2: { type: 'ipv6' },
  c6a2Label: { type: 'text', max: 1023 },
  c6a3: { type: 'ipv6' },
  c6a3Label: { type: 'text', max: 1023 },
  cat: { type: 'text', max: 1023 },
  cfp1: { type: 'float' },
  cfp1Label: { type: 'text', max: 1023 },
  cfp2: { type: 'float' },
  cfp2Label: { type: 'text', max: 1023 },
  cn1: { type: 'int' },
  cn1Label: { type: 'text', max: 1023 },
  cn2: { type: 'int' },
  cn2Label: { type: 'text', max: 1023 },
  cn3: { type: 'int' },
  cn3Label: { type: 'text', max: 1023 },
  cnt: { type: 'int' },
  cs1: { type: 'text', max: 4000 },
  cs1Label: { type: 'text', max: 1023 },
  cs2: { type: 'text', max: 4000 },
  cs2Label: { type: 'text', max: 1023 },
  cs3: { type: 'text', max: 4000 },
  cs3Label: { type: 'text', max: 1023 },
  cs4: { type: 'text', max: 4000 },
  cs4Label: { type: 'text', max: 1023 },
  cs5: { type: 'text', max: 4000 },
  cs5Label: { type: 'text', max: 1023 },
  cs6: { type: 'text', max: 4000 },
  cs6Label: { type: 'text', max: 1023 },
  deviceCustomDate1: { type: 'time' },
  deviceCustomDate1Label: { type: 'text', max: 1023 },
  deviceDirection: { type: 'int' },
  deviceInboundInterface: { type: 'text', max: 128 },
  dmac: { type: 'mac' },
  dpt: { type: 'int' },
  dst: { type: 'ip' },
  dvc: { type: 'ip' },
  dvchost: { type: 'text', max: 100 },
  end: { type: 'time' },
  externalId: { type: 'text', max: 40 },
  flexString1: { type: 'text', max: 1023 },
  flexString1Label: { type: 'text', max: 128 },
  flexString2: { type: 'text', max: 1023 },
  flexString2Label: { type: 'text', max: 128 },
  in: { type: 'int' },
  msg: { type: 'text', max: 1023 },
  out: { type: 'int' },
  outcome: { type: 'text', max: 63 },
  proto: { type: 'text', max: 31 },
  reason: { type: 'text', max: 1023 },
  rt: { type: 'time' },
  smac: { type: 'mac' },
  spt: { type: 'int' },
  src: { type: 'ip' },
  start: { type: 'time' },
  suser: { type: 'text', max: 1023 },
  type: { type: 'int' },
  frameworkName: { type: 'text', max: 256 },
  threatAttackID: { type: 'text', max: 32 },
};

const CHECKS = {
  text: /^[^]+$/,
  ip: /^[0-9a-fA-F.:]+$/,
  ipv6: /^[0-9a-fA-F]*:[0-9a-fA-F:.]+$/,
  mac: /^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/,
  int: /^-?\d+$/,
  float: /^-?\d+(\.\d+)?$/,
  time: /^\d{1,13}$/,
} as const;

/** What is wrong with a key and its value; empty when nothing is. */
export function checkCefField(key: string, value: string): string {
  if (/^Portcullis[A-Z][A-Za-z0-9]*$/.test(key)) return '';
  const fact = CEF_KEYS[key];
  if (!fact) return `unknown key ${key}`;
  if (!CHECKS[fact.type].test(value)) return `${key} is no ${fact.type}: ${value}`;
  return fact.max !== undefined && value.length > fact.max ? `${key} is longer than ${fact.max}` : '';
}
