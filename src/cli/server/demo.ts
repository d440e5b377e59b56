import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigOptions } from '../../config.ts'
import { route } from '../../routes/route.ts'
import { createRouter } from '../../routes/router.ts'

/** Where the demo page is; the same relative path holds for the published build. */
const pageDirectory = join(import.meta.dirname, '../../../client/page/dist')

/** Takes any file up to 5 GiB from anyone and shows it to everyone. */
const router = createRouter({
  demo: route({
    blob: { maxFileSize: '5GiB', maxFileCount: 100, acl: 'public-read' },
  }).public(),
})

/** For the page, whose client is typed by it. */
export type DemoRouter = typeof router

/**
 * What `carcosa start` runs where there is no configuration file. Made to try things out on
 * this machine, which is why it listens on 127.0.0.1 unless told otherwise.
 */
export function demoOptions(): ConfigOptions {
  return { router, ...(existsSync(pageDirectory) && { page: pageDirectory }) }
}
