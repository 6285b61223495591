export { configError, DEFAULT_CONFIG_FILES, installRoot, loadConfig, parseConfig, type LoadedConfig } from './load.js';
export { CONFIG_FORMAT, configSchema, type Config } from './options.js';
