import { createPinia } from 'pinia';
import { createApp } from 'vue';
import App from './App.vue';
import { createConsoleRouter } from './router';
import { useSession } from './stores/session';
import { startTheme } from './stores/ui';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/buttons.css';
import './styles/fields.css';
import './styles/tabs.css';
import './styles/tones.css';

startTheme();

const app = createApp(App);
app.use(createPinia());

const session = useSession();
void session.restore().then(() => {
  app.use(createConsoleRouter(session));
  app.mount('#app');
});
