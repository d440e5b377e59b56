import { Broken, type Check, ok } from '../check.ts'
import { describe, headerLost } from '../explain.ts'
import { send } from '../patient.ts'
import { fitting } from '../sample.ts'
import { create, routeOf } from '../tus.ts'

/** Whether clients that cannot send PATCH and DELETE can say what they mean. */
export const check: Check = {
  name: 'override',
  needs: ['create'],
  async run(patient) {
    const upload = await create(patient, { size: fitting(routeOf(patient).sample, 100) })
    const answer = await send(patient, 'POST', {
      to: upload.url,
      headers: {
        'Tus-Resumable': '1.0.0',
        'X-HTTP-Method-Override': 'HEAD',
        ...upload.headers,
      },
      body: '',
    })
    if (answer.status === 200) return ok('X-HTTP-Method-Override arrives')
    throw new Broken(
      {
        sent: 'POST with X-HTTP-Method-Override: HEAD',
        got: describe(answer),
        ...headerLost('X-HTTP-Method-Override'),
      },
      'warning',
    )
  },
}
