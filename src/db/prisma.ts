import type { SqlDriverAdapterFactory } from '@prisma/client/runtime/client'
import { toDatabaseError } from './errors.ts'
import { PrismaClient } from './generated/client.ts'

/**
 * A Prisma client on `adapter` whose operations fail like those of Database do. `check` runs
 * before each of them and may throw.
 */
export function createPrisma(
  adapter: SqlDriverAdapterFactory,
  check: () => void = () => undefined,
): PrismaClient {
  const client = new PrismaClient({ adapter }).$extends({
    query: {
      async $allOperations({ args, query }) {
        check()
        try {
          return await query(args)
        } catch (error) {
          throw toDatabaseError(error)
        }
      },
    },
  })
  // An extended client differs in type only by lacking `$on`, which nobody here uses.
  return client as unknown as PrismaClient
}
