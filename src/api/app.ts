import type { RequestListener } from 'node:http';
import Koa from 'koa';
import { createAddressFacts } from './address-facts.js';
import { createAccessControl } from './auth/access.js';
import { createConnections, type Connections } from './connections.js';
import { openKeys } from './auth/keys.js';
import { createLoginService } from './auth/login.js';
import { defaultPasswords } from './auth/password.js';
import type { ApiDeps } from './deps.js';
import { createLiveFeed, type LiveFeed, type UpgradeSource } from './live.js';
import { errorCode, errorMessage } from '../util/errors.js';
import { problems } from './middleware/errors.js';
import { createRateLimit } from './middleware/rate-limit.js';
import { securityHeaders } from './middleware/security-headers.js';
import { createAuditTrail } from './audit-trail.js';
import { createOperationRouter } from './operation-router.js';
import { apiOptionsSchema, type ApiOptions } from './options.js';
import { publicRoutes } from './public-routes.js';
import type { Handlers } from './request.js';
import { accountHandlers } from './routes/accounts.js';
import { addressFactHandlers } from './routes/address-facts.js';
import { alertHandlers } from './routes/alerts.js';
import { authHandlers } from './routes/auth.js';
import { baselineHandlers } from './routes/baselines.js';
import { backtestHandlers } from './routes/backtests.js';
import { changeHandlers, createChangeFreshness } from './routes/changes.js';
import { inlineHandlers } from './routes/inline.js';
import { decisionHandlers } from './routes/decisions.js';
import { incidentHandlers } from './routes/incidents.js';
import { modelHandlers } from './routes/models.js';
import { policyHandlers } from './routes/policies.js';
import { policySchemaHandlers } from './routes/policy-schema.js';
import { liftedEarly, remediationRoutes } from './remediation.js';
import { responseHandlers } from './routes/response-requests.js';
import { siemHandlers } from './routes/siem.js';
import { fleetHandlers } from './routes/fleet.js';
import { intelHandlers } from './routes/intel.js';
import { ruleHandlers } from './routes/rules.js';
import { systemHandlers } from './routes/system.js';
import { captureHandlers } from './routes/captures.js';
import { evidenceHandlers } from './routes/evidence.js';
import { injectionHandlers } from './routes/injections.js';
import { settingsHandlers } from './routes/settings.js';
import { hostHandlers } from './routes/hosts.js';
import { exportHandlers } from './routes/exports.js';
import { viewHandlers } from './routes/views.js';
import { trafficHandlers } from './routes/traffic.js';
import { backupHandlers } from './routes/backups.js';
import { bulkDecisionHandlers } from './routes/bulk-decisions.js';
import { suppressionHandlers } from './routes/suppressions.js';
import { rulesetHandlers } from './routes/ruleset.js';
import { passkeyHandlers } from './routes/passkeys.js';
import { apiViewer } from './viewer.js';
import { serveStatic } from './static.js';

/** Codes of errors that are the client's: what it sent is no HTTP, or it went away. */
const CLIENT_LEFT = /^(HPE_|ECONNRESET|EPIPE|ERR_STREAM_(PREMATURE_CLOSE|DESTROYED))/;

export interface Api {
  /** For `http.createServer`. */
  callback: RequestListener;
  /** Serves the live feed on the server's upgrades. */
  attachWebSocket(server: UpgradeSource): void;
  /** Tell it of every connection of the server that is new, or that is no longer HTTP. */
  connections: Pick<Connections, 'opened' | 'upgraded'>;
  live: Pick<LiveFeed, 'publish' | 'closeSession' | 'closeUser' | 'recheck'>;
  close(): void;
}

/**
 * Builds the HTTP application around a store and the control of the daemon.
 * @throws AppError auth.key_file
 */
export function createApi(input: Partial<ApiOptions>, deps: ApiDeps): Api {
  const options = apiOptionsSchema.parse(input);
  const { store, control, log, passwords = defaultPasswords, now = Date.now } = deps;
  const keys = openKeys(options.dataDir, options.keyRotationDays);
  const access = createAccessControl(store, keys, now);
  const login = createLoginService(store, keys, options, passwords, now);
  const live = createLiveFeed({ access, options, log, now });
  const connections = createConnections();
  const freshness = createChangeFreshness();
  const handlers: Handlers = {
    ...authHandlers({ deps, live, store, keys, login, passwords, now }),
    ...passkeyHandlers({ deps, store, login, now }),
    ...systemHandlers({ control, live, freshness }),
    ...alertHandlers({ store, live, now }),
    ...incidentHandlers({ store, live, now }),
    ...decisionHandlers({ store, control, now }),
    ...responseHandlers({ store, control, now }),
    ...siemHandlers({ control }),
    ...fleetHandlers({ control }),
    ...intelHandlers({ control }),
    ...trafficHandlers({ store, now }),
    ...viewHandlers({ store, now }),
    ...captureHandlers({ control }),
    ...hostHandlers({ store, homeNetworks: () => control.homeNetworks(), now }),
    ...settingsHandlers({ control }),
    ...evidenceHandlers({ store, control, version: deps.version, now }),
    ...injectionHandlers({ control }),
    ...exportHandlers({ store, now }),
    ...baselineHandlers({ control }),
    ...changeHandlers({ control, freshness }),
    ...inlineHandlers({ control, freshness }),
    ...backtestHandlers({ control }),
    ...policySchemaHandlers(),
    ...ruleHandlers({ control }),
    ...policyHandlers({ store, control, freshness }),
    ...modelHandlers({ store, control, now }),
    ...accountHandlers({ store, live, passwords, now }),
    ...bulkDecisionHandlers({ control }),
    ...backupHandlers({ control }),
    ...rulesetHandlers({ control }),
    ...suppressionHandlers({ control }),
    ...addressFactHandlers(createAddressFacts(options.lookups, log)),
  };
  const rateLimit = createRateLimit(options.rates);
  const trail = createAuditTrail({ audit: store.audit, told: (record) => deps.onAudit?.(record), log, now });
  const router = createOperationRouter({
    handlers,
    access,
    rateLimit,
    options,
    trail,
    connections,
  });

  const app = new Koa();
  app.silent = true;
  app.on('error', (error: unknown) => {
    const code = errorCode(error);
    // Node adds the bytes of the request to an error of its parser, the token among them: only the message is told.
    const what = { problem: errorMessage(error), code };
    if (CLIENT_LEFT.test(code)) log.debug(what, 'response could not be sent');
    else log.warn(what, 'response could not be sent');
  });
  app.use((ctx, next) => {
    connections.asked(ctx.req.socket, ctx.res);
    return next();
  });
  app.use(securityHeaders(options.tls !== undefined));
  app.use(problems(log));
  app.use(publicRoutes({ deps, access, live }));
  app.use(apiViewer());
  app.use(remediationRoutes({ control, access, rateLimit, now, lifted: (nowMs) => liftedEarly(store, nowMs) }));
  app.use(router.routes());
  app.use(router.allowedMethods());
  if (options.staticDir !== undefined) app.use(serveStatic(options.staticDir));

  const handle = app.callback();
  return {
    callback: (request, response) => {
      void handle(request, response);
    },
    attachWebSocket: (server) => {
      live.attach(server);
    },
    live,
    connections,
    close: () => {
      trail.close();
      live.close();
    },
  };
}
