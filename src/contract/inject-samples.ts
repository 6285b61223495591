/** Made-up attacks that can be given to a sensor as test packets. */
export const INJECT_SAMPLES = ['port_scan', 'sql_injection', 'xss', 'path_traversal'] as const;
