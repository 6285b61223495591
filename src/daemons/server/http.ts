import { existsSync } from 'node:fs';
import { ensureFirstAdmin, openApiServer, toAlertRow, type ApiDeps } from '../../api/index.js';
import type { LoadedConfig } from '../../config/index.js';
import type { LiveChange, LiveEvent } from '../../contract/http.js';
import type { Alert } from '../../domain/alert.js';
import type { AlertResponse } from '../../store/index.js';
import { createRareReport } from '../../util/rare-report.js';
import type { ServerReady } from './index.js';

/** API, live feed and console, as the server daemon uses them. */
export interface Http {
  ready: ServerReady;
  publish(event: LiveEvent, type: LiveChange): void;
  publishAlert(alert: Alert, response: AlertResponse, isNew: boolean): void;
  /** Sends the status to the live feed, at most four times a second. */
  publishStatus(): void;
  close(): Promise<void>;
}

const STATUS_EVERY_MS = 250;

/** Opens the HTTP server; on the very first start makes the first account. */
export async function openHttp(config: LoadedConfig, deps: ApiDeps, staticDir: string): Promise<Http> {
  const server = await openApiServer(
    { ...config.api, dataDir: config.data_dir, ...(existsSync(staticDir) ? { staticDir } : {}) },
    deps,
  );
  // Not before we listen: an account whose password nobody was shown would lock everybody out.
  const first = await ensureFirstAdmin(deps.store).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  const unpublished = createRareReport(deps.log, 'The status was not published.');
  let waiting: NodeJS.Timeout | undefined;
  let closing = false;

  async function sendStatus(): Promise<void> {
    waiting = undefined;
    const data = await deps.control.status();
    server.live.publish({ topic: 'status', data }, 'updated');
  }

  return {
    ready: { url: server.url, ...(first ? { firstLogin: { username: first.name, password: first.password } } : {}) },
    publish(event, type) {
      server.live.publish(event, type);
    },
    publishAlert(alert, response, isNew) {
      server.live.publish({ topic: 'alerts', data: toAlertRow({ ...alert, response }) }, isNew ? 'created' : 'updated');
    },
    publishStatus() {
      waiting ??= setTimeout(() => {
        sendStatus().catch((error: unknown) => {
          if (!closing) unpublished(error);
        });
      }, STATUS_EVERY_MS);
    },
    async close() {
      closing = true;
      clearTimeout(waiting);
      await server.close();
    },
  };
}
