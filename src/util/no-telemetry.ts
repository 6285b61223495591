/**
 * ONNX Runtime 1.30 on Linux keeps a device id below the home folder and uploads usage to its maker unless this variable is
 * set before it is loaded. Imported for its effect, on the main thread, by what loads it or starts a thread that does.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
