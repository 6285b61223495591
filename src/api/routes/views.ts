import { roleAllows, VIEW_PAGES, VIEWS_MAX, type SavedView, type viewOperations } from '../../contract/http.js';
import type { Store, StoredView } from '../../store/index.js';
import { uuid7 } from '../../util/uuid7.js';
import { requireRole, type Principal } from '../auth/access.js';
import { notFound, userError } from '../errors.js';
import type { Handlers } from '../request.js';

interface Parts {
  store: Store;
  now(): number;
}

function toView({ page, ...view }: StoredView): SavedView {
  return { ...view, page: VIEW_PAGES.find((known) => known === page) ?? 'alerts' };
}

export function viewHandlers({ store, now }: Parts): Pick<Handlers, keyof typeof viewOperations> {
  /** Own ones; for an admin also what others share. */
  async function changeable(id: string, principal: Principal): Promise<StoredView> {
    const view = await store.views.get(id);
    const may = view && (view.owner === principal.account || (view.shared && roleAllows(principal.role, 'admin')));
    if (!may) throw notFound('saved view');
    return view;
  }

  return {
    async listViews({ query, principal }) {
      const views = (await store.views.visibleTo(principal.account)).map(toView);
      return { items: views.filter((v) => query.page === undefined || v.page === query.page), nextCursor: null };
    },
    async addView({ body, principal }) {
      if (body.shared) requireRole(principal, 'analyst');
      if ((await store.views.countOf(principal.account)) >= VIEWS_MAX) {
        throw userError({
          code: 'view.too_many',
          message: `Nobody may save more than ${VIEWS_MAX} views.`,
          fix: 'Remove some first.',
        });
      }
      const view = { ...body, id: uuid7(), owner: principal.account, createdMs: now() };
      await store.views.put(view);
      return view;
    },
    async putView({ params, body, principal }) {
      const before = await changeable(params.id, principal);
      if (body.shared) requireRole(principal, 'analyst');
      const view = { ...body, id: before.id, owner: before.owner, createdMs: before.createdMs };
      await store.views.put(view);
      return view;
    },
    async removeView({ params, principal }) {
      await store.views.remove((await changeable(params.id, principal)).id);
    },
  };
}
