import type { AttackReference } from '../../domain/detection.js';
import type { Severity } from '../../domain/severity.js';

/** What is known about a class beyond its name. */
export interface Knowledge {
  title: string;
  category: string;
  severity: Severity;
  /** Who is held responsible: the flow's source, or the far end for call-backs of infected hosts. */
  offender: 'source' | 'destination';
  attack?: AttackReference;
}
