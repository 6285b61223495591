import { client } from './index';
import type { Fleet } from './types';

export const fleetApi = { get: () => client.get<Fleet>('/fleet') };
