// Starts the service with a demo that the tests share, and stops the service after the tests.
import { start } from './service.mjs';

export default async function setup() {
  // LOOPIQ_DATABASE_URL selects PostgreSQL, otherwise the demo is on SQLite. Commands in the tests use the same variable.
  if (process.env.LOOPIQ_TEST_DATABASE_URL) process.env.LOOPIQ_DATABASE_URL = process.env.LOOPIQ_TEST_DATABASE_URL;
  const { url, folder, stop } = await start();
  process.env.LOOPIQ_URL = url;
  process.env.LOOPIQ_DATA = folder;
  return stop;
}
