import { ref, type Ref } from 'vue';
import { useAttempt } from './use-attempt';
import { client } from '@/api';
import type { Query } from '@/api/client';

/** Fetches a file with the session's token and hands it to the browser as a download. */
export function useDownload(): { busy: Ref<boolean>; download: (path: string, query?: Query) => Promise<void> } {
  const attempt = useAttempt();
  const busy = ref(false);
  async function download(path: string, query?: Query): Promise<void> {
    busy.value = true;
    await attempt(async () => {
      const { blob, name } = await client.download(path, query);
      const link = document.createElement('a');
      link.href = URL.createObjectURL(blob);
      link.download = name;
      link.click();
      URL.revokeObjectURL(link.href);
    });
    busy.value = false;
  }
  return { busy, download };
}
