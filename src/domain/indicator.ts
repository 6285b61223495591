export const INDICATOR_TYPES = ['ip', 'cidr', 'domain', 'url', 'ja3', 'ja4', 'sha256'] as const;
export type IndicatorType = (typeof INDICATOR_TYPES)[number];

/** A known-bad value from a threat-intelligence source. */
export interface Indicator {
  type: IndicatorType;
  value: string;
  source: string;
  /** 0..1. */
  confidence: number;
  label: string;
  /** Epoch milliseconds; 0 = no limit. */
  validFromMs: number;
  validUntilMs: number;
}
