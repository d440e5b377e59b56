import { Broken, type Check, type Finding, ok } from '../check.ts'
import { expect, jsonOf, unexpected } from '../explain.ts'
import { type Patient, send } from '../patient.ts'
import { sampleFor } from '../sample.ts'

/** Chooses the route that is used, and a file that it takes. */
export const check: Check = {
  name: 'routes',
  needs: ['reach'],
  async run(patient) {
    const answer = expect(
      await send(patient, 'GET', { to: '/routes' }),
      [200],
      'GET /routes',
    )
    const { routes } = jsonOf(answer.body) ?? {}
    // Judged by sampleFor below: what is not a route has no types.
    const known = Object(routes) as Record<string, Parameters<typeof sampleFor>[0]>
    const names = Object.keys(known)
    if (names.length === 0) throw new Broken(unexpected(answer, 'GET /routes'))
    const name = choose(patient, names)
    const sample = known[name]?.types ? sampleFor(known[name]) : null
    if (!sample) throw new Broken(unsuitable(name))
    patient.route = { name, sample }
    return ok(`uses the route "${name}" with files of type ${sample.type}`)
  },
}

function choose({ wishes }: Patient, names: readonly string[]): string {
  const wanted = wishes.route ?? (names.length === 1 ? names[0] : 'doctor')
  if (wanted !== undefined && names.includes(wanted)) return wanted
  const told = names.slice(0, 20).join(', ')
  throw new Broken({
    code: 'ROUTE_UNKNOWN',
    message: wishes.route
      ? `There is no route "${wishes.route}". There are: ${told}.`
      : `Which of these routes may be uploaded to? ${told}`,
    sent: 'GET /routes',
    mend: {
      carcosa: `carcosa doctor --route ${names[0]}; a route called "doctor" is taken without asking`,
    },
  })
}

function unsuitable(name: string): Omit<Finding, 'level'> {
  return {
    code: 'ROUTE_UNSUITABLE',
    message: `The doctor cannot make a file of a type that the route "${name}" takes.`,
    mend: { carcosa: "doctor: route({ blob: { maxFileSize: '64MB' } })" },
  }
}
