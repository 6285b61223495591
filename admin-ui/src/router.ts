import { watch } from 'vue';
import { createRouter, createWebHistory, type RouteRecordRaw, type Router } from 'vue-router';
import { loadAnew, loadedWell } from './load-anew';
import { m } from './messages';
import { safeNext } from './safe-next';
import type { useSession } from './stores/session';
import { useUi } from './stores/ui';
import LoginView from './views/LoginView.vue';

declare module 'vue-router' {
  interface RouteMeta {
    title: string;
    /** May be seen without a session. */
    open?: boolean;
  }
}

const routes: RouteRecordRaw[] = [
  { path: '/login', component: LoginView, meta: { title: m.login.title, open: true } },
  { path: '/password', component: () => import('./views/PasswordView.vue'), meta: { title: m.password.title } },
  { path: '/', component: () => import('./views/OverviewView.vue'), meta: { title: m.nav.overview } },
  { path: '/incidents', component: () => import('./views/IncidentsView.vue'), meta: { title: m.nav.incidents } },
  {
    path: '/incidents/:id',
    component: () => import('./views/IncidentView.vue'),
    props: true,
    meta: { title: m.nav.incident },
  },
  { path: '/alerts', component: () => import('./views/AlertsView.vue'), meta: { title: m.nav.alerts } },
  { path: '/alerts/:id', component: () => import('./views/AlertView.vue'), props: true, meta: { title: m.nav.alert } },
  { path: '/blocks', component: () => import('./views/BlocksView.vue'), meta: { title: m.nav.blocks } },
  { path: '/blocks/:id', component: () => import('./views/BlockView.vue'), props: true, meta: { title: m.nav.block } },
  { path: '/allow', component: () => import('./views/AllowView.vue'), meta: { title: m.nav.allow } },
  { path: '/policies', component: () => import('./views/PoliciesView.vue'), meta: { title: m.nav.policies } },
  {
    path: '/policies/:name',
    component: () => import('./views/PolicyView.vue'),
    props: true,
    meta: { title: m.nav.policy },
  },
  { path: '/inline', component: () => import('./views/InlineView.vue'), meta: { title: m.nav.inline } },
  { path: '/traffic', component: () => import('./views/TrafficView.vue'), meta: { title: m.nav.traffic } },
  {
    path: '/hosts/:address',
    component: () => import('./views/HostView.vue'),
    props: true,
    meta: { title: m.nav.host },
  },
  { path: '/lab', component: () => import('./views/LabView.vue'), meta: { title: m.nav.lab } },
  { path: '/lab/jobs/:id', component: () => import('./views/JobView.vue'), props: true, meta: { title: m.nav.job } },
  {
    path: '/lab/captures/:id',
    component: () => import('./views/CaptureView.vue'),
    props: true,
    meta: { title: m.packets.title },
  },
  { path: '/models', component: () => import('./views/ModelsView.vue'), meta: { title: m.nav.models } },
  {
    path: '/models/:name',
    component: () => import('./views/ModelView.vue'),
    props: true,
    meta: { title: m.nav.model },
  },
  {
    path: '/training/:id',
    component: () => import('./views/TrainingView.vue'),
    props: true,
    meta: { title: m.models.runs },
  },
  { path: '/rules', component: () => import('./views/RulesView.vue'), meta: { title: m.nav.rules } },
  {
    path: '/rules/:gid/:sid',
    component: () => import('./views/RuleView.vue'),
    props: true,
    meta: { title: m.nav.rule },
  },
  {
    path: '/integrations',
    component: () => import('./views/IntegrationsView.vue'),
    meta: { title: m.nav.integrations },
  },
  { path: '/fleet', component: () => import('./views/FleetView.vue'), meta: { title: m.nav.fleet } },
  { path: '/setup', component: () => import('./views/SetupView.vue'), meta: { title: m.setup.title } },
  { path: '/system', component: () => import('./views/SystemView.vue'), meta: { title: m.nav.system } },
  { path: '/accounts', component: () => import('./views/AccountsView.vue'), meta: { title: m.nav.accounts } },
  { path: '/me', component: () => import('./views/MeView.vue'), meta: { title: m.nav.me } },
  { path: '/:rest(.*)*', component: () => import('./views/MissingView.vue'), meta: { title: m.state.noPage } },
];

/** History-mode routes; a page that needs a session leads to the sign-in and back. */
export function createConsoleRouter(session: ReturnType<typeof useSession>): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes,
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  });
  router.beforeEach((to) => {
    if (!session.isSignedIn) return to.meta.open ? true : { path: '/login', query: nextQuery(to.fullPath) };
    if (session.user?.mustChangePassword && to.path !== '/password')
      return { path: '/password', query: nextQuery(to.fullPath) };
    if (to.path === '/login') return safeNext(to.query['next']);
    return true;
  });
  router.onError((_error, to) => {
    const tell = (): number => useUi().toast('danger', m.state.pageNotLoaded);
    const assign = (path: string): void => location.assign(path);
    void loadAnew(to.fullPath, { fetch: (...args) => fetch(...args), storage: sessionStorage, assign, tell });
  });
  router.afterEach((to, _from, failure) => {
    if (!failure) loadedWell();
    document.title = `${to.meta.title} · Portcullis`;
  });
  watch(
    () => session.isSignedIn,
    (signedIn) => {
      const route = router.currentRoute.value;
      // A session that ended by itself is renewed over the page: what was typed there is not lost.
      if (!signedIn && !route.meta.open && !session.ended)
        void router.replace({ path: '/login', query: nextQuery(route.fullPath) });
    },
  );
  // The page that forced the change is gone as soon as it succeeds, so the way on is taken here.
  watch(
    () => session.user?.mustChangePassword,
    (must, before) => {
      const route = router.currentRoute.value;
      if (before && must === false && route.path === '/password') void router.replace(safeNext(route.query['next']));
    },
  );
  return router;
}

function nextQuery(path: string): Record<string, string> {
  return path === '/' || path.startsWith('/login') || path.startsWith('/password') ? {} : { next: path };
}
