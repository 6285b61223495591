/** Element Plus parts used by the dialogs, each with its own style; nothing else of it is loaded with them. */
import 'element-plus/theme-chalk/base.css';
import 'element-plus/theme-chalk/el-overlay.css';
import 'element-plus/theme-chalk/el-dialog.css';
import '@/styles/dialog.css';

export { ElDialog } from 'element-plus/es/components/dialog/index.mjs';
