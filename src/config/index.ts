export {
  configError,
  DEFAULT_CONFIG_FILES,
  installRoot,
  loadConfig,
  parseConfig,
  withConsoleSettings,
  type LoadedConfig,
} from './load.js';
export { CHANGEABLE, CONSOLE_SETTINGS_FILE, readConsoleSettings } from './console-settings.js';
export { configKeys, type ConfigKey } from './keys.js';
export { CONFIG_FORMAT, configSchema, type Config } from './options.js';
