import { at, client } from './index';
import type { Page, SavedView } from './types';

export type ViewPage = SavedView['page'];

export const viewsApi = {
  list: (page: ViewPage) => client.get<Page<SavedView>>('/views', { page }),
  add: (view: { page: ViewPage; name: string; q: string; shared: boolean }) => client.post<SavedView>('/views', view),
  remove: (id: string) => client.delete<undefined>(`/views/${at(id)}`),
};
