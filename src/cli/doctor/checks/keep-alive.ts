import { Broken, type Check, ok } from '../check.ts'
import { keepAliveAgent } from '../exchange.ts'
import { expect } from '../explain.ts'
import { send } from '../patient.ts'

/** Whether a connection carries more than one request. */
export const check: Check = {
  name: 'keep-alive',
  needs: ['reach'],
  async run(patient) {
    const agent = keepAliveAgent(new URL(patient.base))
    try {
      const sent = 'GET /healthz twice on one connection'
      expect(await send(patient, 'GET', { to: '/healthz', agent }), [200], sent)
      const second = await send(patient, 'GET', { to: '/healthz', agent })
      if (second.reused) return ok('connections are kept for the next request')
      throw new Broken(
        {
          code: 'CONNECTION_CLOSED',
          message:
            'The connection is closed after every request: each PATCH pays for a new one, and for its TLS.',
          sent,
          got: `two connections; Connection: ${second.headers.connection ?? 'not said'}`,
          mend: {
            nginx: 'keepalive_timeout 75s; keepalive_requests 1000;',
            caddy: 'servers { timeouts { idle 5m } }',
            cloudflare: 'keeps connections: look at the proxy behind it',
          },
        },
        'warning',
      )
    } finally {
      agent.destroy()
    }
  },
}
