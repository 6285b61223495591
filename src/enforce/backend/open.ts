import type { Logger } from '../../util/logger.js';
import { errorMessage } from '../../util/errors.js';
import type { Layout } from '../layout.js';
import type { EnforceOptions } from '../options.js';
import type { EnforceBackend } from './backend.js';
import { createDryRunBackend } from './dry-run-backend.js';
import { createNetlinkBackend } from './netlink-backend.js';
import { createNftBackend } from './nft-backend.js';
import { createNftRunner } from './nft.js';

/** Makes the backend that the options ask for; replaced in tests. */
export type BackendFactory = (name: 'netlink' | 'nft' | 'dry-run') => EnforceBackend;

export function createBackendFactory(where: { netns?: string } = {}): BackendFactory {
  return (name) => {
    if (name === 'dry-run') return createDryRunBackend();
    const nft = createNftRunner(where);
    return name === 'nft' ? createNftBackend(nft) : createNetlinkBackend(nft, where);
  };
}

export interface OpenedBackend {
  backend: EnforceBackend;
  /** Why it is not what was wished for. */
  fallback?: string;
}

/**
 * Opens netlink, else nft; with `backend: auto` in the end the dry run, so that a box without rights still shows what
 * would be blocked. With `backend: nftables` the error of nft is thrown.
 */
export async function openBackend(
  factory: BackendFactory,
  layout: Layout,
  options: EnforceOptions,
  log: Logger,
): Promise<OpenedBackend> {
  const wished = options.backend === 'dry-run' ? ['dry-run' as const] : candidates(options);
  let fallback: string | undefined;
  let lastError: unknown;
  for (const name of wished) {
    const backend = factory(name);
    try {
      await backend.open(layout);
      return fallback === undefined ? { backend } : { backend, fallback };
    } catch (error) {
      lastError = error;
      fallback ??= errorMessage(error);
      log.warn({ backend: name, error: errorMessage(error) }, 'the enforcement backend cannot be used');
      await backend.close().catch(() => undefined);
    }
  }
  throw lastError;
}

function candidates(options: EnforceOptions): ('netlink' | 'nft' | 'dry-run')[] {
  const real = options.element_path === 'netlink' ? (['netlink', 'nft'] as const) : (['nft'] as const);
  return options.backend === 'auto' ? [...real, 'dry-run'] : [...real];
}
