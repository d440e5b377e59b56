import { z } from '@hono/zod-openapi'
import { describeRouter } from '../../routes/describe.ts'
import type { Router } from '../../routes/router.ts'
import { limitedOperations, type RateLimits, rulesIn } from '../../shared/rate-limits.ts'
import { inProject } from '../rest/asks.ts'
import { type Operation, operation } from '../rest/operation.ts'

const seconds = z.number().openapi({ description: 'Seconds.' })

const Settings = z
  .object({
    routes: z.record(
      z.string(),
      z.object({
        public: z.boolean(),
        types: z.record(z.string(), z.record(z.string(), z.unknown())),
      }),
    ),
    roles: z.array(z.string()),
    digest: z.enum(['sha-256', 'none']),
    uploadLifetime: seconds,
    maxSignedUrlAge: seconds,
    eventRetention: seconds,
    rateLimits: z.record(
      z.enum(limitedOperations),
      z.array(
        z.object({
          by: z.enum(['address', 'principal', 'project', 'account']),
          points: z.int(),
          seconds: z.number(),
        }),
      ),
    ),
  })
  .openapi('Settings')

/** What holds in the project. */
export const settings: readonly Operation[] = [
  operation({
    id: 'getSettings',
    method: 'get',
    path: '/settings',
    tag: 'Settings',
    summary: 'Get the settings that hold',
    description: 'As the server was started. Routes may have limits of their own.',
    asks: inProject('settings.read'),
    answer: Settings,
    async handle({ access, settings: given }) {
      const { router, digest, rateLimits } = given
      return {
        routes: routesOf(router),
        roles: [...access.roles],
        digest,
        uploadLifetime: given.expiresIn / 1_000,
        maxSignedUrlAge: given.maxSignedUrlAge / 1_000,
        eventRetention: given.eventRetention / 1_000,
        rateLimits: limitsOf(rateLimits),
      }
    },
  }),
]

type Shown = z.input<typeof Settings>

function routesOf(router: Router): Shown['routes'] {
  const { routes } = describeRouter(router)
  const entries = Object.entries(routes).map(([name, route]) => {
    const types = Object.entries(route.types).map(([type, rule]) => [type, { ...rule }])
    return [name, { public: route.public, types: Object.fromEntries(types) }]
  })
  return Object.fromEntries(entries)
}

function limitsOf(limits: RateLimits): Shown['rateLimits'] {
  const entries = limitedOperations.map((name) => [name, rulesIn(limits[name])])
  return Object.fromEntries(entries)
}
