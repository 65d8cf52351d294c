// Starts the service with a demo that the journeys share, and ends it afterwards.
import { start } from './service.mjs';

export default async function setup() {
  // On PostgreSQL where a database is named, else on SQLite; commands of the tests find it by the same variable.
  if (process.env.LOOPIQ_TEST_DATABASE_URL) process.env.LOOPIQ_DATABASE_URL = process.env.LOOPIQ_TEST_DATABASE_URL;
  const { url, folder, stop } = await start();
  process.env.LOOPIQ_URL = url;
  process.env.LOOPIQ_DATA = folder;
  return stop;
}
