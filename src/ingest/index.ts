export { openIngest, type Ingest, type IngestDeps } from './ingest.js';
export { ingestOptionsSchema, SOURCE_KINDS, type IngestOptions, type SourceOptions } from './options.js';
export { parseMessage, parseEve } from './formats/index.js';
export { parseSyslog } from './syslog.js';
