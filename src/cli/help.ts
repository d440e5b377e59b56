import { didYouMean } from '../shared/suggest.ts'
import { readArgs, UsageError, type Verb } from './verb.ts'

/** `carcosa help`: all verbs, or everything about one. */
export const verb: Verb = {
  name: 'help',
  summary: 'list the verbs, or explain one: carcosa help start',
  usage: 'carcosa help [verb]',
  async run(args, io, verbs) {
    const [name] = readArgs(args, {}, 1).positionals
    io.stdout.write(
      name === undefined ? overview(verbs) : `Usage: ${find(verbs, name).usage}\n`,
    )
    return 0
  },
}

/** The list of verbs with a line for each. */
export function overview(verbs: readonly Verb[]): string {
  const width = Math.max(...verbs.map(({ name }) => name.length))
  const lines = verbs.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return `Usage: carcosa <verb> [flags]\n\n${lines.join('\n')}\n\ncarcosa help <verb> explains one verb.\n`
}

/** The verb called `name`. Throws UsageError with the nearest name. */
export function find(verbs: readonly Verb[], name: string): Verb {
  const found = verbs.find((candidate) => candidate.name === name)
  if (found) return found
  const names = verbs.map((candidate) => candidate.name)
  throw new UsageError(
    `There is no verb "${name}".${didYouMean(name, names)} There are: ${names.join(', ')}.`,
  )
}
