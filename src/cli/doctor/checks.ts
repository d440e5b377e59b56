import type { Check } from './check.ts'
import { check as bodyLimit } from './checks/body-limit.ts'
import { check as buffering } from './checks/buffering.ts'
import { check as checksum } from './checks/checksum.ts'
import { check as clock } from './checks/clock.ts'
import { check as cors } from './checks/cors.ts'
import { check as create } from './checks/create.ts'
import { check as database } from './checks/database.ts'
import { check as remove } from './checks/delete.ts'
import { check as errors } from './checks/errors.ts'
import { check as events } from './checks/events.ts'
import { check as expect } from './checks/expect.ts'
import { check as file } from './checks/file.ts'
import { check as head } from './checks/head.ts'
import { check as keepAlive } from './checks/keep-alive.ts'
import { check as metadata } from './checks/metadata.ts'
import { check as options } from './checks/options.ts'
import { check as override } from './checks/override.ts'
import { check as patch } from './checks/patch.ts'
import { check as pause } from './checks/pause.ts'
import { check as reach } from './checks/reach.ts'
import { check as ready } from './checks/ready.ts'
import { check as routes } from './checks/routes.ts'
import { check as settings } from './checks/settings.ts'
import { check as ticket } from './checks/ticket.ts'
import { check as vanish } from './checks/vanish.ts'

/** Every check there is, in the order in which they are made. */
export const checks: readonly Check[] = [
  settings,
  database,
  reach,
  ready,
  keepAlive,
  routes,
  options,
  cors,
  errors,
  create,
  clock,
  ticket,
  metadata,
  head,
  override,
  remove,
  patch,
  checksum,
  expect,
  bodyLimit,
  vanish,
  buffering,
  pause,
  events,
  file,
]
